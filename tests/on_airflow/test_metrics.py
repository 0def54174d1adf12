"""The metrics of a pause reach a StatsD server, where Airflow sends its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow_runs import start_airflow
from statsd_listener import statsd_server

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

pytest.importorskip("statsd", reason="it is Airflow's own extra")

PAUSED, ALREADY_PAUSED, FAILED = 4, 2, 2
SHIFT_END = datetime(2026, 1, 5, 10, tzinfo=UTC)
# In a process of its own, because Airflow reads once where metrics go.
RUN = "from airflow_runs import dag_file, run_dag; run_dag(dag_file('measured').dag)"


@dataclass(frozen=True)
class Metrics:
    """What the server received during one run, and when the run began and ended."""

    got: dict[str, str]
    began: datetime
    ended: datetime


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """It has a batch less than the task is told to pause, and some that are paused already."""
    with Simulator() as simulator:
        campaign = simulator.add_campaign(7, batches=PAUSED + ALREADY_PAUSED)
        for batch_id in [*campaign.batches][:ALREADY_PAUSED]:
            campaign.set_status(batch_id, BatchStatus.SUSPENDED)
        yield simulator


@pytest.fixture(scope="module")
def metrics(simulator: Simulator) -> Metrics:
    start_airflow()
    with statsd_server() as server:
        began = datetime.now(UTC)
        settings = {
            "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
            **server.settings,
        }
        subprocess.run([sys.executable, "-c", RUN], env=os.environ | settings, check=True, timeout=120)
        return Metrics(summed(server.received()), began, datetime.now(UTC))


def summed(received: Iterable[str]) -> dict[str, str]:
    """Return what came, by the names of the metrics; counters as a StatsD server adds them up."""
    got: dict[str, str] = {}
    for name, _, value in (each.partition(":") for each in received):
        got[name] = f"{int(got[name][:-2]) + int(value[:-2])}|c" if name in got and value.endswith("|c") else value
    return got


@pytest.mark.parametrize(
    ("name", "number"),
    [("paused", PAUSED), ("already_paused", ALREADY_PAUSED), ("failed", FAILED), ("stray", PAUSED)],
)
def test_batches_are_counted(metrics: Metrics, name: str, number: int) -> None:
    assert metrics.got[f"airflow.isales.batches.{name}"] == f"{number}|c"


def test_the_seconds_after_the_end_of_the_shift_are_a_gauge(metrics: Metrics) -> None:
    seconds, _, kind = metrics.got["airflow.isales.pause.seconds_after_shift_end"].partition("|")
    assert kind == "g"
    assert metrics.began.timestamp() <= SHIFT_END.timestamp() + float(seconds) <= metrics.ended.timestamp()


def test_no_other_metrics_are_sent(metrics: Metrics) -> None:
    assert len(metrics.got) == 5
