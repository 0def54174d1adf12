"""Pause every started call batch of some campaigns at each end of a shift, one mapped task for each campaign."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG  # on Airflow 3 alone: from airflow.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SHIFTS = ShiftCalendar(timezone="Asia/Shanghai", week={"mon-fri": ["09:00-12:00", "13:30-18:00"]})

with DAG(
    dag_id="isales_whole_campaigns",
    schedule=ShiftEndTimetable(SHIFTS),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    tags=["isales"],
) as dag:
    PauseCallBatchesOperator.partial(
        task_id="pause",
        shifts=SHIFTS,
        retries=3,
        retry_delay=timedelta(seconds=30),
    ).expand(campaign_id=[1001, 1002])
