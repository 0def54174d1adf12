"""
Pause one call batch at 18:00 on working days. Nothing resumes it.

**Red after hours? People may be called.** `isales check 1001` says whether they are, and `isales pause 1001` stops the
whole campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator

with DAG(
    dag_id="isales_pause_one_batch",
    schedule="0 18 * * mon-fri",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    params={"campaign_id": 1001, "batch_id": "000000000001001000000000000001"},
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as dag:
    PauseCallBatchOperator(
        task_id="pause",
        campaign_id="{{ params.campaign_id }}",
        batch_id="{{ params.batch_id }}",
        retries=3,
        retry_delay=timedelta(seconds=30),
    )
