"""
Pause every campaign of the VDN at each end of a shift, and keep them paused until the next start.

Every ten minutes the DAG looks again: a campaign that somebody started is paused by the next run, which is red and
names it. Nothing resumes the campaigns: see `evening_to_morning.py` for that.

**Red while no shift is on? People may be called.** `isales check` says whether they are, and
`isales pause --all --save before.json` stops it. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SHIFTS = ShiftCalendar(timezone="Asia/Shanghai", week={"mon-fri": ["09:00-12:00", "13:30-18:00"]})


def alert(context: dict[str, Any]) -> None:
    """Replace this with your notifier: it has to reach the person on call."""
    reason = context.get("exception") or context.get("reason")
    logging.getLogger(__name__).error("Alert: %s: %s", context["run_id"], reason)


with DAG(
    dag_id="isales_keep_paused",
    schedule=ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10)),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    max_consecutive_failed_dag_runs=1_000_000,
    dagrun_timeout=timedelta(minutes=20),
    on_failure_callback=alert,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as dag:
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids="all",
        exclude=[],  # the ids of campaigns that may dial at any hour
        shifts=SHIFTS,
        max_lateness=timedelta(minutes=5),
        retries=3,
        retry_delay=timedelta(seconds=30),
        on_failure_callback=alert,
    )
