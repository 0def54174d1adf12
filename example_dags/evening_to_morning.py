"""Three campaigns: dialling ends five minutes early, stays off all night, and goes on as it was in the morning."""

import logging
from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, Asset  # on Airflow 3 alone: from airflow.sdk import DAG, Asset

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

CAMPAIGNS = [1001, 1002, 1003]
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, last_call=timedelta(minutes=5))
START_DATE = pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai")
DAG_SETTINGS = {"start_date": START_DATE, "catchup": False, "max_active_runs": 1, "tags": ["isales"]}
TASK_SETTINGS = {
    "shifts": SHIFTS,
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "map_index_template": "campaign {{ task.campaign_id }}",
    "on_failure_callback": lambda context: logging.getLogger("on-call").error("Alert: %s", context["exception"]),
}
EVERY_TEN_MINUTES = ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10))

with DAG(dag_id="isales_evening_to_morning_pause", schedule=EVERY_TEN_MINUTES, **DAG_SETTINGS) as pause_dag:
    # "How late was the last batch?" The events of this asset, in the UI, say it in their extra.
    pause = PauseCallBatchesOperator.partial(
        task_id="pause",
        remember=True,
        max_lateness=timedelta(minutes=5),
        outlets=[Asset(uri="isales://silence")],
        **TASK_SETTINGS,
    )
    pause.expand(campaign_id=CAMPAIGNS)

with DAG(dag_id="isales_evening_to_morning_resume", schedule=ShiftStartTimetable(SHIFTS), **DAG_SETTINGS) as resume_dag:
    resume = ResumeCallBatchesOperator.partial(task_id="resume", batch_ids="remembered", **TASK_SETTINGS)
    resume.expand(campaign_id=CAMPAIGNS)
