"""Pause every campaign of the VDN at the end of a shift, and look again every minute until the next one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SHIFTS = ShiftCalendar.from_file(Path(__file__).with_name("shifts.json"))

with DAG(
    "keep_paused",
    schedule=ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=1)),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=False,
):
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids="all",
        shifts=SHIFTS,
        max_lateness=timedelta(seconds=55),
        retries=3,
        retry_delay=timedelta(seconds=5),
    )
