"""Whatever arrives, the simulator answers at once, blames itself for none of it, and goes on serving."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from http.client import HTTPResponse
from io import BufferedReader
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import LONG

from airflow_provider_isales.client import SigningProfile
from airflow_provider_isales.client.auth import format_timestamp, make_authorization
from airflow_provider_isales.simulator import CampaignState, Fault, Simulator
from airflow_provider_isales.simulator.campaign import CHECKS
from airflow_provider_isales.simulator.faults import KINDS
from airflow_provider_isales.simulator.interfaces import INTERFACES

SECONDS = LONG
VDN = "/rest/isales/v1/openapi/campaigns/25"
INTERFACE = VDN + "/callbatch/7/"
PAUSE = INTERFACE + "pause"
FAULTS = "/simulator/faults"
CAMPAIGN = "/simulator/campaigns/7"
DEEP = b'{"id": ' + b"[" * 100_000
SURROGATE = rb'"\ud800"'


class Answer:
    """An answer as it came over the wire."""

    def __init__(self, response: HTTPResponse) -> None:
        response.begin()
        self.status = response.status
        self.text = response.read().decode()

    @property
    def code(self) -> str:
        """The result code of an interface's answer."""
        assert self.status == 200, self.text
        code: str = json.loads(self.text)["resultCode"]
        return code


@contextmanager
def connected(simulator: Simulator, seconds: float) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    with (
        socket.create_connection(("127.0.0.1", simulator.port), seconds) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as stream,
    ):
        yield stream


def ask(simulator: Simulator, request: bytes, more: bytes = b"", *, times: int = 0, seconds: float = SECONDS) -> Answer:
    """
    Send the bytes of a request over TLS, and read one answer.

    :param more: what to send after it, so many ``times``
    :param seconds: how long to wait for bytes
    """
    with connected(simulator, seconds) as stream:
        stream.sendall(request)
        for _ in range(times):
            stream.sendall(more)
        return Answer(HTTPResponse(stream, method=request.partition(b" ")[0].decode("latin-1")))


def request(
    method: str, path: str, body: bytes = b"", *, host: bytes = b"127.0.0.1", headers: bytes = b"", length: bytes = b""
) -> bytes:
    start = f"{method} {path} HTTP/1.1\r\n".encode(errors="surrogatepass")
    length = length or b"Content-Length: %d\r\n" % len(body)
    return start + b"Host: " + host + b"\r\n" + headers + length + b"\r\n" + body


def signed(method: str, path: str, body: bytes = b"", *, host: bytes = b"127.0.0.1", length: bytes = b"") -> bytes:
    """Return a request with a right signature of the legacy profile, which signs no length."""
    value = make_authorization(
        "simulator",
        "simulator-secret-key",
        format_timestamp(datetime.now(UTC), SigningProfile.LEGACY.timespec),
        method=method,
        path=path.partition("?")[0],
        query=parse_qsl(path.partition("?")[2], keep_blank_values=True),
        headers={"host": host.decode("latin-1")},
        body=body,
    )
    return request(method, path, body, host=host, headers=f"Authorization: {value}\r\n".encode(), length=length)


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def read_answer(file: BufferedReader) -> bytes:
    """Read one answer from a connection; return its first line."""
    start, length = file.readline(), 0
    while (line := file.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    file.read(length)
    return start


@pytest.fixture(autouse=True)
def campaign(simulator: Simulator) -> None:
    simulator.add_campaign(7, batches=1)


class TestBodies:
    @pytest.mark.parametrize("name", INTERFACES)
    def test_a_body_nested_too_deep_for_json_is_0200001(self, simulator: Simulator, name: str) -> None:
        interface = INTERFACES[name]
        path = interface.path.format(vdn_id=25, campaign_id=7)
        assert ask(simulator, signed(interface.method, path, DEEP)).code == "0200001"

    @pytest.mark.parametrize("path", [FAULTS, CAMPAIGN])
    def test_the_control_api_refuses_a_body_nested_too_deep_for_json(self, simulator: Simulator, path: str) -> None:
        assert ask(simulator, request("POST", path, DEEP)).status == 400

    def test_a_number_of_5000_digits_is_0200001(self, simulator: Simulator) -> None:
        body = b'{"limit": 1, "offset": 1' + b"0" * 5000 + b"}"
        assert ask(simulator, signed("GET", INTERFACE + "list", body)).code == "0200001"

    @pytest.mark.parametrize("offset", [b"9" * 4300, b"1e400", b"-0", b"NaN"])
    def test_an_absurd_number_is_a_result_code(self, simulator: Simulator, offset: bytes) -> None:
        body = b'{"limit": 1, "offset": ' + offset + b"}"
        assert ask(simulator, signed("GET", INTERFACE + "list", body)).code in ("0200000", "0200001")

    @pytest.mark.parametrize("verb", ["create", "update"])
    def test_a_name_that_utf_8_cannot_express_is_02000002(self, simulator: Simulator, verb: str) -> None:
        batch_id = next(iter(simulator.service.campaigns[7].batches))
        body = b'{"id": "' + batch_id.encode() + b'", "name": ' + SURROGATE + b"}"
        assert ask(simulator, signed("POST", INTERFACE + verb, body)).code == "02000002"

    def test_a_batch_id_that_utf_8_cannot_express_is_not_found(self, simulator: Simulator) -> None:
        assert ask(simulator, signed("POST", PAUSE, b'{"id": ' + SURROGATE + b"}")).code == "03000004"

    @pytest.mark.parametrize("body", [b"\0", b'{"id": "\0"}', b'{"id": "\xff"}', b"\xff\xfe[\0"])
    def test_bytes_that_are_no_json_are_0200001(self, simulator: Simulator, body: bytes) -> None:
        assert ask(simulator, signed("POST", PAUSE, body)).code == "0200001"

    def test_the_last_of_two_equal_keys_counts(self, simulator: Simulator) -> None:
        assert ask(simulator, signed("POST", PAUSE, b'{"id": 7, "id": ""}')).code == "02000001"

    def test_a_chunked_body_is_read(self, simulator: Simulator) -> None:
        body = b'{"id": ""}'
        head = signed("POST", PAUSE, body, length=b"Transfer-Encoding: chunked\r\n").removesuffix(body)
        assert ask(simulator, head + chunked(body)).code == "02000001"

    def test_a_request_without_a_length_has_no_body(self, simulator: Simulator) -> None:
        assert ask(simulator, signed("POST", PAUSE, length=b"X: 1\r\n")).code == "0200001"


class TestSize:
    @pytest.mark.parametrize("path", [PAUSE, FAULTS, CAMPAIGN])
    def test_fifty_megabytes_are_refused_before_they_arrive(self, simulator: Simulator, path: str) -> None:
        head = request("POST", path, length=b"Content-Length: 50000000\r\n")
        answer = ask(simulator, head)
        assert (answer.status, answer.text) == (413, "a body must not be longer than 1048576 bytes\n")

    @pytest.mark.parametrize("path", [PAUSE, FAULTS, CAMPAIGN])
    def test_fifty_megabytes_of_unknown_length_are_refused(self, simulator: Simulator, path: str) -> None:
        head = request("POST", path, length=b"Transfer-Encoding: chunked\r\n")
        assert ask(simulator, head, b"%x\r\n%s\r\n" % (10**6, bytes(10**6)), times=50).status == 413

    def test_fifty_megabytes_sent_at_once_get_a_response(self, simulator: Simulator) -> None:
        head = request("POST", PAUSE, length=b"Content-Length: 50000000\r\n")
        assert ask(simulator, head, bytes(10**6), times=50).status == 413

    def test_a_body_that_is_too_large_uses_up_no_fault(self, simulator: Simulator) -> None:
        simulator.inject("result", code="0200006")
        ask(simulator, request("POST", PAUSE, length=b"Content-Length: 50000000\r\n"))
        assert ask(simulator, signed("POST", PAUSE)).code == "0200006"

    def test_a_mebibyte_is_read(self, simulator: Simulator) -> None:
        assert ask(simulator, signed("POST", PAUSE, b'{"id": ""}'.ljust(2**20))).code == "02000001"


class TestAbandoned:
    def test_a_body_that_breaks_off_is_no_error_of_the_simulator(
        self, simulator: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        head = request("POST", PAUSE, length=b"Content-Length: 9\r\n")
        with pytest.raises(TimeoutError):
            ask(simulator, head, seconds=0.1)
        ask(simulator, request("GET", "/simulator/state"))
        assert not caplog.records

    def test_the_simulator_stops_while_it_waits_for_a_body(self) -> None:
        with Simulator() as stopped, connected(stopped, SECONDS) as stream:
            stream.sendall(request("POST", PAUSE, length=b"Content-Length: 9\r\n"))
            start = time.monotonic()
            stopped.stop()
            assert time.monotonic() - start < SECONDS


class TestHeads:
    @pytest.mark.parametrize(
        "host", [b"", b"[", b"]", b"[::1", b"a/b?c#d", b"a:b:c", b"\xe9", b"x" * 5000, b"127.0.0.1/?", b"//", b"%zz"]
    )
    def test_an_odd_host_does_not_change_the_path(self, simulator: Simulator, host: bytes) -> None:
        assert ask(simulator, signed("POST", PAUSE, b'{"id": ""}', host=host)).code == "02000001"

    @pytest.mark.parametrize("host", [b"[", b"a/b?c#d", b"\xe9"])
    def test_an_odd_host_and_a_slash_too_many_are_an_unknown_path(self, simulator: Simulator, host: bytes) -> None:
        assert ask(simulator, request("GET", "/simulator/state/", host=host)).status == 404

    @pytest.mark.parametrize(
        "value", [b"\xe9\xff", b"auth-v2/\xff/\xff/\xff/\xff", b"auth-v2/simulator/\xb2/host/", b"/" * 9000]
    )
    def test_an_authorization_without_a_signature_is_401(self, simulator: Simulator, value: bytes) -> None:
        assert ask(simulator, request("POST", PAUSE, headers=b"Authorization: " + value + b"\r\n")).status == 401

    @pytest.mark.parametrize("length", [b"-1", b"+1", b"1e3", b"1, 2", b"", b"9" * 30, b"\xb2", b"1_0"])
    def test_a_length_that_is_no_number_is_400(self, simulator: Simulator, length: bytes) -> None:
        answer = ask(simulator, request("POST", PAUSE, length=b"Content-Length: " + length + b"\r\n"))
        assert answer.status == 400

    @pytest.mark.parametrize("method", ["GET", "PATCH", "post", "HEAD", "TRACE", "OPTIONS", "BREW"])
    @pytest.mark.parametrize("path", [PAUSE, FAULTS, CAMPAIGN])
    def test_another_method_is_405(self, simulator: Simulator, method: str, path: str) -> None:
        assert ask(simulator, request(method, path)).status == 405

    @pytest.mark.parametrize("path", ["/", "*", "//", "/%", "/%ff%00", "/simulator", PAUSE + "/", PAUSE + "%00"])
    def test_an_unknown_path_is_404(self, simulator: Simulator, path: str) -> None:
        assert ask(simulator, request("POST", path)).status == 404

    @pytest.mark.parametrize(
        "number", ["1_0", "\u0667", "\uff17", "\u00b2", "-7", "+7", " 7", "1" + "0" * 5000, "7\0", "\n7", "\udcff"]
    )
    def test_a_campaign_id_that_is_no_number_is_0200001(self, simulator: Simulator, number: str) -> None:
        path = PAUSE.replace("/7/", f"/{quote(number, errors='surrogateescape')}/")
        assert ask(simulator, signed("POST", path, b'{"id": "1"}')).code == "0200001"

    def test_a_path_that_is_not_ascii_is_400(self, simulator: Simulator) -> None:
        assert ask(simulator, request("POST", PAUSE).replace(b"/7/", b"/\xe9/")).status == 400


class TestConnections:
    STATE = request("GET", "/simulator/state")

    @pytest.mark.parametrize("sent", [[STATE, STATE], [STATE * 2]], ids=["one by one", "at once"])
    def test_a_connection_is_used_for_several_requests(self, simulator: Simulator, sent: list[bytes]) -> None:
        with connected(simulator, SECONDS) as stream, stream.makefile("rb") as file:
            for part in sent:
                stream.sendall(part)
                heads = [read_answer(file) for _ in range(2 // len(sent))]
                assert heads == [b"HTTP/1.1 200 OK\r\n"] * len(heads)

    @pytest.mark.parametrize(
        "last", [request("GET", "/simulator/state", headers=b"Connection: close\r\n"), STATE.replace(b"1.1", b"1.0", 1)]
    )
    def test_a_connection_is_closed_after_the_last_request(self, simulator: Simulator, last: bytes) -> None:
        with connected(simulator, SECONDS) as stream, stream.makefile("rb") as file:
            stream.sendall(last)
            assert read_answer(file) == b"HTTP/1.1 200 OK\r\n"
            assert file.read() == b""

    def test_expect_100_continue_is_honoured(self, simulator: Simulator) -> None:
        body = b'{"kind": "delay"}'
        head = request("POST", FAULTS, body, headers=b"Expect: 100-continue\r\n").removesuffix(body)
        with connected(simulator, SECONDS) as stream, stream.makefile("rb") as file:
            stream.sendall(head)
            assert (file.readline(), file.readline()) == (b"HTTP/1.1 100 Continue\r\n", b"\r\n")
            stream.sendall(body)
            assert read_answer(file) == b"HTTP/1.1 200 OK\r\n"

    def test_a_truncated_response_ends_in_the_middle_of_its_body(self, simulator: Simulator) -> None:
        simulator.inject("truncate")
        with connected(simulator, SECONDS) as stream, stream.makefile("rb") as file:
            stream.sendall(signed("POST", PAUSE, b'{"id": ""}'))
            head, body = file.read().split(b"\r\n\r\n")
        assert (
            f"Content-Length: {2 * len(body)}".encode() in head
            or f"Content-Length: {2 * len(body) + 1}".encode() in head
        )


class TestFaults:
    def inject(self, simulator: Simulator, **fault: Any) -> Answer:
        return ask(simulator, request("POST", FAULTS, json.dumps(fault).encode()))

    def test_a_fault_for_a_hundred_million_calls_is_kept_as_a_count(self, simulator: Simulator) -> None:
        self.inject(simulator, kind="result", code="0200006", times=10**8)
        ask(simulator, signed("POST", PAUSE))
        assert simulator.faults.to_json() == [{"kind": "result", "verb": "", "times": 10**8 - 1}]

    @pytest.mark.parametrize("name", ["", "a b", "a:b", "a\nb", "é", "😀", "\ud800", "\0"])
    def test_a_header_name_that_cannot_be_sent_is_refused(self, simulator: Simulator, name: str) -> None:
        answer = self.inject(simulator, kind="answer", headers={name: "1"})
        assert (answer.status, answer.text[:15]) == (400, "a header's name")

    @pytest.mark.parametrize("value", [" a", "a ", "a\nb", "a\r\nX: 1", "\0", "早", "\ud800", "\x0c"])
    def test_a_header_value_that_cannot_be_sent_is_refused(self, simulator: Simulator, value: str) -> None:
        answer = self.inject(simulator, kind="answer", headers={"X": value})
        assert (answer.status, answer.text[:16]) == (400, "a header's value")

    @pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
    def test_a_header_that_says_where_the_body_ends_is_refused(self, simulator: Simulator, name: str) -> None:
        answer = self.inject(simulator, kind="answer", headers={name: "5"})
        assert (answer.status, answer.text[:15]) == (400, "headers must no")

    @pytest.mark.parametrize("field", ["body", "code"])
    def test_a_text_that_utf_8_cannot_express_is_refused(self, simulator: Simulator, field: str) -> None:
        answer = self.inject(simulator, **{"kind": "result", "code": "1", field: "\ud800"})
        assert (answer.status, answer.text[:13]) == (400, "body and code")

    @pytest.mark.parametrize("status", [204, 304])
    def test_a_body_of_a_status_that_has_none_is_refused(self, simulator: Simulator, status: int) -> None:
        answer = self.inject(simulator, kind="answer", status=status)
        assert (answer.status, answer.text) == (400, f"a response with status {status} has no body: give body as ''\n")

    def test_the_error_of_a_long_value_is_short(self, simulator: Simulator) -> None:
        assert len(self.inject(simulator, kind="x" * 10**6).text) < 400

    def test_a_value_nested_too_deep_is_refused(self, simulator: Simulator) -> None:
        body = b'{"kind": ' + b"[" * 900 + b"]" * 900 + b"}"
        assert ask(simulator, request("POST", FAULTS, body)).status == 400


# JSON may hold text that UTF-8 can't express.
TEXT = st.text(st.characters(categories=("L", "N", "P", "S", "Z", "Cc", "Cs")), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(-(10**3000)) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["id", "status", "offset", "limit", "batches", *CHECKS, *(field.name for field in fields(Fault))]
WORDS = st.sampled_from([*INTERFACES, *KINDS, *CampaignState, "", "0" * 30, "2026-11-27", "0001-01-01 00:00:00"])
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), VALUES | WORDS | st.integers(-1, 600), max_size=6)
JSON = st.builds(lambda value: json.dumps(value).encode(), OBJECTS | VALUES)
BODIES = JSON | st.binary(max_size=50)
SEGMENTS = st.sampled_from(["7", "8", "25", "1_0", "1" * 5000, "%", "%00", "%0A", "%FF", "..", ""]) | TEXT
KNOWN = {interface.path.format(vdn_id=25, campaign_id=7): interface.method for interface in INTERFACES.values()}
PATHS = st.one_of(
    st.sampled_from([*KNOWN, FAULTS, CAMPAIGN, "/simulator/state", PAUSE + "%0A"]),
    st.builds(
        (VDN + "?status={}&deviceType={}&curPage={}&rowsPerPage={}&beginTime={}").format,
        *[st.integers(-1, 9) | SEGMENTS] * 5,
    ),
    st.builds("/rest/isales/v1/openapi/campaigns/{}/callbatch/{}/{}".format, SEGMENTS, SEGMENTS, SEGMENTS),
    st.builds("/simulator/campaigns/{}".format, SEGMENTS),
    st.builds("{}?{}".format, st.sampled_from([PAUSE, FAULTS]), SEGMENTS),
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT"])
HEADER_NAMES = st.sampled_from([b"Authorization", b"Expect", b"Upgrade", b"Connection", b"\xff", b"Host"])
HEADER_VALUES = st.binary(max_size=20) | st.sampled_from(
    [b"", b"[", b"a/b?c#d", b"auth-v2/simulator/x/host/y", b"100-continue", b"websocket", b"close"]
)
HEADERS = st.lists(st.builds(b"%s: %s\r\n".__mod__, st.tuples(HEADER_NAMES, HEADER_VALUES)), max_size=2)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LENGTHS = st.sampled_from(
    [CHUNKED, b"X: 1\r\n", *(b"Content-Length: %s\r\n" % n for n in (b"0", b"-1", b"1_0", b"\xb2", b"9" * 20))]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return a request that is complete: nothing in it has a server wait for more. Most are but a little odd."""

    def seldom() -> bool:
        return draw(st.integers(0, 7)) == 7

    path, body = draw(PATHS), draw(BODIES)
    usual = "GET" if path.endswith("state") or path.startswith(VDN + "?") else KNOWN.get(path, "POST")
    method = draw(METHODS if seldom() else st.just(usual))
    host = draw(HEADER_VALUES if seldom() else st.just(b"127.0.0.1"))
    if seldom():
        method, path = draw(TEXT), draw(TEXT)
    else:
        path = quote(path, safe="/?%", errors="surrogatepass")
    if seldom():
        body = DEEP[:20_000]
    length = draw(LENGTHS) if len(body) < 20_000 and seldom() else b""
    if length == CHUNKED:
        body = b"zz\r\n" + body if seldom() else chunked(body)
    if method.isascii() and path.isascii() and not seldom():
        return signed(method, path, body, host=host, length=length)
    return request(method, path, body, host=host, headers=b"".join(draw(HEADERS)), length=length)


class TestAnything:
    @settings(max_examples=200)
    @given(requests())
    def test_any_request_gets_a_response_and_the_next_pause_works(self, server: Simulator, sent: bytes) -> None:
        server.reset()
        server.add_campaign(7, batches=1)
        start = time.monotonic()
        answer = ask(server, sent)
        assert answer.status < 500, answer.text
        assert time.monotonic() - start < SECONDS
        server.reset()
        batch_id = server.add_campaign(7).add_batch().id
        assert ask(server, signed("POST", PAUSE, json.dumps({"id": batch_id}).encode())).code == "0200000"

    @settings(max_examples=100)
    @given(st.integers(200, 599), st.dictionaries(TEXT, TEXT, max_size=2), TEXT)
    def test_any_accepted_fault_response_can_be_sent(
        self, server: Simulator, status: int, headers: dict[str, str], body: str
    ) -> None:
        server.reset()
        fault = {"kind": "answer", "status": status, "headers": headers, "body": body}
        taken = ask(server, request("POST", FAULTS, json.dumps(fault).encode())).status
        assert (taken, ask(server, request("POST", PAUSE)).status) in ((200, status), (400, 401))
