"""
Pause the call batches that another task returns, one mapped task for each. Nothing resumes them.

**Red after hours? People may be called.** `isales check 1001` says whether they are, and `isales pause 1001` stops the
whole campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, task  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator

with DAG(
    dag_id="isales_pause_mapped_batches",
    schedule="0 18 * * mon-fri",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as dag:

    @task
    def batches_of_the_shift() -> list[str]:
        """Replace this with your query for batch ids: text, never numbers."""
        return ["000000000001001000000000000001", "000000000001001000000000000002"]

    PauseCallBatchOperator.partial(
        task_id="pause",
        campaign_id=1001,
        retries=3,
        retry_delay=timedelta(seconds=30),
    ).expand(batch_id=batches_of_the_shift())
