"""Pause or resume the batch that a run's configuration names, with one retry."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG
from airflow_runs import remembering

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator

for name, operator in (("pause", PauseCallBatchOperator), ("resume", ResumeCallBatchOperator)):
    with DAG(f"{name}_one_batch", schedule=None) as dag:
        remembering(operator)(
            task_id=name,
            campaign_id="{{ dag_run.conf['campaign_id'] }}",
            batch_id="{{ dag_run.conf['batch_id'] }}",
            isales_conn_id="{{ dag_run.conf['isales_conn_id'] }}",
            retries=1,
            retry_delay=timedelta(0),
        )
    globals()[dag.dag_id] = dag
