"""Time from the end of a shift to the last batch confirmed, on Airflow with PostgreSQL and LocalExecutor."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

from client import HERE, Server, run_lean_server
from lean_server import VDN
from table import Row

# ruff: noqa: E402
sys.path[:0] = [str(HERE.parent / "dev"), str(HERE.parent / "tests" / "system")]
from ended_shift import make_shift_until
from processes import wait_for
from servers import postgresql
from throwaway_airflow import ThrowawayAirflow

DELAY = 0.05
BATCHES = 1000
# Latency alone for a campaign: two listings of two pages, and eight pauses at once.
LATENCY_SECONDS = (BATCHES / 8 + 4) * DELAY
# The number of campaigns on another server, all of which are paused.
WHOLE_CAMPAIGNS = 20
CAMPAIGNS = {"silence_1": range(1, 2), "silence_5": range(2, 7), "silence_20": range(7, 27)}
HTTP_CAMPAIGN, MAPPED = 27, 200
HOW = f"at {DELAY * 1000:.0f} ms on Airflow with PostgreSQL, from the end of the shift to the last one confirmed"
# Time for Airflow to find the DAG.
LEAD = timedelta(seconds=30)
RUN_SECONDS = 900


@dataclass(frozen=True)
class Timeline:
    """
    The seconds that each part of the run took, for the task that ended last.

    :param scheduler: from the end of the shift until the task was queued
    :param start: until its first request
    :param requests: until its last pause
    :param verification: until a listing had confirmed all
    """

    scheduler: float
    start: float
    requests: float
    verification: float

    @property
    def total(self) -> float:
        """From the end of the shift to the last confirmation."""
        return self.scheduler + self.start + self.requests + self.verification

    def __str__(self) -> str:
        return (
            f"{self.total:.1f} s (scheduler {self.scheduler:.1f}, task start {self.start:.1f}, requests "
            f"{self.requests:.1f}, verification {self.verification:.1f})"
        )


@dataclass(frozen=True)
class Silence:
    """
    The results.

    :param ours: by the number of campaigns, batch by batch
    :param whole: of all campaigns of a VDN, each paused as a whole
    :param waiting: the seconds from the end of the shift to the end of the last of 20 tasks that only waited
    :param mapped: the average seconds of one mapped HttpOperator task
    """

    ours: dict[int, Timeline]
    whole: Timeline
    waiting: float
    mapped: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        most = max(self.ours)
        ours, theirs = self.ours[most], self.mapped * most * BATCHES
        return [
            make_whole_row(self.whole, ours),
            Row(
                f"{most} campaigns of {BATCHES} batches {HOW}",
                str(ours),
                f"the same tasks, each only waiting for {LATENCY_SECONDS:.2f} s: {self.waiting:.1f} s",
                ours.total / self.waiting,
                goal=2,
            ),
            Row(
                f"mapped HttpOperator tasks for the same, extrapolated from {MAPPED}; unsigned, and verifying nothing",
                f"{ours.total:.1f} s",
                f"{theirs / 60:.0f} min ({self.mapped:.2f} s each)",
                theirs / ours.total,
                goal=150,
                at_least=True,
            ),
        ]


def make_whole_row(whole: Timeline, batches: Timeline) -> Row:
    """Return the row that compares whole campaigns with batches."""
    return Row(
        f"{WHOLE_CAMPAIGNS} campaigns of {BATCHES} batches as a whole {HOW}: seconds",
        str(whole),
        f"batch by batch {batches.total:.1f} s",
        whole.total,
        goal=5,
    )


class Measuring:
    """
    Runs one case after the other.

    :param airflow: the Airflow that runs the tasks
    :param server: the server whose batches are paused
    :param whole_server: the server whose campaigns are paused as a whole
    :param cases: the file that the DAGs are made from
    """

    def __init__(self, airflow: ThrowawayAirflow, server: Server, whole_server: Server, cases: Path) -> None:
        self.airflow = airflow
        self.server = server
        self.whole_server = whole_server
        self.cases = cases

    def run_at_shift_end(self, dag_id: str, campaigns: Sequence[int], waits: float = 0.0) -> list[dict[str, Any]]:
        """End a shift for a new DAG; return its task instances, with the seconds from that end to theirs."""
        end = datetime.now(UTC).replace(microsecond=0) + LEAD
        known = json.loads(self.cases.read_text())
        self.cases.write_text(json.dumps([*known, [dag_id, make_shift_until(end).to_dict(), list(campaigns), waits]]))
        wait_for(lambda: self.airflow.list_runs(dag_id), f"a run of {dag_id}", RUN_SECONDS)
        (run,) = self.airflow.list_runs(dag_id)
        assert datetime.fromisoformat(run["run_after"]) == end, run
        instances = self.airflow.wait_for_run(f"dags/{dag_id}/dagRuns/{run['dag_run_id']}", RUN_SECONDS)
        assert {instance["state"] for instance in instances} == {"success"}, dag_id
        return [instance | {"due": end.timestamp()} for instance in instances]

    def time_batches(self, dag_id: str, campaigns: range) -> Timeline:
        """Pause the batches of campaigns at the end of a shift."""
        instances = self.run_at_shift_end(dag_id, campaigns)
        confirmed = {
            instance["map_index"]: _to_seconds(self.airflow.get_xcom(instance)["confirmed_at"])
            for instance in instances
        }
        last = max(instances, key=lambda instance: confirmed[instance["map_index"]])
        campaign, state = str(campaigns[last["map_index"]]), self.server.state()
        assert not any(state["started"][str(campaign_id)] for campaign_id in campaigns), state
        times = [
            last["due"],
            _to_seconds(last["queued_when"]),
            state["first_request"][campaign],
            state["last_pause"][campaign],
            confirmed[last["map_index"]],
        ]
        return Timeline(*(after - before for before, after in pairwise(times)))

    def time_whole(self, rounds: int = 3) -> Timeline:
        """Pause all campaigns of a VDN as a whole at the end of a shift; return the median of several times."""
        return sorted((self._time_whole_once(f"whole_{number}") for number in range(rounds)), key=attrgetter("total"))[
            rounds // 2
        ]

    def _time_whole_once(self, dag_id: str) -> Timeline:
        with self.whole_server.client() as client:
            for campaign in range(1, WHOLE_CAMPAIGNS + 1):
                client.resume_campaign(campaign)
        (instance,) = self.run_at_shift_end(dag_id, [])
        state, result = self.whole_server.state(), self.airflow.get_xcom(instance)
        assert len(result["paused"]) == WHOLE_CAMPAIGNS, result
        assert not any(state["started"].values()), state
        times = [
            instance["due"],
            _to_seconds(instance["queued_when"]),
            state["first_request"][VDN],
            max(state["last_pause"].values()),
            _to_seconds(result["confirmed_at"]),
        ]
        return Timeline(*(after - before for before, after in pairwise(times)))

    def time_waiting(self) -> float:
        """Run as many tasks that only wait as the largest case; return the seconds until the last one ended."""
        instances = self.run_at_shift_end("waiting", CAMPAIGNS["silence_20"], LATENCY_SECONDS)
        return max(_to_seconds(instance["end_date"]) - float(instance["due"]) for instance in instances)

    def time_mapped(self) -> float:
        """Pause some batches by mapped HttpOperator tasks; return the seconds for each."""
        run = self.airflow.trigger_dag("mapped", {})
        instances = self.airflow.wait_for_run(run, RUN_SECONDS)
        assert {instance["state"] for instance in instances} == {"success"}, run
        began = min(_to_seconds(instance["start_date"]) for instance in instances)
        last_pause: float = self.server.state()["last_pause"][str(HTTP_CAMPAIGN)]
        return (last_pause - began) / MAPPED


@contextmanager
def start_measuring() -> Iterator[Measuring]:
    """Run server, database and Airflow."""
    with (
        tempfile.TemporaryDirectory() as directory,
        run_lean_server(BATCHES, DELAY, campaigns=HTTP_CAMPAIGN) as server,
        run_lean_server(BATCHES, DELAY, campaigns=WHOLE_CAMPAIGNS) as whole_server,
        postgresql(Path(directory)) as database,
    ):
        cases = Path(directory, "cases.json")
        cases.write_text("[]")
        http = {"conn_type": "http", "schema": "https", "host": "127.0.0.1", "port": server.port}
        environment = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW_CONN_ISALES_DEFAULT": server.connection(),
            "AIRFLOW_CONN_ISALES_WHOLE": whole_server.connection(),
            "AIRFLOW_CONN_HTTP_DEFAULT": json.dumps(http),
            "BENCH_CA_FILE": server.ca_file,
            "BENCH_CASES": str(cases),
            "BENCH_HTTP_CAMPAIGN": str(HTTP_CAMPAIGN),
            "BENCH_MAPPED": str(MAPPED),
        }
        with ThrowawayAirflow(Path(directory, "airflow"), HERE / "silence_dags", environment) as airflow:
            yield Measuring(airflow, server, whole_server, cases)


def measure() -> Silence:
    """Measure all."""
    with start_measuring() as on_airflow:
        ours = {len(campaigns): on_airflow.time_batches(name, campaigns) for name, campaigns in CAMPAIGNS.items()}
        return Silence(ours, on_airflow.time_whole(), on_airflow.time_waiting(), on_airflow.time_mapped())


def _to_seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
