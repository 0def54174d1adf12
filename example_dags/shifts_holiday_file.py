"""
Pause at each end of a shift; holidays and make-up days come from files like those of holiday-cn. Nothing resumes.

The files of https://github.com/NateScarlet/holiday-cn list every day off, weekend days included. Each November, put the
file of the next year beside this DAG and add it to `FILES`: without it, people are called on holidays.

**Red after hours? People may be called.** `isales check 1001` says whether they are, and `isales pause 1001` stops the
whole campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.common.compat.sdk import DAG  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar, read_file
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

WORKING_DAY = ["09:00-12:00", "13:30-18:00"]
FILES = ["holiday_cn_2026.json"]
DAYS = [day for file in FILES for day in json.loads(read_file(Path(__file__).with_name(file)))["days"]]
SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-fri": WORKING_DAY, "sat": ["09:00-12:00"]},
    closed=[day["date"] for day in DAYS if day["isOffDay"]],
    special={day["date"]: WORKING_DAY for day in DAYS if not day["isOffDay"]},
)

with DAG(
    dag_id="isales_shifts_holiday_file",
    schedule=ShiftEndTimetable(SHIFTS),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as dag:
    PauseCallBatchOperator(
        task_id="pause",
        campaign_id=1001,
        batch_id="000000000001001000000000000001",
        shifts=SHIFTS,
        retries=3,
        retry_delay=timedelta(seconds=30),
    )
