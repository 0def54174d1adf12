"""
Workers that are killed, by SIGKILL, while they remember what they pause or resume what is remembered; two at once.

At the steps that matter most; with ``EVERY_STEP=1``, at each. The next try, in another process, has to bring all to a
good end: what people had suspended before stays suspended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.models.variable import Variable
from airflow_runs import dag_file, run_dag, start_airflow

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Campaign, Simulator

ON_AIRFLOW = Path(__file__).parents[1] / "on_airflow"
NAME = "isales_paused_isales_default_25_7"
# The database is there already.
RUN_A_DAG = """
import sys
from airflow.utils import db
db.initdb = lambda: None
from airflow_runs import dag_file, run_dag
run_dag(getattr(dag_file('kept'), sys.argv[1]))
"""
SECONDS = 120


@pytest.fixture
def campaign(isales_simulator: Simulator) -> Campaign:
    """Three batches, of which people have suspended the second."""
    campaign = isales_simulator.add_campaign(7, batches=3)
    campaign.set_status(list(campaign.batches)[1], BatchStatus.SUSPENDED)
    return campaign


@pytest.fixture(autouse=True)
def empty_memory() -> None:
    start_airflow()
    Variable.delete(NAME)


def try_again(dag: str) -> None:
    run_dag(getattr(dag_file("kept"), dag))


def start_process(dag: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN_A_DAG, dag],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ON_AIRFLOW), *sys.path])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def killed_at(simulator: Simulator, dag: str, verb: str, number: int) -> None:
    """Run a DAG in a process that is killed when it sends the so-and-so-many-th request of a kind."""
    seen = Counter[str]()
    process = start_process(dag)

    def kill(sent: str, body: Any) -> None:
        seen[sent] += 1
        if seen[verb] == number:
            process.send_signal(signal.SIGKILL)

    simulator.on_request = kill
    process.wait(SECONDS)
    simulator.on_request = None
    assert process.returncode == -signal.SIGKILL


def remembered() -> list[str]:
    return sorted(json.loads(Variable.get(NAME))["batches"])


def steps(*usual: tuple[str, int], more: list[tuple[str, int]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("verb", "number"), [*usual, *(more if os.environ.get("EVERY_STEP") else [])])


def statuses(campaign: Campaign) -> list[str]:
    return [batch.status.name.lower() for batch in campaign.batches.values()]


@steps(("pause", 1), ("list", 2), more=[("list", 1), ("pause", 2)])
def test_the_try_after_a_pause_that_was_killed_remembers_all_that_both_paused(
    campaign: Campaign, isales_simulator: Simulator, verb: str, number: int
) -> None:
    first, _, third = campaign.batches
    killed_at(isales_simulator, "remembering_pause", verb, number)
    try_again("remembering_pause")
    assert (statuses(campaign), remembered()) == (["suspended"] * 3, [first, third])


@steps(("resume", 1), ("list", 2), more=[("list", 1)])
def test_the_try_after_a_resume_that_was_killed_resumes_the_rest_and_nothing_else(
    campaign: Campaign, isales_simulator: Simulator, verb: str, number: int
) -> None:
    try_again("remembering_pause")
    killed_at(isales_simulator, "remembered_resume", verb, number)
    try_again("remembered_resume")
    assert (statuses(campaign), remembered()) == (["started", "suspended", "started"], [])


def test_two_pauses_at_the_same_time_forget_nothing_of_what_either_paused(isales_simulator: Simulator) -> None:
    campaign = isales_simulator.add_campaign(7, batches=8)
    isales_simulator.inject("delay", seconds=6.0, verb="pause", times=99)
    processes = [start_process(dag) for dag in ("remembering_pause", "remembering_pause_of_another_dag")]
    assert [process.wait(SECONDS) for process in processes] == [0, 0]
    assert isales_simulator.requests["pause"] == 2 * len(campaign.batches), "both found all of them started"
    assert remembered() == list(campaign.batches)
