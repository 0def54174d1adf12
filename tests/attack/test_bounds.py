"""Bounds on what a server can cost: time, memory and connections; nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest
from bombs import BOMBS
from measuring import Figures, Size
from patience import LONG
from raw_server import (
    SUCCESS,
    Handler,
    RawServer,
    Wire,
    answering,
    ca_file,
    client_of,
    http_answer,
    result,
    seconds_of,
    server_context,
)

from airflow_provider_isales.client import ISalesClient, ISalesError, RetryPolicy

BATCH = "174712034211433247704877116507"
TIMEOUT = 1.0
TOTAL = 2.0
RETRY = RetryPolicy(attempts=1000, total=TOTAL, first_wait=0.05, max_wait=0.2)
LONGEST = f"the longest call on slow servers and proxies, total={TOTAL:.0f}, timeout={TIMEOUT:.0f}"
MAX_MEGABYTES = 50
MEMORY_OF_A_CALL = Path(__file__).with_name("memory_of_a_call.py")

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def one_by_one(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def dribbling(data: bytes, every: float = 0.05) -> Handler:
    """Answers so slowly that it never ends, though a byte comes now and then."""

    def handler(wire: Wire) -> None:
        wire.read_request()
        wire.dribble(one_by_one(data), every)

    return handler


def again_and_again(start: bytes, piece: bytes, every: float = 0.02) -> Handler:
    def handler(wire: Wire) -> None:
        wire.read_request()
        wire.send(start)
        wire.dribble(repeat(piece), every)

    return handler


def silent(wire: Wire) -> None:
    wire.stall()


def too_many_requests(wire: Wire) -> None:
    answering(lambda request: http_answer(b"", "Retry-After: 1", status="429 Too Many Requests"))(wire)


def unavailable(wire: Wire) -> None:
    answering(lambda request: http_answer(b"", status="503 Service Unavailable"))(wire)


SLOW_SERVERS: dict[str, Handler] = {
    "no answer at all": silent,
    "a header, a byte at a time": dribbling(HEAD + b"X: " + b"y" * 10_000),
    "a body, a byte at a time": dribbling(http_answer(SUCCESS + b" " * 10_000)),
    "chunks, a byte at a time": dribbling(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 10_000),
    "100 Continue without end": again_and_again(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers without end": again_and_again(HEAD, b"X: y\r\n"),
    "trailers without end": again_and_again(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "a chunk extension without end": again_and_again(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "an answer that stops in its middle": again_and_again(http_answer()[:-9], b"", 5),
    "a failed status whose body never ends": again_and_again(b"HTTP/1.1 503 No\r\n\r\n", b"x"),
    "429 with Retry-After again and again": too_many_requests,
    "503 again and again": unavailable,
}


def pause(client: ISalesClient) -> None:
    with contextlib.suppress(ISalesError):
        client.pause_call_batch(7, BATCH)


@contextlib.contextmanager
def black_holes(count: int) -> Iterator[list[tuple[str, int]]]:
    """Addresses of loopback on one port that take no connection and refuse none: their backlog is full."""
    with contextlib.ExitStack() as stack:
        holes: list[tuple[str, int]] = []
        port = 0
        for number in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind((f"127.0.0.{number + 1}", port))
            listener.listen(0)
            address = listener.getsockname()
            port = address[1]
            for _ in range(8):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(address)
            holes.append(address)
        yield holes


def dribbled_record(wire: Wire) -> None:
    """A handshake as it should be, and then one TLS record, a byte at a time."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    engine = server_context().wrap_bio(incoming, outgoing, server_side=True)
    while not wire.ended.is_set():
        incoming.write(wire.connection.recv(65536))
        try:
            engine.do_handshake()
            engine.read()
        except ssl.SSLWantReadError:
            wire.connection.sendall(outgoing.read())
            continue
        engine.write(http_answer(SUCCESS + b" " * 10_000))
        wire.dribble(one_by_one(outgoing.read()), 0.05)
        break


def dribbled_handshake(wire: Wire) -> None:
    """A handshake a byte at a time, made with a TLS engine that has no socket."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    engine = server_context().wrap_bio(incoming, outgoing, server_side=True)
    while not wire.ended.is_set():
        incoming.write(wire.connection.recv(65536))
        with contextlib.suppress(Exception):
            engine.do_handshake()
        wire.dribble(one_by_one(outgoing.read()), 0.05)


def dribbling_proxy(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.dribble(one_by_one(b"HTTP/1.1 200 Connection established\r\nX: " + b"y" * 10_000), 0.05)


def proxy_without_end(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.send(b"HTTP/1.1 200 Connection established\r\n")
    wire.dribble(repeat(b"X: y\r\n"), 0.02)


def proxy_that_stalls_the_handshake(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    wire.stall()


def proxy_that_dribbles_the_handshake(wire: Wire) -> None:
    wire.connection.recv(65536)
    wire.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    dribbled_handshake(wire)


PROXIES = (
    silent,
    dribbling_proxy,
    proxy_without_end,
    proxy_that_stalls_the_handshake,
    proxy_that_dribbles_the_handshake,
)


@contextlib.contextmanager
def client_of_a_server(handler: Handler, *, tls: bool = True) -> Iterator[ISalesClient]:
    with RawServer(handler, tls=tls) as server, server.client(timeout=TIMEOUT, retry=RETRY) as client:
        yield client


@contextlib.contextmanager
def client_behind_a_proxy(handler: Handler, scheme: str) -> Iterator[ISalesClient]:
    with RawServer(handler, tls=scheme == "https") as proxy:
        proxies = {"https": f"{scheme}://127.0.0.1:{proxy.port}"}
        with client_of(1, timeout=TIMEOUT, retry=RETRY, proxies=proxies) as client:
            yield client


@contextlib.contextmanager
def client_of_black_holes(count: int) -> Iterator[ISalesClient]:
    name = f"{count}-black-holes.invalid"
    with black_holes(count) as holes, pytest.MonkeyPatch.context() as patch:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", hole) for hole in holes]
        ask = socket.getaddrinfo
        patch.setattr(
            "socket.getaddrinfo", lambda host, *args, **kwargs: found if host == name else ask(host, *args, **kwargs)
        )
        with client_of(holes[0][1], host=name, timeout=TIMEOUT, retry=RETRY) as client:
            yield client


SLOW: dict[str, Callable[[], contextlib.AbstractContextManager[ISalesClient]]] = {
    **{what: partial(client_of_a_server, handler) for what, handler in SLOW_SERVERS.items()},
    "a TLS handshake that stalls": partial(client_of_a_server, silent, tls=False),
    "a TLS handshake, a byte at a time": partial(client_of_a_server, dribbled_handshake, tls=False),
    "a TLS record, a byte at a time": partial(client_of_a_server, dribbled_record, tls=False),
    "a black hole instead of a server": partial(client_of_black_holes, 1),
    **{
        f"{scheme}: {proxy.__name__.replace('_', ' ')}": partial(client_behind_a_proxy, proxy, scheme)
        for scheme in ("http", "https")
        for proxy in PROXIES
        if scheme == "https" or proxy not in (dribbling_proxy, proxy_without_end)  # not promised
    },
}


@pytest.fixture(scope="module")
def seconds_of_calls(size: Size) -> dict[str, float]:
    """How long a call takes on each of the slow servers; all at once, because they do little but wait."""
    found: dict[str, float] = {}

    def call(what: str, client: ISalesClient) -> None:
        found[what] = seconds_of(lambda: pause(client))

    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("NO_PROXY", "")
        threads = [
            threading.Thread(target=call, args=(what, stack.enter_context(slow())), daemon=True)
            for what, slow in SLOW.items()
        ]
        for thread in threads:
            thread.start()
        ended_by = time.monotonic() + TOTAL + TIMEOUT + 2 * size.slack
        for thread in threads:
            thread.join(max(0.0, ended_by - time.monotonic()))
    return found


@pytest.mark.parametrize("what", SLOW)
def test_a_call_ends_within_its_total_and_one_timeout(
    what: str, seconds_of_calls: dict[str, float], size: Size, figures: Figures
) -> None:
    seconds = seconds_of_calls.get(what, math.inf)
    figures.add_to(LONGEST, what, seconds, "s", f"{TOTAL + TIMEOUT:.0f} s")
    assert seconds < TOTAL + TIMEOUT + size.slack


def test_a_thread_held_back_by_others_ends_in_time(size: Size, figures: Figures) -> None:
    with RawServer(too_many_requests) as server, server.client(timeout=TIMEOUT, retry=RETRY) as client:
        ended = threading.Event()

        def others() -> None:
            while not ended.is_set():
                pause(client)

        threads = [threading.Thread(target=others) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        try:
            seconds = seconds_of(lambda: pause(client))
        finally:
            ended.set()
            client.stop()
            for thread in threads:
                thread.join(10)
    what = "four other threads get 429 with Retry-After"
    figures.add_to(LONGEST, what, seconds, "s", f"{TOTAL + TIMEOUT:.0f} s")
    assert seconds < TOTAL + TIMEOUT + size.slack


@pytest.mark.parametrize("attempts_fail_with", [too_many_requests, unavailable])
@pytest.mark.parametrize(
    "stop", [ISalesClient.stop, lambda client: client.stop_before(datetime.now(UTC) - timedelta(seconds=1))]
)
def test_stopping_ends_all_waits_immediately(
    stop: Callable[[ISalesClient], None], attempts_fail_with: Handler, size: Size, figures: Figures
) -> None:
    patient = RetryPolicy(attempts=1000, total=60, first_wait=60, max_wait=60, max_retry_after=60)
    with RawServer(attempts_fail_with) as server, server.client(retry=patient) as client:
        failures: list[ISalesError] = []
        ended: list[float] = []

        def wait() -> None:
            try:
                client.pause_call_batch(7, BATCH)
            except ISalesError as error:
                failures.append(error)
                ended.append(time.monotonic())

        threads = [threading.Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.7)
        stopped_at = time.monotonic()
        stop(client)
        for thread in threads:
            thread.join(LONG)
        seconds = max(ended) - stopped_at
    name = "stop" if stop is ISalesClient.stop else "stop_before"
    what = f"{name}(), {attempts_fail_with.__name__.replace('_', ' ')}"
    figures.add_to("the longest wait after a stop, 4 threads", what, seconds, "s", "0 s")
    assert (seconds < size.slack, len(failures)) == (True, 4)


@pytest.fixture(scope="module")
def caller() -> Iterator[subprocess.Popen[str]]:
    """A process that measures calls to the ports that it is told."""
    command = [sys.executable, str(MEMORY_OF_A_CALL), str(ca_file())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_response_takes_much_memory(bomb: str, caller: subprocess.Popen[str], figures: Figures) -> None:
    assert caller.stdin
    assert caller.stdout
    with RawServer(BOMBS[bomb]) as server:
        print(server.port, file=caller.stdin, flush=True)
        found = json.loads(caller.stdout.readline())
    what = f"{bomb}: {found['error']}"
    figures.add_to("memory that an answer takes above rest", what, found["megabytes"], "MB", f"{MAX_MEGABYTES} MB")
    assert found["megabytes"] < MAX_MEGABYTES


def test_no_cookie_is_sent_back() -> None:
    heads: list[bytes] = []

    def answer(wire: Wire) -> None:
        while request := wire.read_request():
            heads.append(request.head.lower())
            wire.send(http_answer(SUCCESS, f"Set-Cookie: session={len(heads)}; Path=/"))

    with RawServer(answer) as server, server.client() as client:
        for _ in range(3):
            client.pause_call_batch(7, BATCH)
    assert [b"\r\ncookie:" in head for head in heads] == [False] * 3


def test_closing_a_client_closes_its_connections_after_an_error_too() -> None:
    closed = threading.Event()

    def refuse(wire: Wire) -> None:
        answering(lambda request: http_answer(result("03000004")))(wire)
        closed.set()

    with RawServer(refuse) as server:
        with server.client() as client:
            pause(client)
        assert closed.wait(LONG)
