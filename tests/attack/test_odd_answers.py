"""Whatever a server answers: success is only what says so in every way, the rest is an error of ours, and soon."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
from measuring import Figures, Size
from odd_answers import OddAnswer, base_answers, odd_answer
from oracle import NotSuccessError, may_be_success, whole_body
from patience import try_longer_timeouts
from raw_server import RawServer, Request, Wire, answering, http_answer

from airflow_provider_isales.client import ISalesClient, ISalesError, RetryPolicy
from airflow_provider_isales.client.errors import ISalesHTTPStatusError, ISalesTimeoutError

BATCH = "174712034211433247704877116507"
TIMEOUT = 2.0
PATIENCE = 0.1


@dataclass
class Verdicts:
    """The outcomes of many responses."""

    tried: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    falsely_green: list[bytes] = field(default_factory=list)
    falsely_red: list[tuple[str, bytes]] = field(default_factory=list)
    not_ours: list[tuple[str, bytes]] = field(default_factory=list)
    slowest: float = 0.0


class Answering:
    """Answers each request with the next odd answer, and ends the connection unless the answer's end is plain."""

    answer = OddAnswer(b"")
    stalls = False

    def __call__(self, wire: Wire) -> None:
        while wire.read_request():
            raw = self.answer.raw
            wire.send(raw)
            if self.stalls:
                return wire.stall()
            if not _can_keep(raw):
                return None
            wire.connection.settimeout(PATIENCE)  # for the next request; the client may wait for more of this answer
        return None


def _can_keep(raw: bytes) -> bool:
    try:
        return whole_body(raw)[1] and len(raw) < 8000
    except NotSuccessError:
        return False


def verdicts(answers: Iterable[OddAnswer]) -> Verdicts:
    """Pause once for each answer, over one client."""
    found = Verdicts()
    answering = Answering()
    with collecting_no_garbage(), RawServer(answering) as server, server.client(timeout=TIMEOUT) as client:
        for answering.answer in answers:
            raw = answering.answer.raw
            found.tried += 1
            if found.tried % 1000 == 0:
                gc.collect()
            started = time.monotonic()
            try:
                client.pause_call_batch(7, BATCH)
                found.kinds["success"] += 1
                if not may_be_success(raw):
                    found.falsely_green.append(raw)
            except ISalesError as error:
                found.kinds[type(error).__name__] += 1
                # Tried again, as by default, for the connection may have been closed behind the answer before.
                if answering.answer.innocent and _fails(client):
                    found.falsely_red.append((str(error), raw))
            except Exception as error:
                found.not_ours.append((repr(error), raw))
            found.slowest = max(found.slowest, time.monotonic() - started)
    return found


@contextmanager
def collecting_no_garbage() -> Iterator[None]:
    """While deeply nested JSON exhausts the stack, garbage can't be finalized, which pytest makes an error."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _fails(client: ISalesClient) -> bool:
    try:
        client.pause_call_batch(7, BATCH)
    except ISalesError:
        return True
    return False


def cut_answers() -> Iterator[OddAnswer]:
    for raw in base_answers():
        yield from (OddAnswer(raw[:end]) for end in range(len(raw)))


def record(figures: Figures, what: str, found: Verdicts) -> None:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in found.kinds.most_common())
    figures.add(
        what,
        f"{found.tried:,}",
        f"{len(found.falsely_green)} falsely green, {len(found.falsely_red)} falsely red, {len(found.not_ours)} other "
        f"exceptions; slowest {found.slowest:.1f} s ({kinds})",
        f"0, 0, 0; {TIMEOUT} s",
    )


@pytest.fixture(scope="module")
def odd(pytestconfig: pytest.Config, size: Size, figures: Figures) -> Verdicts:
    """The outcomes of random responses, collected once for all tests."""
    chance = Random(pytestconfig.getoption("--attack-seed"))
    found = verdicts(odd_answer(chance) for _ in range(size.of(400, 100_000)))
    record(figures, "answers that are odd by chance", found)
    return found


@pytest.fixture(scope="module")
def cut(figures: Figures) -> Verdicts:
    found = verdicts(cut_answers())
    record(figures, "answers cut off after every byte", found)
    return found


def test_only_documented_success_is_success(odd: Verdicts) -> None:
    assert odd.falsely_green[:5] == []


def test_success_in_an_unusual_form_is_success(odd: Verdicts) -> None:
    assert odd.falsely_red[:5] == []


def test_odd_responses_raise_only_our_own_errors(odd: Verdicts) -> None:
    assert odd.not_ours[:5] == []


def test_no_response_delays_a_call_beyond_its_bounds(odd: Verdicts, size: Size) -> None:
    assert odd.slowest < TIMEOUT + size.slack


def test_a_truncated_response_is_never_success(cut: Verdicts) -> None:
    assert cut.falsely_green == []


def test_a_truncated_response_raises_our_own_error(cut: Verdicts) -> None:
    assert cut.not_ours == []


def test_stalled_responses_are_errors_in_time(chance: Random, size: Size, figures: Figures) -> None:
    answering = Answering()
    answering.stalls = True
    slowest, tried = 0.0, size.of(3, 100)
    with RawServer(answering) as server, server.client(timeout=0.2) as client:
        for cut_off in chance.sample([answer for answer in cut_answers() if not may_be_success(answer.raw)], tried):
            answering.answer = cut_off
            started = time.monotonic()
            with pytest.raises(ISalesError):
                client.pause_call_batch(7, BATCH)
            slowest = max(slowest, time.monotonic() - started)
    figures.add("answers that stop without an end", tried, f"slowest {slowest:.2f} s", "0.2 s")
    assert slowest < 0.2 + size.slack


def refusing_and_resetting(wire: Wire) -> None:
    wire.read_request()
    wire.send(b"HTTP/1.1 503 Later\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    wire.reset()


def test_a_refusal_is_reported_though_the_connection_is_reset() -> None:
    with RawServer(refusing_and_resetting) as server, server.client(retry=RetryPolicy(attempts=1)) as client:
        for _ in range(10):
            with pytest.raises(ISalesHTTPStatusError):
                client.pause_call_batch(7, BATCH)


@pytest.mark.parametrize("interim", ["102 Processing", "103 Early Hints\r\nLink: </a>", "199 Whatever"])
def test_an_interim_response_ends_the_call_and_its_connection(interim: str) -> None:
    def answer(request: Request) -> bytes:
        return f"HTTP/1.1 {interim}\r\n\r\n".encode() + http_answer()

    with RawServer(answering(answer)) as server, server.client() as client:
        for _ in range(3):
            with pytest.raises(ISalesHTTPStatusError):
                client.pause_call_batch(7, BATCH)
        assert server.connections == 3


def test_a_header_line_that_hides_the_length_ends_in_a_timeout() -> None:
    answer = http_answer().replace(b"Content-Type", b"no header\r\nContent-Type")

    def check(timeout: float) -> None:
        with (
            RawServer(answering(lambda request: answer)) as server,
            server.client(timeout=timeout) as client,
            pytest.raises(ISalesTimeoutError, match="The request may have taken effect"),
        ):
            client.pause_call_batch(7, BATCH)

    try_longer_timeouts(check)
