"""The steps that suspend and resume a campaign that the user named for this, twice each."""

from __future__ import annotations

from functools import partial

from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Step, explain, make_failure, wait_for
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import observe_call
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import CampaignKey, CampaignStatus
from airflow_provider_isales.client.target_state import describe_status
from airflow_provider_isales.client.verbs import PAUSE_CAMPAIGN, RESUME_CAMPAIGN, Switch

# The documented code where a campaign's state does not allow the request.
_WRONG_STATE = "0200011"


class CampaignTrial:
    """A campaign that is started, and will be again. Any other is left alone: resuming it would have people called."""

    closing = "restore"

    def __init__(self, client: ISalesClient, campaign: CampaignKey) -> None:
        self._client = client
        self._campaign = campaign
        #: Whether it may be suspended: then :meth:`close` is to be called, whatever came of all else.
        self.is_open = False
        # Whether a pause was sent that was not answered: it may take effect later.
        self._may_be_paused_yet = False

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
            if status is CampaignStatus.STARTED and self._may_be_paused_yet:
                self._client.session.gate.sleep(self._client.margin.total_seconds())
                status = self._read_status()
            if status is not CampaignStatus.STARTED:
                self._client.resume_campaign(self._campaign.campaign_id, self._campaign.vdn_id)
        except ISalesError as error:
            problem, private = explain(error)
            advice = f"It was started before: look for {self._campaign} in the console, and resume it there."
            return Finding(State.FAIL, f"whether it is started again is not known: {problem}", advice, private)
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
        self._may_be_paused_yet |= switch is PAUSE_CAMPAIGN
        look = observe_call(self._client, switch, self._campaign)
        if look.error and not look.code:
            return make_failure(look)
        self._may_be_paused_yet = False
        meaning, private = explain(look.error) if look.error else (f"[{look.code}] accepted", "")
        try:
            status, waited = wait_for(self._client, self._read_status, lambda status: status is switch.wanted)
        except ISalesError as error:
            return Finding(State.WARN, f"{meaning}; then no details came: {explain(error)[0]}", "", private)
        found = f"{meaning}; its details have it {describe_status(status)}{f' after {waited:g} s' if waited else ''}"
        if status is not switch.wanted:
            return Finding(
                State.FAIL, found, f"Tasks for whole campaigns fail so, unless it has not begun. {REPORT}", private
            )
        if look.error and not (again and look.code == _WRONG_STATE):
            return Finding(State.WARN, found, f"Nothing to set: the details decide. {REPORT}", private)
        return Finding(State.OK, found, "", private)

    def _read_status(self) -> CampaignStatus | int:
        return self._client.get_campaign(self._campaign.campaign_id, self._campaign.vdn_id).status
