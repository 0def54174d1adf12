"""Immutable values: campaigns, batches and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any


class BatchStatus(IntEnum):
    """The status of a call batch. Source: "Outbound Call Batch Interfaces", field ``status``."""

    STARTED = 1
    SUSPENDED = 2


class Outcome(StrEnum):
    """The result of a pause or a resume; the last four are for many batches at once."""

    PAUSED = "paused"
    ALREADY_PAUSED = "already_paused"
    RESUMED = "resumed"
    ALREADY_STARTED = "already_started"
    #: It was deleted meanwhile.
    GONE = "gone"
    FAILED = "failed"
    #: A request was sent but not answered, and no listing says what came of it.
    UNKNOWN = "unknown"
    #: No request was sent.
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class CampaignKey:
    """Which campaign, with checked ids."""

    vdn_id: int
    campaign_id: int

    def __str__(self) -> str:
        return f"campaign {self.campaign_id} (VDN {self.vdn_id})"


@dataclass(frozen=True)
class BatchKey(CampaignKey):
    """Which call batch of which campaign, with checked ids."""

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
class CallBatchResult:
    """
    The result of a pause or a resume that succeeded. Times are in UTC, by this machine's clock.

    :param outcome: whether this call changed the batch or found it as wanted
    :param attempts: how many requests it took. After more than one, ``already_paused`` may be the work of an earlier
        attempt whose response was lost
    :param asked_at: when the last request was sent: a batch that was changed had its old status until then
    :param confirmed_at: when its response was there
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
        """When the request was sent that changed the batch, by its id; empty if this call did not change it."""
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


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """
    The result of pausing or resuming many batches of a campaign: their ids, each in one list.

    :param done: the outcome of the batches in ``changed``: ``PAUSED`` or ``RESUMED``
    :param already: that of those in ``unchanged``: ``ALREADY_PAUSED`` or ``ALREADY_STARTED``
    :param changed: those that were changed
    :param unchanged: those that were as wanted
    :param failed: the reasons by the ids of those that are not as wanted, or by what was given instead of an id
    :param gone: those that were deleted meanwhile, where all were to be changed
    :param unknown: those for which a request was sent but not answered, and that no listing told of
    :param not_tried: those for which no request was sent
    :param excluded: those that were to be left alone
    :param confirmed_at: when the listing that confirms it was read, in UTC by this machine's clock; None if none does
    :param asked_at: when the requests were sent, by id. A batch that was changed had its old status until then
    """

    campaign: CampaignKey
    done: Outcome
    already: Outcome
    changed: list[str]
    unchanged: list[str]
    failed: dict[str, str]
    gone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    confirmed_at: datetime | None = None
    asked_at: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def changed_when_asked(self) -> dict[str, datetime]:
        """When the requests were sent that changed batches, by their ids."""
        return {batch_id: self.asked_at[batch_id] for batch_id in self.changed if batch_id in self.asked_at}

    @property
    def confirmed(self) -> list[str]:
        """The ids of the batches that a listing confirms to be as wanted, or gone; empty if none confirms it."""
        return [] if self.confirmed_at is None else [*self.changed, *self.unchanged, *self.gone]

    def to_dict(self) -> dict[str, Any]:
        """Return all but ``asked_at`` as plain values, fit for XCom, under the names of the outcomes."""
        return {
            **vars(self.campaign),
            self.done.value: self.changed,
            self.already.value: self.unchanged,
            **{name: getattr(self, name) for name in ("failed", "gone", "unknown", "not_tried", "excluded")},
            "confirmed_at": self.confirmed_at and format_iso(self.confirmed_at),
        }


def format_iso(instant: datetime) -> str:
    """Write an instant in ISO 8601, in UTC and to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")
