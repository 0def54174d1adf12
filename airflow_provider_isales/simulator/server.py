"""The simulator as a running HTTPS server, in a thread of this process."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import trustme

from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.simulator.app import SimulatorApp
from airflow_provider_isales.simulator.http_server import HttpServer
from airflow_provider_isales.simulator.service import Service
from airflow_provider_isales.simulator.signature import SignatureCheck


class Simulator(SimulatorApp):
    """
    A CC-iSales on loopback. As a context manager it runs from entry to exit.

    :param vdn_id: its only VDN
    :param access_key: the access key that it accepts
    :param secret_key: the secret key that belongs to it
    :param profiles: the signing profiles that it accepts
    :param host: the address to listen on
    :param port: the port to listen on; 0 takes a free one
    :param ca_file: where to write its CA certificate; a temporary file if None
    :param clock_offset: how far its clock is ahead of this machine's
    :param timezone: the platform's time zone, in which campaigns begin and end
    :param max_page_size: the most batches or campaigns on a page of a list, whatever the request says
    :param status_as_text: whether a status in responses is text such as ``"1"``, not the number
    :param total_counts_page: whether ``totalCount`` and ``totalSize`` count the entries of the page, not all
    :param pauses_completed: whether a completed campaign can be paused
    :param details_lag: how many details of a campaign show its old status after each change of its state
    :param list_lag: how many lists of campaigns show its old status after each change of its state
    :param max_at_once: the most requests handled at once; others get HTTP 429. None for no limit
    :param certificate_days: how many days its certificate is valid; negative for an expired one
    :param self_signed: whether its certificate is signed by no authority, and names no host
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
        timezone: str = "Asia/Shanghai",
        max_page_size: int = 1000,
        status_as_text: bool = False,
        total_counts_page: bool = False,
        pauses_completed: bool = False,
        details_lag: int = 0,
        list_lag: int = 0,
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
        signatures = SignatureCheck(access_key, secret_key, frozenset(profiles))
        super().__init__(Service(vdn_id, self._utc_now), signatures, self._utc_now)
        self.service.zone = ZoneInfo(timezone)
        self.service.max_page_size, self.service.total_counts_page = max_page_size, total_counts_page
        self.service.status_as_text, self.service.pauses_completed = status_as_text, pauses_completed
        self.service.details_lag, self.service.list_lag = details_lag, list_lag
        self.max_at_once = max_at_once
        self._certificate_days = certificate_days
        self._self_signed = self_signed

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, self.port), family=family)
        self.port = listener.getsockname()[1]
        self._directory = tempfile.TemporaryDirectory(prefix="isales-simulator-")
        directory = Path(self._directory.name)
        self.ca_file = self.ca_file or directory / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = directory / "server.pem"
        certificate.write_bytes(self._make_certificate(authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, args=(listener, context), name="isales-simulator")
        self._thread.start()
        return self

    def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        async def serve() -> None:
            connections = HttpServer(self.respond)
            server = await asyncio.start_server(connections.serve_connection, sock=listener, ssl=context)
            await self._stopped.wait()
            server.close()
            connections.abort_connections()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve())

    def _utc_now(self) -> datetime:
        return datetime.now(UTC) + self.clock_offset

    def _make_certificate(self, authority: trustme.CA) -> bytes:
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
        """Stop listening and drop all connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        self._directory.cleanup()

    def connection(self, **extra: object) -> str:
        """
        Return an Airflow connection to this simulator as JSON, fit for ``AIRFLOW_CONN_ISALES_DEFAULT``.

        :param extra: extra fields to add or replace
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

        :param settings: parameters of ``ISalesClient`` to add or replace
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
