"""The recommended pair of DAGs, which name no campaign, with a look every minute."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

SHIFTS = ShiftCalendar.from_file(Path(__file__).with_name("shifts.json"))
DAG_SETTINGS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "max_consecutive_failed_dag_runs": 1_000_000,
    "is_paused_upon_creation": False,
}

with DAG("evening", schedule=ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=1)), **DAG_SETTINGS):
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids="all",
        shifts=SHIFTS,
        max_lateness=timedelta(seconds=55),
        remember=True,
        retries=3,
        retry_delay=timedelta(seconds=5),
    )

with DAG("morning", schedule=ShiftStartTimetable(SHIFTS), **DAG_SETTINGS):
    ResumeCampaignsOperator(
        task_id="resume", campaign_ids="remembered", shifts=SHIFTS, retries=3, retry_delay=timedelta(seconds=5)
    )
