"""A CC-iSales in memory: campaigns, their batches, and the result of each request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_isales.client.arguments import (
    FORBIDDEN_IN_NAMES,
    MAX_NAME_LENGTH,
    check_campaign_id,
    check_vdn_id,
)
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import BatchStatus, CallBatch
from airflow_provider_isales.client.text import SURROGATES, format_value
from airflow_provider_isales.simulator.campaign import HOURS, Campaign, CampaignState, parse_time
from airflow_provider_isales.simulator.parameters import (
    PARAMETER_ERROR,
    RefusedError,
    read_batch_status,
    read_count,
    read_number,
    read_text,
    read_time,
)

SUCCESS = "0200000"
# Made up: the reference does not give the code for resuming a batch that is started.
ALREADY_STARTED = "03999999"

#: The number of a campaign's state in responses. "Started" also covers one that has not begun.
STATUS_NUMBERS = {
    CampaignState.DRAFT: 1,
    CampaignState.EXECUTING: 2,
    CampaignState.SUSPENDED: 3,
    CampaignState.COMPLETED: 4,
}
MAX_CAMPAIGNS_PER_PAGE = 100
_LIST_PARAMETERS = ("status", "deviceType", "curPage", "rowsPerPage", "name", "beginTime", "endTime")


class Service:
    """
    Carries out authenticated requests, with the documented codes under the documented conditions.

    The attributes after the campaigns are parameters of ``Simulator``: what the reference leaves open. They may be set
    while it runs.

    :param vdn_id: its only VDN
    :param clock: returns the time as an aware datetime
    """

    def __init__(self, vdn_id: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.vdn_id = check_vdn_id(vdn_id)
        self._clock = clock
        #: The campaigns by their ids.
        self.campaigns: dict[int, Campaign] = {}
        self.zone = ZoneInfo("Asia/Shanghai")
        self.max_page_size = 1000
        self.status_as_text = False
        self.total_counts_page = False
        self.pauses_completed = False
        self.details_lag = 0
        self.list_lag = 0

    def carry_out(
        self, interface: str, parameters: object, vdn_id: str, campaign_id: str | None = None
    ) -> dict[str, Any]:
        """
        Carry out one request.

        :param interface: the name of one of :data:`.INTERFACES`
        :param parameters: the JSON of the body, or the query as text by name; None if the request is malformed
        :param vdn_id: from the path
        :param campaign_id: from the path, if it has one
        :return: the JSON object of the response
        """
        method = getattr(self, f"_{interface}")
        try:
            if not isinstance(parameters, dict):
                raise RefusedError(PARAMETER_ERROR, "the body is not what this interface takes")
            self._check_vdn(vdn_id)
            scope = [] if campaign_id is None else [self._find_campaign(campaign_id)]
            result = method(*scope, parameters)
        except RefusedError as error:
            return make_result_fields(error.code, error.description)
        return {**make_result_fields(SUCCESS, "success"), **result}

    def format_time(self, at: datetime) -> str:
        """Format an aware datetime as ``yyyy-MM-dd HH:mm:ss`` in the platform's time zone."""
        return at.astimezone(self.zone).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")

    def _check_vdn(self, vdn_id: str) -> None:
        try:
            vdn = check_vdn_id(vdn_id)
        except ISalesArgumentError as error:
            raise RefusedError(PARAMETER_ERROR, error.problem) from None
        if vdn != self.vdn_id:
            raise RefusedError(PARAMETER_ERROR, f"this simulator has VDN {self.vdn_id} only, not {vdn}")

    def _find_campaign(self, campaign_id: str) -> Campaign:
        try:
            number = check_campaign_id(campaign_id)
        except ISalesArgumentError as error:
            raise RefusedError(PARAMETER_ERROR, error.problem) from None
        if number not in self.campaigns:
            raise RefusedError("0200007", "the outbound campaign does not exist")
        return self.campaigns[number]

    # Call batches. Source: "Outbound Call Batch Interfaces".

    def _pause(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        batch = _find_batch(campaign, body)
        if campaign.state is CampaignState.SUSPENDED:
            raise RefusedError("03000002", "the campaign is suspended")
        if batch.status is BatchStatus.SUSPENDED:
            raise RefusedError("03000006", "the batch has been suspended and cannot be suspended again")
        campaign.set_status(batch.id, BatchStatus.SUSPENDED)
        return {}

    def _resume(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        batch = _find_batch(campaign, body)
        if batch.status is BatchStatus.STARTED:
            raise RefusedError(ALREADY_STARTED, "started already; the simulator made this code up")
        campaign.set_status(batch.id, BatchStatus.STARTED)
        return {}

    def _create(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        name = _read_new_name(campaign, body)
        status = read_batch_status(body) or BatchStatus.SUSPENDED
        if len(campaign.batches) >= campaign.max_batches:
            raise RefusedError("03000003", f"at most {campaign.max_batches}")
        return {"returnObject": {"id": campaign.add_batch(name, status).id}}

    def _update(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        batch = _find_batch(campaign, body)
        campaign.batches[batch.id] = CallBatch(batch.id, _read_new_name(campaign, body, batch.id), batch.status)
        return {}

    def _delete(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        del campaign.batches[_find_batch(campaign, body).id]
        return {}

    def _list(self, campaign: Campaign, body: Mapping[str, object]) -> dict[str, Any]:
        offset, limit, status = read_count(body, "offset"), read_count(body, "limit"), read_batch_status(body)
        part_of_name = read_text(body, "name") if body.get("name") else ""
        selected = [
            {"id": batch.id, "name": batch.name, "status": self._format_status(batch.status.value)}
            for batch in list(campaign.batches.values())
            if status in (None, batch.status) and part_of_name in batch.name
        ]
        page = selected[offset : offset + min(limit, self.max_page_size)]
        return {"totalCount": len(page if self.total_counts_page else selected), "data": page}

    # Campaigns. Source: the interfaces "Querying All Outbound Campaigns", "Querying Details About an Outbound
    # Campaign", "Suspending an Outbound Campaign", "Resuming an Outbound Campaign", "Querying the Special Date List".

    def _list_campaigns(self, query: Mapping[str, str]) -> dict[str, Any]:
        if unknown := set(query) - set(_LIST_PARAMETERS):
            raise RefusedError(PARAMETER_ERROR, f"this interface has no parameter {format_value(min(unknown))}")
        status = read_number(query, "status", (0, 2, 3, 4))
        device_type = read_number(query, "deviceType", (0, 1, 2, 3, 5, 6))
        number = max(1, read_number(query, "curPage"))
        size = min(read_number(query, "rowsPerPage", range(1, MAX_CAMPAIGNS_PER_PAGE + 1)), self.max_page_size)
        begin, end = read_time(query, "beginTime") or datetime.min, read_time(query, "endTime") or datetime.max
        rows = [
            self._make_row(campaign, self._read_state(campaign, "list", self.list_lag))
            for campaign in list(self.campaigns.values())
            if device_type in (0, campaign.device_type)
            and query.get("name", "") in campaign.name
            and begin <= (parse_time(campaign.begin) or begin)
            and end >= (parse_time(campaign.end) or end)
        ]
        selected = [row for row in rows if status in (0, int(row["status"]))]
        page = selected[(number - 1) * size : number * size]
        return {
            "curPage": number,
            "totalSize": len(page if self.total_counts_page else selected),
            "rowsPerPage": size,
            "curSkillQueueCount": 0,
            "curIvrCount": 0,
            "data": page,
        }

    def _get_campaign(self, campaign: Campaign, query: Mapping[str, str]) -> dict[str, Any]:
        details = {
            **self._make_row(campaign, self._read_state(campaign, "details", self.details_lag)),
            "description": "",
            "maxAlertingTime": 30,
            "scheduleParam": dict.fromkeys(HOURS, "") | campaign.hours,
        }
        return {"returnObject": details}

    def _pause_campaign(self, campaign: Campaign, query: Mapping[str, str]) -> dict[str, Any]:
        runs = campaign.state is CampaignState.EXECUTING and self._has_begun(campaign)
        if not (runs or (self.pauses_completed and campaign.state is CampaignState.COMPLETED)):
            raise RefusedError("0200011", "the present state of the campaign does not allow it")
        campaign.state = CampaignState.SUSPENDED
        return {}

    def _resume_campaign(self, campaign: Campaign, query: Mapping[str, str]) -> dict[str, Any]:
        if campaign.state is not CampaignState.SUSPENDED:
            raise RefusedError("0200011", "the present state of the campaign does not allow it")
        campaign.state = CampaignState.EXECUTING
        return {}

    def _list_special_dates(self, campaign: Campaign, query: Mapping[str, str]) -> dict[str, Any]:
        return {"data": [{"id": number, **date} for number, date in enumerate(campaign.special_dates, 1)]}

    def _make_row(self, campaign: Campaign, state: CampaignState) -> dict[str, Any]:
        return {
            "id": campaign.id,
            "name": campaign.name,
            "status": self._format_status(STATUS_NUMBERS[state]),
            "strBeginTime": campaign.begin,
            "strEndTime": campaign.end,
            "deviceType": campaign.device_type,
            "callerNo": "",
        }

    def _read_state(self, campaign: Campaign, reader: str, lag: int) -> CampaignState:
        """Return the state to show in a response: the first ``lag`` times, the one before the last change."""
        campaign.reads[reader] += 1
        return campaign.state_before if campaign.reads[reader] <= lag else campaign.state

    def _has_begun(self, campaign: Campaign) -> bool:
        begin = parse_time(campaign.begin)
        return begin is None or begin.replace(tzinfo=self.zone) <= self._clock()

    def _format_status(self, status: int) -> int | str:
        return str(status) if self.status_as_text else status


def make_result_fields(code: str, description: str) -> dict[str, str]:
    """Return the four fields that every response has."""
    return {"resultCode": code, "resultDesc": description, "returnCode": code, "returnDesc": description}


def _find_batch(campaign: Campaign, body: Mapping[str, object]) -> CallBatch:
    batch_id = read_text(body, "id")
    if batch_id not in campaign.batches:
        raise RefusedError("03000004", "batch id not found")
    return campaign.batches[batch_id]


def _read_new_name(campaign: Campaign, body: Mapping[str, object], batch_id: str | None = None) -> str:
    name = read_text(body, "name")
    if len(name) > MAX_NAME_LENGTH:
        raise RefusedError("02000003", f"name: at most {MAX_NAME_LENGTH} characters")
    if (FORBIDDEN_IN_NAMES | SURROGATES).intersection(name):
        raise RefusedError("02000002", "name")
    if any(batch.name == name and batch.id != batch_id for batch in list(campaign.batches.values())):
        raise RefusedError("03000001", "the batch name exists already")
    return name
