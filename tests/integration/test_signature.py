"""Signatures as they arrive at real HTTPS servers."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from patience import LONG

from airflow_provider_isales.client import C2Auth, ISalesClient, ISalesProtocolError, RetryPolicy, SigningProfile
from airflow_provider_isales.client.auth import make_authorization
from airflow_provider_isales.simulator import Simulator

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "c2_vectors.json").read_text(encoding="utf-8"))
HOSTS = ("cc-isales.example.com", "10.22.26.181", "127.0.0.1", "::1")
ONCE = RetryPolicy(attempts=1)
PATH = "/rest/isales/v1/openapi/campaigns/25/callbatch/7/pause"


class RecordingServer(ThreadingHTTPServer):
    """An HTTPS server for all hosts of the vectors that keeps what arrives and answers as told."""

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        authority = trustme.CA()
        self.ca_file = str(directory / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.received: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.connections = 0

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: RecordingServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        time.sleep(0.002)  # so that no two requests come in the same millisecond
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        self.server.received.append(
            {"method": self.command, "path": path, "query": query, "headers": dict(self.headers), "body": body.decode()}
        )
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        answer = b'{"resultCode": "0200000"}'
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    """The server, to which every connection goes, whatever host and port a URL names."""
    with RecordingServer(tmp_path) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        found = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", server.server_port))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: found)
        yield server
        server.shutdown()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_requests_on_the_wire_match_the_vendors_vectors(recorder: RecordingServer, vector: dict[str, Any]) -> None:
    signed_headers = vector["signed_headers"]
    requests.request(
        vector["method"],
        f"https://{signed_headers['host']}{vector['path']}",
        params=vector["query"],
        headers={"Content-Type": "application/json; charset=UTF-8"},
        data=(vector["body"] or "").encode(),
        auth=C2Auth(
            vector["access_key"],
            vector["secret_key"],
            SigningProfile.CURRENT if vector["precision"] == "milliseconds" else SigningProfile.LEGACY,
            clock=lambda: datetime.fromisoformat(vector["timestamp"]),
        ),
        verify=recorder.ca_file,
        timeout=LONG,
    )
    (received,) = recorder.received
    sent_headers = {name.lower(): value for name, value in received["headers"].items()}
    assert {
        "authorization": sent_headers["authorization"],
        "method": received["method"],
        "path": received["path"],
        "body": received["body"],
        "signed_headers": {name: sent_headers[name] for name in signed_headers},
    } == {
        "authorization": vector["authorization"],
        "method": vector["method"],
        "path": vector["path"],
        "body": vector["body"] or "",
        "signed_headers": signed_headers,
    }


def test_each_attempt_is_signed_anew(recorder: RecordingServer, no_waiting: list[float]) -> None:
    recorder.statuses = [502, 503]
    with ISalesClient("cc-isales.example.com", "ak", "sk", vdn_id=25, verify=recorder.ca_file) as client:
        client.pause_call_batch(7, "1")
    assert len({received["headers"]["Authorization"] for received in recorder.received}) == 3


def test_calls_share_one_connection(recorder: RecordingServer) -> None:
    with ISalesClient("cc-isales.example.com", "ak", "sk", vdn_id=25, verify=recorder.ca_file) as client:
        for _ in range(20):
            client.pause_call_batch(7, "1")
    assert len(recorder.received) == 20
    assert recorder.connections == 1


def test_list_is_a_get_with_a_json_body(recorder: RecordingServer) -> None:
    with (
        ISalesClient("cc-isales.example.com", "ak", "sk", vdn_id=25, verify=recorder.ca_file, retry=ONCE) as client,
        pytest.raises(ISalesProtocolError),
    ):
        list(client.list_call_batches(7, status=1))
    (received, *_) = recorder.received
    assert received["method"] == "GET"
    assert json.loads(received["body"]) == {"offset": 0, "limit": 100, "status": 1}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key="sk", access_key="ak") as simulator:
        simulator.add_campaign(7, batches=1)
        yield simulator


class TestTheSimulatorRefuses:
    """Under the current profile, which signs everything that is changed here."""

    def prepared(
        self,
        simulator: Simulator,
        profile: str = "current",
        late: timedelta = timedelta(0),
    ) -> requests.PreparedRequest:
        batch_id = next(iter(simulator.service.campaigns[7].batches))
        return requests.Request(
            "POST",
            f"https://127.0.0.1:{simulator.port}{PATH}",
            data=json.dumps({"id": batch_id}).encode(),
            headers={"Content-Type": "application/json; charset=UTF-8"},
            auth=C2Auth("ak", "sk", profile, clock=lambda: datetime.now(UTC) - late),
        ).prepare()

    def status(self, simulator: Simulator, request: requests.PreparedRequest) -> int:
        with requests.Session() as session:
            return session.send(request, verify=str(simulator.ca_file), timeout=LONG).status_code

    @pytest.mark.parametrize("profile", ["current", "legacy"])
    def test_the_simulator_accepts_an_unchanged_request(self, simulator: Simulator, profile: str) -> None:
        assert self.status(simulator, self.prepared(simulator, profile)) == 200

    @pytest.mark.parametrize("profile", ["current", "legacy"])
    def test_the_simulator_refuses_a_changed_byte_in_the_body(self, simulator: Simulator, profile: str) -> None:
        request = self.prepared(simulator, profile)
        assert isinstance(request.body, bytes)
        request.body = request.body.replace(b"0", b"1", 1)
        assert self.status(simulator, request) == 401

    @pytest.mark.parametrize("profile", ["current", "legacy"])
    def test_the_simulator_refuses_a_changed_byte_in_the_path(self, simulator: Simulator, profile: str) -> None:
        request = self.prepared(simulator, profile)
        request.url = str(request.url).replace("/7/", "/8/")
        assert self.status(simulator, request) == 401

    @pytest.mark.parametrize("profile", ["current", "legacy"])
    def test_the_simulator_refuses_a_query_that_was_not_signed(self, simulator: Simulator, profile: str) -> None:
        request = self.prepared(simulator, profile)
        request.url = f"{request.url}?a=b"
        assert self.status(simulator, request) == 401

    @pytest.mark.parametrize("profile", ["current", "legacy"])
    def test_the_simulator_refuses_a_changed_byte_in_the_host(self, simulator: Simulator, profile: str) -> None:
        request = self.prepared(simulator, profile)
        request.headers["Host"] = f"localhost:{simulator.port}"
        assert self.status(simulator, request) == 401

    def test_the_simulator_refuses_a_changed_byte_in_the_content_type(self, simulator: Simulator) -> None:
        request = self.prepared(simulator)
        request.headers["Content-Type"] = "application/json; charset=UTF-9"
        assert self.status(simulator, request) == 401

    @pytest.mark.parametrize("profile", ["current", "legacy"])
    def test_the_simulator_refuses_a_changed_digit_in_the_timestamp(self, simulator: Simulator, profile: str) -> None:
        request = self.prepared(simulator, profile)
        scheme, access_key, timestamp, *rest = request.headers["Authorization"].split("/")
        other = timestamp[:18] + str((int(timestamp[18]) + 1) % 10) + timestamp[19:]
        request.headers["Authorization"] = "/".join([scheme, access_key, other, *rest])
        assert self.status(simulator, request) == 401

    @pytest.mark.parametrize("digits", ["", ".1", ".123456"])
    def test_the_simulator_refuses_a_timestamp_of_another_precision(self, simulator: Simulator, digits: str) -> None:
        request = self.prepared(simulator)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S") + digits + "Z"
        headers = {name: request.headers[name] for name in SigningProfile.CURRENT.signed_headers}
        request.headers["Authorization"] = make_authorization(
            "ak", "sk", now, method="POST", path=PATH, headers=headers, body=request.body or b""
        )
        assert self.status(simulator, request) == 401

    @pytest.mark.parametrize("late", [timedelta(minutes=15, seconds=1), timedelta(minutes=-15, seconds=-1)])
    def test_the_simulator_refuses_a_timestamp_more_than_15_minutes_from_its_clock(
        self, simulator: Simulator, late: timedelta
    ) -> None:
        assert self.status(simulator, self.prepared(simulator, late=late)) == 401

    @pytest.mark.parametrize("late", [timedelta(minutes=14, seconds=50), timedelta(minutes=-14, seconds=-50)])
    def test_the_simulator_accepts_a_timestamp_within_15_minutes_of_its_clock(
        self, simulator: Simulator, late: timedelta
    ) -> None:
        assert self.status(simulator, self.prepared(simulator, late=late)) == 200

    @pytest.mark.parametrize(
        "header", ["", "auth-v2", "auth-v2/ak", "auth-v3/ak/x/host/y", "auth-v2/ak/x/host/y/z", "é"]
    )
    def test_the_simulator_refuses_a_header_that_is_not_a_signature(self, simulator: Simulator, header: str) -> None:
        request = self.prepared(simulator)
        request.headers["Authorization"] = header.encode()  # type: ignore[assignment]  # requests sends bytes too
        assert self.status(simulator, request) == 401

    def test_the_simulator_refuses_a_signature_without_the_header(self, simulator: Simulator) -> None:
        request = self.prepared(simulator)
        del request.headers["Authorization"]
        assert self.status(simulator, request) == 401

    def test_the_simulator_refuses_a_profile_that_it_is_not_set_to_accept(self) -> None:
        with Simulator(profiles=[SigningProfile.LEGACY], access_key="ak", secret_key="sk") as simulator:
            simulator.add_campaign(7, batches=1)
            assert self.status(simulator, self.prepared(simulator, "current")) == 401
