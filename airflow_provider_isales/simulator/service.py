"""What CC-iSales knows and decides, in memory: campaigns, their batches, and the result code for each request."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_provider_isales.client.answers import SUCCESS
from airflow_provider_isales.client.arguments import (
    FORBIDDEN_IN_NAMES,
    MAX_NAME_LENGTH,
    check_campaign_id,
    check_vdn_id,
)
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBatchNotFoundError,
    ISalesCampaignNotFoundError,
    ISalesNotAllowedError,
    ISalesResultError,
)
from airflow_provider_isales.client.models import BatchStatus, CallBatch
from airflow_provider_isales.client.text import SURROGATES, format_value

# Made up: the reference does not give the code for resuming a batch that is started.
ALREADY_STARTED = "03999999"


class CampaignState(StrEnum):
    """The states of a campaign."""

    DRAFT = "draft"
    EXECUTING = "executing"
    SUSPENDED = "suspended"
    COMPLETED = "completed"


@dataclass
class Campaign:
    """
    A campaign and its batches.

    :param id: the campaign id
    :param state: its state; while it is suspended, its batches can't be suspended
    :param max_batches: how many batches it may hold
    :param batches: the batches by their ids, in the order in which they were created
    """

    id: int
    state: CampaignState = CampaignState.EXECUTING
    max_batches: int = 1000
    batches: dict[str, CallBatch] = field(default_factory=dict)

    def add_batch(self, name: str = "", status: BatchStatus = BatchStatus.STARTED) -> CallBatch:
        """Add a batch with the next id: 30 digits, the leading ones zeros, so that number crunching shows."""
        number = next(n for n in itertools.count(len(self.batches) + 1) if self._id(n) not in self.batches)
        batch = CallBatch(self._id(number), name or f"batch-{number}", status)
        self.batches[batch.id] = batch
        return batch

    def set_status(self, batch_id: str, status: BatchStatus) -> None:
        """Start or suspend a batch, as someone in the console would."""
        batch = self.batches[batch_id]
        self.batches[batch_id] = CallBatch(batch.id, batch.name, status)

    def change(self, changes: object) -> None:
        """
        Set the state, the statuses of batches, or both, as someone in the console would.

        :param changes: a JSON object with ``state``, ``batches`` or both, as :meth:`to_json` returns it
        :raises ValueError: for what is none, or names a state, a batch or a status that there is not; nothing is
            changed then
        """
        if not isinstance(changes, dict) or not changes or set(changes) - {"state", "batches"}:
            raise ValueError(f"a change is a JSON object with state, batches or both, not {format_value(changes)}")
        state, batches = changes.get("state", self.state), changes.get("batches", {})
        if state not in tuple(CampaignState):
            raise ValueError(f"state must be one of {', '.join(CampaignState)}, not {format_value(state)}")
        if not isinstance(batches, dict) or not all(status in ("started", "suspended") for status in batches.values()):
            raise ValueError(
                f"batches must be a JSON object of ids with started or suspended, not {format_value(batches)}"
            )
        if unknown := set(batches) - set(self.batches):
            raise ValueError(f"campaign {self.id} has no batch {format_value(min(unknown))}")
        self.state = CampaignState(state)
        for batch_id, status in batches.items():
            self.set_status(batch_id, BatchStatus[status.upper()])

    def to_json(self) -> dict[str, Any]:
        """Return the state, and the batches' statuses by their ids, as JSON."""
        return {
            "state": self.state,
            "batches": {batch.id: batch.status.name.lower() for batch in self.batches.values()},
        }

    def _id(self, number: int) -> str:
        return f"{self.id:015d}{number:015d}"


class Service:
    """
    Decides the answer to each authenticated request, with the documented codes under the documented conditions.

    :param vdn_id: the one VDN that this service knows
    """

    def __init__(self, vdn_id: int) -> None:
        self.vdn_id = check_vdn_id(vdn_id)
        self.max_page_size = 1000
        self.status_as_text = False
        self.total_counts_page = False
        self.campaigns: dict[int, Campaign] = {}

    def answer(self, verb: str, vdn_id: str, campaign_id: str, body: object) -> dict[str, Any]:
        """
        Carry out one request.

        :param verb: the name of an interface, one of :data:`.VERBS`
        :param vdn_id: as it stands in the path
        :param campaign_id: as it stands in the path
        :param body: the body as JSON, None if it is not JSON
        :return: the JSON object of the answer
        """
        try:
            if not isinstance(body, dict):
                raise ISalesResultError("the body is not a JSON object", "0200001")
            carry_out = getattr(self, f"_{verb}")  # one method for each interface
            result = carry_out(self._campaign(vdn_id, campaign_id), body)
        except ISalesResultError as error:
            return result_fields(error.code, error.description or error.meaning)
        return {**result_fields(SUCCESS, "success"), **result}

    def _campaign(self, vdn_id: str, campaign_id: str) -> Campaign:
        try:
            vdn, number = check_vdn_id(vdn_id), check_campaign_id(campaign_id)
        except ISalesArgumentError as error:
            raise ISalesResultError(error.problem, "0200001") from None
        if vdn != self.vdn_id:
            raise ISalesResultError(f"this simulator has VDN {self.vdn_id} only, not {vdn}", "0200001")
        if number not in self.campaigns:
            raise ISalesCampaignNotFoundError("")
        return self.campaigns[number]

    def _pause(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        batch = _batch(campaign, body)
        if campaign.state is CampaignState.SUSPENDED:
            raise ISalesNotAllowedError("the campaign is suspended")
        if batch.status is BatchStatus.SUSPENDED:
            raise ISalesResultError("", "03000006")
        campaign.set_status(batch.id, BatchStatus.SUSPENDED)
        return {}

    def _resume(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        batch = _batch(campaign, body)
        if batch.status is BatchStatus.STARTED:
            raise ISalesResultError("started already; the simulator made this code up", ALREADY_STARTED)
        campaign.set_status(batch.id, BatchStatus.STARTED)
        return {}

    def _create(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        name = _new_name(campaign, body)
        status = _status(body) or BatchStatus.SUSPENDED
        if len(campaign.batches) >= campaign.max_batches:
            raise ISalesResultError(f"at most {campaign.max_batches}", "03000003")
        return {"returnObject": {"id": campaign.add_batch(name, status).id}}

    def _update(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        batch = _batch(campaign, body)
        campaign.batches[batch.id] = CallBatch(batch.id, _new_name(campaign, body, batch.id), batch.status)
        return {}

    def _delete(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        del campaign.batches[_batch(campaign, body).id]
        return {}

    def _list(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        offset, limit, status = _count(body, "offset"), _count(body, "limit"), _status(body)
        part_of_name = _text(body, "name") if body.get("name") else ""
        selected = [
            {"id": batch.id, "name": batch.name, "status": self._written(batch.status)}
            for batch in campaign.batches.values()
            if status in (None, batch.status) and part_of_name in batch.name
        ]
        page = selected[offset : offset + min(limit, self.max_page_size)]
        return {"totalCount": len(page if self.total_counts_page else selected), "data": page}

    def _written(self, status: BatchStatus) -> int | str:
        return str(status.value) if self.status_as_text else status.value


def result_fields(code: str, description: str) -> dict[str, str]:
    """Return the four fields that every answer has."""
    return {"resultCode": code, "resultDesc": description, "returnCode": code, "returnDesc": description}


def _batch(campaign: Campaign, body: Mapping[str, object]) -> CallBatch:
    batch_id = _text(body, "id")
    if batch_id not in campaign.batches:
        raise ISalesBatchNotFoundError("")
    return campaign.batches[batch_id]


def _new_name(campaign: Campaign, body: Mapping[str, object], batch_id: str | None = None) -> str:
    name = _text(body, "name")
    if len(name) > MAX_NAME_LENGTH:
        raise ISalesResultError(f"name: at most {MAX_NAME_LENGTH} characters", "02000003")
    if (FORBIDDEN_IN_NAMES | SURROGATES).intersection(name):
        raise ISalesResultError("name", "02000002")
    if any(batch.name == name and batch.id != batch_id for batch in campaign.batches.values()):
        raise ISalesResultError("", "03000001")
    return name


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if value in (None, ""):
        raise ISalesResultError(name, "02000001")
    if not isinstance(value, str):
        raise ISalesResultError(f"{name} must be a string", "0200001")
    return value


def _count(body: Mapping[str, object], name: str) -> int:
    value = body.get(name)
    if value is None:
        raise ISalesResultError(name, "02000001")
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ISalesResultError(f"{name} must be an integer from 0", "0200001")
    return value


def _status(body: Mapping[str, object]) -> BatchStatus | None:
    value = body.get("status")
    if value is None:
        return None
    if type(value) is not int or value not in tuple(BatchStatus):
        raise ISalesResultError("status must be 1 or 2", "0200001")
    return BatchStatus(value)
