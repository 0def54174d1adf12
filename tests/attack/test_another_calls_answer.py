"""The answer to one call is never taken for that to another: after a fork, and when a server answers twice."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from measuring import Figures, Size
from patience import LONG, wait_until
from raw_server import RawServer, Request, Wire, answering, ca_file, http_answer, result, tunnel

from airflow_provider_isales.client import ISalesBatchNotFoundError, ISalesClient, ISalesError, RetryPolicy
from airflow_provider_isales.client.errors import ISalesConnectionLostError

FORKING = Path(__file__).with_name("forking.py")
INTERRUPTING = Path(__file__).with_name("interrupting.py")
INTERRUPTING_GATE = Path(__file__).with_name("interrupting_gate.py")
FORKING_GATE = Path(__file__).with_name("forking_gate.py")


def answer_of_its_own(request: Request) -> bytes:
    """Success for even batch ids, a failure for odd ones, and the id itself as the description."""
    code = "03000004" if int(request.batch_id) % 2 else "0200000"
    return http_answer(result(code, request.batch_id))


def got_its_own(client: ISalesClient, batch: int) -> bool:
    """Pause a batch, and tell whether the answer was its own, or none."""
    try:
        return client.pause_call_batch(7, str(batch)).result_desc == str(batch)
    except ISalesBatchNotFoundError as error:
        return error.description == str(batch)
    except ISalesError:
        return True


@dataclass
class Twice:
    """
    Answers each request, and once more.

    :param send_again: sends the second answer
    """

    send_again: Callable[[Wire, bytes], None]
    sent: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    #: The connections on which a second answer is not sent yet.
    under_way: set[Wire] = field(default_factory=set)

    def __call__(self, wire: Wire) -> None:
        while request := wire.read_request():
            self.under_way.add(wire)
            try:
                self.send_again(wire, answer_of_its_own(request))
            finally:
                self.under_way.remove(wire)
                self.sent.release()


def in_one_record(wire: Wire, answer: bytes) -> None:
    wire.send(answer * 2)


def after_a_full_buffer(wire: Wire, answer: bytes) -> None:
    """The client's buffer ends with the first answer, so the second one stays behind in the socket of TLS."""
    padding = b"X: " + b"x" * (io.DEFAULT_BUFFER_SIZE - len(answer) - len(b"X: \r\n"))
    wire.send(answer.replace(b"\r\n", b"\r\n" + padding + b"\r\n", 1) + answer)


def at_once(wire: Wire, answer: bytes) -> None:
    wire.send(answer)
    wire.send(answer)


def late(wire: Wire, answer: bytes) -> None:
    wire.send(answer)
    time.sleep(0.001)
    wire.send(answer)


def in_part(wire: Wire, answer: bytes) -> None:
    wire.send(answer + answer[:20])
    wire.send(answer[20:])


def a_byte_at_once(wire: Wire, answer: bytes) -> None:
    wire.send(answer + b"\n")


class Proxying:
    """A proxy that can be waited for."""

    def __init__(self) -> None:
        self._tunnels: set[Wire] = set()
        self._idle = threading.Event()

    def __call__(self, wire: Wire) -> None:
        self._tunnels.add(wire)
        try:
            tunnel(wire, on_idle=self._idle.set)
        finally:
            self._tunnels.remove(wire)
            self._idle.set()

    def wait_until_all_is_passed_on(self) -> None:
        """Wait until a tunnel has looked for more after this call and found nothing, or all tunnels have ended."""
        for _ in range(3):  # it may have looked before, and so may one that is about to end
            self._idle.clear()
            if self._tunnels:
                assert self._idle.wait(LONG)


@contextmanager
def fork_results(forks: int) -> Iterator[dict[str, Any]]:
    with RawServer(answering(answer_of_its_own)) as server:
        command = [sys.executable, str(FORKING), str(server.port), str(ca_file()), str(forks)]
        yield json.loads(subprocess.run(command, capture_output=True, text=True, timeout=900, check=True).stdout)


def test_parent_and_child_of_a_fork_each_get_their_own_responses(size: Size, figures: Figures) -> None:
    with fork_results(size.of(6, 150)) as found:
        figures.add(
            "forks, both sides of which go on with a client that three threads use",
            f"{found['forks']} forks, {found['calls']:,} calls",
            f"{found['wrong']} answers of others, {found['hung']} children that hung",
            "0, 0",
        )
    assert (found["wrong"], found["hung"], found["failed"]) == (0, 0, 0)


@pytest.mark.parametrize("way", ["direct", "http proxy", "https proxy"])
@pytest.mark.parametrize("again", [in_one_record, at_once, late, in_part, a_byte_at_once])
def test_a_second_response_is_never_used_for_the_next_call(
    again: Callable[[Wire, bytes], None], way: str, size: Size, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    twice, tried, proxying = Twice(again), size.of(10, 270), Proxying()
    with RawServer(twice) as server, RawServer(proxying, tls=way == "https proxy") as proxy, ExitStack() as stack:
        proxies = {} if way == "direct" else {"https": f"{way.removesuffix(' proxy')}://127.0.0.1:{proxy.port}"}
        client = stack.enter_context(server.client(proxies=proxies))
        own = 0
        for batch in range(tried):
            own += got_its_own(client, batch)
            twice.sent.acquire(timeout=LONG)
            proxying.wait_until_all_is_passed_on()
    what = f"{again.__name__.replace('_', ' ')}, {way}"
    figures.add_to(f"second answers taken for the next call's, of {tried:,} in each way", what, tried - own, "", "0")
    assert own == tried


def test_a_second_response_behind_a_full_buffer_is_never_used_for_the_next_call() -> None:
    with RawServer(Twice(after_a_full_buffer)) as server, server.client() as client:
        assert all(got_its_own(client, batch) for batch in range(4))


def chunks_that_break_off(wire: Wire) -> None:
    """Answer a connection's first request in a broken way, and send success when the next one comes."""
    if wire.read_request():
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        if wire.read_request():
            wire.send(http_answer())


def test_data_after_a_broken_response_is_never_used_for_the_next_call() -> None:
    with RawServer(chunks_that_break_off) as server, server.client(retry=RetryPolicy(attempts=1)) as client:
        for batch in ("1", "2", "3"):
            with pytest.raises(ISalesConnectionLostError):
                client.pause_call_batch(7, batch)


def test_a_request_never_contains_parts_of_an_interrupted_one(chance: Random, size: Size, figures: Figures) -> None:
    pure, calls = list[bool](), size.of(300, 10_000)

    def answer(request: Request) -> bytes:
        campaign = int(request.batch_id) // 2
        pure.append(f"/callbatch/{campaign}/" in request.path and request.head.count(b"POST") == 1)
        return answer_of_its_own(request)

    with RawServer(answering(answer)) as server:
        command = [
            sys.executable,
            str(INTERRUPTING),
            str(server.port),
            str(ca_file()),
            str(calls),
            str(chance.random()),
        ]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=600, check=True).stdout)
    figures.add("calls interrupted at a random moment: requests with parts of others", found["interrupted"], 0, 0)
    assert all(pure)
    assert found["own"] + found["interrupted"] == calls


def found_by(program: Path, *arguments: object) -> dict[str, int]:
    command = [sys.executable, str(program), *map(str, arguments)]
    found: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, timeout=600, check=True).stdout)
    return found


def test_an_interrupt_inside_the_gate_does_not_block_other_threads(
    chance: Random, size: Size, figures: Figures
) -> None:
    found = found_by(INTERRUPTING_GATE, size.of(1000, 50_000), chance.random())
    figures.add(
        "interrupts inside the gate: other threads that hung afterwards", found["interrupted"], found["hung"], 0
    )
    assert found["hung"] == 0


def test_a_fork_while_other_threads_use_the_gate_does_not_block_the_child(size: Size, figures: Figures) -> None:
    found = found_by(FORKING_GATE, size.of(20, 2000))
    figures.add("forks while three threads use the gate: children that hung", found["forks"], found["hung"], 0)
    assert found["hung"] == 0


def test_second_responses_at_any_moment_are_counted(chance: Random, size: Size, figures: Figures) -> None:
    """A response that arrives after the last check of a connection and before the real response can't be told apart."""

    def at_any_moment(wire: Wire, answer: bytes) -> None:
        wire.send(answer)
        until = time.perf_counter() + chance.uniform(0, 0.003)
        while time.perf_counter() < until:
            time.sleep(0)
        wire.send(answer)

    tried = size.of(100, 4_000)
    twice = Twice(at_any_moment)
    with RawServer(twice) as server, server.client() as client:
        own = 0
        for batch in range(tried):
            time.sleep(chance.uniform(0, 0.003))
            own += got_its_own(client, batch)
        time.sleep(1)  # the last request may not have arrived: its call may have taken the answer of the one before
        wait_until(lambda: not twice.under_way)
        assert got_its_own(client, tried), "an answer is taken for another's long after it came"
    figures.add(
        "second answers within 3 ms, at any moment, the next call within 3 ms too",
        f"{tried:,}",
        f"{tried - own} taken: sent while the next request was on its way",
        "not promised",
    )
