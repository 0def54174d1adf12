"""
Pause at each end of a shift; China's public holidays are closed and its make-up days worked. Nothing resumes.

Needs the package `holidays`. The government announces the holidays of a year in the November before: until then, and
until the package is updated, its dates for that year are a guess.

**Red after hours? People may be called.** `isales check 1001` says whether they are, and `isales pause 1001` stops the
whole campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pendulum
from airflow.providers.common.compat.sdk import DAG  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

WORKING_DAY = ["09:00-12:00", "13:30-18:00"]
SATURDAY = 5
THIS_YEAR = pendulum.now("Asia/Shanghai").year
CHINA = holidays.country_holidays("CN", years=range(THIS_YEAR - 1, THIS_YEAR + 2))
MAKE_UP_DAYS = {day for day in CHINA.weekend_workdays if day.year in CHINA.years}


def whole_breaks() -> set[date]:
    """Return the holidays and the weekend days next to them, which are also days off; `holidays` lists few of these."""
    days = set(CHINA)
    for holiday in tuple(days):
        for step in (timedelta(days=-1), timedelta(days=1)):
            day = holiday + step
            while day.weekday() >= SATURDAY and day not in MAKE_UP_DAYS:
                days.add(day)
                day += step
    return days


SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-fri": WORKING_DAY, "sat": ["09:00-12:00"]},
    closed=whole_breaks(),
    special=dict.fromkeys(MAKE_UP_DAYS, WORKING_DAY),
)

with DAG(
    dag_id="isales_shifts_china",
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
