"""The steps that write: a batch of the doctor's own is made, resumed and paused twice each, and deleted."""

from __future__ import annotations

from contextlib import suppress
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
from airflow_provider_isales.client.models import BatchKey, BatchStatus, CallBatch, CampaignKey
from airflow_provider_isales.client.verbs import CREATE, PAUSE, RESUME, Switch


class Trial:
    """A batch of the doctor's own. It begins suspended and has no numbers, so nobody is called by it."""

    closing = "delete"

    def __init__(self, client: ISalesClient, campaign: CampaignKey) -> None:
        self._client = client
        self._campaign = campaign
        self._batch_id = ""
        self.name = f"isales-doctor-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        #: Whether the batch may be there: then :meth:`close` is to be called, whatever came of all else.
        self.is_open = False

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
            found = (
                None if self._batch_id else wait_for(self._client, self._find_own, bool)[0]
            )  # the answer that had its id was lost
            if own := found.id if found else self._batch_id:
                with suppress(ISalesBatchNotFoundError):  # gone, by an earlier attempt whose answer was lost
                    self._client.delete_call_batch(self._campaign.campaign_id, own, self._campaign.vdn_id)
            left = self._find_own()
        except ISalesError as error:
            problem, private = explain(error)
            return Finding(State.FAIL, f"whether {self.name} is deleted is not known: {problem}", by_hand, private)
        if left:
            return Finding(State.FAIL, f"{self.name} is still listed", by_hand)
        self.is_open = False
        return Finding(State.OK, "deleted, and not listed any more" if own else "the batch is not there")

    def _create(self) -> Finding:
        self.is_open = True
        look = observe_call(self._client, CREATE, self._campaign, name=self.name, status=BatchStatus.SUSPENDED)
        self._batch_id = look.value or ""
        if look.error:
            self.is_open = look.error.sent and not isinstance(look.error, ISalesResultError)
            return make_failure(look)
        return Finding(State.OK, f"[{look.code}] batch {self.name}, suspended and without numbers")

    def _switch(self, switch: Switch, *, again: bool) -> Finding:
        """Pause or resume the batch, for the first time or once more."""
        batch = BatchKey(self._campaign.vdn_id, self._campaign.campaign_id, self._batch_id)
        look = observe_call(self._client, switch, batch)
        if not look.error:
            said = f"a {switch.name} may be repeated" if again else "as the reference says"
            return self._confirm(look, switch.wanted, said)
        if look.code and again and switch is RESUME:
            said = "this is the code for a batch that is started already, which the reference does not give"
            finding = self._confirm(look, switch.wanted, said)
            advice = "Nothing to set: the client asks list instead. Please attach the output with --public to an issue."
            return finding._replace(advice=finding.advice or advice)
        if isinstance(look.error, ISalesNotAllowedError):
            advice = "Add the campaign's state to an issue: the reference does not say which states forbid what."
            return make_failure(look, advice, State.WARN)
        return make_failure(look, f"The client takes this for a failure. {REPORT}" if look.code and again else "")

    def _confirm(self, look: Observation[Any], wanted: int, said: str) -> Finding:
        """Say what was answered, and whether a list says the same."""
        said, private = f"[{look.code}] {said}", explain(look.error)[1] if look.error else ""
        try:
            found, waited = wait_for(
                self._client, self._find_own, lambda batch: batch is not None and batch.status is wanted
            )
        except ISalesError as error:
            return Finding(State.WARN, f"{said}; then no list came: {explain(error)[0]}", "", private)
        if found and found.status is wanted:
            late = f" after {waited:g} s" if waited else ""
            return Finding(State.OK, f"{said}; list has it {wanted.name.lower()}{late}", "", private)
        seen = found.status.name.lower() if found else "not at all"
        advice = f"Tasks for whole campaigns are verified by list, and fail so. {REPORT}"
        return Finding(State.FAIL, f"{said}; but list has it {seen}", advice, private)

    def _find_own(self) -> CallBatch | None:
        campaign_id, vdn_id = self._campaign.campaign_id, self._campaign.vdn_id
        listed = self._client.list_call_batches(campaign_id, name=self.name, vdn_id=vdn_id)
        return next((batch for batch in listed if batch.name == self.name), None)
