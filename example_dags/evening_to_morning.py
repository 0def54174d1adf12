"""
Stop every campaign of the VDN at each end of a shift, keep them stopped, and resume the same ones at the next start.

**Red while no shift is on? People may be called.** `isales check` says whether they are, and
`isales pause --all --save before.json` stops it. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

import logging
from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, Asset  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

LEFT_ALONE = []  # ids of campaigns that may dial at any hour; all others of the VDN are stopped
# Dialling stops five minutes before the shift ends, so that the last calls can end in time.
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, last_call=timedelta(minutes=5))


def alert(context):
    """Replace this with your notifier: it has to reach the person on call."""
    reason = context.get("exception") or context.get("reason")
    logging.getLogger("on-call").error("Alert: %s: %s", context["run_id"], reason)


DAG_SETTINGS = {
    "start_date": pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    "catchup": False,
    "max_active_runs": 1,
    "max_consecutive_failed_dag_runs": 1_000_000,  # red runs are normal here: Airflow must not pause the DAG
    "dagrun_timeout": timedelta(minutes=20),  # a run that hangs holds up the next one
    "on_failure_callback": alert,  # if a run times out, Airflow does not call its tasks' callbacks
    "is_paused_upon_creation": True,
    "doc_md": __doc__,
    "tags": ["isales"],
}
TASK_SETTINGS = {
    "shifts": SHIFTS,  # a late run skips if the next shift is on
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "on_failure_callback": alert,
}
EVERY_TEN_MINUTES = ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10))  # from the end until the next start

with DAG(dag_id="isales_evening_to_morning_pause", schedule=EVERY_TEN_MINUTES, **DAG_SETTINGS) as pause_dag:
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids="all",
        exclude=LEFT_ALONE,
        remember=True,
        max_lateness=timedelta(minutes=5),  # what is still started then is paused, and the task fails
        outlets=[Asset(uri="isales://silence")],  # its events say how late the last campaign was paused
        **TASK_SETTINGS,
    )

with DAG(dag_id="isales_evening_to_morning_resume", schedule=ShiftStartTimetable(SHIFTS), **DAG_SETTINGS) as resume_dag:
    ResumeCampaignsOperator(task_id="resume", campaign_ids="remembered", **TASK_SETTINGS)
