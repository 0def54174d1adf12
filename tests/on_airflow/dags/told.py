"""A pause that says so by mail when it has failed for good."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.smtp.notifications.smtp import SmtpNotifier

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator

with DAG("told", schedule=None) as dag:
    PauseCallBatchesOperator(
        task_id="pause",
        campaign_id=7,
        retries=1,
        retry_delay=timedelta(0),
        on_failure_callback=SmtpNotifier(
            to="on-call@example.com",
            subject="{{ ti.dag_id }} failed",
            html_content="{{ exception | default('Its log says why.') }}",
        ),
    )
