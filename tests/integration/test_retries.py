"""When a call is tried again, and for how long."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_isales.client import (
    ISalesCertificateError,
    ISalesClient,
    ISalesDatabaseError,
    ISalesHTTPStatusError,
    ISalesTimeoutError,
    RetryPolicy,
)
from airflow_provider_isales.simulator import Simulator


def test_attempts_are_bounded(client: ISalesClient, simulator: Simulator, batch_id: str) -> None:
    simulator.inject("result", code="0200006", times=9)
    with pytest.raises(ISalesDatabaseError, match=r"\(8 attempts\)"):
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


def test_what_the_caller_was_handling_is_not_taken_for_the_cause(
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


def test_a_server_that_is_too_slow_is_a_timeout(simulator: Simulator, batch_id: str) -> None:
    simulator.inject("delay", seconds=1)
    with (
        simulator.client(timeout=0.2, retry=RetryPolicy(attempts=1)) as client,
        pytest.raises(ISalesTimeoutError, match="no answer in time"),
    ):
        client.pause_call_batch(7, batch_id)
