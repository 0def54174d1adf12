"""Proxies and network failures between a client and its server, on real sockets."""

from __future__ import annotations

import socket
import time
from base64 import b64encode
from typing import Any

import pytest
from patience import try_longer_timeouts
from raw_server import RawServer, Wire, answering, client_of, http_answer, tunnel

from airflow_provider_isales.client import Outcome
from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesTimeoutError,
    ISalesTLSError,
)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_call_goes_through_the_proxy(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    with (
        RawServer(answering(lambda request: http_answer())) as server,
        RawServer(tunnel, tls=scheme == "https") as proxy,
        server.client(proxies={"https": f"{scheme}://127.0.0.1:{proxy.port}"}) as client,
    ):
        assert client.pause_call_batch(7, "1").outcome is Outcome.PAUSED
        assert proxy.connections == 1


@pytest.mark.parametrize(("typed", "sent"), [("%E4%BD%A0", "你".encode()), ("%E9", b"\xe9"), ("a%40b", b"a@b")])
def test_the_password_of_a_proxy_is_sent_as_it_is_percent_encoded(
    typed: str, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    heads: list[bytes] = []

    def refuse(wire: Wire) -> None:
        if request := wire.read_request():
            heads.append(request.head)

    with (
        RawServer(refuse, tls=False) as proxy,
        client_of(1, proxies={"https": f"http://user:{typed}@127.0.0.1:{proxy.port}"}) as client,
        pytest.raises(ISalesConnectError),
    ):
        client.pause_call_batch(7, "1")
    assert b"proxy-authorization: Basic " + b64encode(b"user:" + sent) in heads[0].splitlines()


def test_an_untrusted_certificate_is_named_though_the_proxy_refuses_a_second_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "")

    def serve_once(wire: Wire) -> None:
        if proxy.connections == 1:
            tunnel(wire)
        else:
            wire.send(b"no more\r\n\r\n")

    with (
        RawServer(answering(lambda request: http_answer())) as server,
        RawServer(serve_once, tls=False) as proxy,
        server.client(verify=True, proxies={"https": f"http://127.0.0.1:{proxy.port}"}) as client,
        pytest.raises(ISalesCertificateError) as caught,
    ):
        client.pause_call_batch(7, "1")
    assert not caught.value.sent


def test_a_stalled_response_is_a_timeout() -> None:
    def stop_in_the_middle(wire: Wire) -> None:
        wire.read_request()
        wire.send(http_answer()[:-5])
        wire.stall()

    def check(timeout: float) -> None:
        with (
            RawServer(stop_in_the_middle) as server,
            server.client(timeout=timeout) as client,
            pytest.raises(ISalesTimeoutError, match="no response in time: "),
        ):
            client.pause_call_batch(7, "1")

    try_longer_timeouts(check)


def test_the_error_of_a_port_without_tls_says_so() -> None:
    def greet(wire: Wire) -> None:
        wire.connection.recv(65536)
        wire.send(b"220 mail.example.com ESMTP\r\n")

    with (
        RawServer(greet, tls=False) as server,
        server.client() as client,
        pytest.raises(ISalesTLSError, match=r"TLS failed: \[SSL"),
    ):
        client.pause_call_batch(7, "1")


def test_close_notify_during_the_handshake_means_that_nothing_was_sent() -> None:
    def say_goodbye(wire: Wire) -> None:
        wire.connection.recv(65536)
        wire.send(b"\x15\x03\x03\x00\x02\x01\x00")  # the alert close_notify

    with (
        RawServer(say_goodbye, tls=False) as server,
        server.client() as client,
        pytest.raises(ISalesConnectError, match="no connection could be made: "),
    ):
        client.pause_call_batch(7, "1")


def test_the_reason_of_a_failure_is_what_happened_first() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with (
            client_of(nobody.getsockname()[1]) as client,
            pytest.raises(ISalesConnectError, match=r"no connection could be made: \[Errno \d+\] Connection refused"),
        ):
            client.pause_call_batch(7, "1")


def test_a_failure_without_a_message_shows_its_type() -> None:
    def send_an_empty_line(wire: Wire) -> None:
        wire.read_request()
        wire.send(b"\r\n")

    with (
        RawServer(send_an_empty_line) as server,
        server.client() as client,
        pytest.raises(ISalesConnectionLostError, match="the connection broke: "),
    ):
        client.pause_call_batch(7, "1")


def test_a_resolver_timeout_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolve_slowly(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0.3)
        return resolve(*args, **kwargs)

    monkeypatch.setattr("socket.getaddrinfo", resolve_slowly)
    with (
        RawServer(answering(lambda request: http_answer())) as server,
        server.client(timeout=0.2) as client,
        pytest.raises(ISalesConnectError, match="no connection could be made: timed out") as caught,
    ):
        client.pause_call_batch(7, "1")
    assert not caught.value.sent


def test_a_tls_handshake_timeout_means_that_nothing_was_sent() -> None:
    timed_out = "no connection could be made: something listens, but the TLS handshake timed out"

    def check(timeout: float) -> None:
        with (
            RawServer(lambda wire: wire.stall(), tls=False) as server,
            server.client(timeout=timeout) as client,
            pytest.raises(ISalesConnectError, match=timed_out) as caught,
        ):
            client.pause_call_batch(7, "1")
        assert not caught.value.sent

    try_longer_timeouts(check)
