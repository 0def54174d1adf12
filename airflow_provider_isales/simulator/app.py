"""The simulator over HTTP: the interfaces of CC-iSales and a control API."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl

from airflow_provider_isales.client.arguments import check_campaign_id
from airflow_provider_isales.client.models import BatchStatus
from airflow_provider_isales.client.text import format_value
from airflow_provider_isales.simulator.campaign import MAX_BATCHES, Campaign, CampaignState, check_changes
from airflow_provider_isales.simulator.faults import NO_FAULT, Fault, FaultPlan
from airflow_provider_isales.simulator.http_server import Request, Response, make_text_response
from airflow_provider_isales.simulator.interfaces import INTERFACES, Interface
from airflow_provider_isales.simulator.service import Service, make_result_fields
from airflow_provider_isales.simulator.signature import SignatureCheck

CONTROL = "/simulator"


class SimulatorApp:
    """
    Handles requests with a service, a signature check and faults.

    :param service: the state of the simulated CC-iSales
    :param signatures: checks who may call
    :param clock: returns the server's time as an aware datetime
    """

    def __init__(self, service: Service, signatures: SignatureCheck, clock: Callable[[], datetime]) -> None:
        self.service = service
        self.signatures = signatures
        self.faults = FaultPlan()
        #: The number of requests, by interface.
        self.requests: Counter[str] = Counter()
        #: Called in the simulator's thread before each request is handled, with the interface's name and the body's
        #: JSON or, without a body, the parameters of path and query as text. Tests use it to edit campaigns meanwhile.
        self.on_request: Callable[[str, Any], None] | None = None
        #: The most requests handled at once; others get HTTP 429. None for no limit.
        self.max_at_once: int | None = None
        self._at_once = 0
        self._resets = 0
        self._clock = clock
        routes: list[tuple[str, str, Callable[..., Awaitable[Response | None]]]] = [
            *(
                (interface.method, interface.path, partial(self._respond_to_call, name))
                for name, interface in INTERFACES.items()
            ),
            ("GET", f"{CONTROL}/state", self._show_state),
            ("PUT", f"{CONTROL}/campaigns/{{campaign_id}}", self._create_campaign),
            ("POST", f"{CONTROL}/campaigns/{{campaign_id}}", self._change_campaign),
            ("POST", f"{CONTROL}/faults", self._inject),
            ("DELETE", f"{CONTROL}/faults", self._clear_faults),
        ]
        # A name in braces stands for one part of the path, and is passed on under that name.
        self._routes = [
            (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), handler)
            for method, path, handler in routes
        ]

    def reset(self) -> None:
        """Remove campaigns, faults, counts and ``on_request``; end delayed requests. Connections stay open."""
        self._resets += 1
        self.service.campaigns.clear()
        self.faults.clear()
        self.requests.clear()
        self.on_request = None

    def add_campaign(
        self,
        campaign_id: int,
        *,
        batches: int = 0,
        status: BatchStatus = BatchStatus.STARTED,
        state: CampaignState | str = CampaignState.EXECUTING,
        begin: datetime | str | None = None,
        end: datetime | str | None = None,
        **settings: Any,
    ) -> Campaign:
        """
        Add a campaign; it replaces one with the same id.

        :param batches: how many batches it has
        :param status: the status of its batches
        :param begin: when it begins: an aware datetime, or text in the platform's time zone; long ago if None
        :param end: when it ends, likewise; in the far future if None
        :param settings: other parameters of :class:`~airflow_provider_isales.simulator.campaign.Campaign`
        """
        for name, time in (("begin", begin), ("end", end)):
            if time is not None:
                settings[name] = self.service.format_time(time) if isinstance(time, datetime) else time
        campaign = Campaign(campaign_id, state=state, **settings)
        for _ in range(batches):
            campaign.add_batch(status=BatchStatus(status))
        self.service.campaigns[campaign_id] = campaign
        return campaign

    def inject(self, kind: str, **settings: Any) -> None:
        """Inject a fault into the next calls; see :class:`~airflow_provider_isales.simulator.faults.Fault`."""
        self.faults.inject(Fault(kind, **settings))

    async def respond(self, request: Request) -> Response | None:
        """Return the response to a request, or None if a fault closes the connection without one."""
        status = 404
        for method, path, handler in self._routes:
            if match := path.fullmatch(request.path):
                if method == request.method:
                    return await handler(request, **match.groupdict())
                status = 405
        return make_text_response(status, responses[status])

    async def _respond_to_call(self, name: str, request: Request, **path: str) -> Response | None:
        self._at_once += 1
        try:
            self.requests[name] += 1
            parameters = _read_parameters(INTERFACES[name], request)
            if self.on_request:
                self.on_request(name, parameters if INTERFACES[name].has_body else {**(parameters or {}), **path})
            fault, resets = self.faults.take(name) or NO_FAULT, self._resets
            if self.max_at_once and self._at_once > self.max_at_once:
                return make_text_response(429, "Too many requests at once", self._date())
            if fault.kind == "answer":
                headers = dict(fault.headers) | self._date()
                return Response(fault.status, fault.body.encode(), "text/html; charset=utf-8", headers)
            await asyncio.sleep(fault.seconds)
            # After a reset, a delayed request would change the next campaign with that id.
            if fault.kind == "close_before" or self._resets != resets:
                return None
            return self._carry_out(partial(self.service.carry_out, name, parameters, **path), request, fault)
        finally:
            self._at_once -= 1

    def _carry_out(self, carry_out: Callable[[], dict[str, Any]], request: Request, fault: Fault) -> Response | None:
        if refusal := self._find_refusal(request):
            return make_text_response(401, f"Unauthorized: {refusal}", self._date())
        if fault.kind == "result":
            return _make_json_response(make_result_fields(fault.code, "injected"), self._date())
        result = carry_out()
        if fault.kind == "close_after":
            return None
        return _make_json_response(result, self._date(), truncated=fault.kind == "truncate")

    def _find_refusal(self, request: Request) -> str | None:
        return self.signatures.find_refusal(
            self._clock(),
            method=request.method,
            path=request.raw_path,
            query=_read_query(request),
            headers=request.headers,
            body=request.body,
        )

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self._clock(), usegmt=True)}

    async def _show_state(self, request: Request) -> Response:
        return _make_json_response(
            {
                "vdn_id": self.service.vdn_id,
                "campaigns": {campaign.id: campaign.to_json() for campaign in list(self.service.campaigns.values())},
                "requests": self.requests,
                "faults": self.faults.to_json(),
            }
        )

    async def _create_campaign(self, request: Request, campaign_id: str) -> Response:
        try:
            settings = check_changes(_parse(request.body))
            batches = settings.get("batches", 0)
            if type(batches) is not int or not 0 <= batches <= MAX_BATCHES:
                raise ValueError(f"batches must be an integer from 0 to {MAX_BATCHES}, not {format_value(batches)}")
            campaign = self.add_campaign(check_campaign_id(campaign_id), **settings)
        except ValueError as error:
            return make_text_response(400, str(error))
        return _make_json_response(campaign.to_json())

    async def _change_campaign(self, request: Request, campaign_id: str) -> Response:
        try:
            number = check_campaign_id(campaign_id)
            if number not in self.service.campaigns:
                return make_text_response(404, f"there is no campaign {number}")
            campaign = self.service.campaigns[number]
            campaign.change(_parse(request.body))
        except ValueError as error:
            return make_text_response(400, str(error))
        return _make_json_response(campaign.to_json())

    async def _inject(self, request: Request) -> Response:
        try:
            self.faults.inject(Fault.from_json(_parse(request.body)))
        except ValueError as error:
            return make_text_response(400, str(error))
        return _make_json_response(self.faults.to_json())

    async def _clear_faults(self, request: Request) -> Response:
        self.faults.clear()
        return _make_json_response([])


def _make_json_response(value: object, headers: dict[str, str] | None = None, *, truncated: bool = False) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(200, body, "application/json", headers or {}, truncated)


def _read_query(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.query, keep_blank_values=True)


def _read_parameters(interface: Interface, request: Request) -> Any:
    """Return the body's JSON or, for an interface without a body, the query; None if the request is not so."""
    if interface.has_body:
        return _parse(request.body)
    return None if request.body else dict(_read_query(request))


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
