"""Whole campaigns in one task: plain, given, mapped, from another task, and with too little time."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar

EXCEPTIONS: list[BaseException] = []


def remember(context) -> None:
    EXCEPTIONS.append(context["exception"])


SHIFTS = ShiftCalendar("UTC", {"mon": ["09:00-12:00"]})
COMMON = {
    "retries": 1,
    "retry_delay": timedelta(0),
    "on_failure_callback": remember,
    "on_retry_callback": remember,
}

with DAG("bulk_pause_all", schedule=None) as pause_all:
    PauseCallBatchesOperator(task_id="act", campaign_id=7, **COMMON)

with DAG("bulk_resume_all", schedule=None) as resume_all:
    ResumeCallBatchesOperator(task_id="act", campaign_id=7, **COMMON)

with DAG("bulk_guarded_pause", schedule=None) as guarded_pause:
    PauseCallBatchesOperator(task_id="act", campaign_id=7, shifts=SHIFTS, **COMMON)

with DAG("bulk_pause_mapped", schedule=None) as pause_mapped:
    PauseCallBatchesOperator.partial(task_id="act", **COMMON).expand(campaign_id=[7, 8, 9])

with DAG("bulk_pause_in_no_time", schedule=None) as pause_in_no_time:
    PauseCallBatchesOperator(task_id="act", campaign_id=7, execution_timeout=timedelta(seconds=1))


@task
def batches(dag_run=None):
    return dag_run.conf["batch_ids"]


with DAG("bulk_pause_given", schedule=None) as pause_given:
    PauseCallBatchesOperator(task_id="act", campaign_id=7, batch_ids=batches(), **COMMON)

with DAG("bulk_pause_mapped_ids", schedule=None) as pause_mapped_ids:
    PauseCallBatchesOperator.partial(task_id="act", campaign_id=7, **COMMON).expand(batch_ids=batches())
