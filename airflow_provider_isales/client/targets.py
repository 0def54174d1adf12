"""The targets of a bulk run, batches or campaigns: what is known about each, and the result and messages from that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import (
    ALL,
    check_all_for_select,
    check_batch_exclude,
    check_batch_id,
    check_batch_ids,
    check_campaign_exclude,
    check_campaign_id,
    check_campaign_ids,
    check_select,
)
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBulkError,
    ISalesError,
    ISalesNotAllowedError,
)
from airflow_provider_isales.client.models import BulkResult, CallBatch, Campaign, CampaignKey, Outcome, VdnKey
from airflow_provider_isales.client.switching import find_later_begin
from airflow_provider_isales.client.target_state import TargetState, settle
from airflow_provider_isales.client.text import format_value, join_named
from airflow_provider_isales.client.verbs import RESUME_CAMPAIGN, Switch

#: The outcomes that leave open whether a target has the wanted status.
_OPEN = (Outcome.UNKNOWN, Outcome.NOT_TRIED)
# How many reasons, and ids for each, an error names.
_FEW_REASONS = 3

#: One listing, by ids.
Listed = dict[Any, CallBatch | Campaign]


class Targets:
    """
    The targets of one run. The parameters are those of :class:`.BulkSwitch`.

    :param zone: the platform's time zone; None if it is not known
    :raises ISalesArgumentError: a value is not allowed
    """

    def __init__(
        self,
        switch: Switch,
        scope: VdnKey,
        ids: object,
        *,
        exclude: object,
        select: str | None,
        deleted_is_gone: bool | None,
        zone: tzinfo | None,
    ) -> None:
        self._switch, self._scope, self._zone = switch, scope, zone
        self._check_id: Callable[[object], Any]
        excluded: list[Any]
        if isinstance(scope, CampaignKey):
            self.kind, self._check_id = "call batches", check_batch_id
            self.ids, excluded = check_batch_ids(ids), check_batch_exclude(exclude)
        else:
            self.kind, self._check_id = "campaigns", check_campaign_id
            self.ids = check_campaign_ids(ids, may_be_all=switch is not RESUME_CAMPAIGN)
            excluded = check_campaign_exclude(exclude)
        self.excluded = dict.fromkeys(excluded)
        self.are_all = self.ids == ALL
        self.select = None if select is None else check_select(select)
        if self.select is not None:
            check_all_for_select(self.ids)
        self._missing_is_gone = self.are_all if deleted_is_gone is None else deleted_is_gone
        #: The listed names that contain ``select``, by id; without it all.
        self.matched: dict[Any, str] = {}
        # Threads only replace values, one thread at a time for each id, so it can be read while they run.
        self.states: dict[Any, TargetState] = {}
        #: When the listing that verifies the states was read.
        self.confirmed_at: datetime | None = None
        #: Whether there was a listing, or a part of one.
        self.was_listed = False
        self._names: dict[Any, str] = {}

    def __str__(self) -> str:
        selected = "" if self.select is None else f" whose names contain {format_value(self.select)}"
        return f"the {self.kind} of {self._scope}{selected}"

    def add_given(self) -> list[Any]:
        """Add the given ids and return the valid ones; any other fails, and must not keep these from being paused."""
        for value in self.ids:
            try:
                if (given := self._check_id(value)) not in self.excluded:
                    self.states[given] = TargetState()
            except ISalesArgumentError as error:
                given = value if isinstance(value, str) else format_value(value)
                self.states.setdefault(given, TargetState().after_error(error))
        return [item_id for item_id, state in self.states.items() if not state.error]

    def record_listing(self, listed: Listed, *, is_whole: bool) -> None:
        """Record what a listing, or its first part, shows; if the run is over all, add targets to be switched."""
        self.was_listed |= is_whole or bool(listed)
        for item_id, item in listed.items():
            self._names[item_id] = item.name
            if self.select is None or self.select.casefold() in item.name.casefold():
                self.matched[item_id] = item.name
            begins_at = find_later_begin(item, self._zone, clock.utc_now()) if isinstance(item, Campaign) else None
            state = self.states.get(item_id, TargetState()).after_listing(item.status, begins_at)
            is_wanted = self.are_all and item_id in self.matched and item_id not in self.excluded
            if item_id in self.states or (is_wanted and state.must_change(self._switch)):
                self.states[item_id] = state

    def confirm(self, listed: Listed) -> None:
        """Take note that a recorded listing counts: what it lacks is missing."""
        self.states |= {item_id: self.states[item_id].after_missing() for item_id in self.states.keys() - listed}
        self.confirmed_at = clock.utc_now()

    def find_unswitched(self) -> list[Any]:
        """Return the ids that the last listing shows with a status that is to be changed."""
        return [item_id for item_id, state in self.states.items() if state.must_change(self._switch)]

    def make_result(self) -> BulkResult:
        """Return the result so far. Each id is in one list."""
        ids, failures = self._settle()
        states, names = self.states.copy(), self._names.copy()
        return BulkResult(
            scope=self._scope,
            done=self._switch.done,
            already=self._switch.already,
            changed=ids[self._switch.done],
            unchanged=ids[self._switch.already],
            failed={item_id: error.problem for item_id, error in failures.items()},
            not_running=ids[Outcome.NOT_RUNNING],
            gone=ids[Outcome.GONE],
            unknown=ids[Outcome.UNKNOWN],
            not_tried=ids[Outcome.NOT_TRIED],
            excluded=list(self.excluded),
            confirmed_at=self.confirmed_at,
            asked_at={item_id: state.asked_at for item_id, state in states.items() if state.asked_at},
            names={item_id: names[item_id] for item_id in [*states, *self.excluded] if item_id in names},
            begins_at={item_id: at for item_id in ids[Outcome.NOT_RUNNING] if (at := states[item_id].begins_at)},
            matched=None if self.select is None else self.matched.copy(),
        )

    @property
    def are_as_wanted(self) -> bool:
        """Whether no target failed or is open."""
        ids, _ = self._settle()
        return not any(ids[outcome] for outcome in (Outcome.FAILED, *_OPEN))

    @property
    def are_not_allowed(self) -> bool:
        """Whether targets failed only because the campaign's state forbids it, and the rest needed no change."""
        ids, failures = self._settle()
        if not failures or not all(isinstance(error, ISalesNotAllowedError) for error in failures.values()):
            return False
        return self.confirmed_at is not None and not any(ids[outcome] for outcome in (self._switch.done, *_OPEN))

    def make_error(self, ended_by: ISalesError | None, outage: str) -> ISalesBulkError:
        """
        Return the error for a run that did not reach its goal.

        :param ended_by: what ended it early, if anything did
        :param outage: why its last requests were not sent; empty if all were
        """
        ids, failures = self._settle()
        errors = [*failures.values(), *([ended_by] if ended_by else [])]
        # A target that does not have the wanted status, or may not, is worth a retry, even if another was refused.
        is_open = bool(any(ids[outcome] for outcome in _OPEN) or self.find_unswitched()) and not self.are_not_allowed
        # A failed listing leaves all targets open.
        is_open |= ended_by is not None and self.was_listed
        not_sent = f"No more requests were sent: {outage}" if outage else ""
        end = str(ended_by) if ended_by else not_sent
        names = {str(item_id): name for item_id, name in self._names.copy().items()}
        why = [*_format_reasons(failures, names), *_format_open(ids, names), end[:1].upper() + end[1:]]
        return ISalesBulkError(
            f"{self.format_counts()}. {' '.join(filter(None, why))}".removesuffix("."),
            self.make_result(),
            retryable=is_open or any(error.retryable for error in errors),
        )

    def format_counts(self) -> str:
        """Return how many targets have which outcome."""
        ids, _ = self._settle()
        if_any = (self._switch.already, Outcome.FAILED, Outcome.NOT_RUNNING, *_OPEN, Outcome.GONE)
        shown = [self._switch.done, *(outcome for outcome in if_any if ids[outcome])]
        return ", ".join(f"{len(ids[outcome])} {outcome.value.replace('_', ' ')}" for outcome in shown)

    def _settle(self) -> tuple[Mapping[Outcome, list[Any]], dict[Any, ISalesError]]:
        """Return the ids by outcome, and the reasons of those that failed."""
        ids, failures = defaultdict[Outcome, list[Any]](list), dict[Any, ISalesError]()
        for item_id, state in self.states.copy().items():
            outcome, error = settle(state, self._switch, missing_is_gone=self._missing_is_gone)
            ids[outcome].append(item_id)
            if outcome is Outcome.FAILED and error:
                failures[item_id] = error
        return ids, failures


def _format_reasons(failures: Mapping[Any, ISalesError], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the first few reasons, each with the first few ids and names and what to do about it."""
    ids = defaultdict[str, list[str]](list)
    for item_id, error in failures.items():
        ids[f"{error.problem}. {error.advice}".strip()].append(str(item_id))
    for reason, failed in islice(ids.items(), _FEW_REASONS):
        yield f"{len(failed)} of them, {join_named(failed, names, _FEW_REASONS)}: {reason}"
    if (more := len(ids) - _FEW_REASONS) > 0:
        yield f"And {more} more reasons."


def _format_open(ids: Mapping[Outcome, Collection[Any]], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the first few ids and names of each open outcome."""
    for outcome in _OPEN:
        if ids[outcome]:
            yield f"{outcome.value.replace('_', ' ').capitalize()}: {join_named(ids[outcome], names)}."
