"""DAGs as users write them: a pause with shifts, and a task that lists batches."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-18:00"]})

with DAG("users_stop", schedule=None) as stops_dialling:
    PauseCallBatchesOperator(task_id="pause", campaign_id=1001, shifts=SHIFTS)


@task
def list_batches() -> list[dict[str, Any]]:
    with ISalesHook().get_conn() as client:
        return [vars(batch) for batch in client.list_call_batches(1001)]


@task
def count(batches: list[dict[str, Any]]) -> int:
    return len(batches)


with DAG("users_list", schedule=None) as lists_batches:
    count(list_batches())  # type: ignore[arg-type]  # Airflow passes what it returns
