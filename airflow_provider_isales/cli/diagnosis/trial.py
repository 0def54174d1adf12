"""The steps that write: they switch a batch that the doctor creates, and a campaign that the user names for this."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from airflow_provider_isales.cli.diagnosis.steps import REPORT, Finding, State, Step, make_failure, split_error
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import Observation, observe_call
from airflow_provider_isales.client.errors import (
    ISalesBatchNotFoundError,
    ISalesError,
    ISalesNotAllowedError,
    ISalesResultError,
)
from airflow_provider_isales.client.models import BatchKey, BatchStatus, CallBatch, CampaignKey, CampaignStatus
from airflow_provider_isales.client.target_state import describe_status
from airflow_provider_isales.client.verbs import CREATE, PAUSE, PAUSE_CAMPAIGN, RESUME, RESUME_CAMPAIGN, Switch

T = TypeVar("T")

# Delays in seconds before reading again: a list or details may be stale for a while.
_WAITS = (0.0, 0.5, 2.0)
# The documented code of a campaign whose state does not allow the request.
_WRONG_STATE = "0200011"


@dataclass
class BatchTrial:
    """Switches a batch that it creates: suspended and without numbers, so that nobody is called."""

    closing = "delete"

    client: ISalesClient
    campaign: CampaignKey
    batch_id: str = ""
    #: Whether the batch may exist: if so, call :meth:`close` whatever happened before.
    is_open: bool = False
    name: str = field(default_factory=lambda: f"isales-doctor-{datetime.now(UTC):%Y%m%d-%H%M%S}")

    def make_steps(self) -> list[Step]:
        """Return all steps except the last, :meth:`close`."""
        return [
            Step("create", self._create, "campaign"),
            Step("resume", lambda: self._switch(RESUME), "create"),
            Step("resume again", lambda: self._switch(RESUME, again=True), "resume"),
            Step("pause", lambda: self._switch(PAUSE), "resume"),
            Step("pause again", lambda: self._switch(PAUSE, again=True), "create"),
        ]

    def close(self) -> Finding:
        """Delete the batch, and check that it is no longer listed."""
        by_hand = f"Look for {self.name} in the console and delete it. It has no numbers, so nobody is called."
        try:
            if not self.batch_id:  # the response with the id was lost
                found, _ = _poll(self.client, self._find_own, bool)
                self.batch_id = found.id if found else ""
            if self.batch_id:
                with suppress(ISalesBatchNotFoundError):  # deleted by an earlier attempt whose response was lost
                    self.client.delete_call_batch(self.campaign.campaign_id, self.batch_id)
            left = self._find_own()
        except ISalesError as error:
            problem, private = split_error(error)
            return Finding(State.FAIL, f"unknown whether {self.name} is deleted: {problem}", by_hand, private)
        if left:
            return Finding(State.FAIL, f"{self.name} is still listed", by_hand)
        self.is_open = False
        return Finding(State.OK, "deleted, and no longer listed" if self.batch_id else "there is no such batch")

    def _create(self) -> Finding:
        self.is_open = True
        observed = observe_call(self.client, CREATE, self.campaign, name=self.name, status=BatchStatus.SUSPENDED)
        self.batch_id = observed.value or ""
        if observed.error:
            self.is_open = observed.error.sent and not isinstance(observed.error, ISalesResultError)
            return make_failure(observed)
        return Finding(State.OK, f"[{observed.code}] batch {self.name}, suspended and without numbers")

    def _switch(self, switch: Switch, *, again: bool = False) -> Finding:
        """Pause or resume the batch, for the first time or once more."""
        batch = BatchKey(self.campaign.vdn_id, self.campaign.campaign_id, self.batch_id)
        observed = observe_call(self.client, switch, batch)
        if not observed.error:
            meaning = f"a {switch.name} may be repeated" if again else "as documented"
            return _confirm(self.client, observed, switch, self._read_status, meaning)
        if observed.code and again and switch is RESUME:
            meaning = "the undocumented code for a batch that is already started"
            finding = _confirm(self.client, observed, switch, self._read_status, meaning)
            advice = "Nothing to do: the client checks the list. Please attach the output of --public to an issue."
            return finding._replace(advice=finding.advice or advice)
        if isinstance(observed.error, ISalesNotAllowedError):
            advice = "Please open an issue with the campaign's state: the reference does not say which forbid this."
            return make_failure(observed, advice, State.WARN)
        treated = f"The client treats this as a failure. {REPORT}" if observed.code and again else ""
        return make_failure(observed, treated)

    def _read_status(self) -> BatchStatus | None:
        found = self._find_own()
        return found.status if found else None

    def _find_own(self) -> CallBatch | None:
        listed = self.client.list_call_batches(self.campaign.campaign_id, name=self.name)
        return next((batch for batch in listed if batch.name == self.name), None)


@dataclass
class CampaignTrial:
    """Switches a started campaign and starts it again. It leaves any other alone: resuming that would start calls."""

    closing = "restore"

    client: ISalesClient
    campaign: CampaignKey
    #: Whether it may be suspended: if so, call :meth:`close` whatever happened before.
    is_open: bool = False
    #: Whether a pause got no response: it may still take effect.
    may_be_paused_yet: bool = False

    def make_steps(self) -> list[Step]:
        """Return all steps except the last, :meth:`close`."""
        return [
            Step("state before", self._check_state, "signature"),
            Step("pause whole", lambda: self._switch(PAUSE_CAMPAIGN), "state before"),
            Step("pause whole again", lambda: self._switch(PAUSE_CAMPAIGN, again=True), "pause whole"),
            Step("resume whole", lambda: self._switch(RESUME_CAMPAIGN), "pause whole"),
            Step("resume whole again", lambda: self._switch(RESUME_CAMPAIGN, again=True), "resume whole"),
        ]

    def close(self) -> Finding:
        """Start the campaign again if it is suspended."""
        try:
            status = self._read_status()
            if status is CampaignStatus.STARTED and self.may_be_paused_yet:
                self.client.session.gate.sleep(self.client.margin.total_seconds())
                status = self._read_status()
            if status is not CampaignStatus.STARTED:
                self.client.resume_campaign(self.campaign.campaign_id)
        except ISalesError as error:
            advice = "The campaign of --switch was started before: look for it in the console and resume it there."
            # Private, because the message about a campaign includes the server's words.
            private = f"{self.campaign}: {error.problem}"
            return Finding(State.FAIL, "unknown whether it is started again", advice, private)
        self.is_open = False
        return Finding(State.OK, "started, as before")

    def _check_state(self) -> Finding:
        status = self._read_status()
        if status is CampaignStatus.STARTED:
            return Finding(State.OK, "started")
        advice = "Name a started campaign with --switch: resuming this one would start calls."
        return Finding(State.SKIPPED, describe_status(status), advice)

    def _switch(self, switch: Switch, *, again: bool = False) -> Finding:
        """Pause or resume the campaign, for the first time or once more; report the code and the details."""
        self.is_open = True
        self.may_be_paused_yet |= switch is PAUSE_CAMPAIGN
        observed = observe_call(self.client, switch, self.campaign)
        if observed.error and not observed.code:
            return make_failure(observed)
        self.may_be_paused_yet = False
        meaning = observed.error.meaning if isinstance(observed.error, ISalesResultError) else "accepted"
        finding = _confirm(self.client, observed, switch, self._read_status, meaning)
        if finding.state is State.OK and observed.error and not (again and observed.code == _WRONG_STATE):
            return finding._replace(state=State.WARN, advice=f"Nothing to do: the details count. {REPORT}")
        return finding

    def _read_status(self) -> CampaignStatus | int:
        return self.client.get_campaign(self.campaign.campaign_id).status


def _confirm(
    client: ISalesClient,
    observed: Observation[Any],
    switch: Switch,
    read_status: Callable[[], int | None],
    meaning: str,
) -> Finding:
    """Report the response to a pause or resume, and whether the status read afterwards is the wanted one."""
    said = f"[{observed.code}] {meaning}"
    private = split_error(observed.error)[1] if observed.error else ""
    try:
        status, waited = _poll(client, read_status, lambda status: status is switch.wanted)
    except ISalesError as error:
        return Finding(State.WARN, f"{said}; its status can't be read: {split_error(error)[0]}", "", private)
    source = "the list says" if switch in (PAUSE, RESUME) else "the details say"
    seen = "it does not exist" if status is None else describe_status(status)
    found = f"{said}; {source} {seen}{f' after {waited:g} s' if waited else ''}"
    if status is switch.wanted:
        return Finding(State.OK, found, "", private)
    return Finding(State.FAIL, found, f"A task would fail here, unless the campaign has not begun. {REPORT}", private)


def _poll(client: ISalesClient, read: Callable[[], T], is_expected: Callable[[T], bool]) -> tuple[T, float]:
    """Read until the value is as expected, a few times at most; return the last value and the seconds waited."""
    waited = 0.0
    for wait in _WAITS:
        client.session.gate.sleep(wait)
        waited += wait
        found = read()
        if is_expected(found):
            break
    return found, waited
