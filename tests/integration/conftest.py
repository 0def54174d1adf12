from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_isales.client import ISalesClient
from airflow_provider_isales.simulator import Campaign, Simulator

HERE = Path(__file__).parent


@pytest.fixture
def client(simulator: Simulator, no_waiting: list[float]) -> Iterator[ISalesClient]:
    """A client for the simulator that does not really wait between attempts."""
    with simulator.client() as client:
        yield client


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(7, batches=3)


@pytest.fixture
def batch_id(campaign: Campaign) -> str:
    return next(iter(campaign.batches))


class _Proxy(socketserver.BaseRequestHandler):
    """An HTTP proxy that knows CONNECT and nothing else."""

    def handle(self) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += self.request.recv(1)
        host, _, port = request.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            other = {self.request: server, server: self.request}
            while True:
                for ready in select.select(list(other), [], [], 10)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    other[ready].sendall(data)


@pytest.fixture
def connect_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)
