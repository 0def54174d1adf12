"""
Runs by hand on a real scheduler, in real time: triggered, tested, posted by REST, backfilled and cleared.

The first three have the logical date that ``airflow dags next-execution`` prints. They are made while a shift is on,
which then ends. It takes the Airflow of the environment that it runs in:
``make environment AIRFLOW=2.11 VENV=.venv-2.11``, and ``.venv-2.11/bin/pytest tests/system/test_manual_runs.py``.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from installed_airflow import InstalledAirflow, ThisEnvironment, wait_while_running

from airflow_provider_isales.shifts import ShiftCalendar

DAG_FILE = Path(__file__).parent / "manual_dags" / "manual_runs.py"
DAGS = ["last_end", "last_end_repeated", "every_end", "every_end_repeated"]
UNDATED = ["last_end_undated", "last_end_repeated_undated"]
# Airflow 2 has them, too, but needs a webserver for the first two, and carries out a backfill in the command.
ONLY_ON_3 = ["posted", "posted_without_date", "backfilled"]


class Evening:
    """A shift that is on, and ends soon after the runs by hand; the one before it ended on another day."""

    def __init__(self, home: Path) -> None:
        self.airflow = InstalledAirflow(home, ThisEnvironment(), {})
        self.is_airflow_3 = "api-server" in self.airflow.components
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
        self.end = self.start + timedelta(hours=3)
        self.end_before = (self.start - timedelta(days=2)).replace(hour=12, minute=0)

    def spend(self) -> None:
        """Trigger the runs, and wait for the end."""
        self.write_calendar()
        shutil.copy(DAG_FILE, self.airflow.dags)
        with self.airflow.running() as processes:
            every = [*DAGS, "cleared", *(UNDATED + ONLY_ON_3 if self.is_airflow_3 else [])]
            wait_while_running(
                processes, lambda: all(self.next_end(dag_id) == self.end for dag_id in every), "the DAGs"
            )
            with ThreadPoolExecutor() as executor:
                list(executor.map(self.run_by_hand, DAGS, ["trigger", "test", "test", "trigger"]))
            wait_while_running(processes, lambda: self.airflow.states("cleared") == ["success"], "the run to clear")
            self.airflow.command("tasks", "clear", "--yes", "cleared")
            if self.is_airflow_3:
                self.post("posted", self.start.isoformat())
                self.post("posted_without_date", None)
                wait_while_running(processes, lambda: "success" in self.airflow.states("backfilled"), "the earlier run")
                self.backfill("backfilled")
            self.end = (datetime.now(UTC) + timedelta(seconds=80)).replace(second=0, microsecond=0)
            self.write_calendar()
            wait_while_running(
                processes,
                lambda: all(self.end in self.ends(dag_id) for dag_id in every),
                "a scheduled run of each DAG for the end of the shift",
            )

    def write_calendar(self) -> None:
        hours = {self.start: f"{self.start:%H:%M}-{self.end:%H:%M}", self.end_before: "09:00-12:00"}
        calendar = ShiftCalendar("UTC", {}, special={day.date(): [text] for day, text in hours.items()})
        (self.airflow.dags / "shifts.part").write_text(json.dumps(calendar.to_dict()))
        (self.airflow.dags / "shifts.part").replace(self.airflow.dags / "shifts.json")

    def next_end(self, dag_id: str) -> datetime | None:
        """Return for which end the next run is."""
        ends = self.airflow.rows("SELECT next_dagrun_data_interval_end FROM dag WHERE dag_id = ?", dag_id)
        return next((moment(end) for (end,) in ends if end), None)

    def run_by_hand(self, dag_id: str, way: str) -> None:
        option = {"test": [], "trigger": ["-l" if self.is_airflow_3 else "-e"]}[way]
        with suppress(
            AssertionError
        ):  # the scheduler may get in the way of a test's task; its run is there all the same
            self.airflow.command("dags", way, dag_id, *option, self.start.isoformat())

    def post(self, dag_id: str, logical_date: str | None) -> None:
        """Trigger a run by REST."""
        answer = self.airflow.api("POST", f"dags/{dag_id}/dagRuns", json={"logical_date": logical_date})
        assert answer.ok, answer.text

    def backfill(self, dag_id: str) -> None:
        """Run again the run for the previous shift end."""
        dates = ["--from-date", self.end_before.date().isoformat(), "--to-date", self.start.isoformat()]
        again = ["--reprocess-behavior", "completed"]
        self.airflow.command("backfill", "create", "--dag-id", dag_id, *dates, *again)

    def by_hand(self, dag_id: str) -> list[datetime | None]:
        """Return the logical dates of the runs by hand."""
        question = "SELECT logical_date FROM dag_run WHERE dag_id = ? AND run_type = 'manual'"
        if not self.is_airflow_3:
            question = question.replace("logical_date", "execution_date")
        dates = [logical_date for (logical_date,) in self.airflow.rows(question, dag_id)]
        return [logical_date and moment(logical_date) for logical_date in dates]

    def ends(self, dag_id: str) -> list[datetime]:
        """Return the ends of the data intervals of scheduled runs."""
        question = "SELECT data_interval_end FROM dag_run WHERE dag_id = ? AND run_type = 'scheduled' ORDER BY id"
        return [moment(end) for (end,) in self.airflow.rows(question, dag_id)]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    evening = Evening(tmp_path_factory.mktemp("manual") / "home")
    evening.spend()
    return evening


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_manual_run_has_the_logical_date_of_the_run_at_the_end(evening: Evening, dag_id: str) -> None:
    assert evening.by_hand(dag_id) == [evening.start]


def test_a_run_by_rest_has_the_logical_date_of_the_run_at_the_end_or_none(evening: Evening) -> None:
    if not evening.is_airflow_3:
        pytest.skip("Airflow 2 needs a webserver for it")
    assert [evening.by_hand(dag_id) for dag_id in ("posted", "posted_without_date")] == [[evening.start], [None]]


def test_a_backfill_repeats_a_run_that_was_late(evening: Evening) -> None:
    if not evening.is_airflow_3:
        pytest.skip("Airflow 2 carries out a backfill in the command")
    runs = evening.airflow.rows(
        "SELECT run_type, data_interval_end FROM dag_run WHERE dag_id = 'backfilled' ORDER BY id"
    )
    late = [(kind, moment(end)) for kind, end in runs if moment(end) == evening.end_before]
    assert late == [("scheduled", evening.end_before), ("backfill", evening.end_before)]


def test_one_run_of_the_evening_was_cleared(evening: Evening) -> None:
    cleared = evening.airflow.rows("SELECT clear_number FROM dag_run WHERE dag_id = 'cleared' ORDER BY id LIMIT 1")
    assert cleared == [(1,)]


@pytest.mark.parametrize("dag_id", [*DAGS, "cleared", *ONLY_ON_3])
def test_the_shift_end_still_has_one_scheduled_run(evening: Evening, dag_id: str) -> None:
    if dag_id in ONLY_ON_3 and not evening.is_airflow_3:
        pytest.skip("made on Airflow 3 alone")
    assert evening.ends(dag_id).count(evening.end) == 1


@pytest.mark.parametrize("dag_id", UNDATED)
def test_without_a_start_date_the_last_missed_end_and_the_next_one_have_a_run(evening: Evening, dag_id: str) -> None:
    if not evening.is_airflow_3:
        pytest.skip("Airflow 2 wants a start date")
    assert evening.ends(dag_id)[:2] == [evening.end_before, evening.end]
