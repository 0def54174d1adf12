"""
What other versions of the provider have stored: older ones before an upgrade, newer ones before a downgrade.

What is stored is promised in ``docs/install.md``: a test here that has to change is a breaking change.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow_runs import read_dags

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables import shift
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

WEEK = {"mon-fri": ["09:00-12:00", "13:30-18:00"]}
SHIFTS = ShiftCalendar("Asia/Shanghai", WEEK, ["2026-10-01"], {"2026-10-10": ["09:00-18:00"]})
LATER = ShiftCalendar("Asia/Shanghai", WEEK, last_call=timedelta(minutes=5))
STORED: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "week": WEEK,
    "closed": ["2026-10-01"],
    "special": {"2026-10-10": ["09:00-18:00"]},
}
STORED_LATER = {"timezone": "Asia/Shanghai", "week": WEEK, "closed": [], "special": {}, "last_call": "PT5M"}
RECURRING = ShiftCalendar(
    "Asia/Shanghai",
    WEEK,
    ["12-30/01-02", "2026-10-01"],
    {"2026-12-24/2026-12-25": ["09:00-12:00"], "12-24": ["09:00-18:00"]},
)
STORED_RECURRING: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "week": WEEK,
    "closed": ["2026-10-01", "01-01/01-02", "12-30/12-31"],
    "special": {"2026-12-24": ["09:00-12:00"], "2026-12-25": ["09:00-12:00"], "12-24": ["09:00-18:00"]},
}
Timetable = ShiftEndTimetable | ShiftStartTimetable
each = pytest.mark.parametrize("kind", [ShiftEndTimetable, ShiftStartTimetable], ids=["end", "start"])


@pytest.fixture(autouse=True)
def nothing_was_told() -> None:
    shift._log_once.cache_clear()


@pytest.mark.parametrize(
    ("timetable", "stored"),
    [
        (ShiftEndTimetable(SHIFTS), {"shifts": STORED}),
        (ShiftStartTimetable(SHIFTS), {"shifts": STORED}),
        (ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10)), {"shifts": STORED, "repeat": 600.0}),
        (ShiftEndTimetable(LATER), {"shifts": STORED_LATER}),
        (ShiftStartTimetable(RECURRING), {"shifts": STORED_RECURRING}),
    ],
    ids=["end", "start", "repeat", "last call", "dates of every year"],
)
class TestATimetable:
    def test_a_timetable_is_stored_in_this_form(self, timetable: Timetable, stored: dict[str, Any]) -> None:
        assert timetable.serialize() == stored

    def test_a_timetable_is_read_from_this_form(self, timetable: Timetable, stored: dict[str, Any]) -> None:
        assert type(timetable).deserialize(json.loads(json.dumps(stored))) == timetable


@each
@pytest.mark.parametrize(
    ("stored", "unknown"),
    [({"shifts": STORED, "jitter": 5}, "jitter"), ({"shifts": {**STORED, "breaks": []}}, "breaks")],
    ids=["of the timetable", "of the calendar"],
)
class TestAFieldOfANewerVersion:
    def test_a_field_of_a_newer_version_is_dropped(
        self, kind: type[Timetable], stored: dict[str, Any], unknown: str
    ) -> None:
        assert kind.deserialize(stored) == kind(SHIFTS)

    def test_a_field_of_a_newer_version_is_logged(
        self, kind: type[Timetable], stored: dict[str, Any], unknown: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        kind.deserialize(stored)
        assert f"written by a newer version of airflow-provider-isales: {unknown} is not known" in caplog.text

    def test_a_field_of_a_newer_version_is_logged_once(
        self, kind: type[Timetable], stored: dict[str, Any], unknown: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            kind.deserialize(stored)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]


@each
@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"shifts": None},
        {"shifts": {**STORED, "week": "every other"}},
        {"shifts": {**STORED, "timezone": "Mars/Olympus"}},
        "a shift",
    ],
    ids=["no calendar", "an empty calendar", "another kind of week", "an unknown zone", "no mapping"],
)
class TestWhatCannotBeRead:
    """It raises nothing: Airflow 2's scheduler ends when a timetable does, and no DAG runs any more."""

    @pytest.fixture
    def unreadable(self, kind: type[Timetable], stored: Any) -> Any:
        return kind.deserialize(stored)

    def test_an_unreadable_timetable_has_no_runs(self, unreadable: Any) -> None:
        long_ago = TimeRestriction(pendulum.datetime(2026, 1, 1), None, catchup=True)
        assert unreadable.next_dagrun_info(last_automated_data_interval=None, restriction=long_ago) is None

    def test_a_dag_with_an_unreadable_timetable_can_be_triggered(self, unreadable: Any) -> None:
        now = pendulum.datetime(2026, 1, 1)
        assert unreadable.infer_manual_data_interval(run_after=now) == DataInterval.exact(now)

    def test_an_unreadable_timetable_says_so_as_its_schedule(self, unreadable: Any, kind: type[Timetable]) -> None:
        expected = f"no runs: this version of airflow-provider-isales cannot read this {kind.__name__}: "
        assert unreadable.summary.startswith(expected)

    def test_an_unreadable_timetable_is_logged_as_an_error(
        self, unreadable: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert [record.levelno for record in caplog.get_records("setup")] == [logging.ERROR]

    def test_an_unreadable_timetable_is_stored_unchanged(self, unreadable: Any, stored: Any) -> None:
        assert unreadable.serialize() == stored


def find_serialization() -> Any:
    from airflow.serialization import serialized_objects

    # Under one name since Airflow 3.1, under another before.
    name = next(name for name in ("DagSerialization", "SerializedDAG") if hasattr(serialized_objects, name))
    return getattr(serialized_objects, name)


@pytest.mark.airflow
def test_airflow_imports_and_stores_a_dag_with_ranges_and_dates_of_every_year(tmp_path: Path) -> None:
    (tmp_path / "recurring_dag.py").write_text(
        "import pendulum\n"
        "from airflow.providers.common.compat.sdk import DAG\n"
        "from airflow_provider_isales.shifts import ShiftCalendar\n"
        "from airflow_provider_isales.timetables.shift import ShiftEndTimetable\n"
        f"SHIFTS = ShiftCalendar(\"Asia/Shanghai\", {WEEK}, ['12-30/01-02', '2026-10-01'], {{\n"
        "    '2026-12-24/2026-12-25': ['09:00-12:00'], '12-24': ['09:00-18:00']\n"
        "})\n"
        'dag = DAG("recurring", schedule=ShiftEndTimetable(SHIFTS), start_date=pendulum.datetime(2026, 1, 1))\n'
    )
    bag = read_dags(tmp_path)
    assert not bag.import_errors
    stored = json.loads(json.dumps(find_serialization().to_dict(bag.dags["recurring"])))
    assert find_serialization().from_dict(stored).timetable == ShiftEndTimetable(RECURRING)


@pytest.mark.parametrize(
    "change",
    [lambda shifts: shifts.update(breaks=[]), lambda shifts: shifts.update(week="every other")],
    ids=["a field more", "another kind of week"],
)
def test_airflow_reads_a_dag_whose_timetable_a_newer_version_wrote(change: Callable[[dict[str, Any]], None]) -> None:
    serialization = find_serialization()
    dag = DAG("of_a_newer_version", schedule=ShiftEndTimetable(SHIFTS), start_date=pendulum.datetime(2026, 1, 1))
    stored = serialization.to_dict(dag)
    change(stored["dag"]["timetable"]["__var"]["shifts"])
    assert serialization.from_dict(stored).dag_id == "of_a_newer_version"
