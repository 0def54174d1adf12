"""A pause that says so by mail when it fails, and when it is not done in time."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

# Of one shift that is long over: what is still started is stray, whenever the test runs.
SHIFTS = ShiftCalendar("Asia/Shanghai", {}, special={"2026-01-05": ["09:00-18:00"]})
IN_TIME = timedelta(seconds=20)

NOT_DONE = AsyncCallback(
    SmtpNotifier,
    kwargs={
        "to": "on-call@example.com",
        "subject": "{{ dag_run.dag_id }} is not done",
        "html_content": "Look in the console whether anything is dialled. Run: {{ dag_run.dag_run_id }}",
    },
)

with DAG(
    "end_of_shift",
    schedule=ShiftEndTimetable(SHIFTS),
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_consecutive_failed_dag_runs=1_000_000,
    deadline=DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, interval=IN_TIME, callback=NOT_DONE),
):
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids="all",
        shifts=SHIFTS,
        max_lateness=IN_TIME,
        on_failure_callback=SmtpNotifier(
            to="on-call@example.com",
            subject="{{ ti.dag_id }} failed",
            html_content="{{ exception | default('Its log says why.') }}",
        ),
    )
