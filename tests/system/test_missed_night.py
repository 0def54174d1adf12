"""
A DAG that is switched off over the end of a shift, and on again in the next one, on a real Airflow in real time.

Shifts of minutes: one ended in the minute in which the test begins, the next one ends while the DAG is off.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ended_shift import DAG_ID, put_dag_in_place
from processes import wait_for
from throwaway_airflow import ThrowawayAirflow

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Simulator

SECONDS = 400


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], str]]:
    """The run that is made when the DAG is on again, and the log of its task."""
    folder = tmp_path_factory.mktemp("missed")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    special: dict[Any, list[str]] = {}
    for first, last in ((-60, 0), (4, 5), (6, 66)):
        start, end = (now + timedelta(minutes=minutes) for minutes in (first, last))
        special.setdefault(start.date(), []).append(f"{start:%H:%M}-{end:%H:%M}")
    put_dag_in_place(folder / "dags", ShiftCalendar("UTC", {}, special=special))
    with Simulator() as simulator:
        simulator.add_campaign(1001, state="suspended")
        connection = {"AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection()}
        with ThrowawayAirflow(folder / "home", folder / "dags", connection) as airflow:
            wait_for(lambda: "success" in states(airflow), "the run at the end of the first shift", SECONDS)
            airflow.api("PATCH", f"dags/{DAG_ID}", json={"is_paused": True}).raise_for_status()
            wait_for(lambda: datetime.now(UTC) > now + timedelta(minutes=6, seconds=5), "the third shift", SECONDS)
            airflow.api("PATCH", f"dags/{DAG_ID}", json={"is_paused": False}).raise_for_status()
            missed = (now + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
            wait_for(lambda: missed in ends(airflow), "the run for the missed end", SECONDS)
            run = next(run for run in airflow.list_runs(DAG_ID) if run["data_interval_end"] == missed)
            (instance,) = airflow.list_task_instances(f"dags/{DAG_ID}/dagRuns/{run['dag_run_id']}")
            yield run, "\n".join(str(event) for event in airflow.get_log(instance))


def states(airflow: ThrowawayAirflow) -> list[str]:
    return [run["state"] for run in airflow.list_runs(DAG_ID)]


def ends(airflow: ThrowawayAirflow) -> dict[str, str]:
    """Return the states of the runs that have ended, by the ends of their data intervals."""
    return {run["data_interval_end"]: run["state"] for run in airflow.list_runs(DAG_ID) if run["end_date"]}


def test_the_run_for_an_end_that_nobody_paused_after_is_red(morning: tuple[dict[str, Any], str]) -> None:
    assert morning[0]["state"] == "failed"


def test_the_log_of_the_missed_run_says_that_nobody_paused(morning: tuple[dict[str, Any], str]) -> None:
    assert "Nothing was paused after the end of the shift at " in morning[1]
