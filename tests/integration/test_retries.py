"""When a call is tried again, and for how long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from patience import LONG, try_longer_timeouts, wait_until

from airflow_provider_isales.client import (
    CallBatchResult,
    ISalesArgumentError,
    ISalesClient,
    ISalesResultError,
    Outcome,
    RetryPolicy,
)
from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesHTTPStatusError,
    ISalesTimeoutError,
)
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.simulator import Campaign, Simulator


def test_attempts_are_bounded(client: ISalesClient, simulator: Simulator, batch_id: str) -> None:
    simulator.inject("result", code="0200006", times=9)
    with pytest.raises(ISalesResultError, match=r"\[0200006\] .*\(8 attempts\)"):
        client.pause_call_batch(7, batch_id)
    assert simulator.requests["pause"] == 8


def test_the_whole_time_is_bounded(simulator: Simulator, batch_id: str, no_waiting: list[float]) -> None:
    simulator.inject("answer", status=429, headers={"Retry-After": "10"}, times=9)
    with (
        simulator.client(retry=RetryPolicy(total=5)) as client,
        pytest.raises(ISalesHTTPStatusError, match=r"HTTP 429 Too Many Requests\. "),
    ):
        client.pause_call_batch(7, batch_id)


def test_retry_after_is_honoured(
    client: ISalesClient, simulator: Simulator, batch_id: str, no_waiting: list[float]
) -> None:
    simulator.inject("answer", status=429, headers={"Retry-After": "7"})
    client.pause_call_batch(7, batch_id)
    assert no_waiting == [7.0]


def test_retry_after_is_honoured_up_to_a_cap(
    client: ISalesClient, simulator: Simulator, batch_id: str, no_waiting: list[float]
) -> None:
    simulator.inject("answer", status=503, headers={"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"})
    client.pause_call_batch(7, batch_id)
    assert no_waiting == [30.0]


@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "", "Fri, 99 Foo 2026"])
def test_an_unreadable_retry_after_leaves_the_wait_to_the_backoff(
    client: ISalesClient, simulator: Simulator, batch_id: str, no_waiting: list[float], value: str
) -> None:
    simulator.inject("answer", status=503, headers={"Retry-After": value})
    client.pause_call_batch(7, batch_id)
    assert 0 <= no_waiting[0] <= 0.5


def test_a_server_that_asks_to_come_back_at_once_is_not_hammered(
    client: ISalesClient, simulator: Simulator, batch_id: str, no_waiting: list[float]
) -> None:
    simulator.inject("answer", status=503, headers={"Retry-After": "0"}, times=7)
    client.pause_call_batch(7, batch_id)
    assert sum(no_waiting) > 0.5


def test_an_exception_that_the_caller_handles_does_not_stop_retries(
    client: ISalesClient, simulator: Simulator, batch_id: str
) -> None:
    simulator.inject("close_before")
    try:
        with simulator.client(verify=True) as elsewhere:
            elsewhere.pause_call_batch(7, batch_id)
    except ISalesCertificateError:
        assert client.pause_call_batch(7, batch_id).attempts == 2


def test_a_wait_is_logged_with_what_and_why(
    client: ISalesClient, simulator: Simulator, batch_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.inject("answer", status=502)
    with caplog.at_level(logging.WARNING):
        client.pause_call_batch(7, batch_id)
    assert f"Pausing call batch {batch_id} of campaign 7 (VDN 25): attempt 1 of at most 8" in caplog.text


def test_a_slow_server_is_a_timeout(simulator: Simulator, batch_id: str) -> None:
    simulator.inject("delay", seconds=60, times=9)

    def check(timeout: float) -> None:
        with (
            simulator.client(timeout=timeout, retry=RetryPolicy(attempts=1)) as client,
            pytest.raises(ISalesTimeoutError, match="no response in time"),
        ):
            client.pause_call_batch(7, batch_id)

    try_longer_timeouts(check)


@pytest.mark.parametrize(
    ("bound", "complaint"),
    [
        ({"attempts": 0}, "attempts must be an integer from 1 to 1000, not 0"),
        ({"attempts": 1001}, "attempts must be an integer from 1 to 1000, not 1001"),
        *(
            ({name: value}, f"{name} must be a number of seconds above 0, up to 86400, not {value}")
            for name in ("total", "first_wait", "max_wait", "max_retry_after")
            for value in (0, 86401)
        ),
    ],
)
def test_a_bound_that_is_not_allowed_is_refused(bound: dict[str, int], complaint: str) -> None:
    with pytest.raises(ISalesArgumentError, match=complaint):
        RetryPolicy(**bound)


@pytest.fixture
def longest_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every random wait the longest possible one."""
    monkeypatch.setattr("random.uniform", lambda least, most: most)


@pytest.mark.usefixtures("longest_waits")
def test_the_longest_wait_doubles_with_each_attempt_up_to_a_cap() -> None:
    assert [RetryPolicy().draw_backoff(attempt) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_wait_is_a_random_part_of_the_longest_one() -> None:
    waits = [RetryPolicy().draw_backoff(5) for _ in range(100)]
    assert len(set(waits)) > 90
    assert 0 <= min(waits) < max(waits) <= 8


@pytest.mark.usefixtures("longest_waits")
@pytest.mark.parametrize(("asked_for", "held"), [(7.0, 7.0), (99.0, 30.0), (0.1, 0.5), (None, 0.5)])
def test_many_batches_are_held_back_as_the_server_asks_within_bounds(asked_for: float | None, held: float) -> None:
    assert RetryPolicy().draw_wait(ISalesHTTPStatusError(429, retry_after=asked_for), attempt=1) == held


class TestWhileACallWaits:
    """One call of a client failed and waits for half a minute; then comes another one."""

    @pytest.fixture
    def client(self, simulator: Simulator) -> Iterator[ISalesClient]:
        with simulator.client() as client:
            yield client

    @pytest.fixture
    def call(self, client: ISalesClient, campaign: Campaign) -> Iterator[Callable[[int], Future[CallBatchResult]]]:
        """Start the call for the so-many-th batch."""
        with ThreadPoolExecutor(2) as pool:
            yield lambda number: pool.submit(client.pause_call_batch, 7, list(campaign.batches)[number])
            client.stop()

    @pytest.fixture
    def first_call_waits(
        self,
        call: Callable[[int], Future[CallBatchResult]],
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Callable[[], None]:
        def start() -> None:
            monkeypatch.setattr("random.uniform", lambda least, most: 30.0)
            call(0)
            wait_until(lambda: "Trying again in 30.0 s" in caplog.text)

        return start

    @pytest.mark.parametrize(("status", "headers"), [(429, {}), (503, {"Retry-After": "30"})])
    def test_other_calls_wait_too_if_the_server_asked_to_slow_down(
        self,
        simulator: Simulator,
        call: Callable[[int], Future[CallBatchResult]],
        first_call_waits: Callable[[], None],
        status: int,
        headers: dict[str, str],
    ) -> None:
        simulator.inject("answer", status=status, headers=headers)
        first_call_waits()
        call(1)
        time.sleep(0.3)
        assert simulator.requests["pause"] == 1

    def test_other_calls_do_not_wait_after_a_transient_failure(
        self,
        simulator: Simulator,
        call: Callable[[int], Future[CallBatchResult]],
        first_call_waits: Callable[[], None],
    ) -> None:
        simulator.inject("answer", status=502)
        first_call_waits()
        assert call(1).result(timeout=LONG).outcome is Outcome.PAUSED


def test_an_error_says_that_an_earlier_attempt_may_have_arrived(
    client: ISalesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter([ISalesConnectionLostError("lost"), *(ISalesConnectError("refused") for _ in range(7))])

    def exchange(*_: object) -> None:
        raise next(faults)

    monkeypatch.setattr(Transport, "exchange", exchange)
    with pytest.raises(ISalesConnectError) as caught:
        client.pause_call_batch(7, "1")
    assert caught.value.sent


def test_an_exception_that_is_not_ours_is_raised_unchanged(
    client: ISalesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Transport, "exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.pause_call_batch(7, "1")
