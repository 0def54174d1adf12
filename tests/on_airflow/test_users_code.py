"""Code that the docs show: a test of a user's DAG, and a task that returns what the client lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow_runs import dag_file, run_dag

from airflow_provider_isales.client import ISalesArgumentError
from airflow_provider_isales.simulator import Simulator


@pytest.fixture
def my_dag() -> Any:
    return dag_file("users").stops_dialling


def test_a_task_may_return_batches_as_dicts(isales_simulator: Simulator) -> None:
    isales_simulator.add_campaign(1001, batches=1)
    runs = run_dag(dag_file("users").lists_batches)
    assert [task_run.xcom for task_run in runs["list_batches"]] == [
        [{"id": "000000000001001000000000000001", "name": "batch-1", "status": 1}]
    ]
    assert [task_run.xcom for task_run in runs["count"]] == [1]


def test_the_clock_of_a_test_needs_a_time_zone(isales_clock: Callable[[datetime], None]) -> None:
    with pytest.raises(ISalesArgumentError, match="time must be a datetime with a time zone"):
        isales_clock(datetime(2026, 11, 25, 18, 5))


AFTER_THE_SHIFT = datetime(2026, 11, 25, 18, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_my_dag_stops_dialling(isales_simulator, isales_clock, my_dag):  # type: ignore[no-untyped-def]
    isales_clock(AFTER_THE_SHIFT)
    campaign = isales_simulator.add_campaign(1001, batches=3)
    my_dag.test()
    assert {batch.status.name for batch in campaign.batches.values()} == {"SUSPENDED"}
