"""
An Airflow on which an older version of the provider is upgraded to this one, downgraded again, and removed.

The older version is that of the last tag of a version before this commit, or the revision that ``UPGRADE_FROM``
names; as long as there is no tag, ``BASELINE``. This takes minutes, so it runs with ``make test-upgrade``, which names
the lines of Airflow in ``UPGRADE_ON``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from installed_airflow import (
    GIT,
    PACKAGE,
    InstalledAirflow,
    VirtualEnvironment,
    source_of,
    wait_while_running,
    wheel_of,
)
from processes import ProcessGroup
from throwaway_airflow import REPOSITORY

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Simulator

#: The last commit before what is stored got more fields: `last_call`, `repeat`, `confirmed_at`.
BASELINE = "20c3a72bfa8fc5d6480bf15ffb7c67ec8d20a0d9"
DAGS = Path(__file__).parent / "upgrade_dags"
LINES = os.environ.get("UPGRADE_ON", "").split()
#: How many runs of each timetable each version makes before it is replaced.
RUNS = 3

pytestmark = pytest.mark.skipif(not LINES, reason="takes minutes: make test-upgrade")


def older_revision() -> str:
    """Return the revision to upgrade from."""
    tags = ("--match=v[0-9]*", "--match=[0-9]*")
    named = os.environ.get("UPGRADE_FROM") or git("describe", "--tags", "--abbrev=0", *tags, "HEAD^") or BASELINE
    if not git("rev-parse", "--verify", "--quiet", f"{named}^{{commit}}"):
        pytest.skip(f"{named}, which is to be upgraded, is not in this clone: fetch all of its history and tags")
    return named


def git(*arguments: str) -> str:
    done = subprocess.run([GIT, "-C", REPOSITORY, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


class Calendar:
    """What the DAGs have, with open days of the last weeks, and none today: no run comes while this runs."""

    def __init__(self, now: datetime) -> None:
        today = now.date()
        self.start = datetime.combine(today - timedelta(days=13), datetime.min.time(), now.tzinfo)
        self.closed = [f"{today + timedelta(days=days)}" for days in range(-2, 3)]
        self.special = [f"{today - timedelta(days=5)}"]
        self._now = now

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that the DAG files read."""
        return {
            "UPGRADE_START": self.start.isoformat(),
            "UPGRADE_CLOSED": " ".join(self.closed),
            "UPGRADE_SPECIAL": " ".join(self.special),
        }

    @property
    def shifts(self) -> list[str]:
        """When the shifts started that are to have a run, as the database has it."""
        week, special = {"mon-sun": ["09:00-12:00", "13:30-18:00"]}, {date: ["10:00-11:00"] for date in self.special}
        shifts = ShiftCalendar("Asia/Shanghai", week, self.closed, special).shifts_between(self.start, self._now)
        starts = [shift.start for shift in shifts if shift.start >= self.start]
        return [f"{start.in_timezone('UTC'):%Y-%m-%d %H:%M:%S}" for start in starts]


@dataclass
class Seen:
    """The observations."""

    dags: list[str]
    shifts: list[str]
    started: list[str]
    read: dict[str, list[str]] = field(default_factory=dict)
    xcoms: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    under_way: list[str] = field(default_factory=list)
    import_errors: list[Any] = field(default_factory=list)
    remembered: list[str] | None = None
    left: list[str] = field(default_factory=list)


class Life:
    """
    The life of one Airflow.

    :param line: its line
    :param directory: where it is to be
    :param simulator: of the connection that most DAGs use
    :param slow: of the other one
    """

    def __init__(self, line: str, directory: Path, simulator: Simulator, slow: Simulator) -> None:
        revision = older_revision()
        self.simulator, self.slow = simulator, slow
        self.old = wheel_of(source_of(revision, directory / "source"), directory / "old")
        self.new = wheel_of(REPOSITORY, directory / "new")
        self.environment = VirtualEnvironment(directory / "environment", line)
        self.environment.install(self.old)
        self.calendar = Calendar(datetime.now().astimezone())
        settings = {
            "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
            "AIRFLOW_CONN_ISALES_SLOW": slow.connection(),
            **self.calendar.settings,
        }
        self.airflow = InstalledAirflow(directory / "home", self.environment, settings)
        operators = (directory / "source" / "airflow_provider_isales" / "operators" / "call_batch.py").read_text()
        self.has_memory = "self.remember" in operators
        files = {
            "one_of_each": ["evening_to_morning", "every_end", "every_start", "interrupted"],
            "remembered": ["remember", "resume_remembered"] if self.has_memory else [],
            "unrelated": ["unrelated"],
        }
        for name, dags in files.items():
            if dags:
                shutil.copy(DAGS / f"{name}.py", self.airflow.dags)
        self.seen = Seen(sorted(chain(*files.values())), self.calendar.shifts, [])
        self.began = time.monotonic()
        self.say(f"Airflow {line}, upgraded from {revision}")

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {what}")

    def install(self, wheel: Path, what: str) -> None:
        self.environment.install(wheel, "--reinstall-package", PACKAGE)
        self.seen.read[what] = self.airflow.serialized()
        self.say(f"{what}: {len(self.seen.read[what])} serialized DAGs read")

    def older(self) -> None:
        """The older version makes some runs; it leaves one that is deferred, and one that is running."""
        self.slow.inject("delay", seconds=60, verb="pause")
        with self.airflow.running() as processes:
            self.wait(processes, lambda: set(self.seen.dags) <= self.parsed(), "the DAGs")
            self.airflow.command("dags", "trigger", "evening_to_morning", "--run-id", "of-the-older")
            if self.has_memory:
                self.airflow.command("dags", "trigger", "remember", "--run-id", "of-the-older")
                self.wait(processes, lambda: self.airflow.states("remember") == ["success"], "the memory")
            self.wait(processes, lambda: self.deferred("of-the-older") and self.runs_of_each() >= RUNS, "runs")
            self.airflow.command("dags", "trigger", "interrupted", "--run-id", "of-the-older")
            self.wait(processes, lambda: self.slow.requests.get("pause"), "a pause that is under way")
        self.seen.under_way += self.airflow.states("interrupted")
        self.say(f"the older version made {self.runs_of_each()} runs of each timetable")

    def newer(self) -> None:
        """This version goes on, and leaves a run that is deferred."""
        before = self.runs_of_each()
        with self.airflow.running() as processes:
            self.go_on("of-the-older")
            self.wait(processes, lambda: self.airflow.states("interrupted") != ["running"], "the interrupted run")
            self.seen.under_way += self.airflow.states("interrupted")
            self.wait(processes, lambda: self.ended("of-the-older"), "the deferred run")
            self.airflow.command("dags", "trigger", "evening_to_morning", "--run-id", "of-this")
            if self.has_memory:
                self.airflow.command("dags", "trigger", "resume_remembered", "--run-id", "of-this")
                self.wait(processes, lambda: self.airflow.states("resume_remembered") == ["success"], "the memory")
                self.seen.remembered = self.airflow.get_xcom("resume_remembered", "of-this", "resume")["resumed"]
            self.wait(processes, lambda: self.deferred("of-this") and self.runs_of_each() >= before + RUNS, "runs")
        self.say(f"this version made {self.runs_of_each() - before} more")

    def older_again(self) -> None:
        """The older version goes on once more, until there is nothing left to do."""
        before = self.runs_of_each()
        with self.airflow.running() as processes:
            self.go_on("of-this")
            self.wait(processes, lambda: self.ended("of-this"), "the deferred run")
            self.wait(processes, lambda: self.runs_of_each() >= len(self.seen.shifts), "all other runs")
        self.say(f"the older version made the remaining {self.runs_of_each() - before}")

    def removed(self) -> None:
        """The DAGs are deleted, then the provider is removed; the unrelated DAG goes on."""
        with self.airflow.running() as processes:
            for file in self.airflow.dags.glob("*.py"):
                if file.stem != "unrelated":
                    file.unlink()
            for dag_id in self.seen.dags:
                if dag_id != "unrelated":
                    self.airflow.command("dags", "delete", "--yes", dag_id)
            self.wait(processes, lambda: self.parsed() == {"unrelated"}, "the DAGs to be gone")
        self.environment.uninstall(PACKAGE)
        before = self.airflow.states("unrelated").count("success")
        with self.airflow.running() as processes:
            self.wait(processes, lambda: self.airflow.states("unrelated").count("success") >= before + 2, "more runs")
        self.seen.left = sorted(self.parsed())
        self.say("without the provider, the unrelated DAG runs on")

    def go_on(self, run_id: str) -> None:
        (self.airflow.dags / f"go-{run_id}").touch()

    def wait(self, processes: list[ProcessGroup], condition: Callable[[], object], what: str) -> None:
        wait_while_running(processes, condition, f"{what}; see {self.airflow.home}")

    def parsed(self) -> set[str]:
        return {dag_id for (dag_id,) in self.airflow.rows("SELECT dag_id FROM serialized_dag")}

    def deferred(self, run_id: str) -> bool:
        ordered = (
            "SELECT state FROM task_instance WHERE dag_id = 'evening_to_morning' AND task_id = 'wait' AND run_id = ?"
        )
        return self.airflow.rows(ordered, run_id) == [("deferred",)]

    def ended(self, run_id: str) -> bool:
        return self.airflow.states("evening_to_morning", run_id) == ["success"]

    def runs_of_each(self) -> int:
        return min(self.airflow.states(dag_id).count("success") for dag_id in ("every_end", "every_start"))

    def remember_what_there_is(self) -> None:
        for dag_id in ("every_end", "every_start"):
            self.seen.runs[dag_id] = [
                (start[:19], state)
                for start, state in self.airflow.rows(
                    "SELECT data_interval_start, state FROM dag_run WHERE dag_id = ? ORDER BY 1", dag_id
                )
            ]
        for run_id in ("of-the-older", "of-this"):
            for task_id in ("pause", "resume"):
                key = f"{task_id} {run_id}"
                self.seen.xcoms[key] = self.airflow.get_xcom("evening_to_morning", run_id, task_id)
        self.seen.import_errors = self.airflow.rows("SELECT * FROM import_error")


@pytest.fixture(scope="module", params=LINES)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with Simulator() as simulator, Simulator() as slow:
        campaigns = [simulator.add_campaign(number, batches=3) for number in (1001, 1002, 1004)]
        slow.add_campaign(1003, batches=3)
        life = Life(request.param, tmp_path_factory.mktemp("upgrade"), simulator, slow)
        life.older()
        life.install(life.new, "upgraded")
        life.newer()
        life.install(life.old, "downgraded")
        life.older_again()
        life.remember_what_there_is()
        life.removed()
        batches = campaigns[1].batches.values()
        life.seen.started = [batch.id for batch in batches if batch.status is BatchStatus.STARTED]
        yield life.seen


@pytest.mark.parametrize("installed", ["upgraded", "downgraded"])
def test_dags_serialized_by_the_other_version_are_read(seen: Seen, installed: str) -> None:
    assert seen.read[installed] == seen.dags


@pytest.mark.parametrize("dag_id", ["every_end", "every_start"])
def test_each_shift_has_one_run_whichever_version_scheduled_it(seen: Seen, dag_id: str) -> None:
    assert seen.runs[dag_id] == [(start, "success") for start in seen.shifts]


def test_this_version_finishes_a_run_that_was_under_way(seen: Seen) -> None:
    assert seen.under_way == ["running", "success"]


@pytest.mark.parametrize("written_by", ["of-the-older", "of-this"])
def test_either_version_resumes_from_the_xcom_of_the_other(seen: Seen, written_by: str) -> None:
    paused, resumed = seen.xcoms[f"pause {written_by}"], seen.xcoms[f"resume {written_by}"]
    assert (len(paused["paused"]), sorted(resumed["resumed"])) == (3, sorted(paused["paused"]))


def test_everything_paused_during_the_upgrade_is_resumed(seen: Seen) -> None:
    assert len(seen.started) == 3


def test_this_version_resumes_what_the_older_one_remembered(seen: Seen) -> None:
    if seen.remembered is None:
        pytest.skip("the older version has no memory")
    assert len(seen.remembered) == 3


def test_both_versions_read_every_dag_file(seen: Seen) -> None:
    assert seen.import_errors == []


def test_the_provider_can_be_removed_after_its_dags(seen: Seen) -> None:
    assert seen.left == ["unrelated"]
