"""How long the rounds of a bulk call last while the server does not respond, on a clock that only the test moves."""

from __future__ import annotations

from collections import Counter
from threading import Barrier

import pytest
from patience import LONG

from airflow_provider_isales.client import ISalesClient, ISalesError
from airflow_provider_isales.client.errors import ISalesTimeoutError
from airflow_provider_isales.client.rounds import OUTAGE_SECONDS, Rounds

TIMEOUT = 10.0
PARALLEL = 8
# With their full timeouts, so many would take more than three times as long as an outage may.
IDS = range(50 * PARALLEL)


class SilentServer:
    """It never responds: requests that are under way together all take their timeouts."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.requests = Counter[int]()
        self._longest = 0.0
        self._together = Barrier(PARALLEL, self._pass_time)

    def monotonic(self) -> float:
        return self.now

    def attempt(self, item_id: int, deadline: float, timeout: float | None) -> ISalesError:
        self.requests[item_id] += 1
        self._longest = max(self._longest, min(timeout or TIMEOUT, TIMEOUT))
        self._together.wait(LONG)
        return ISalesTimeoutError("no response in time")

    def _pass_time(self) -> None:
        self.now += self._longest
        self._longest = 0.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, no_waiting: list[float]) -> SilentServer:
    server = SilentServer()
    monkeypatch.setattr("airflow_provider_isales.client.rounds.time", server)
    return server


@pytest.fixture
def rounds(server: SilentServer) -> Rounds:
    """The rounds, after their run."""
    with ISalesClient("127.0.0.1", "ak", "sk", vdn_id=25, timeout=TIMEOUT) as client:
        rounds = Rounds("Pausing", client.session, server.attempt, lambda *_: None, PARALLEL)
        rounds.run(IDS)
    return rounds


@pytest.mark.usefixtures("rounds")
def test_each_id_has_its_request_though_the_server_never_responds(server: SilentServer) -> None:
    assert server.requests == Counter(IDS)


@pytest.mark.usefixtures("rounds")
def test_a_run_ends_after_an_outage_and_at_most_one_timeout(server: SilentServer) -> None:
    assert OUTAGE_SECONDS <= server.now - 1000 <= OUTAGE_SECONDS + TIMEOUT


def test_a_run_that_gave_up_says_why(rounds: Rounds) -> None:
    assert rounds.outage == "the server has not responded for 150 s"
