"""The HTTP side of the simulator: the six interfaces, and a control API beside them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from airflow_provider_isales.client.arguments import check_campaign_id
from airflow_provider_isales.client.verbs import PATH, VERBS
from airflow_provider_isales.simulator.faults import NO_FAULT, Fault, FaultPlan
from airflow_provider_isales.simulator.service import Service, result_fields
from airflow_provider_isales.simulator.signature import SignatureCheck

CONTROL = "/simulator"
# A thousand times what an interface takes.
MAX_BODY_BYTES = 2**20


class SimulatorApp:
    """
    Ties service, signature check and faults to HTTP.

    :param service: what CC-iSales knows
    :param signatures: who may call
    :param faults: what goes wrong
    :param clock: returns the server's time as an aware datetime
    """

    def __init__(
        self, service: Service, signatures: SignatureCheck, faults: FaultPlan, clock: Callable[[], datetime]
    ) -> None:
        self.service = service
        self.signatures = signatures
        self.faults = faults
        self.requests: Counter[str] = Counter()
        self.on_request: Callable[[str, object], None] | None = None
        self.max_at_once: int | None = None
        self._at_once = 0
        self._resets = 0
        self._clock = clock
        self.asgi = Starlette(
            routes=[
                *[
                    Route(PATH.replace("{verb}", verb.name), partial(self._interface, verb.name), methods=[verb.method])
                    for verb in VERBS.values()
                ],
                Route(f"{CONTROL}/state", self._state, methods=["GET"]),
                Route(f"{CONTROL}/campaigns/{{campaign_id}}", self._change, methods=["POST"]),
                Route(f"{CONTROL}/faults", self._inject, methods=["POST"]),
                Route(f"{CONTROL}/faults", self._clear, methods=["DELETE"]),
            ]
        )
        # Redirects are made of the Host header, whatever that is.
        self.asgi.router.redirect_slashes = False

    def reset(self) -> None:
        """Forget campaigns, faults, counts, ``on_request``, and requests whose answer is delayed."""
        self._resets += 1
        self.service.campaigns.clear()
        self.faults.clear()
        self.requests.clear()
        self.on_request = None

    async def _interface(self, verb: str, request: Request) -> Response:
        self._at_once += 1
        try:
            return await self._answer(verb, request)
        finally:
            self._at_once -= 1

    async def _answer(self, verb: str, request: Request) -> Response:
        body = await _read(request)
        self.requests[verb] += 1
        if self.on_request:
            self.on_request(verb, _parse(body))
        fault = self.faults.take(verb) or NO_FAULT
        if self.max_at_once and self._at_once > self.max_at_once:
            return PlainTextResponse("Too many requests at once\n", 429, self._date())
        if broken := await self._instead(fault):
            return broken
        if refusal := self._refusal(request, body):
            return PlainTextResponse(f"Unauthorized: {refusal}\n", 401, self._date())
        if fault.kind == "result":
            return JSONResponse(result_fields(fault.code, "injected"), headers=self._date())
        answer = self.service.answer(verb, **request.path_params, body=_parse(body))
        if fault.kind in ("close_after", "truncate"):
            return _BrokenOffResponse(answer if fault.kind == "truncate" else None)
        return JSONResponse(answer, headers=self._date())

    async def _instead(self, fault: Fault) -> Response | None:
        if fault.kind == "close_before":
            return _BrokenOffResponse(None)
        if fault.kind == "answer":
            return HTMLResponse(fault.body, fault.status, dict(fault.headers) | self._date())
        resets = self._resets
        await asyncio.sleep(fault.seconds)
        # After a reset, what it asks for would be done to the next campaign of that id.
        return None if self._resets == resets else _BrokenOffResponse(None)

    def _refusal(self, request: Request, body: bytes) -> str | None:
        return self.signatures.refusal(
            self._clock(),
            method=request.method,
            path=request.scope["raw_path"].decode(),
            query=parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True),
            headers=request.headers,
            body=body,
        )

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self._clock(), usegmt=True)}

    async def _state(self, request: Request) -> Response:
        return JSONResponse(
            {
                "vdn_id": self.service.vdn_id,
                "campaigns": {campaign.id: campaign.to_json() for campaign in self.service.campaigns.values()},
                "requests": self.requests,
                "faults": self.faults.to_json(),
            }
        )

    async def _change(self, request: Request) -> Response:
        changes = _parse(await _read(request))
        try:
            number = check_campaign_id(request.path_params["campaign_id"])
            if number not in self.service.campaigns:
                return PlainTextResponse(f"there is no campaign {number}\n", 404)
            campaign = self.service.campaigns[number]
            campaign.change(changes)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return JSONResponse(campaign.to_json())

    async def _inject(self, request: Request) -> Response:
        try:
            self.faults.inject(Fault.from_json(_parse(await _read(request))))
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return JSONResponse(self.faults.to_json())

    async def _clear(self, request: Request) -> Response:
        self.faults.clear()
        return JSONResponse([])


async def _read(request: Request) -> bytes:
    too_large = HTTPException(413, f"a body must not be longer than {MAX_BODY_BYTES} bytes\n")
    if int(request.headers.get("content-length", 0)) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise too_large
    except ClientDisconnect:
        # Nobody reads it, but an exception of another kind would be logged.
        raise HTTPException(400, "the body broke off\n") from None
    return bytes(body)


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


class _BrokenOffResponse(JSONResponse):
    """Sends the first half of an answer, if there is one, and breaks the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        if self.body == b"null":
            transport.abort()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            half = bytes(self.body)[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass
