"""Pause twenty campaigns, a mapped task for each."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator

with DAG("pause_twenty_campaigns", schedule=None) as dag:
    PauseCallBatchesOperator.partial(
        task_id="pause", max_parallel_requests=2, retries=3, retry_delay=timedelta(seconds=1)
    ).expand(campaign_id=list(range(1001, 1021)))
