"""
Pause at each end of a shift, with China's public holidays closed and its make-up days worked.

Needs the package ``holidays``. The government announces a year's holidays in the November before it: until then, and
until the package is updated, what it holds for that year is a guess.
"""

from __future__ import annotations

from datetime import timedelta

import holidays
import pendulum
from airflow.providers.common.compat.sdk import DAG  # on Airflow 3 alone: from airflow.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

WORKING_DAY = ["09:00-12:00", "13:30-18:00"]
THIS_YEAR = pendulum.now("Asia/Shanghai").year
CHINA = holidays.country_holidays("CN", years=range(THIS_YEAR - 1, THIS_YEAR + 2))

SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-fri": WORKING_DAY},
    closed=CHINA,
    special={day: WORKING_DAY for day in CHINA.weekend_workdays if day.year in CHINA.years},
)

with DAG(
    dag_id="isales_shifts_china",
    schedule=ShiftEndTimetable(SHIFTS),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
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
