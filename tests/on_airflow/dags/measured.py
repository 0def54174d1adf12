"""Pauses of which every metric counts something: of a list of batches, then of one that is not there."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, PauseCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar

# Long over, so that it is the time to pause whenever the tests run.
SHIFTS = ShiftCalendar("Asia/Shanghai", {}, special={"2026-01-05": ["09:00-18:00"]})

with DAG("measured", schedule=None) as dag:
    many = PauseCallBatchesOperator(
        task_id="pause",
        campaign_id=7,
        batch_ids=[f"{7:015}{number:015}" for number in range(1, 8)],
        shifts=SHIFTS,
        max_lateness=timedelta(minutes=5),
    )
    one = PauseCallBatchOperator(
        task_id="pause_one", campaign_id=7, batch_id="404404404404404404404404404404", trigger_rule="all_done"
    )
    many >> one
