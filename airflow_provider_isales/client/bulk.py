"""Pause or resume many batches of a campaign, or campaigns of a VDN, at once; verify the result by listing them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import ALL, check_instant, check_parallelism, check_timezone
from airflow_provider_isales.client.errors import (
    ISalesCampaignEditedError,
    ISalesCampaignNotFoundError,
    ISalesError,
    ISalesResultError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.listing import find_agreed_listing, list_items
from airflow_provider_isales.client.models import BatchKey, BulkResult, CampaignKey, CampaignStatus, Outcome, VdnKey
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.rounds import UNFINISHED, Attempted, Rounds
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.switching import (
    get_campaign,
    is_out_of_time,
    judge_details,
    read_details,
    send_request,
)
from airflow_provider_isales.client.target_state import describe_status
from airflow_provider_isales.client.targets import Listed, Targets
from airflow_provider_isales.client.text import clean_text, describe_unlisted
from airflow_provider_isales.client.verbs import LIST, LIST_CAMPAIGNS, PAUSE, Switch, Verb

log = logging.getLogger(__name__)

# Time limits in seconds for listing all targets, or finding two listings that agree; and for the listing before the
# first request if ids are given.
LISTING_SECONDS = 120.0
SHORT_LISTING_SECONDS = 10.0
# How often a target is tried: once more if a listing still shows the old status.
TRIES = 2
# How often targets that appear in a listing meanwhile are switched.
MAX_PASSES = 5


class BulkSwitch:
    """
    One run over the batches of one campaign, or the campaigns of one VDN.

    Every target is tried, however many fail; transient failures are retried in rounds. Then a listing decides: a target
    without the wanted status is tried once more, and then counts as failed, whatever the responses said. With
    ``"all"``, targets that somebody creates or starts meanwhile are switched too, until a listing shows none or
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
        self._zone = None if timezone is None else check_timezone(timezone)
        self._targets = Targets(
            switch, scope, ids, exclude=exclude, select=select, deleted_is_gone=deleted_is_gone, zone=self._zone
        )
        self.switch, self.scope, self.ids = switch, scope, self._targets.ids
        self._list_verb: Verb[Any] = LIST if isinstance(scope, CampaignKey) else LIST_CAMPAIGNS
        #: Whether the VDN has no campaigns, so that it may be another VDN than was meant.
        self.has_empty_vdn = False
        self._session = session
        self._select_required = select_required
        self._announce = announce
        self._next_start = next_start and check_instant("next_start", next_start)
        self._parallel = check_parallelism(max_parallel_requests)
        self._rounds = Rounds(str(self), session, self._switch_one, self._log_progress, self._parallel)
        self._tries = Counter[Any]()

    def run(self) -> BulkResult:
        """
        Switch all targets and verify the result.

        :raises ISalesBulkError: a target failed, or the result could not be verified; the error has the result
        """
        targets = self._targets
        try:
            self._switch_until_stable()
            self._check_matched()
        except ISalesError as error:
            if not (targets.states or targets.was_listed):
                if self.switch.done is Outcome.PAUSED:
                    error.advice = f"{error.advice} Nothing was paused, so calls may go on.".strip()
                raise
            raise targets.make_error(error, self._rounds.outage).during(str(self)) from None
        except BaseException:  # a timeout of the task, an interrupt
            self._session.gate.stop()
            log.warning("%s was interrupted: %s.", self, targets.format_counts())
            raise
        finally:
            self._warn_of_begins()
            if unlisted := self.result().unlisted:
                problem = f"exclude or a hold: {describe_unlisted(unlisted)}"
                log.warning("%s: %s If another was meant, it was not left alone.", self, problem)
        if not targets.are_as_wanted:
            raise targets.make_error(None, self._rounds.outage).during(str(self))
        log.info("%s: %s; a listing confirms it.", self, targets.format_counts())
        return self.result()

    def result(self) -> BulkResult:
        """Return the result so far, also during the run and after an interruption. Each id is in one list."""
        return self._targets.make_result()

    @property
    def is_not_allowed(self) -> bool:
        """Whether targets failed only because the campaign's state forbids it, and the rest needed no change."""
        return self._targets.are_not_allowed

    def __str__(self) -> str:
        return f"{self.switch.doing} {self._targets}"

    def _switch_until_stable(self) -> None:
        """List, switch, verify by listing; switch again what a listing shows unswitched, until none is."""
        targets = self._targets
        if targets.are_all:
            before, problem = self._list(time.monotonic() + LISTING_SECONDS)
            to_switch = targets.find_unswitched()
            if before and not to_switch:
                but = " except what is excluded" if targets.excluded else ""
                log.info("%s: nothing is %s%s.", self, self.switch.opposite.name.lower(), but)
        else:
            to_switch = targets.add_given()
            before, problem = self._list(time.monotonic() + SHORT_LISTING_SECONDS)
        self._switch_all(to_switch, is_listed=problem is None)
        if targets.are_all and problem and not isinstance(problem, ISalesCampaignEditedError):
            raise problem  # only now that what was listed before it is switched
        listed = self._verify(None if problem else before)
        for _ in range(MAX_PASSES - 1):
            unswitched = [item_id for item_id in targets.find_unswitched() if self._tries[item_id] < TRIES]
            if not unswitched:
                break
            self._switch_all(unswitched)
            listed = self._verify(listed)
        if targets.are_all and not listed:
            self._check_empty_scope()

    def _check_empty_scope(self) -> None:
        """
        Raise if a campaign without batches may be dialled as a whole: pausing its batches would stop nobody.

        For a VDN without campaigns, log a warning.
        """
        if not isinstance(self.scope, CampaignKey):
            self.has_empty_vdn = True
            log.warning("%s: the VDN has no campaigns. Check vdn_id.", self)
            return
        if self.switch is not PAUSE:
            return
        details = get_campaign(self._session, self.scope)
        is_started, now = details.status is CampaignStatus.STARTED, clock.utc_now()
        if not details.may_be_dialling or (is_started and is_out_of_time(details, now, now)):
            return
        found = describe_status(details.status)
        raise ISalesUnchangedError(
            f"the campaign has no batches, and its details show it as {found}: it may be dialled as a whole",
            advice="Pause the campaign itself, with PauseCampaignsOperator or `isales pause --whole`.",
        )

    def _check_matched(self) -> None:
        """Log which names match; if none does, log a warning, or raise if one is required."""
        if self._targets.select is None:
            return
        matched = self.result().format_matched()
        if self._targets.matched:
            log.info("%s: %s.", self, matched)
            return
        advice = f"Compare select with the names of the {self._targets.kind} in the console."
        error = ISalesError(matched, advice=advice, retryable=True)  # a new target may be listed later
        if self._select_required:
            raise error
        log.warning("%s: %s", self, error)

    def _switch_all(self, ids: Collection[Any], *, is_listed: bool = True) -> None:
        """Switch targets; ``is_listed`` says whether the listing before was complete."""
        # Not those with an unknown status: only the result shows whether it was the opposite one.
        announced = (self.switch.opposite,) if is_listed else (self.switch.opposite, None)
        self._announce([item_id for item_id in ids if self._targets.states[item_id].listed in announced])
        self._targets.confirmed_at = None
        self._tries.update(ids)
        self._rounds.run(ids)

    def _switch_one(self, item_id: Any, deadline: float, timeout: float | None) -> Attempted:
        """Send one request, to switch a target or to read a campaign's details after that; return the error, if any."""
        states = self._targets.states
        state = states[item_id]
        if not state.reply:
            try:
                self._session.gate.pass_through(deadline)
            except ISalesError as error:
                return error
            state = states[item_id] = state.after_sending(clock.utc_now(), self.switch.opposite)
        try:
            if isinstance(self.scope, CampaignKey):
                batch = BatchKey(self.scope.vdn_id, self.scope.campaign_id, item_id)
                success = self._session.send(self.switch, batch, timeout)
                states[item_id] = state.after_success(self.switch.find_outcome(success.code))
                return None
            campaign = CampaignKey(self.scope.vdn_id, item_id)
            if not state.reply:
                states[item_id] = state.after_reply(send_request(self._session, self.switch, campaign, timeout))
                return UNFINISHED
            details = read_details(self._session, campaign, state.reply, deadline=deadline, timeout=timeout)
            found = judge_details(self.switch, state.reply, details, self._zone, clock.utc_now())
            states[item_id] = state.after_success(*found)
            return None
        except ISalesError as error:
            states[item_id] = state.after_error(error)
            return error
        except Exception as error:  # one unexpected error must not stop the rest
            log.warning("%s: %s", self, item_id, exc_info=True)
            problem = clean_text(f"unexpected {type(error).__name__}: {error}")
            states[item_id] = state.after_error(ISalesUnchangedError(problem))
            return None

    def _list(self, ends: float) -> tuple[Listed, ISalesError | None]:
        """Return one listing, and the error that ended it early, if any; record its statuses."""
        listed: Listed = {}
        problem = None
        retry = ONCE if self._rounds.outage else None
        try:
            for item in list_items(
                self._session, self._list_verb, self.scope, retry=retry, ends=ends, parallel=self._parallel
            ):
                listed[item.id] = item
        except ISalesError as error:
            problem = error
            # This request is always the same, so a refusal is no reason to give up.
            if isinstance(error, ISalesResultError) and not isinstance(error, ISalesCampaignNotFoundError):
                problem.retryable = True
        self._targets.record_listing(listed, is_whole=problem is None)
        return listed, problem

    def _verify(self, previous: Listed | None) -> Listed:
        """Return a listing that counts, with its statuses recorded."""
        ends = time.monotonic() + LISTING_SECONDS

        def list_once() -> Listed:
            listed, problem = self._list(ends)
            if problem:
                raise problem
            return listed

        listed = find_agreed_listing(list_once, previous, ends)
        self._targets.confirm(listed)
        return listed

    def _warn_of_begins(self) -> None:
        """Log a warning for each campaign that begins before people may be called again."""
        for campaign_id, begin in self.result().begins_at.items():
            if self._next_start is not None and begin < self._next_start:
                log.warning(
                    "Campaign %d begins at %s, outside the shifts: it will call people then. Suspend it in the "
                    "console, or change its begin.",
                    campaign_id,
                    begin.isoformat(),
                )

    def _log_progress(self, finished: int, total: int, seconds: float) -> None:
        rate, counts = finished / seconds, self._targets.format_counts()
        log.info("%s: %d of %d done, %.0f a second; so far %s.", self, finished, total, rate, counts)
