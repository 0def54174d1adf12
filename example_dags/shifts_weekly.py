"""
Resume a call batch at each start of a shift and pause it at each end; working days have a lunch break.

**Red after hours? People may be called.** `isales check 1001` says whether they are, and `isales pause 1001` stops the
whole campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-fri": ["09:00-12:00", "13:30-18:00"], "sat": ["09:00-12:00"]},
    closed=["2026-10-01"],
    special={"2026-10-10": ["09:00-18:00"]},
)
START_DATE = pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai")
# The tasks get the calendar too: a run that is so late that it would act at the wrong hour skips.
TASK = {
    "campaign_id": 1001,
    "batch_id": "000000000001001000000000000001",
    "shifts": SHIFTS,
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
}

with DAG(
    dag_id="isales_shifts_weekly_resume",
    schedule=ShiftStartTimetable(SHIFTS),
    start_date=START_DATE,
    catchup=False,
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as resume_dag:
    ResumeCallBatchOperator(task_id="resume", **TASK)

with DAG(
    dag_id="isales_shifts_weekly_pause",
    schedule=ShiftEndTimetable(SHIFTS),
    start_date=START_DATE,
    catchup=False,
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as pause_dag:
    PauseCallBatchOperator(task_id="pause", **TASK)
