"""Every example DAG runs as it stands, on a real Airflow, against the simulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow_runs import dag_file, dags_in, run_dag

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Campaign, Simulator

EXAMPLES = sorted(file.stem for file in (Path(__file__).parents[2] / "example_dags").glob("*.py"))


@pytest.fixture
def campaign(isales_simulator: Simulator, no_waiting: list[float]) -> Campaign:
    return isales_simulator.add_campaign(1001, batches=3)


def example(name: str):
    (dag,) = dags_in(dag_file(name)).values()
    return dag


def outcomes(runs, task_id: str) -> list[str]:
    return [run.xcom["outcome"] if run.state == "success" else run.state for run in runs[task_id]]


def statuses(campaign: Campaign) -> list[str]:
    return [batch.status.name.lower() for batch in campaign.batches.values()]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_one_dag_with_a_docstring(name: str):
    assert example(name).dag_id == f"isales_{name}"
    assert dag_file(name).__doc__


def test_one_batch_is_paused_and_a_second_run_does_no_harm(campaign: Campaign):
    dag = example("pause_one_batch")
    assert [outcomes(run_dag(dag), "pause") for _ in range(2)] == [["paused"], ["already_paused"]]


def test_a_mapped_list_of_batches_is_paused(campaign: Campaign):
    runs = run_dag(example("pause_mapped_batches"))
    assert (outcomes(runs, "pause"), statuses(campaign)) == (
        ["paused", "paused"],
        ["suspended", "suspended", "started"],
    )


@pytest.mark.parametrize("work_fails", [False, True])
def test_dialling_stops_whether_or_not_the_work_fails(campaign: Campaign, work_fails: bool):
    for batch_id in campaign.batches:
        campaign.set_status(batch_id, BatchStatus.SUSPENDED)
    runs = run_dag(example("pause_as_teardown"), {"work_fails": work_fails})
    assert (outcomes(runs, "start_dialling"), outcomes(runs, "stop_dialling"), statuses(campaign)[0]) == (
        ["resumed"],
        ["paused"],
        "suspended",
    )


def test_dialling_stops_when_the_resume_failed_after_it_took_effect(campaign: Campaign, isales_simulator: Simulator):
    for batch_id in campaign.batches:
        campaign.set_status(batch_id, BatchStatus.SUSPENDED)
    isales_simulator.inject("close_after", verb="resume")
    isales_simulator.inject("result", verb="resume", code="0200001", times=4)
    isales_simulator.inject("answer", verb="list", status=404, times=4)
    runs = run_dag(example("pause_as_teardown"))
    assert (outcomes(runs, "start_dialling"), outcomes(runs, "stop_dialling"), statuses(campaign)[0]) == (
        ["failed"],
        ["paused"],
        "suspended",
    )


@pytest.mark.parametrize(
    ("fails", "state"),
    [
        ("nothing", "success"),
        ("start_dialling", "failed"),
        ("work_while_dialling", "failed"),
        ("stop_dialling", "failed"),
    ],
)
def test_the_state_of_a_run_with_a_teardown_says_whether_all_went_well(
    campaign: Campaign, isales_simulator: Simulator, fails: str, state: str
):
    if fails.endswith("dialling") and not fails.startswith("work"):
        verb = "resume" if fails == "start_dialling" else "pause"
        isales_simulator.inject("answer", verb=verb, status=404, times=9)
    dag_run = example("pause_as_teardown").test(run_conf={"work_fails": fails == "work_while_dialling"})
    assert str(dag_run.state) == state
