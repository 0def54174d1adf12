"""
Dial during some work, and stop dialling afterwards even if the work failed.

**Red after hours? People may be called.** `isales check 1001` says whether they are, and `isales pause 1001` stops the
whole campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, task  # works on Airflow 2.11 and 3

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator

BATCH = {"campaign_id": 1001, "batch_id": "000000000001001000000000000001"}

with DAG(
    dag_id="isales_pause_as_teardown",
    schedule="0 9 * * mon-fri",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=30)},
    params={"work_fails": False},
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as dag:

    @task(retries=0)
    def work_while_dialling(params: dict[str, bool]) -> None:
        """Replace this with the work to do while the batch is dialled."""
        if params["work_fails"]:
            raise RuntimeError("the work failed")

    @task(retries=0)
    def all_went_well() -> None:
        """Fail the run if any task failed: a run that ends with its teardown would hide that."""

    start = ResumeCallBatchOperator(task_id="start_dialling", **BATCH)
    work = work_while_dialling()
    # `start` is not its setup: a resume that failed because its response was lost may have started the calls.
    stop = PauseCallBatchOperator(task_id="stop_dialling", **BATCH).as_teardown()

    start >> work >> stop
    [start, work, stop] >> all_went_well()
