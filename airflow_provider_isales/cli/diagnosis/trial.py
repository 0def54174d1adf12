"""The steps that write: a batch of the doctor's own is made, resumed and paused twice each, and deleted."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from airflow_provider_isales.cli.diagnosis.visit import Finding, State, Step, explain, make_failure
from airflow_provider_isales.client import (
    BatchStatus,
    CallBatch,
    CampaignKey,
    ISalesAlreadySuspendedError,
    ISalesBatchNotFoundError,
    ISalesClient,
    ISalesError,
    ISalesNotAllowedError,
    ISalesResultError,
)
from airflow_provider_isales.client.answers import SUCCESS
from airflow_provider_isales.client.look import Look
from airflow_provider_isales.client.models import BatchKey
from airflow_provider_isales.client.verbs import CREATE, PAUSE, RESUME, Switch

PREFIX = "isales-doctor-"
# How long a list may go on saying what was, and a batch whose making was not confirmed may take to turn up.
_WAITS = (0.0, 0.5, 2.0)


class Trial:
    """
    A batch of the doctor's own. It begins suspended and has no numbers, so nobody is called by it.

    :param client: knows the server
    :param campaign: the campaign in which it is made
    """

    def __init__(self, client: ISalesClient, campaign: CampaignKey) -> None:
        self._client = client
        self._campaign = campaign
        self._batch_id: str | None = None
        self.name = f"{PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S}"
        #: Whether the batch may be there.
        self.is_open = False

    def steps(self) -> list[Step]:
        """Return the steps in their order; :meth:`delete` is to be called in any case while the trial is open."""
        return [
            Step("create", self.create, "campaign"),
            Step("resume", self.resume, "create"),
            Step("resume again", self.resume_again, "resume"),
            Step("pause", self.pause, "resume"),
            Step("pause again", self.pause_again, "create"),
        ]

    def create(self) -> Finding:
        """Make the batch, suspended."""
        self.is_open = True
        look = Look.at(self._client.session, CREATE, self._campaign, name=self.name, status=BatchStatus.SUSPENDED)
        self._batch_id = look.value
        if look.error:
            self.is_open = look.error.sent and not isinstance(look.error, ISalesResultError)
            return make_failure(look)
        return Finding(State.OK, f"[{look.code}] batch {self.name}, suspended and without numbers")

    def resume(self) -> Finding:
        """Resume the batch, which is suspended."""
        return self._switch_first(RESUME)

    def resume_again(self) -> Finding:
        """Resume the batch, which is started: the reference does not say how this is answered."""
        look = self._switch(RESUME)
        if not look.code:
            return make_failure(look)
        if look.code == SUCCESS:
            return self._confirm(look, BatchStatus.STARTED, "a resume may be repeated")
        said = "this is the code for a batch that is started already, which the reference does not give"
        return self._confirm(look, BatchStatus.STARTED, said)._replace(
            advice="Nothing to set: the client asks list instead. Please attach a report (--report) to an issue."
        )

    def pause(self) -> Finding:
        """Pause the batch, which is started."""
        return self._switch_first(PAUSE)

    def pause_again(self) -> Finding:
        """Pause the batch, which is suspended."""
        look = self._switch(PAUSE)
        if not look.code:
            return make_failure(look)
        if look.code in (SUCCESS, ISalesAlreadySuspendedError.code):
            return self._confirm(look, BatchStatus.SUSPENDED, "a pause may be repeated")
        if isinstance(look.error, ISalesNotAllowedError):
            return _explain_refusal(look.error)
        return make_failure(
            look,
            "The client takes this for a failure, so a pause that is repeated fails. Attach a report (--report) to an "
            "issue: it takes a version that knows this code.",
        )

    def delete(self) -> Finding:
        """Delete the batch, whatever came of all else, and look for what earlier visits left."""
        try:
            own = self._batch_id or self._find_by_name()
            if own:
                self._delete(own)
            left = self._list_own()
        except ISalesError as error:
            problem, private = explain(error)
            return Finding(
                State.FAIL, f"whether {self.name} is deleted is not known: {problem}", self._by_hand, private
            )
        if any(batch.name == self.name for batch in left):
            return Finding(State.FAIL, f"{self.name} is still listed", self._by_hand)
        self.is_open = False
        if left:
            others = f"{len(left)} of another visit, named {PREFIX}..., are listed"
            return Finding(
                State.WARN, f"deleted, but {others}", "Delete them in the console, if no visit is under way."
            )
        return Finding(State.OK, "deleted, and not listed any more" if own else "the batch is not there")

    @property
    def _by_hand(self) -> str:
        return f"Look for {self.name} in the console and delete it. It has no numbers, so nobody is called by it."

    def _switch(self, switch: Switch) -> Look[Any]:
        batch = BatchKey(self._campaign.vdn_id, self._campaign.campaign_id, self._batch_id or "")
        return Look.at(self._client.session, switch, batch)

    def _switch_first(self, switch: Switch) -> Finding:
        look = self._switch(switch)
        if isinstance(look.error, ISalesNotAllowedError):
            return _explain_refusal(look.error)
        if look.error:
            return make_failure(look)
        return self._confirm(look, switch.wanted, "as the reference says" if look.code == SUCCESS else "no change")

    def _confirm(self, look: Look[Any], wanted: BatchStatus, said: str) -> Finding:
        """Say what was answered, and whether a list says the same."""
        private = explain(look.error)[1] if look.error else ""
        waited = 0.0
        for wait in _WAITS:
            self._client.session.gate.sleep(wait)
            waited += wait
            try:
                found = next((batch.status for batch in self._list_own() if batch.name == self.name), None)
            except ISalesError as error:
                return Finding(State.WARN, f"[{look.code}] {said}; then no list came: {explain(error)[0]}", "", private)
            if found is wanted:
                late = f" after {waited:g} s" if waited else ""
                return Finding(State.OK, f"[{look.code}] {said}; list has it {wanted.name.lower()}{late}", "", private)
        seen = found.name.lower() if found else "not at all"
        return Finding(
            State.FAIL,
            f"[{look.code}] {said}; but list has it {seen}",
            "Tasks for whole campaigns are verified by list, and fail so. Attach a report (--report) to an issue.",
            private,
        )

    def _delete(self, batch_id: str) -> None:
        with suppress(ISalesBatchNotFoundError):  # gone, by an earlier attempt whose answer was lost
            self._client.delete_call_batch(self._campaign.campaign_id, batch_id, self._campaign.vdn_id)

    def _find_by_name(self) -> str | None:
        """Return the batch's id where the answer that had it was lost, if the batch was made."""
        for wait in _WAITS:
            self._client.session.gate.sleep(wait)
            for batch in self._list_own():
                if batch.name == self.name:
                    return batch.id
        return None

    def _list_own(self) -> list[CallBatch]:
        """List the batches of this visit and of others."""
        listed = self._client.list_call_batches(self._campaign.campaign_id, name=PREFIX, vdn_id=self._campaign.vdn_id)
        return [batch for batch in listed if batch.name.startswith(PREFIX)]


def _explain_refusal(error: ISalesError) -> Finding:
    """Say that the campaign's state forbids it, which is no fault, and worth knowing."""
    return make_failure(
        error,
        "Look up the campaign's state in the console, and add it to the report: the reference does not say for all "
        "interfaces which states forbid what.",
        State.WARN,
    )
