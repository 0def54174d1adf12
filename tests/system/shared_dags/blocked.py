"""The settings of the recommended DAG, with a task that never begins: there is no such pool."""

from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.sdk import DAG, Context

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

HERE = Path(__file__).parent
SHIFTS = ShiftCalendar.from_file(HERE / "shifts.json")


def alert(context: Context) -> None:
    """Note who was called, and why."""
    with (HERE / "alerts.txt").open("a") as file:
        file.write(f"{context.get('exception') or context.get('reason')}\n")


with DAG(
    "blocked",
    schedule=ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=1)),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    max_consecutive_failed_dag_runs=1_000_000,
    dagrun_timeout=timedelta(seconds=15),
    on_failure_callback=alert,
    is_paused_upon_creation=False,
):
    PauseCallBatchesOperator(
        task_id="pause", campaign_id=1001, shifts=SHIFTS, pool="no_such_pool", on_failure_callback=alert
    )
