"""Secret key, signature and proxies' passwords are nowhere to be seen, whatever goes wrong, however it is shown."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest
from leaks import everything_logged, leaks, shown_of
from raw_server import Handler, RawServer, Wire, answering, http_answer, result, tunnel

from airflow_provider_isales.client import C2Auth, ISalesClient, RetryPolicy
from airflow_provider_isales.client.models import BatchKey
from airflow_provider_isales.client.text import clean_text
from airflow_provider_isales.client.verbs import PAUSE

SECRET = "this-is-the-secret-key"
PASSWORD = "this-is-the-proxy-password"
SECRETS = [SECRET, PASSWORD]
BATCH = "174712034211433247704877116507"

GOOD: dict[str, Any] = {"host": "127.0.0.1", "access_key": "ak", "secret_key": SECRET, "vdn_id": 25, "port": 1}
PROXY = f"http://user:{PASSWORD}@127.0.0.1:1"

# Each is wrong; some hold a secret in a place where it does not belong.
WRONG_SETTINGS: dict[str, dict[str, Any]] = {
    "host empty": {"host": ""},
    "host with a scheme": {"host": "https://isales.example.com"},
    "host with user and password": {"host": f"https://user:{PASSWORD}@isales.example.com"},
    "wrong host beside a good proxy": {"host": "", "proxies": {"https": PROXY}},
    "host of another type": {"host": 7},
    "host with a scope": {"host": "::1%x]@127.0.0.1:8443?"},
    "port of text": {"port": "8443"},
    "port too large": {"port": 70000},
    "vdn of words": {"vdn_id": "x"},
    "timeout of words": {"timeout": "soon"},
    "timeout below zero": {"timeout": -1},
    "verify that is no file": {"verify": "/no/such.pem"},
    "verify of another type": {"verify": 7},
    "unknown profile": {"signing_profile": "v9"},
    "access key with a slash": {"access_key": f"{SECRET}/x"},
    "access key empty": {"access_key": ""},
    "access key of another type": {"access_key": 7},
    "access key that is the secret, with a line break": {"access_key": SECRET + "\n"},
    "secret key empty": {"secret_key": ""},
    "secret key of bytes": {"secret_key": SECRET.encode()},
    "secret key with a surrogate": {"secret_key": SECRET + "\ud800"},
    "secret key in a list": {"secret_key": [SECRET]},
    "proxy with a bad port": {"proxies": {"https": PROXY + "x"}},
    "proxy with a path": {"proxies": {"https": PROXY + "/x"}},
    "proxy of another scheme": {"proxies": {"https": PROXY.replace("http", "socks5")}},
    "proxy with a hash in the password": {"proxies": {"https": f"http://user:#{PASSWORD}@127.0.0.1:1"}},
    "proxy with an at in the password": {"proxies": {"https": f"http://user:@{PASSWORD}@127.0.0.1:1"}},
    "proxy with a slash in the password": {"proxies": {"https": f"http://user:/{PASSWORD}@127.0.0.1:1"}},
    "proxy with a line break": {"proxies": {"https": PROXY + "\r\nX: y"}},
    "proxy of bytes": {"proxies": {"https": PROXY.encode()}},
    "proxies as text": {"proxies": PROXY},
    "proxies as a list": {"proxies": [PROXY]},
    "proxies as pairs": {"proxies": [("https", PROXY)]},
    "connections of words": {"max_connections": "many"},
    "connections without number": {"max_connections": 0},
}
WRONG_IN_THE_ENVIRONMENT: dict[str, dict[str, str]] = {
    "HTTPS_PROXY with a hash": {"HTTPS_PROXY": f"http://user:#{PASSWORD}@127.0.0.1:1"},
    "HTTPS_PROXY of another scheme": {"HTTPS_PROXY": PROXY.replace("http", "socks5")},
    "HTTPS_PROXY with a bad port": {"HTTPS_PROXY": PROXY + "x"},
    "ALL_PROXY with a path": {"ALL_PROXY": PROXY + "/x"},
    "REQUESTS_CA_BUNDLE that is no file": {"REQUESTS_CA_BUNDLE": f"/no/{PASSWORD}/such.pem", "HTTPS_PROXY": PROXY},
}


def echo(change: Callable[[str], str]) -> Handler:
    """A handler that answers with the signature it got, in the description, the code and a header."""

    def handler(wire: Wire) -> None:
        while request := wire.read_request():
            got = change(next(line for line in request.head.decode().split("\r\n") if line.startswith("Authorization")))
            wire.send(http_answer(result("0200001", got), f"X-Echo: {got}"))

    return handler


def breaking(raw: bytes) -> Handler:
    def handler(wire: Wire) -> None:
        wire.read_request()
        wire.send(raw)

    return handler


def status(line: str, *headers: str) -> Handler:
    return answering(lambda request: http_answer(b"", *headers, status=line))


FAILURES: dict[str, Handler] = {
    "no answer": breaking(b""),
    "half an answer": breaking(http_answer()[:-5]),
    "no HTTP": breaking(b"220 mail.example.com ESMTP\r\n"),
    "a malformed header": breaking(b"HTTP/1.1 200 OK\r\nGarbage\r\n\r\n{}"),
    "not JSON": answering(lambda request: http_answer(b"<html>")),
    "two codes": answering(lambda request: http_answer(b'{"resultCode": "0200000", "returnCode": "0200006"}')),
    "HTTP 401": status("401 Unauthorized"),
    "HTTP 503": status("503 Later"),
    "a redirect": status("302 Found", f"Location: https://user:{PASSWORD}@127.0.0.1/"),
    "not found": answering(lambda request: http_answer(result("03000004"))),
    "an unknown code": answering(lambda request: http_answer(result("09999999"))),
    "silence": lambda wire: wire.stall(),
    "the signature echoed": echo(str),
    "the signature echoed in capitals": echo(str.upper),
    "the signature echoed with escaped slashes": echo(lambda got: got.replace("/", "\\/")),
    "the signature echoed percent-encoded": echo(lambda got: got.replace("/", "%2F")),
    "the signature echoed without its prefix": echo(lambda got: got.rpartition("/")[2]),
    "the request echoed as the body": answering(lambda request: http_answer(request.head)),
    "the request echoed as status line": answering(lambda request: request.head + b"\r\n\r\n"),
    "the request echoed as a header": answering(
        lambda request: b"HTTP/1.1 200 OK\r\n" + request.head.replace(b": ", b" = ") + b"\r\n\r\n"
    ),
}


class Interruption(BaseException):
    """An interrupt from outside."""


def failure_of(action: Callable[[], object]) -> tuple[dict[str, str], str]:
    """Return what is shown of the failure of an action, what was logged included, and of which class it is."""
    with everything_logged() as log:
        try:
            action()
        except (Exception, Interruption) as error:
            shown = shown_of(error) | {"log": log.getvalue()}
            return shown, type(error).__name__
    return {"log": log.getvalue()}, "success"


@pytest.fixture(autouse=True)
def _proxies_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")


@pytest.mark.parametrize("what", WRONG_SETTINGS)
def test_a_wrong_setting_shows_no_secret(what: str) -> None:
    shown, kind = failure_of(lambda: ISalesClient(**{**GOOD, **WRONG_SETTINGS[what]}))
    assert (leaks(shown, SECRETS), kind) == ([], "ISalesArgumentError")


@pytest.mark.parametrize("what", WRONG_IN_THE_ENVIRONMENT)
def test_a_wrong_setting_of_the_environment_shows_no_secret(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WRONG_IN_THE_ENVIRONMENT[what].items():
        monkeypatch.setenv(name, value)
    shown, kind = failure_of(lambda: ISalesClient(**GOOD))
    assert kind == "ISalesArgumentError"
    assert leaks({where: text.replace(f"/no/{PASSWORD}", "") for where, text in shown.items()}, SECRETS) == []


CALLS: dict[str, Callable[[ISalesClient], object]] = {
    "a call": lambda client: client.pause_call_batch(7, BATCH),
    "one request": lambda client: client.session.send(PAUSE, BatchKey(25, 7, BATCH)),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("what", FAILURES)
def test_a_failing_call_shows_no_secret(what: str, call: str) -> None:
    with (
        RawServer(FAILURES[what]) as server,
        server.client(secret_key=SECRET, timeout=0.5, retry=RetryPolicy(attempts=2, first_wait=0.01)) as client,
    ):
        shown, kind = failure_of(lambda: CALLS[call](client))
    assert kind != "success"
    assert leaks(shown, SECRETS) == []


def proxy_that_refuses(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.send(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")


def proxy_that_echoes(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 407 " + wire.connection.recv(65536).replace(b"\r\n", b" ") + b"\r\n\r\n")


@pytest.mark.parametrize("proxy", [proxy_that_refuses, proxy_that_echoes, None])
@pytest.mark.parametrize("through", ["setting", "environment"])
def test_a_call_through_a_proxy_that_fails_shows_no_password(
    proxy: Handler | None, through: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(proxy or proxy_that_refuses, tls=False) as server:
        url = f"http://user:{PASSWORD}@127.0.0.1:{server.port if proxy else 1}"
        if through == "environment":
            monkeypatch.setenv("HTTPS_PROXY", url)
        settings = {"proxies": {"https": url}} if through == "setting" else {}
        retry = RetryPolicy(attempts=2, first_wait=0.01)
        with ISalesClient(**{**GOOD, "timeout": 0.5, "retry": retry, **settings}) as client:
            shown, kind = failure_of(lambda: client.pause_call_batch(7, BATCH))
    encoded = "dXNlcjp0aGlzLWlzLXRoZS1wcm94eS1wYXNzd29yZA=="  # user and password as the proxy gets them
    assert kind == "ISalesConnectError"
    assert leaks(shown, [*SECRETS, encoded]) == []


def test_a_call_without_a_server_shows_no_secret() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with ISalesClient(**{**GOOD, "port": taken.getsockname()[1], "retry": RetryPolicy(attempts=1)}) as client:
            shown, kind = failure_of(lambda: client.pause_call_batch(7, BATCH))
    assert (leaks(shown, SECRETS), kind) == ([], "ISalesConnectError")


def test_an_untrusted_certificate_shows_no_secret() -> None:
    with RawServer(status("200 OK")) as server, server.client(secret_key=SECRET, verify=True) as client:
        shown, kind = failure_of(lambda: client.pause_call_batch(7, BATCH))
    assert (leaks(shown, SECRETS), kind) == ([], "ISalesCertificateError")


def test_a_signature_that_cannot_be_made_shows_no_secret() -> None:
    def broken_clock() -> Any:
        raise RuntimeError("the clock broke")

    auth = C2Auth("ak", SECRET, clock=broken_clock)
    import requests

    shown, kind = failure_of(lambda: requests.Request("POST", "https://127.0.0.1:1/", data=b"x", auth=auth).prepare())
    assert (leaks(shown, SECRETS), kind) == ([], "RuntimeError")


def test_an_interrupt_in_the_middle_of_a_call_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Airflow's timeout of a task comes, from a signal handler, wherever the call is."""

    def interrupt(*_: object) -> None:
        raise Interruption("the task took too long")

    with (
        RawServer(lambda wire: wire.stall()) as server,
        RawServer(tunnel, tls=False) as proxy,
        server.client(
            secret_key=SECRET, timeout=60, proxies={"https": f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}"}
        ) as client,
    ):
        before = signal.signal(signal.SIGALRM, interrupt)

        def call() -> None:
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            client.pause_call_batch(7, BATCH)

        try:
            shown, kind = failure_of(call)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert (leaks(shown, SECRETS), kind) == ([], "Interruption")


def test_an_interrupt_while_a_client_is_made_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: object) -> None:
        raise Interruption("the task took too long")

    monkeypatch.setattr("ssl.create_default_context", interrupt)
    shown, kind = failure_of(lambda: ISalesClient(**{**GOOD, "proxies": {"https": PROXY}}))
    assert (leaks(shown, SECRETS), kind) == ([], "Interruption")


@pytest.mark.parametrize("half", [ISalesClient.__new__(ISalesClient), C2Auth.__new__(C2Auth)], ids=type)
def test_the_repr_of_a_half_initialised_object_works(half: object) -> None:
    assert SECRET not in repr(half)


def test_neither_client_nor_auth_shows_the_secret_in_its_variables() -> None:
    with ISalesClient(**{**GOOD, "proxies": {"https": PROXY}}) as client:
        shown = repr(client) + repr(vars(client)) + repr(C2Auth("ak", SECRET)) + repr(vars(C2Auth("ak", SECRET)))
    assert SECRET not in shown


SIGNED = "auth-v2/ak/2026-11-24T09:00:00.000Z/host/" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "echoed",
    [
        SIGNED,
        SIGNED.upper(),
        SIGNED.replace("/", "\\/"),
        SIGNED.replace("/", "\\\\/"),
        SIGNED.replace("/", "%2F"),
        SIGNED.replace("/", "%2f"),
        SIGNED.replace("/", "%252F"),
        SIGNED.replace("/", "&#47;"),
        SIGNED.replace("/", "&#x2F;"),
        SIGNED.replace("/", "\\u002f"),
        SIGNED.rpartition("/")[2],
        SIGNED.rpartition("/")[2].upper(),
        SIGNED[:-1],
        SIGNED.rpartition("/")[2] + "0",
        f"<{SIGNED}>",
    ],
)
def test_a_signature_is_masked_however_it_is_echoed(echoed: str) -> None:
    assert "789abcdef0123456789" not in clean_text(f"refused: {echoed} is wrong").lower()
