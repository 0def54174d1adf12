"""Pause or resume many batches of a campaign, or campaigns of a VDN, at once; verify the result by listing them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import (
    ALL,
    check_all_for_select,
    check_campaign_ids,
    check_instant,
    check_parallelism,
    check_select,
    check_timezone,
)
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBulkError,
    ISalesCampaignEditedError,
    ISalesCampaignNotFoundError,
    ISalesError,
    ISalesNotAllowedError,
    ISalesResultError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.listing import find_agreed_listing, list_items
from airflow_provider_isales.client.models import (
    BatchKey,
    BulkResult,
    CallBatch,
    Campaign,
    CampaignKey,
    Outcome,
    VdnKey,
)
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.rounds import UNFINISHED, Attempted, Rounds
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.switching import (
    find_later_begin,
    get_campaign,
    judge_details,
    read_details,
    send_request,
)
from airflow_provider_isales.client.target_state import TargetState, describe_status, settle
from airflow_provider_isales.client.targets import find_targets
from airflow_provider_isales.client.text import clean_text, format_value, join_named
from airflow_provider_isales.client.verbs import PAUSE, RESUME_CAMPAIGN, Switch

log = logging.getLogger(__name__)

# Time limits in seconds for listing all targets, or finding two listings that agree; and for the listing before the
# first request if ids are given.
LISTING_SECONDS = 120.0
SHORT_LISTING_SECONDS = 10.0
# How often a target is tried: once more if a listing still shows the old status.
TRIES = 2
# How often targets that appear in a listing meanwhile are switched.
MAX_PASSES = 5

#: The outcomes that leave open whether a target has the wanted status.
OPEN = (Outcome.UNKNOWN, Outcome.NOT_TRIED)

Listed = dict[Any, "CallBatch | Campaign"]
Settled = Mapping[Any, tuple[Outcome, "ISalesError | None"]]


class BulkSwitch:
    """
    One run over the batches of one campaign, or the campaigns of one VDN.

    Every target is tried, however many fail; transient failures are retried in rounds. Then a listing decides: a target
    without the wanted status is tried once more, and then counts as failed, whatever the responses said. With
    ``"all"``, targets that somebody creates or starts meanwhile are switched too, until a listing has none or
    :data:`MAX_PASSES` is reached.

    A listing counts only if no target came or went meanwhile: targets are listed before and after, and then again until
    two listings in a row have the same ids.

    :param switch: ``PAUSE`` or ``RESUME`` for batches, ``PAUSE_CAMPAIGN`` or ``RESUME_CAMPAIGN``
    :param scope: the campaign whose batches, or the VDN whose campaigns are to be switched
    :param ids: the targets; ``"all"`` for those with the opposite status, but never to resume campaigns
    :param max_parallel_requests: the most requests under way at once, 1 to 64
    :param exclude: the ids to leave alone, whatever their status
    :param select: with ``"all"``, only targets whose name contains this text, whatever its case. The names are compared
        here: what the service's own filter matches is not documented, and a target renamed meanwhile would seem gone
    :param select_required: whether the run fails if ``select`` matches none, instead of logging a warning
    :param deleted_is_gone: whether a target that is not listed is gone, not failed, and a completed campaign that was
        to be resumed is not running, not failed; by default only with ``"all"``
    :param announce: called with the ids that are listed with the opposite status, before the first request for them is
        sent; an exception that it raises ends the run
    :param timezone: the platform's time zone, for campaigns that have not begun
    :param next_start: when people may be called again: a campaign that begins earlier is a warning in the log
    :raises ISalesArgumentError: a value is not allowed
    """

    def __init__(
        self,
        switch: Switch,
        session: Session,
        scope: VdnKey,
        ids: Collection[Any] | Literal["all"] = ALL,
        max_parallel_requests: int = 8,
        *,
        exclude: Collection[Any] = (),
        select: str | None = None,
        select_required: bool = False,
        deleted_is_gone: bool | None = None,
        announce: Callable[[list[Any]], None] = lambda ids: None,
        timezone: str | ZoneInfo | None = None,
        next_start: datetime | None = None,
    ) -> None:
        self.switch = switch
        self._session = session
        self.scope = scope
        self._zone = None if timezone is None else check_timezone(timezone)
        self._targets = find_targets(scope)
        if switch is RESUME_CAMPAIGN:
            self.ids: Any = check_campaign_ids(ids, may_be_all=False)
        else:
            self.ids = self._targets.check_ids(ids)
        self.exclude = dict.fromkeys(self._targets.check_exclude(exclude))
        self._all = self.ids == ALL
        self.select = None if select is None else check_select(select)
        if self.select is not None:
            check_all_for_select(self.ids)
        self._select_required = select_required
        self._missing_is_gone = self._all if deleted_is_gone is None else deleted_is_gone
        self._announce = announce
        self._next_start = next_start and check_instant("next_start", next_start)
        self.parallel = check_parallelism(max_parallel_requests)
        self._rounds = Rounds(str(self), session, self._switch_one, self.parallel)
        # Threads only replace values, one thread at a time for each id, so it can be read while they run.
        self._states: dict[Any, TargetState] = {}
        self._tries = Counter[Any]()
        self._names: dict[Any, str] = {}
        # The listed names that contain ``select``, by id; without it all.
        self._matched: dict[Any, str] = {}
        self._confirmed_at: datetime | None = None
        self._was_listed = False

    def run(self) -> BulkResult:
        """
        Switch all targets and verify the result.

        :raises ISalesBulkError: a target failed, or the result could not be verified; the error has the result
        """
        try:
            listed = self._switch_and_verify()
            if self.switch is PAUSE and self._all and not listed and isinstance(self.scope, CampaignKey):
                self._check_campaign_without_batches(self.scope)
            if self.select is not None:
                self._check_matched()
        except ISalesError as error:
            if not (self._states or self._was_listed):
                if self.switch.done is Outcome.PAUSED:
                    error.advice = f"{error.advice} Nothing was paused, so calls may go on.".strip()
                raise
            raise self._make_error(error) from None
        except BaseException:  # a timeout of the task, an interrupt
            self._session.gate.stop()
            log.warning("%s was interrupted: %s.", self, self._format_counts())
            raise
        finally:
            self._warn_of_begins()
        if _filter_ids(self._settle_all(), Outcome.FAILED, *OPEN):
            raise self._make_error()
        log.info("%s: %s; list confirms it.", self, self._format_counts())
        return self.result()

    def result(self) -> BulkResult:
        """Return the result so far, also during the run and after an interruption. Each id is in one list."""
        found = self._settle_all()
        states, named = self._states.copy(), self._names.copy()
        not_running = _filter_ids(found, Outcome.NOT_RUNNING)
        return BulkResult(
            scope=self.scope,
            done=self.switch.done,
            already=self.switch.already,
            changed=_filter_ids(found, self.switch.done),
            unchanged=_filter_ids(found, self.switch.already),
            failed={item_id: error.problem for item_id, error in _get_failures(found).items()},
            not_running=not_running,
            gone=_filter_ids(found, Outcome.GONE),
            unknown=_filter_ids(found, Outcome.UNKNOWN),
            not_tried=_filter_ids(found, Outcome.NOT_TRIED),
            excluded=list(self.exclude),
            confirmed_at=self._confirmed_at,
            asked_at={item_id: state.asked_at for item_id, state in states.items() if state.asked_at},
            names={item_id: named[item_id] for item_id in [*states, *self.exclude] if item_id in named},
            begins_at={item_id: at for item_id in not_running if (at := states[item_id].begins_at)},
            matched=None if self.select is None else self._matched.copy(),
        )

    @property
    def is_not_allowed(self) -> bool:
        """Whether targets failed only because the campaign's state forbids it, and the rest needed no change."""
        found = self._settle_all()
        failures = _get_failures(found)
        others = _filter_ids(found, self.switch.done, *OPEN) or self._confirmed_at is None
        refusals = [error for error in failures.values() if isinstance(error, ISalesNotAllowedError)]
        return bool(failures) and not others and len(refusals) == len(failures)

    def __str__(self) -> str:
        selected = "" if self.select is None else f" whose names contain {format_value(self.select)}"
        return f"{self.switch.doing} the {self._targets.name} of {self.scope}{selected}"

    def _switch_and_verify(self) -> Listed:
        """Return the listing that verifies the result."""
        before, problem = self._list(time.monotonic() + (LISTING_SECONDS if self._all else SHORT_LISTING_SECONDS))
        if self._all:
            to_switch = self._find_unswitched()
            if before and not to_switch:
                but = " but what is excluded" if self.exclude else ""
                log.info("%s: list has none that is %s%s.", self, self.switch.opposite.name.lower(), but)
        else:
            to_switch = self._add_given_ids(before)
        self._switch_all(to_switch, is_listed=problem is None)
        if self._all and problem and not isinstance(problem, ISalesCampaignEditedError):
            raise problem  # only now that what was listed before it is switched
        listed = self._verify(None if problem else before)
        for _ in range(MAX_PASSES - 1):
            unswitched = [item_id for item_id in self._find_unswitched() if self._tries[item_id] < TRIES]
            if not unswitched:
                break
            self._switch_all(unswitched)
            listed = self._verify(listed)
        return listed

    def _check_campaign_without_batches(self, campaign: CampaignKey) -> None:
        """Raise if a campaign without batches may be dialled as a whole: pausing its batches would stop nobody."""
        details = get_campaign(self._session, campaign)
        if not details.may_be_dialling:
            return
        found = describe_status(details.status)
        raise ISalesUnchangedError(
            f"it has no batches, and its details show it as {found}: it may be dialled as a whole",
            advice="Pause the campaign itself: with PauseCampaignsOperator, or with isales pause and --whole.",
        )

    def _check_matched(self) -> None:
        """Log which names match; if none does, log a warning, or raise if one is required."""
        matched = self.result().format_matched()
        if self._matched:
            log.info("%s: %s.", self, matched)
            return
        advice = f"Compare select with the names of the {self._targets.name} in the console."
        error = ISalesError(matched, advice=advice, retryable=True)  # a new target may be listed later
        if self._select_required:
            raise error
        log.warning("%s: %s", self, error)

    def _add_given_ids(self, listed: Listed) -> list[Any]:
        for value in self.ids:
            try:
                if (given := self._targets.check_id(value)) not in self.exclude:
                    self._states[given] = TargetState()
            except ISalesArgumentError as error:  # one bad id must not keep the others from being paused
                given = value if isinstance(value, str) else format_value(value)
                self._states.setdefault(given, TargetState().after_error(error))
        self._record_statuses(listed)
        return [item_id for item_id, state in self._states.items() if not state.error]

    def _switch_all(self, ids: Collection[Any], *, is_listed: bool = True) -> None:
        """Switch targets; ``is_listed`` says whether the listing before was complete."""
        states = {item_id: self._states[item_id] for item_id in ids}
        self._announce(
            [
                item_id
                for item_id, state in states.items()
                # Not those with an unknown status: only the result shows whether it was the opposite one.
                if state.listed is self.switch.opposite or (state.listed is None and not is_listed)
            ]
        )
        self._confirmed_at = None
        self._tries.update(ids)
        self._rounds.run(ids, self._log_progress)

    def _switch_one(self, item_id: Any, deadline: float, timeout: float | None) -> Attempted:
        """Send one request, to switch a target or to read a campaign's details after that; return the error, if any."""
        state = self._states[item_id]
        if not state.reply:
            try:
                self._session.gate.pass_through(deadline)
            except ISalesError as error:
                return error
            state = self._states[item_id] = state.after_sending(clock.utc_now(), self.switch.opposite)
        try:
            key = self._targets.make_key(self.scope, item_id)
            if isinstance(key, BatchKey):
                success = self._session.send(self.switch, key, timeout)
                self._states[item_id] = state.after_success(self.switch.find_outcome(success.code))
            elif state.reply:
                details = read_details(self._session, key, state.reply, deadline=deadline, timeout=timeout)
                found = judge_details(self.switch, state.reply, details, self._zone, clock.utc_now())
                self._states[item_id] = state.after_success(*found)
            else:
                self._states[item_id] = state.after_reply(send_request(self._session, self.switch, key, timeout))
                return UNFINISHED
            return None
        except ISalesError as error:
            self._states[item_id] = state.after_error(error)
            return error
        except Exception as error:  # one unexpected error must not stop the rest
            log.exception("%s: %s", self, item_id)
            problem = clean_text(f"unexpected {type(error).__name__}: {error}")
            self._states[item_id] = state.after_error(ISalesUnchangedError(problem))
            return None

    def _list(self, ends: float) -> tuple[Listed, ISalesError | None]:
        """Return one listing, and the error that ended it early, if any; record its statuses."""
        listed: Listed = {}
        problem = None
        retry = ONCE if self._rounds.outage else None
        try:
            verb, parallel = self._targets.list_verb, self.parallel
            for item in list_items(self._session, verb, self.scope, retry=retry, ends=ends, parallel=parallel):
                listed[item.id] = item
        except ISalesError as error:
            problem = error
            # This request is always the same, so a refusal is no reason to give up.
            if isinstance(error, ISalesResultError) and not isinstance(error, ISalesCampaignNotFoundError):
                problem.retryable = True
        self._record_statuses(listed)
        self._was_listed |= bool(listed) or problem is None
        return listed, problem

    def _record_statuses(self, listed: Listed) -> None:
        for item_id, item in listed.items():
            self._names[item_id] = item.name
            begins_at = find_later_begin(item, self._zone, clock.utc_now()) if isinstance(item, Campaign) else None
            state = self._states.get(item_id, TargetState()).after_listing(item.status, begins_at)
            if self.select is None or self.select.casefold() in item.name.casefold():
                self._matched[item_id] = item.name
            is_wanted = self._all and item_id in self._matched and item_id not in self.exclude
            if item_id in self._states or (is_wanted and state.must_change(self.switch)):
                self._states[item_id] = state

    def _verify(self, previous: Listed | None) -> Listed:
        """Return a listing that counts, with its statuses recorded."""
        ends = time.monotonic() + LISTING_SECONDS

        def list_once() -> Listed:
            listed, problem = self._list(ends)
            if problem:
                raise problem
            return listed

        listed = find_agreed_listing(list_once, previous, ends)
        self._states |= {item_id: self._states[item_id].after_missing() for item_id in self._states.keys() - listed}
        self._confirmed_at = clock.utc_now()
        return listed

    def _find_unswitched(self) -> list[Any]:
        """Return the ids that the last listing shows with a status that is to be changed."""
        return [item_id for item_id, state in self._states.items() if state.must_change(self.switch)]

    def _settle_all(self) -> Settled:
        return {
            item_id: settle(state, self.switch, missing_is_gone=self._missing_is_gone)
            for item_id, state in self._states.copy().items()
        }

    def _make_error(self, error: ISalesError | None = None) -> ISalesBulkError:
        """Return the error for a run that did not reach its goal; ``error`` is what ended it early, if anything did."""
        found = self._settle_all()
        failures = _get_failures(found)
        errors = [*failures.values(), *([error] if error else [])]
        # A target that does not have the wanted status, or may not, is worth a retry, even if another was refused.
        is_open = bool(_filter_ids(found, *OPEN) or self._find_unswitched()) and not self.is_not_allowed
        # A failed listing leaves all targets open.
        is_open |= error is not None and self._was_listed
        ended_by = str(error) if error else self._rounds.outage
        names = {str(item_id): name for item_id, name in self._names.copy().items()}
        why = [_format_reasons(failures, names), *_format_open(found, names), ended_by[:1].upper() + ended_by[1:]]
        return ISalesBulkError(
            f"{self._format_counts()}. {' '.join(filter(None, why))}".removesuffix("."),
            self.result(),
            retryable=is_open or any(error.retryable for error in errors),
        ).during(str(self))

    def _format_counts(self) -> str:
        counts = Counter(outcome for outcome, _ in self._settle_all().values())
        always = (self.switch.done, self.switch.already, Outcome.FAILED)
        if_any = (Outcome.NOT_RUNNING, Outcome.UNKNOWN, Outcome.NOT_TRIED, Outcome.GONE)
        return ", ".join(
            f"{counts[outcome]} {outcome.value if outcome in always else outcome.value.replace('_', ' ')}"
            for outcome in (*always, *(outcome for outcome in if_any if counts[outcome]))
        )

    def _warn_of_begins(self) -> None:
        """Log a warning for each campaign that begins before people may be called again."""
        for campaign_id, begin in self.result().begins_at.items():
            if self._next_start is not None and begin < self._next_start:
                log.warning(
                    "Campaign %d begins at %s, before the next shift starts at %s: it will call people then. Suspend "
                    "it in the console, or change its begin.",
                    campaign_id,
                    begin.isoformat(),
                    self._next_start.isoformat(),
                )

    def _log_progress(self, finished: int, total: int, seconds: float) -> None:
        rate = finished / seconds
        log.info("%s: %d of %d done, %.0f a second; so far %s.", self, finished, total, rate, self._format_counts())


def _filter_ids(found: Settled, *wanted: Outcome) -> list[Any]:
    return [item_id for item_id, (outcome, _) in found.items() if outcome in wanted]


def _get_failures(found: Settled) -> dict[Any, ISalesError]:
    return {item_id: error for item_id, (outcome, error) in found.items() if outcome is Outcome.FAILED and error}


def _format_reasons(failures: Mapping[Any, ISalesError], names: Mapping[str, str], few: int = 3) -> str:
    """Return the first few reasons, each with the first few ids and names and what to do about it."""
    ids: dict[str, list[str]] = {}
    for item_id, error in failures.items():
        ids.setdefault(f"{error.problem}. {error.advice}".strip(), []).append(str(item_id))
    reasons = [
        f"{len(failed)} of them, {join_named(failed, names, few)}: {reason}"
        for reason, failed in islice(ids.items(), few)
    ]
    more = len(ids) - few
    return " ".join([*reasons, f"And {more} more reasons."] if more > 0 else reasons)


def _format_open(found: Settled, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the first few ids and names of each open outcome."""
    for outcome in OPEN:
        if ids := _filter_ids(found, outcome):
            yield f"{outcome.value.replace('_', ' ').capitalize()}: {join_named(ids, names)}."
