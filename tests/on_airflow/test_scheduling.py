"""The scheduler's own view: which runs Airflow creates over two years of a calendar with holidays and clock changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pendulum
import pytest
import time_machine
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.base import TimeRestriction
from airflow_runs import dag_file, publish, start_airflow
from two_years import FIRST, LAST, SHIFTS, TIMETABLES, ShiftTimetable

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

each_timetable = pytest.mark.parametrize("timetable", TIMETABLES, ids=["end", "start"])

Run = tuple[datetime, datetime, datetime]


def expected_runs(timetable: ShiftTimetable) -> list[Run]:
    """Return interval and time of the runs that there should be, from the calendar alone."""
    edge = 1 if isinstance(timetable, ShiftEndTimetable) else 0
    shifts = [shift for shift in SHIFTS.shifts_between(FIRST, LAST) if shift.start >= FIRST]
    runs = [(shift.start.astimezone(UTC), shift.end.astimezone(UTC), shift[edge].astimezone(UTC)) for shift in shifts]
    return [run for run in runs if run[2] < LAST]


def in_order(timetable: ShiftTimetable, last: Any, now: datetime, catchup: bool) -> Any:
    with time_machine.travel(now, tick=False):
        return timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=TimeRestriction(pendulum.instance(FIRST), None, catchup)
        )


def drive(timetable: ShiftTimetable, catchup: bool, wake: Callable[[datetime], datetime]) -> Iterator[Run]:
    """
    Create runs as the scheduler does: work out the next one, wait until it is due, create it, and so on.

    :param wake: when the scheduler is there to create a run that is due at a time
    """
    now, last = FIRST, None
    while info := in_order(timetable, last, now, catchup):
        now = max(now, wake(info.run_after))
        if now >= LAST:
            return
        last = info.data_interval
        # To the second: a run that is made up for has a logical date of its own.
        start, end, due = (
            moment.astimezone(UTC).replace(microsecond=0) for moment in (*info.data_interval, info.run_after)
        )
        yield start, end, due


@each_timetable
@pytest.mark.parametrize("catchup", [True, False])
def test_a_scheduler_without_outages_creates_one_run_for_each_shift(timetable: ShiftTimetable, catchup: bool) -> None:
    assert list(drive(timetable, catchup, wake=lambda due: due + timedelta(seconds=3))) == expected_runs(timetable)


@pytest.mark.parametrize("catchup", [True, False])
@pytest.mark.parametrize("kind", [ShiftEndTimetable, ShiftStartTimetable], ids=["end", "start"])
def test_shifts_round_the_clock_have_a_run_for_each_edge_that_closed_days_make(kind: Any, catchup: bool) -> None:
    shifts = ShiftCalendar("UTC", {"mon-sun": ["00:00-24:00"]}, closed=["2026-03-29", "2026-12-24", "2026-12-25"])
    closing, opening = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    closing_again, opening_again = datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 26, tzinfo=UTC)
    if kind is ShiftEndTimetable:
        expected = [(closing, closing, closing), (opening, closing_again, closing_again)]
    else:
        expected = [(opening, closing_again, opening), (opening_again, opening_again, opening_again)]
    assert list(drive(kind(shifts), catchup, wake=lambda due: due + timedelta(seconds=3))) == expected


@each_timetable
def test_with_catchup_a_scheduler_that_is_up_once_a_week_creates_all_runs(timetable: ShiftTimetable) -> None:
    def next_week(due: datetime) -> datetime:
        return due + timedelta(days=7)

    runs = list(drive(timetable, True, wake=next_week))
    assert runs == expected_runs(timetable)[: len(runs)]


@each_timetable
def test_without_catchup_a_late_scheduler_creates_only_the_last_missed_run(
    timetable: ShiftTimetable,
) -> None:
    down = datetime(2026, 6, 5, tzinfo=UTC), datetime(2026, 6, 30, 5, tzinfo=UTC)

    def after_the_outage(due: datetime) -> datetime:
        return down[1] if down[0] <= due < down[1] else due

    expected = expected_runs(timetable)
    missed = [run for run in expected if down[0] <= run[2] < down[1]]
    # The run that was worked out before the outage is created too: the scheduler had it written down.
    gone = missed[1:-1]
    assert list(drive(timetable, False, wake=after_the_outage)) == [run for run in expected if run not in gone]


class TestTheSchedulerItself:
    """
    Airflow's scheduler job on its own database, its clock set from edge to edge for 110 days.

    They have a clock change, closed days and a make-up day in them. Each timetable once, with catchup or without: every
    combination, for two years, is for the tests above.

    Which runs are due it asks the database, whose clock can't be set: that a run is not early is for the tests above.
    """

    @pytest.fixture
    def scheduler(self) -> Any:
        start_airflow()
        pytest.importorskip("airflow.dag_processing.bundles.manager", reason="Airflow 2 publishes DAGs in another way")
        runner = pytest.importorskip("airflow.jobs.scheduler_job_runner")
        if not hasattr(runner.SchedulerJobRunner, "_create_dagruns_for_dags"):
            pytest.skip("this Airflow creates runs in another way")
        from airflow.jobs.job import Job

        return runner.SchedulerJobRunner(job=Job(), num_runs=1)

    @pytest.mark.parametrize(
        ("timetable", "catchup"), zip(TIMETABLES, [True, False], strict=True), ids=["end", "start"]
    )
    def test_the_real_scheduler_creates_one_run_for_each_shift(
        self, scheduler: Any, timetable: ShiftTimetable, catchup: bool
    ) -> None:
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from airflow.utils.sqlalchemy import prohibit_commit

        dag_id = f"scheduled_{timetable._edge}_{'with' if catchup else 'without'}_catchup"
        expected = [run for run in expected_runs(timetable) if run[2] < FIRST + timedelta(days=110)]
        with time_machine.travel(FIRST, tick=False):
            self.publish_only(dag_id)
        for *_, due in expected:
            with (
                time_machine.travel(due + timedelta(seconds=1), tick=False),
                create_session() as session,
                prohibit_commit(session) as guard,
            ):
                scheduler._create_dagruns_for_dags(guard, session)
        with create_session() as session:
            runs = session.query(DagRun).filter(DagRun.dag_id == dag_id).order_by(DagRun.data_interval_start).all()
            created = [(run.data_interval_start, run.data_interval_end, run.run_after) for run in runs]
        assert created == expected

    def publish_only(self, dag_id: str) -> None:
        """Register the DAGs with the scheduler, with only this one unpaused."""
        from airflow.models.dag import DagModel
        from airflow.utils.session import create_session

        publish("scheduled")
        with create_session() as session:
            for model in session.query(DagModel):
                model.is_paused = model.dag_id != dag_id


def test_a_dag_with_a_shift_timetable_survives_serialization() -> None:
    dags = [value for value in vars(dag_file("scheduled")).values() if isinstance(value, DAG)]
    assert {dag.timetable for dag in dags} == set(TIMETABLES)
