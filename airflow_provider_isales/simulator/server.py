"""The simulator as a running HTTPS server, in a thread of this process."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import trustme
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_provider_isales.client import ISalesClient, SigningProfile
from airflow_provider_isales.client.models import BatchStatus
from airflow_provider_isales.simulator.app import SimulatorApp
from airflow_provider_isales.simulator.faults import Fault, FaultPlan
from airflow_provider_isales.simulator.service import Campaign, CampaignState, Service
from airflow_provider_isales.simulator.signature import SignatureCheck

_START_SECONDS = 20


class Simulator:
    """
    A CC-iSales on loopback. As a context manager it runs from entry to exit.

    :param vdn_id: the VDN that it knows
    :param access_key: the access key that it accepts
    :param secret_key: the secret key that goes with it
    :param profiles: the signing profiles that it accepts
    :param host: the address to listen on
    :param port: the port to listen on; 0 takes a free one
    :param ca_file: where to write the certificate of the authority that signed its own; a temporary file when None
    :param clock_offset: how far its clock is ahead of this machine's
    :param max_page_size: how many batches a page of a list has at the most
    :param status_as_text: whether a list has ``"1"`` and ``"2"`` for the status of batches, not the numbers
    :param max_at_once: how many requests it takes at once before it answers HTTP 429; None for as many as come
    :param certificate_days: how long its certificate is valid from now on; less than 0 for one that has expired
    :param self_signed: whether its certificate is of no authority, and of no name
    :raises OSError: on entry, if the port is taken
    """

    def __init__(
        self,
        *,
        vdn_id: int = 25,
        access_key: str = "simulator",
        secret_key: str = "simulator-secret-key",  # noqa: S107 - guards nothing
        profiles: Iterable[SigningProfile] = tuple(SigningProfile),
        host: str = "127.0.0.1",
        port: int = 0,
        ca_file: Path | None = None,
        clock_offset: timedelta = timedelta(0),
        max_page_size: int = 1000,
        status_as_text: bool = False,
        max_at_once: int | None = None,
        certificate_days: int = 365,
        self_signed: bool = False,
    ) -> None:
        self.access_key = access_key
        self.host = host
        self.port = port
        self.clock_offset = clock_offset
        self._secret_key = secret_key
        self.ca_file = ca_file
        self.service = Service(vdn_id)
        self.service.max_page_size, self.service.status_as_text = max_page_size, status_as_text
        self.faults = FaultPlan()
        signatures = SignatureCheck(access_key, secret_key, frozenset(profiles))
        self._app = SimulatorApp(self.service, signatures, self.faults, lambda: datetime.now(UTC) + self.clock_offset)
        self._app.max_at_once = max_at_once
        self._certificate_days = certificate_days
        self._self_signed = self_signed

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, self.port), family=family)
        # Its connections inherit it: older uvicorns send head and body apart, and the body would wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        self._directory = tempfile.TemporaryDirectory(prefix="isales-simulator-")
        directory = Path(self._directory.name)
        self.ca_file = self.ca_file or directory / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = directory / "server.pem"
        certificate.write_bytes(self._certificate(authority))
        self._server = _Server(_configuration(self._app, certificate))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="isales-simulator")
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the simulator did not start")
            time.sleep(0.01)
        return self

    def _certificate(self, authority: trustme.CA) -> bytes:
        """Return the key and the certificates as PEM."""
        if self._self_signed:
            return authority.private_key_pem.bytes() + authority.cert_pem.bytes()
        expires = datetime.now(UTC) + timedelta(days=self._certificate_days)
        issued = authority.issue_cert("localhost", self.host, not_after=expires)
        return issued.private_key_and_cert_chain_pem.bytes()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and drop what is still under way."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(_START_SECONDS)
        self._directory.cleanup()

    @property
    def requests(self) -> dict[str, int]:
        """How many requests came in, by interface."""
        return dict(self._app.requests)

    def reset(self) -> None:
        """Be as new: without campaigns, faults, counts and ``on_request``. Connections stay open."""
        self._app.reset()

    @property
    def on_request(self) -> Callable[[str, Any], None] | None:
        """
        What is called at each request, before anything else is done, with the interface's name and the body's JSON.

        For tests in which somebody edits a campaign meanwhile. It runs in the simulator's thread.
        """
        return self._app.on_request

    @on_request.setter
    def on_request(self, action: Callable[[str, Any], None] | None) -> None:
        self._app.on_request = action

    def add_campaign(
        self,
        campaign_id: int,
        *,
        batches: int = 0,
        state: CampaignState = CampaignState.EXECUTING,
        status: BatchStatus = BatchStatus.STARTED,
        max_batches: int = 1000,
    ) -> Campaign:
        """
        Add a campaign, in place of one with the same id.

        :param campaign_id: its id
        :param batches: how many batches it has
        :param state: its state
        :param status: the status of its batches
        :param max_batches: how many batches it may hold
        """
        campaign = Campaign(campaign_id, CampaignState(state), max_batches)
        for _ in range(batches):
            campaign.add_batch(status=BatchStatus(status))
        self.service.campaigns[campaign_id] = campaign
        return campaign

    def inject(self, kind: str, **settings: Any) -> None:
        """Have the next calls go wrong; see :class:`~airflow_provider_isales.simulator.faults.Fault`."""
        self.faults.inject(Fault(kind, **settings))

    def connection(self, **extra: object) -> str:
        """
        Return an Airflow connection to this simulator as JSON, fit for ``AIRFLOW_CONN_ISALES_DEFAULT``.

        :param extra: more or other extra fields
        """
        return json.dumps(
            {
                "conn_type": "isales",
                "host": self.host,
                "port": self.port,
                "login": self.access_key,
                "password": self._secret_key,
                "extra": {"vdn_id": self.service.vdn_id, "verify": str(self.ca_file), **extra},
            }
        )

    def client(self, **settings: Any) -> ISalesClient:
        """
        Return a client for this simulator.

        :param settings: more or other parameters of ``ISalesClient``
        """
        defaults: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "access_key": self.access_key,
            "secret_key": self._secret_key,
            "verify": str(self.ca_file),
            "vdn_id": self.service.vdn_id,
        }
        return ISalesClient(**(defaults | settings))


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # From Python 3.12 on, a server waits for its connections, and an idle or stalled one would take its time.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


class _Protocol(H11Protocol):
    """Hands each connection's transport to the application, so that a fault can break the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self.app_state = {**self.app_state, "transport": transport}


def _configuration(app: SimulatorApp, certificate: Path) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi,
        http=_Protocol,
        ws="none",
        lifespan="off",
        ssl_certfile=str(certificate),
        log_config=None,
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=60,
    )
