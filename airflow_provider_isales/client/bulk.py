"""Pause or resume many call batches of a campaign at once, and verify the result with ``list``."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Literal

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import (
    ALL,
    check_batch_id,
    check_batch_ids,
    check_exclude,
    check_parallelism,
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
from airflow_provider_isales.client.listing import find_agreed_listing, list_batches
from airflow_provider_isales.client.models import BatchKey, BulkResult, CallBatch, CampaignKey, Outcome
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.rounds import Rounds
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.target_state import Switched, TargetState, settle
from airflow_provider_isales.client.text import clean_text, format_value, join_first
from airflow_provider_isales.client.verbs import Switch

log = logging.getLogger(__name__)

# Time limits in seconds: to list a campaign, or to find two listings that agree; and to list it before the first
# request where the batches are given.
LISTING_SECONDS = 120.0
SHORT_LISTING_SECONDS = 10.0

#: The outcomes of batches that may not be as wanted, though nothing says that they failed.
OPEN = (Outcome.UNKNOWN, Outcome.NOT_TRIED)

Listed = dict[str, CallBatch]
Found = Mapping[str, tuple[Outcome, ISalesError | None]]


class BulkSwitch:
    """
    One run over the batches of one campaign.

    Every batch is tried, however many fail; transient failures are retried in rounds. Then ``list`` decides: a batch
    without the wanted status is tried once more, then counts as failed, whatever its responses said. With ``"all"``,
    batches that somebody creates or starts meanwhile are switched too.

    A listing counts only if the campaign did not change meanwhile: it is listed before and after, and again until two
    listings in a row have the same batches.

    :param switch: ``PAUSE`` or ``RESUME``
    :param batch_ids: the batches; ``"all"`` for those that have the opposite status
    :param max_parallel_requests: how many requests are under way at once, 1 to 64
    :param exclude: batches to leave alone, whatever their status
    :param deleted_is_gone: whether a batch that is not listed is gone, not failed; by default only with ``"all"``
    :param announce: called with the batches that are listed with the opposite status, before the first request for them
        is sent; an exception that it raises ends the run
    :raises ISalesArgumentError: for a value that is not allowed
    """

    def __init__(
        self,
        switch: Switch,
        session: Session,
        campaign: CampaignKey,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        max_parallel_requests: int = 8,
        *,
        exclude: Collection[str] = (),
        deleted_is_gone: bool | None = None,
        announce: Callable[[list[str]], None] = lambda batch_ids: None,
    ) -> None:
        self.switch = switch
        self._session = session
        self.campaign = campaign
        self.batch_ids = check_batch_ids(batch_ids)
        self.exclude = dict.fromkeys(check_exclude(exclude))
        self._all = self.batch_ids == ALL
        self._missing_is_gone = self._all if deleted_is_gone is None else deleted_is_gone
        self._announce = announce
        self.parallel = check_parallelism(max_parallel_requests)
        self._rounds = Rounds(str(self), session, self._switch_one, self.parallel)
        # Threads only replace values, one thread at a time for each batch, so it can be read while they run.
        self._states: dict[str, TargetState] = {}
        # What was given instead of an id.
        self._bad: dict[str, ISalesError] = {}
        self._confirmed_at: datetime | None = None
        self._was_listed = self._was_listed_whole = False

    def run(self) -> BulkResult:
        """
        Switch all batches and verify it.

        :raises ISalesBulkError: if any batch failed, or the result could not be verified; it has the result
        """
        try:
            self._switch_and_verify()
        except ISalesError as error:
            if not self._states and not self._was_listed:
                raise  # nothing is known of the campaign, so the error says it all
            raise self._failure(error) from None
        except BaseException:  # a timeout of the task, an interrupt
            self._session.gate.stop()
            log.warning("%s was interrupted: %s.", self, self._format_counts())
            raise
        if _select(self._settle_all(), Outcome.FAILED, *OPEN):
            raise self._failure()
        log.info("%s: %s; list confirms it.", self, self._format_counts())
        return self.result()

    def result(self) -> BulkResult:
        """Return what is known by now, also while it runs or after it was interrupted. Each batch is in one place."""
        found = self._settle_all()
        return BulkResult(
            campaign=self.campaign,
            done=self.switch.done,
            already=self.switch.already,
            changed=_select(found, self.switch.done),
            unchanged=_select(found, self.switch.already),
            failed={batch_id: error.problem for batch_id, error in _select_failures(found).items()},
            gone=_select(found, Outcome.GONE),
            unknown=_select(found, Outcome.UNKNOWN),
            not_tried=_select(found, Outcome.NOT_TRIED),
            excluded=list(self.exclude),
            confirmed_at=self._confirmed_at,
            asked_at={batch_id: state.asked_at for batch_id, state in self._states.copy().items() if state.asked_at},
        )

    def failed_by(self, kind: type[ISalesError]) -> bool:
        """Whether no batch was switched, some failed, all of them by one kind of error, and the rest is as wanted."""
        found = self._settle_all()
        failures = _select_failures(found)
        others = _select(found, self.switch.done, *OPEN) or self._confirmed_at is None
        return bool(failures) and not others and all(isinstance(error, kind) for error in failures.values())

    def __str__(self) -> str:
        return f"{self.switch.doing} the call batches of {self.campaign}"

    def _switch_and_verify(self) -> None:
        before, problem = self._list(time.monotonic() + (LISTING_SECONDS if self._all else SHORT_LISTING_SECONDS))
        if self._all:
            targets = self._list_wrong()
            if before and not targets:
                log.info("%s: list has none that is %s.", self, self.switch.opposite.name.lower())
        else:
            targets = self._add_given_batches(before)
        self._switch_all(targets)
        if self._all and problem and not isinstance(problem, ISalesCampaignEditedError):
            raise problem  # what was listed before it came is switched by now
        listed = self._verify(None if problem else before)
        if wrong := self._list_wrong():
            self._switch_all(wrong)
            self._verify(listed)

    def _add_given_batches(self, listed: Listed) -> list[str]:
        for batch_id in self.batch_ids:
            try:
                if (given := check_batch_id(batch_id)) not in self.exclude:
                    self._states[given] = TargetState()
            except ISalesArgumentError as error:  # one bad id must not keep the other batches from being paused
                self._bad[batch_id if isinstance(batch_id, str) else format_value(batch_id)] = error
        self._note(listed)
        return [*self._states]

    def _switch_all(self, batch_ids: Collection[str]) -> None:
        # After a listing that failed, what it does not have may be about to change, too.
        about_to_change = (self.switch.opposite,) if self._was_listed_whole else (self.switch.opposite, None)
        self._announce([batch_id for batch_id in batch_ids if self._states[batch_id].listed in about_to_change])
        self._confirmed_at = None
        self._rounds.run(batch_ids, self._log_progress)

    def _switch_one(self, batch_id: str, deadline: float, timeout: float | None) -> ISalesError | None:
        """Switch one batch with one request; return what went wrong."""
        try:
            self._session.gate.pass_through(deadline)
        except ISalesError as error:
            return error
        state = self._states[batch_id] = self._states[batch_id].asked(clock.utc_now(), self.switch.opposite)
        try:
            batch = BatchKey(self.campaign.vdn_id, self.campaign.campaign_id, batch_id)
            answer, _ = self._session.call_once(self.switch, batch, timeout)
            switched = Switched(self.switch.find_outcome(answer.code), answer.code, answer.description)
            self._states[batch_id] = state.switched(switched)
            return None
        except ISalesError as error:
            self._states[batch_id] = state.failed(error)
            return error
        except Exception as error:  # one unexpected error must not stop the remaining batches
            log.exception("%s: %s", self, batch_id)
            problem = clean_text(f"unexpected {type(error).__name__}: {error}")
            self._states[batch_id] = state.failed(ISalesUnchangedError(problem))
            return None

    def _list(self, ends: float) -> tuple[Listed, ISalesError | None]:
        """Return the batches that one listing has, and the error that ended it early. Note each batch it has."""
        listed: dict[str, CallBatch] = {}
        problem = None
        retry = ONCE if self._rounds.outage else None
        try:
            for batch in list_batches(self._session, self.campaign, retry=retry, ends=ends, parallel=self.parallel):
                listed[batch.id] = batch
        except ISalesError as error:
            problem = error
            # Our request is always the same, so a refusal of it is no reason to give up.
            if isinstance(error, ISalesResultError) and not isinstance(error, ISalesCampaignNotFoundError):
                problem.retryable = True
        self._note(listed)
        self._was_listed |= bool(listed) or problem is None
        self._was_listed_whole |= problem is None
        return listed, problem

    def _note(self, listed: Listed) -> None:
        for batch_id, batch in listed.items():
            is_target = self._all and batch.status is self.switch.opposite and batch_id not in self.exclude
            if batch_id in self._states or is_target:
                self._states[batch_id] = self._states.get(batch_id, TargetState()).seen(batch.status)

    def _verify(self, previous: Listed | None) -> Listed:
        """Return a listing that counts, after its statuses are noted."""
        ends = time.monotonic() + LISTING_SECONDS

        def list_once() -> Listed:
            listed, problem = self._list(ends)
            if problem:
                raise problem
            return listed

        listed = find_agreed_listing(list_once, previous, ends)
        self._states |= {batch_id: self._states[batch_id].missed() for batch_id in self._states.keys() - listed}
        self._confirmed_at = clock.utc_now()
        return listed

    def _list_wrong(self) -> list[str]:
        """Return the batches that the last listing has with the opposite status."""
        return [batch_id for batch_id, state in self._states.items() if state.listed is self.switch.opposite]

    def _settle_all(self) -> Found:
        bad = {given: (Outcome.FAILED, error) for given, error in self._bad.items()}
        return bad | {
            batch_id: settle(state, self.switch, missing_is_gone=self._missing_is_gone)
            for batch_id, state in self._states.copy().items()
        }

    def _failure(self, error: ISalesError | None = None) -> ISalesBulkError:
        """Return the error for a run that did not reach its goal, with ``error`` if that ended it early."""
        found = self._settle_all()
        failures = _select_failures(found)
        errors = [*failures.values(), *([error] if error else [])]
        # A batch that is started, or may be, is worth a retry; a refusal of another batch does not change that.
        is_open = bool(_select(found, *OPEN) or self._list_wrong()) and not self.failed_by(ISalesNotAllowedError)
        # A listing that fails leaves every batch open.
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
        if_any = (Outcome.UNKNOWN, Outcome.NOT_TRIED, Outcome.GONE)
        return ", ".join(
            f"{counts[outcome]} {outcome.value if outcome in always else outcome.value.replace('_', ' ')}"
            for outcome in (*always, *(outcome for outcome in if_any if counts[outcome]))
        )

    def _log_progress(self, finished: int, total: int, seconds: float) -> None:
        rate = finished / seconds
        log.info("%s: %d of %d done, %.0f a second; so far %s.", self, finished, total, rate, self._format_counts())


def _select(found: Found, *wanted: Outcome) -> list[str]:
    return [batch_id for batch_id, (outcome, _) in found.items() if outcome in wanted]


def _select_failures(found: Found) -> dict[str, ISalesError]:
    return {batch_id: error for batch_id, (outcome, error) in found.items() if outcome is Outcome.FAILED and error}


def _format_reasons(failures: Mapping[str, ISalesError], few: int = 3) -> str:
    """Name the first few reasons, each with its first few batches and what to do about it."""
    batches: dict[str, list[str]] = {}
    for batch_id, error in failures.items():
        batches.setdefault(f"{error.problem}. {error.advice}".strip(), []).append(batch_id)
    reasons = [f"{len(ids)} of them ({join_first(ids, few)}): {reason}" for reason, ids in islice(batches.items(), few)]
    more = len(batches) - few
    return " ".join([*reasons, f"And {more} more reasons."] if more > 0 else reasons)


def _format_open(found: Found) -> Iterator[str]:
    """Name the first batches of which nobody knows whether they are as wanted."""
    for outcome in OPEN:
        if ids := _select(found, outcome):
            yield f"{outcome.value.replace('_', ' ').capitalize()}: {join_first(ids)}."
