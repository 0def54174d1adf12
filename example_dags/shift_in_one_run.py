"""
One run for each shift: resume at its start, wait for its end without holding a worker slot, and pause.

Needs the package ``apache-airflow-providers-standard``, and a triggerer. It is compact, but if someone marks the
waiting task failed, or prolongs the shift in the calendar, its run does not pause at the end: ``shifts_weekly.py`` has
no such dependence and is the better default.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, task  # on Airflow 3 alone: from airflow.sdk import DAG, task
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftStartTimetable

SHIFTS = ShiftCalendar(timezone="Asia/Shanghai", week={"mon-fri": ["09:00-12:00", "13:30-18:00"]})
TASK = {
    "campaign_id": 1001,
    "batch_id": "000000000001001000000000000001",
    "shifts": SHIFTS,
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
}


def end_of_shift(interval_end: datetime | None) -> datetime:
    """Return when the shift that is on ends, but not before the run's own; a triggered run may be without."""
    now = pendulum.now("UTC")
    end = SHIFTS.next_end(now) if SHIFTS.is_on(now) else now
    return max(end, interval_end or end)


with DAG(
    dag_id="isales_shift_in_one_run",
    schedule=ShiftStartTimetable(SHIFTS),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    user_defined_macros={"end_of_shift": end_of_shift},
    tags=["isales"],
) as dag:

    @task
    def all_went_well() -> None:
        """Runs only when all before it succeeded: a teardown alone would hide that other tasks failed."""

    resume = ResumeCallBatchOperator(task_id="resume", **TASK)
    # None skipped, not all success: a resume that failed because its answer was lost may have started the dialling.
    wait = DateTimeSensorAsync(
        task_id="wait_for_the_end",
        target_time="{{ end_of_shift(dag_run.data_interval_end) }}",
        trigger_rule="none_skipped",
        retries=3,
        retry_delay=timedelta(seconds=30),
    )
    pause = PauseCallBatchOperator(task_id="pause", **TASK).as_teardown()

    resume >> wait >> pause
    [resume, wait, pause] >> all_went_well()
