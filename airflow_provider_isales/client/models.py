"""Immutable values: campaigns, batches and results."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

from airflow_provider_isales.client.text import clean_text, join_named


class BatchStatus(IntEnum):
    """The status of a call batch. Source: "Outbound Call Batch Interfaces", field ``status``."""

    STARTED = 1
    SUSPENDED = 2


class CampaignStatus(IntEnum):
    """
    The status of a campaign. Source: "Querying Details About an Outbound Campaign", field ``status``.

    ``STARTED`` covers campaigns that are dialling, that have called everybody, and that have not begun yet.
    """

    DRAFT = 1
    STARTED = 2
    SUSPENDED = 3
    COMPLETED = 4


class Outcome(StrEnum):
    """The result of a pause or a resume; the last four only occur in bulk runs."""

    PAUSED = "paused"
    ALREADY_PAUSED = "already_paused"
    RESUMED = "resumed"
    ALREADY_STARTED = "already_started"
    #: A campaign that calls nobody without being suspended: a draft, completed, or not begun yet.
    NOT_RUNNING = "not_running"
    #: It was deleted meanwhile.
    GONE = "gone"
    FAILED = "failed"
    #: A request was sent, but neither a response nor a listing shows its effect.
    UNKNOWN = "unknown"
    #: No request was sent.
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class VdnKey:
    """The checked id of a virtual call centre (VDN)."""

    vdn_id: int

    def __str__(self) -> str:
        return f"VDN {self.vdn_id}"


@dataclass(frozen=True)
class CampaignKey(VdnKey):
    """The checked ids of a campaign."""

    campaign_id: int

    def __str__(self) -> str:
        return f"campaign {self.campaign_id} (VDN {self.vdn_id})"


@dataclass(frozen=True)
class BatchKey(CampaignKey):
    """The checked ids of a call batch."""

    batch_id: str

    def __str__(self) -> str:
        return f"call batch {self.batch_id} of {super().__str__()}"


@dataclass(frozen=True)
class CallBatch:
    """A part of a campaign's numbers, with an id (digits as text), a name that is unique there, and a status."""

    id: str
    name: str
    status: BatchStatus


@dataclass(frozen=True)
class Campaign:
    """
    A campaign ("outbound call task" in the console).

    :param status: its status; a number that the reference does not explain stays a number
    :param begin: when it begins, in the platform's time zone, which the reference does not name
    :param end: when it ends, likewise; either is None if the response has none that can be read
    :param workday_hours: when the platform lets it dial on working days, as pairs of ``"HH:mm"``
    :param special_day_hours: likewise on its special dates. Only :meth:`.ISalesClient.get_campaign` returns hours
    """

    id: int
    name: str
    status: CampaignStatus | int
    begin: datetime | None = None
    end: datetime | None = None
    workday_hours: tuple[tuple[str, str], ...] = ()
    special_day_hours: tuple[tuple[str, str], ...] = ()

    @property
    def may_be_dialling(self) -> bool:
        """Whether it may call people, by its status alone: started, or a status that is not documented."""
        return self.status is CampaignStatus.STARTED or not isinstance(self.status, CampaignStatus)


@dataclass(frozen=True)
class SpecialDate:
    """
    Days on which a campaign dials at its ``special_day_hours``.

    Source: "Querying the Special Date List of an Outbound Campaign".

    :param kind: 1 for days of the week, 2 for dates, 3 for dates of each year
    :param week: the days of the week, such as ``"6,7"``; 1 is Monday
    :param begin: the first date, as ``yyyy-MM-dd``, or ``MM-dd`` for dates of each year
    :param end: the last date
    """

    name: str
    kind: int
    week: str
    begin: str
    end: str


@dataclass(frozen=True)
class CallBatchResult:
    """
    The result of a pause or a resume that succeeded. Times are in UTC, by this machine's clock.

    :param outcome: whether this call changed the batch, or the batch already had the wanted status
    :param attempts: the number of requests. After more than one, ``already_paused`` may be the effect of an earlier
        attempt whose response was lost
    :param asked_at: when the last request was sent: until then, a changed batch had its old status
    :param confirmed_at: when its response arrived
    """

    batch: BatchKey
    outcome: Outcome
    result_code: str
    result_desc: str
    attempts: int
    asked_at: datetime
    confirmed_at: datetime

    @property
    def changed_when_asked(self) -> dict[str, datetime]:
        """When the request that changed the batch was sent, by batch id; empty if this call did not change it."""
        changed = self.outcome in (Outcome.PAUSED, Outcome.RESUMED)
        return {self.batch.batch_id: self.asked_at} if changed else {}

    def to_dict(self) -> dict[str, str | int]:
        """Return all but ``attempts`` and ``asked_at`` as plain values, fit for XCom."""
        return {
            **vars(self.batch),
            "outcome": self.outcome.value,
            "result_code": self.result_code,
            "result_desc": self.result_desc,
            "confirmed_at": format_iso(self.confirmed_at),
        }


@dataclass(frozen=True)
class CampaignResult:
    """
    The result of pausing or resuming a campaign as a whole. Times are in UTC, by this machine's clock.

    :param outcome: as its details show it after the request
    :param result_code: of the last response; a refusal is no failure if the campaign has the wanted status
    :param begins_at: when it begins, if it is not running because it has not begun
    :param asked_at: when the request that changed it, or may have changed it, was sent
    :param confirmed_at: when the details were read
    """

    campaign: CampaignKey
    name: str
    outcome: Outcome
    result_code: str
    result_desc: str
    begins_at: datetime | None
    asked_at: datetime
    confirmed_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return all but ``asked_at`` as plain values, fit for XCom."""
        return {
            **vars(self.campaign),
            "name": clean_text(self.name),
            "outcome": self.outcome.value,
            "result_code": self.result_code,
            "result_desc": self.result_desc,
            "begins_at": self.begins_at and format_iso(self.begins_at),
            "confirmed_at": format_iso(self.confirmed_at),
        }


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """
    The result of pausing or resuming many batches of a campaign, or campaigns of a VDN. Each id is in one list.

    Ids are text of digits for batches, and integers for campaigns.

    :param scope: the campaign, or the VDN
    :param done: the outcome of the ids in ``changed``: ``PAUSED`` or ``RESUMED``
    :param already: the outcome of the ids in ``unchanged``: ``ALREADY_PAUSED`` or ``ALREADY_STARTED``
    :param changed: changed by this run
    :param unchanged: had the wanted status already
    :param not_running: campaigns that call nobody without being suspended: drafts, completed, or not begun yet
    :param failed: do not have the wanted status, with the reasons; a value that is no id stands for itself
    :param gone: deleted meanwhile, in a run over ``"all"``
    :param unknown: a request was sent, but neither a response nor a listing shows its effect
    :param not_tried: no request was sent
    :param excluded: left alone on request
    :param confirmed_at: when the confirming listing was read, in UTC by this machine's clock; None without one
    :param asked_at: when the requests were sent, by id: until then, a changed one had its old status
    :param names: the names of campaigns by id, as listed
    :param begins_at: by id, when campaigns begin that are not running because they have not begun
    :param matched: with ``select``, by id, the names of all that match, whatever their status; otherwise None
    """

    scope: VdnKey
    done: Outcome
    already: Outcome
    changed: list[Any]
    unchanged: list[Any]
    failed: dict[Any, str]
    not_running: list[Any] = field(default_factory=list)
    gone: list[Any] = field(default_factory=list)
    unknown: list[Any] = field(default_factory=list)
    not_tried: list[Any] = field(default_factory=list)
    excluded: list[Any] = field(default_factory=list)
    confirmed_at: datetime | None = None
    asked_at: Mapping[Any, datetime] = field(default_factory=dict)
    names: Mapping[Any, str] = field(default_factory=dict)
    begins_at: Mapping[Any, datetime] = field(default_factory=dict)
    matched: Mapping[Any, str] | None = None

    @property
    def changed_when_asked(self) -> dict[Any, datetime]:
        """When the requests that changed a status were sent, by id."""
        return {item_id: self.asked_at[item_id] for item_id in self.changed if item_id in self.asked_at}

    @property
    def confirmed(self) -> list[Any]:
        """The ids that a listing confirms to have the wanted status, or to be gone; empty without such a listing."""
        as_wanted = [*self.changed, *self.unchanged, *self.not_running, *self.gone]
        return [] if self.confirmed_at is None else as_wanted

    @property
    def unlisted(self) -> list[Any]:
        """The excluded ids that no listing had; empty without a listing that counts."""
        return [] if self.confirmed_at is None else [each for each in self.excluded if each not in self.names]

    def format_matched(self, few: int = 10) -> str:
        """Return how many names match, and the first few ids with their names."""
        matched = _to_json_names(self.matched or {})
        return f"{len(matched)} match: {join_named(matched, matched, few)}" if matched else "no name matches"

    @property
    def found_any(self) -> bool:
        """Whether any exists and has the wanted status. If all are gone, this may be another platform."""
        return bool(self.changed or self.unchanged or self.not_running)

    def to_dict(self) -> dict[str, Any]:
        """Return all but ``asked_at`` as plain values, fit for XCom, under the names of the outcomes."""
        record = {
            **vars(self.scope),
            self.done.value: self.changed,
            self.already.value: self.unchanged,
            "failed": {str(item_id): reason for item_id, reason in self.failed.items()},
            **{name: getattr(self, name) for name in ("gone", "unknown", "not_tried", "excluded")},
            "confirmed_at": self.confirmed_at and format_iso(self.confirmed_at),
        }
        if not isinstance(self.scope, CampaignKey):  # ids as text, because keys of JSON objects are text
            record["not_running"] = self.not_running
            record["names"] = _to_json_names(self.names)
            record["begins_at"] = {str(item_id): format_iso(at) for item_id, at in self.begins_at.items()}
        if self.matched is not None:
            record["matched"] = _to_json_names(self.matched)
        return record


def _to_json_names(names: Mapping[Any, str]) -> dict[str, str]:
    return {str(item_id): clean_text(name) for item_id, name in names.items()}


def format_iso(instant: datetime) -> str:
    """Format an instant in ISO 8601, in UTC and with milliseconds."""
    with suppress(OverflowError):  # the end of the year 9999, west of Greenwich
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds")
