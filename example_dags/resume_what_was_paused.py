"""Pause a campaign for some maintenance, and resume exactly what was dialled before, not what people had suspended."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, task  # on Airflow 3 alone: from airflow.sdk import DAG, task

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator

CAMPAIGN = 1001

with DAG(
    dag_id="isales_resume_what_was_paused",
    schedule=None,
    max_active_runs=1,
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    default_args={"retries": 3, "retry_delay": timedelta(seconds=30)},
    tags=["isales"],
) as dag:

    @task
    def started_batches() -> list[str]:
        """A task of its own, because the next try of the pause would no longer find what the first try paused."""
        with ISalesHook().get_conn() as client:
            return [batch.id for batch in client.list_call_batches(CAMPAIGN, status=BatchStatus.STARTED)]

    @task
    def maintenance() -> None:
        """Stands for what must not happen while people are called."""

    started = started_batches()
    # All that is started by then, for nobody shall be called; of that, what was started meanwhile stays paused.
    pause = PauseCallBatchesOperator(task_id="pause", campaign_id=CAMPAIGN)
    resume = ResumeCallBatchesOperator(task_id="resume", campaign_id=CAMPAIGN, batch_ids=started)

    started >> pause >> maintenance() >> resume
