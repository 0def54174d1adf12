"""A server that drops, delays, lies and restarts while a colleague edits what it has, all by chance."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from airflow_provider_isales.client import ISalesClient, RetryPolicy
from airflow_provider_isales.simulator import Simulator

IMPATIENT = RetryPolicy(attempts=4, total=3, first_wait=0.01, max_wait=0.05, max_retry_after=0.05)
LIE = '{"resultCode": "0200000", "resultDesc": "success", "returnCode": "0200000", "returnDesc": "success"}'


def choose_faults(chance: random.Random, interfaces: Sequence[str], codes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """
    Choose what the server does wrong, and how often.

    :param interfaces: those that it may happen to
    :param codes: the result codes that are answered though nothing was done
    """
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        fault: dict[str, Any] = chance.choice(
            [
                {"kind": "close_before"},
                {"kind": "close_after"},
                {"kind": "truncate"},
                {"kind": "delay", "seconds": 0.01},
                {"kind": "answer", "status": chance.choice([403, 418, 429, 500, 502, 503])},
                {"kind": "answer", "status": 200, "body": LIE},
                {"kind": "answer", "status": 200, "body": "<html>"},
                {"kind": "result", "code": chance.choice(codes)},
            ]
        )
        yield fault | {"verb": chance.choice(interfaces), "times": chance.choice([1, 3, 30, 300])}


@dataclass
class Colleague:
    """Does what is planned at the moments when requests come in; the edits are the names of a subclass's methods."""

    chance: random.Random
    plan: dict[int, str]
    requests: int = 0
    #: The request that began the last listing.
    last_listing: int = 0
    #: The request at which each was started.
    started_at: dict[Any, int] = field(default_factory=dict)
    suspended: set[Any] = field(default_factory=set)

    def act(self, *, begins_listing: bool) -> None:
        """Count a request, and make the edit that is planned for it."""
        self.requests += 1
        if begins_listing:
            self.last_listing = self.requests
        if edit := self.plan.get(self.requests):
            getattr(self, edit)()

    def is_excused(self, item_id: Any) -> bool:
        """Tell whether one was started so late that the last listing need not have it so."""
        return self.started_at.get(item_id, -1) > self.last_listing


def make_plan(chance: random.Random, edits: Sequence[str], moments: int) -> dict[int, str]:
    """Choose what a colleague does, and at which of so many requests."""
    return {chance.randrange(1, moments): chance.choice(edits) for _ in range(chance.choice([0, 0, 1, 3, 10]))}


@contextmanager
def process_that(call: str, server: Simulator) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a process; yield it when it is about to make the call.

    :param call: a call of ``client``
    :param server: the client's
    """
    program = f"""
        import sys
        from airflow_provider_isales.client import ISalesClient
        port, ca_file = sys.argv[1:]
        settings = {{"vdn_id": 25, "port": int(port), "verify": ca_file}}
        with ISalesClient("127.0.0.1", "simulator", "simulator-secret-key", **settings) as client:
            print("begins", flush=True)
            {call}
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(server.port), str(server.ca_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        process.stdout.readline()
        yield process


class Relay:
    """
    Passes on bytes to a server, and can restart: then all connections break, and new ones are refused for a while.

    :param server: the server
    """

    def __init__(self, server: Simulator) -> None:
        self.server = server
        self.port = 0
        self.restarts = 0
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay")

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def client(self, **settings: Any) -> ISalesClient:
        """Return a client for the server that does not know that there is a relay."""
        return self.server.client(port=self.port, **settings)

    def restart(self, seconds: float) -> None:
        """Break all connections, and listen again after some seconds; return at once."""
        self.restarts += 1
        asyncio.run_coroutine_threadsafe(self._restart(seconds), self._loop)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=64)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.001)

    async def _restart(self, seconds: float) -> None:
        if self._server.is_serving():
            await self._close()
            await asyncio.sleep(seconds)
            await self._listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        both = {writer, server_writer}
        self._writers |= both
        try:
            await asyncio.gather(self._copy(reader, server_writer), self._copy(server_reader, writer))
        finally:
            self._writers -= both

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
