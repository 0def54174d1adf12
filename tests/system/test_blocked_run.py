"""A run that hangs, on a real scheduler: it ends, somebody learns of it, and the next run comes all the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ended_shift import shift_until
from processes import wait_for
from throwaway_airflow import ThrowawayAirflow

DAG_FILE = Path(__file__).parent / "blocked_dags" / "blocked.py"
# What teams set for the whole installation: after one red run, Airflow switches a DAG off that does not say otherwise.
SWITCH_OFF = {"AIRFLOW__CORE__MAX_CONSECUTIVE_FAILED_DAG_RUNS_PER_DAG": "1"}


@dataclass(frozen=True)
class Night:
    """What there was to be seen after it."""

    runs: list[dict[str, Any]]
    task_state: str
    alerts: list[str]
    is_paused: bool


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("blocked")
    dags, alerts = folder / "dags", folder / "dags" / "alerts.txt"
    dags.mkdir()
    shifts = shift_until(datetime.now(UTC).replace(second=0, microsecond=0))
    (dags / "shifts.json").write_text(json.dumps(shifts.to_dict()))
    shutil.copy(DAG_FILE, dags)
    with ThrowawayAirflow(folder / "home", dags, SWITCH_OFF) as airflow:
        wait_for(lambda: [run["state"] for run in airflow.runs("blocked")][:2] == ["failed"] * 2, "two runs", 240)
        wait_for(lambda: alerts.exists() and len(alerts.read_text().splitlines()) > 1, "two alerts")
        runs = airflow.runs("blocked")
        (instance,) = airflow.task_instances(f"dags/blocked/dagRuns/{runs[0]['dag_run_id']}")
        is_paused = airflow.api("GET", "dags/blocked").json()["is_paused"]
        yield Night(runs, instance["state"], alerts.read_text().splitlines(), is_paused)


def test_a_run_that_hangs_ends_and_the_next_one_begins(night: Night) -> None:
    assert night.runs[0]["end_date"] <= night.runs[1]["start_date"]


def test_airflow_skips_its_task_so_only_the_callback_of_the_dag_tells(night: Night) -> None:
    assert (night.task_state, {*night.alerts}) == ("skipped", {"timed_out"})


def test_red_runs_do_not_switch_the_dag_off(night: Night) -> None:
    assert not night.is_paused
