"""The steps that write: a batch of the doctor's own, and a campaign that the user named for this, are switched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Step, explain, make_failure, wait_for
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

# The documented code where a campaign's state does not allow the request.
_WRONG_STATE = "0200011"


@dataclass
class BatchTrial:
    """A batch of the doctor's own. It begins suspended and has no numbers, so nobody is called by it."""

    closing = "delete"

    client: ISalesClient
    campaign: CampaignKey
    batch_id: str = ""
    #: Whether the batch may be there: then :meth:`close` is to be called, whatever came of all else.
    is_open: bool = False
    name: str = field(default_factory=lambda: f"isales-doctor-{datetime.now(UTC):%Y%m%d-%H%M%S}")

    def make_steps(self) -> list[Step]:
        """Return all steps but the last, :meth:`close`."""
        return [
            Step("create", self._create, "campaign"),
            Step("resume", partial(self._switch, RESUME, again=False), "create"),
            Step("resume again", partial(self._switch, RESUME, again=True), "resume"),
            Step("pause", partial(self._switch, PAUSE, again=False), "resume"),
            Step("pause again", partial(self._switch, PAUSE, again=True), "create"),
        ]

    def close(self) -> Finding:
        """Delete the batch, and make sure that it is not listed any more."""
        by_hand = f"Look for {self.name} in the console and delete it. It has no numbers, so nobody is called by it."
        try:
            if not self.batch_id:  # the answer that had it was lost
                found, _ = wait_for(self.client, self._find_own, bool)
                self.batch_id = found.id if found else ""
            if self.batch_id:
                with suppress(ISalesBatchNotFoundError):  # gone, by an earlier attempt whose answer was lost
                    self.client.delete_call_batch(self.campaign.campaign_id, self.batch_id)
            left = self._find_own()
        except ISalesError as error:
            problem, private = explain(error)
            return Finding(State.FAIL, f"whether {self.name} is deleted is not known: {problem}", by_hand, private)
        if left:
            return Finding(State.FAIL, f"{self.name} is still listed", by_hand)
        self.is_open = False
        return Finding(State.OK, "deleted, and not listed any more" if self.batch_id else "the batch is not there")

    def _create(self) -> Finding:
        self.is_open = True
        look = observe_call(self.client, CREATE, self.campaign, name=self.name, status=BatchStatus.SUSPENDED)
        self.batch_id = look.value or ""
        if look.error:
            self.is_open = look.error.sent and not isinstance(look.error, ISalesResultError)
            return make_failure(look)
        return Finding(State.OK, f"[{look.code}] batch {self.name}, suspended and without numbers")

    def _switch(self, switch: Switch, *, again: bool) -> Finding:
        """Pause or resume the batch, for the first time or once more."""
        batch = BatchKey(self.campaign.vdn_id, self.campaign.campaign_id, self.batch_id)
        look = observe_call(self.client, switch, batch)
        confirm = partial(_confirm, self.client, look, switch, self._read_status)
        if not look.error:
            return confirm(f"a {switch.name} may be repeated" if again else "as the reference says")
        if look.code and again and switch is RESUME:
            finding = confirm("this is the code for a batch that is started already, which the reference does not give")
            advice = "Nothing to set: the client asks list instead. Please attach the output with --public to an issue."
            return finding._replace(advice=finding.advice or advice)
        if isinstance(look.error, ISalesNotAllowedError):
            advice = "Add the campaign's state to an issue: the reference does not say which states forbid what."
            return make_failure(look, advice, State.WARN)
        return make_failure(look, f"The client takes this for a failure. {REPORT}" if look.code and again else "")

    def _read_status(self) -> BatchStatus | None:
        found = self._find_own()
        return found.status if found else None

    def _find_own(self) -> CallBatch | None:
        listed = self.client.list_call_batches(self.campaign.campaign_id, name=self.name)
        return next((batch for batch in listed if batch.name == self.name), None)


@dataclass
class CampaignTrial:
    """A campaign that is started, and will be again. Any other is left alone: resuming it would have people called."""

    closing = "restore"

    client: ISalesClient
    campaign: CampaignKey
    #: Whether it may be suspended: then :meth:`close` is to be called, whatever came of all else.
    is_open: bool = False
    #: Whether a pause was sent that was not answered: it may take effect later.
    may_be_paused_yet: bool = False

    def make_steps(self) -> list[Step]:
        """Return all steps but the last, :meth:`close`."""
        return [
            Step("state before", self._check_state, "signature"),
            Step("pause whole", partial(self._switch, PAUSE_CAMPAIGN, again=False), "state before"),
            Step("pause whole again", partial(self._switch, PAUSE_CAMPAIGN, again=True), "pause whole"),
            Step("resume whole", partial(self._switch, RESUME_CAMPAIGN, again=False), "pause whole"),
            Step("resume whole again", partial(self._switch, RESUME_CAMPAIGN, again=True), "resume whole"),
        ]

    def close(self) -> Finding:
        """Make sure that the campaign is started, as it was."""
        try:
            status = self._read_status()
            if status is CampaignStatus.STARTED and self.may_be_paused_yet:
                self.client.session.gate.sleep(self.client.margin.total_seconds())
                status = self._read_status()
            if status is not CampaignStatus.STARTED:
                self.client.resume_campaign(self.campaign.campaign_id)
        except ISalesError as error:
            advice = "The campaign of --switch was started before: look for it in the console, and resume it there."
            # What the client says of a campaign has the server's words in its midst.
            private = f"{self.campaign}: {error.problem}"
            return Finding(State.FAIL, "whether it is started again is not known", advice, private)
        self.is_open = False
        return Finding(State.OK, "started, as before")

    def _check_state(self) -> Finding:
        status = self._read_status()
        if status is CampaignStatus.STARTED:
            return Finding(State.OK, "started")
        advice = "Name one that is started with --switch: to resume this one would have people called."
        return Finding(State.SKIPPED, describe_status(status), advice)

    def _switch(self, switch: Switch, *, again: bool) -> Finding:
        """Pause or resume the campaign, for the first time or once more; say what the code and the details are."""
        self.is_open = True
        self.may_be_paused_yet |= switch is PAUSE_CAMPAIGN
        look = observe_call(self.client, switch, self.campaign)
        if look.error and not look.code:
            return make_failure(look)
        self.may_be_paused_yet = False
        meaning = look.error.meaning if isinstance(look.error, ISalesResultError) else "accepted"
        finding = _confirm(self.client, look, switch, self._read_status, meaning)
        if finding.state is State.OK and look.error and not (again and look.code == _WRONG_STATE):
            return finding._replace(state=State.WARN, advice=f"Nothing to set: the details decide. {REPORT}")
        return finding

    def _read_status(self) -> CampaignStatus | int:
        return self.client.get_campaign(self.campaign.campaign_id).status


def _confirm(
    client: ISalesClient, look: Observation[Any], switch: Switch, read_status: Callable[[], int | None], meaning: str
) -> Finding:
    """Return what was answered to a pause or resume, and whether the status that is read afterwards is the wanted."""
    said, private = f"[{look.code}] {meaning}", explain(look.error)[1] if look.error else ""
    try:
        status, waited = wait_for(client, read_status, lambda status: status is switch.wanted)
    except ISalesError as error:
        return Finding(State.WARN, f"{said}; its status can't be read: {explain(error)[0]}", "", private)
    source = "list has it" if switch in (PAUSE, RESUME) else "its details have it"
    seen = "not at all" if status is None else describe_status(status)
    found = f"{said}; {source} {seen}{f' after {waited:g} s' if waited else ''}"
    if status is switch.wanted:
        return Finding(State.OK, found, "", private)
    return Finding(State.FAIL, found, f"Tasks fail so, unless the campaign has not begun. {REPORT}", private)
