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
from airflow_provider_isales.client.text import clean_text, format_value, join_first
from airflow_provider_isales.client.verbs import PAUSE, RESUME_CAMPAIGN, Switch

log = logging.getLogger(__name__)

# Time limits in seconds: to list all there are, or to find two listings that agree; and to list them before the first
# request where the ids are given.
LISTING_SECONDS = 120.0
SHORT_LISTING_SECONDS = 10.0
# How often each is tried: once more after a listing that still has it as it was.
TRIES = 2
# How often those are switched that a listing has come to hold meanwhile.
MAX_PASSES = 5

#: The outcomes of those that may not be as wanted, though nothing says that they failed.
OPEN = (Outcome.UNKNOWN, Outcome.NOT_TRIED)

Listed = dict[Any, "CallBatch | Campaign"]
Found = Mapping[Any, tuple[Outcome, "ISalesError | None"]]


class BulkSwitch:
    """
    One run over the batches of one campaign, or the campaigns of one VDN.

    Every one is tried, however many fail; transient failures are retried in rounds. Then a listing decides: one without
    the wanted status is tried once more, then counts as failed, whatever its responses said. With ``"all"``, those that
    somebody creates or starts meanwhile are switched too, until a listing has none or :data:`MAX_PASSES` are over.

    A listing counts only if nothing came or went meanwhile: all are listed before and after, and again until two
    listings in a row have the same ids.

    :param switch: ``PAUSE`` or ``RESUME`` for batches, ``PAUSE_CAMPAIGN`` or ``RESUME_CAMPAIGN``
    :param scope: the campaign whose batches, or the VDN whose campaigns are to be switched
    :param ids: which; ``"all"`` for those that have the opposite status. Campaigns are never all resumed
    :param max_parallel_requests: how many requests are under way at once, 1 to 64
    :param exclude: the ids of those to leave alone, whatever their status
    :param select: with ``"all"``, only those whose name contains this text, whatever its case. The names are
        compared here: what the service's own filter matches is not documented, and with it one that is renamed
        meanwhile would seem to be gone
    :param select_required: whether the run fails if ``select`` matches none, instead of logging a warning
    :param deleted_is_gone: whether one that is not listed is gone, not failed, and a campaign that is completed not
        running, where it was to be resumed; by default only with ``"all"``
    :param announce: called with the ids of those that are listed with the opposite status, before the first request for
        them is sent; an exception that it raises ends the run
    :param timezone: the platform's time zone, for campaigns that have not begun
    :param next_start: when people may be called again: a campaign that begins earlier is a warning in the log
    :raises ISalesArgumentError: for a value that is not allowed
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
        # Those whose name contains ``select``, or all.
        self._matched: dict[Any, str] = {}
        self._confirmed_at: datetime | None = None
        self._was_listed = False

    def run(self) -> BulkResult:
        """
        Switch all and verify it.

        :raises ISalesBulkError: if any failed, or the result could not be verified; it has the result
        """
        try:
            listed = self._switch_and_verify()
            if self.switch is PAUSE and self._all and not listed and isinstance(self.scope, CampaignKey):
                self._check_campaign_without_batches(self.scope)
            if self.select is not None:
                self._check_matched()
        except ISalesError as error:
            if not (self._states or self._was_listed):
                raise  # nothing is known, so the error says it all
            raise self._failure(error) from None
        except BaseException:  # a timeout of the task, an interrupt
            self._session.gate.stop()
            log.warning("%s was interrupted: %s.", self, self._format_counts())
            raise
        finally:
            self._warn_of_begins()
        if _select(self._settle_all(), Outcome.FAILED, *OPEN):
            raise self._failure()
        log.info("%s: %s; list confirms it.", self, self._format_counts())
        return self.result()

    def result(self) -> BulkResult:
        """Return what is known by now, also while it runs or after it was interrupted. Each is in one place."""
        found = self._settle_all()
        states, named = self._states.copy(), self._names.copy()
        not_running = _select(found, Outcome.NOT_RUNNING)
        return BulkResult(
            scope=self.scope,
            done=self.switch.done,
            already=self.switch.already,
            changed=_select(found, self.switch.done),
            unchanged=_select(found, self.switch.already),
            failed={item_id: error.problem for item_id, error in _select_failures(found).items()},
            not_running=not_running,
            gone=_select(found, Outcome.GONE),
            unknown=_select(found, Outcome.UNKNOWN),
            not_tried=_select(found, Outcome.NOT_TRIED),
            excluded=list(self.exclude),
            confirmed_at=self._confirmed_at,
            asked_at={item_id: state.asked_at for item_id, state in states.items() if state.asked_at},
            names={item_id: named[item_id] for item_id in [*states, *self.exclude] if item_id in named},
            begins_at={item_id: at for item_id in not_running if (at := states[item_id].begins_at)},
            matched=None if self.select is None else self._matched.copy(),
        )

    @property
    def is_not_allowed(self) -> bool:
        """Whether some failed, all because the campaign's state does not allow it, and the rest was as wanted."""
        found = self._settle_all()
        failures = _select_failures(found)
        others = _select(found, self.switch.done, *OPEN) or self._confirmed_at is None
        refusals = [error for error in failures.values() if isinstance(error, ISalesNotAllowedError)]
        return bool(failures) and not others and len(refusals) == len(failures)

    def __str__(self) -> str:
        selected = "" if self.select is None else f" whose names contain {format_value(self.select)}"
        return f"{self.switch.doing} the {self._targets.name} of {self.scope}{selected}"

    def _switch_and_verify(self) -> Listed:
        """Return the listing that verifies it."""
        before, problem = self._list(time.monotonic() + (LISTING_SECONDS if self._all else SHORT_LISTING_SECONDS))
        if self._all:
            to_switch = self._list_wrong()
            if before and not to_switch:
                log.info("%s: list has none that is %s.", self, self.switch.opposite.name.lower())
        else:
            to_switch = self._add_given(before)
        self._switch_all(to_switch, is_listed=problem is None)
        if self._all and problem and not isinstance(problem, ISalesCampaignEditedError):
            raise problem  # what was listed before it came is switched by now
        listed = self._verify(None if problem else before)
        for _ in range(MAX_PASSES - 1):
            wrong = [item_id for item_id in self._list_wrong() if self._tries[item_id] < TRIES]
            if not wrong:
                break
            self._switch_all(wrong)
            listed = self._verify(listed)
        return listed

    def _check_campaign_without_batches(self, campaign: CampaignKey) -> None:
        """Raise if a campaign that has no batches may be dialled as a whole: pausing its batches stops nobody."""
        details = get_campaign(self._session, campaign)
        if not details.may_be_dialling:
            return
        found = describe_status(details.status)
        raise ISalesUnchangedError(
            f"it has no batches, and its details show it as {found}: it may be dialled as a whole",
            advice="Pause the campaign itself: with PauseCampaignsOperator, or with isales pause and --whole.",
        )

    def _check_matched(self) -> None:
        """Log which names match; if none does, log a warning, or raise where one is required."""
        matched = self.result().format_matched()
        if self._matched:
            log.info("%s: %s.", self, matched)
            return
        advice = f"Compare select with the names of the {self._targets.name} in the console."
        error = ISalesError(matched, advice=advice, retryable=True)  # one that was made just now may be listed later
        if self._select_required:
            raise error
        log.warning("%s: %s", self, error)

    def _add_given(self, listed: Listed) -> list[Any]:
        for value in self.ids:
            try:
                if (given := self._targets.check_id(value)) not in self.exclude:
                    self._states[given] = TargetState()
            except ISalesArgumentError as error:  # one bad id must not keep the others from being paused
                given = value if isinstance(value, str) else format_value(value)
                self._states.setdefault(given, TargetState().failed(error))
        self._note(listed)
        return [item_id for item_id, state in self._states.items() if not state.error]

    def _switch_all(self, ids: Collection[Any], *, is_listed: bool = True) -> None:
        """Switch each; ``is_listed`` says whether a listing has all there are, or failed before it had."""
        states = {item_id: self._states[item_id] for item_id in ids}
        self._announce(
            [
                item_id
                for item_id, state in states.items()
                # Of an unknown status, nobody knows whether it is the opposite one: if so, the result tells.
                if state.listed is self.switch.opposite or (state.listed is None and not is_listed)
            ]
        )
        self._confirmed_at = None
        self._tries.update(ids)
        self._rounds.run(ids, self._log_progress)

    def _switch_one(self, item_id: Any, deadline: float, timeout: float | None) -> Attempted:
        """Send one request to switch one, or to look up what came of that; return what went wrong."""
        state = self._states[item_id]
        if not state.reply:
            try:
                self._session.gate.pass_through(deadline)
            except ISalesError as error:
                return error
            state = self._states[item_id] = state.asked(clock.utc_now(), self.switch.opposite)
        try:
            key = self._targets.make_key(self.scope, item_id)
            if isinstance(key, BatchKey):
                success, _ = self._session.send(self.switch, key, timeout)
                self._states[item_id] = state.switched(self.switch.find_outcome(success.code))
            elif state.reply:
                details = read_details(self._session, key, state.reply, deadline=deadline, timeout=timeout)
                found = judge_details(self.switch, state.reply, details, self._zone, clock.utc_now())
                self._states[item_id] = state.switched(*found)
            else:
                self._states[item_id] = state.answered(send_request(self._session, self.switch, key, timeout))
                return UNFINISHED
            return None
        except ISalesError as error:
            self._states[item_id] = state.failed(error)
            return error
        except Exception as error:  # one unexpected error must not stop the rest
            log.exception("%s: %s", self, item_id)
            problem = clean_text(f"unexpected {type(error).__name__}: {error}")
            self._states[item_id] = state.failed(ISalesUnchangedError(problem))
            return None

    def _list(self, ends: float) -> tuple[Listed, ISalesError | None]:
        """Return what one listing has, and the error that ended it early. Note each status it has."""
        listed: Listed = {}
        problem = None
        retry = ONCE if self._rounds.outage else None
        try:
            verb, parallel = self._targets.list_verb, self.parallel
            for item in list_items(self._session, verb, self.scope, retry=retry, ends=ends, parallel=parallel):
                listed[item.id] = item
        except ISalesError as error:
            problem = error
            # Our request is always the same, so a refusal of it is no reason to give up.
            if isinstance(error, ISalesResultError) and not isinstance(error, ISalesCampaignNotFoundError):
                problem.retryable = True
        self._note(listed)
        self._was_listed |= bool(listed) or problem is None
        return listed, problem

    def _note(self, listed: Listed) -> None:
        for item_id, item in listed.items():
            self._names[item_id] = item.name
            begins_at = find_later_begin(item, self._zone, clock.utc_now()) if isinstance(item, Campaign) else None
            state = self._states.get(item_id, TargetState()).seen(item.status, begins_at)
            if self.select is None or self.select.casefold() in item.name.casefold():
                self._matched[item_id] = item.name
            is_wanted = self._all and item_id in self._matched and item_id not in self.exclude
            if item_id in self._states or (is_wanted and state.must_change(self.switch)):
                self._states[item_id] = state

    def _verify(self, previous: Listed | None) -> Listed:
        """Return a listing that counts, after its statuses are noted."""
        ends = time.monotonic() + LISTING_SECONDS

        def list_once() -> Listed:
            listed, problem = self._list(ends)
            if problem:
                raise problem
            return listed

        listed = find_agreed_listing(list_once, previous, ends)
        self._states |= {item_id: self._states[item_id].missed() for item_id in self._states.keys() - listed}
        self._confirmed_at = clock.utc_now()
        return listed

    def _list_wrong(self) -> list[Any]:
        """Return those that the last listing has with a status that is to be changed."""
        return [item_id for item_id, state in self._states.items() if state.must_change(self.switch)]

    def _settle_all(self) -> Found:
        return {
            item_id: settle(state, self.switch, missing_is_gone=self._missing_is_gone)
            for item_id, state in self._states.copy().items()
        }

    def _failure(self, error: ISalesError | None = None) -> ISalesBulkError:
        """Return the error for a run that did not reach its goal, with ``error`` if that ended it early."""
        found = self._settle_all()
        failures = _select_failures(found)
        errors = [*failures.values(), *([error] if error else [])]
        # One that is started, or may be, is worth a retry; a refusal of another does not change that.
        is_open = bool(_select(found, *OPEN) or self._list_wrong()) and not self.is_not_allowed
        # A listing that fails leaves each of them open.
        is_open |= error is not None and self._was_listed
        why = [_format_reasons(failures), *_format_open(found), str(error) if error else self._rounds.outage]
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


def _select(found: Found, *wanted: Outcome) -> list[Any]:
    return [item_id for item_id, (outcome, _) in found.items() if outcome in wanted]


def _select_failures(found: Found) -> dict[Any, ISalesError]:
    return {item_id: error for item_id, (outcome, error) in found.items() if outcome is Outcome.FAILED and error}


def _format_reasons(failures: Mapping[Any, ISalesError], few: int = 3) -> str:
    """Name the first few reasons, each with the first few that failed for it and what to do about it."""
    ids: dict[str, list[str]] = {}
    for item_id, error in failures.items():
        ids.setdefault(f"{error.problem}. {error.advice}".strip(), []).append(str(item_id))
    reasons = [f"{len(each)} of them ({join_first(each, few)}): {reason}" for reason, each in islice(ids.items(), few)]
    more = len(ids) - few
    return " ".join([*reasons, f"And {more} more reasons."] if more > 0 else reasons)


def _format_open(found: Found) -> Iterator[str]:
    """Name the first of which nobody knows whether they are as wanted."""
    for outcome in OPEN:
        if ids := [str(item_id) for item_id in _select(found, outcome)]:
            yield f"{outcome.value.replace('_', ' ').capitalize()}: {join_first(ids)}."
