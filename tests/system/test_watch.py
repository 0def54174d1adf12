"""
The watch on a real Airflow, in real time: a batch that is restarted by hand after the shift is paused within a minute.

The shift ended in the minute in which the test began; the DAG repeats its pause every minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from ended_shift import CAMPAIGN, DAG_ID, put_dag_in_place, shift_until
from processes import wait_for
from throwaway_airflow import ThrowawayAirflow

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

REPEAT_SECONDS, SLACK_SECONDS = 60, 30


@dataclass(frozen=True)
class Night:
    """What there was to be seen after it."""

    runs: list[dict[str, Any]]
    restarted_at: datetime
    stopped_at: datetime
    result: dict[str, Any]
    log: str
    remembered: str


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("kept")
    put_dag_in_place(folder / "dags", shift_until(datetime.now(UTC).replace(second=0, microsecond=0)))
    with Simulator() as simulator:
        campaign = simulator.add_campaign(CAMPAIGN, batches=2, status=BatchStatus.SUSPENDED)
        batch_id = next(iter(campaign.batches))
        connection = {"AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection()}
        with ThrowawayAirflow(folder / "home", folder / "dags", connection) as airflow:
            wait_for(lambda: "success" in states(airflow), "the run at the end of the shift")
            known = len(states(airflow)) - 1  # the last one may be at it
            campaign.set_status(batch_id, BatchStatus.STARTED)
            restarted_at = datetime.now(UTC)
            wait_for(lambda: campaign.batches[batch_id].status is BatchStatus.SUSPENDED, "the watch", 120)
            stopped_at = datetime.now(UTC)
            wait_for(lambda: "failed" in states(airflow)[known:], "the red run")
            red = states(airflow).index("failed", known)
            wait_for(lambda: len(states(airflow)) > red + 1 and states(airflow)[red + 1] == "success", "the next run")
            runs = airflow.runs(DAG_ID)
            (instance,) = airflow.task_instances(f"dags/{DAG_ID}/dagRuns/{runs[red]['dag_run_id']}")
            yield Night(
                runs[red:],
                restarted_at,
                stopped_at,
                airflow.xcom(instance),
                "\n".join(str(event) for event in airflow.log(instance)),
                airflow.api("GET", f"variables/isales_paused_isales_default_25_{CAMPAIGN}").json()["value"],
            )


def states(airflow: ThrowawayAirflow) -> list[str]:
    return [run["state"] for run in airflow.runs(DAG_ID)]


def test_a_batch_that_is_restarted_by_hand_is_paused_within_one_repeat(night: Night) -> None:
    assert (night.stopped_at - night.restarted_at).total_seconds() < REPEAT_SECONDS + SLACK_SECONDS


def test_that_run_is_red_and_the_next_one_is_green(night: Night) -> None:
    assert [run["state"] for run in night.runs[:2]] == ["failed", "success"]


def test_each_run_has_a_minute_of_its_own(night: Night) -> None:
    first, second = night.runs[:2]
    assert first["data_interval_end"] == second["data_interval_start"]


def test_the_red_run_names_the_batch(night: Night) -> None:
    assert night.result["late"] == night.result["paused"] == ["000000000001001000000000000001"]


def test_the_red_run_says_what_happened(night: Night) -> None:
    assert f"1 batch of campaign {CAMPAIGN} (VDN 25) was dialled until " in night.log
    assert ", succeeded. So calls were started since: by somebody" in night.log


def test_the_batch_is_remembered_for_the_morning(night: Night) -> None:
    assert '"000000000001001000000000000001"' in night.remembered
