"""Whole campaigns in one task: plain, given, mapped, from another task, and with too little time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task
from airflow_runs import remembering

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar

Pause, Resume = remembering(PauseCallBatchesOperator), remembering(ResumeCallBatchesOperator)
SHIFTS = ShiftCalendar("UTC", {"mon": ["09:00-12:00"]})
COMMON = {"retries": 1, "retry_delay": timedelta(0)}

with DAG("bulk_pause_all", schedule=None) as pause_all:
    Pause(task_id="act", campaign_id=7, **COMMON)

with DAG("bulk_resume_all", schedule=None) as resume_all:
    Resume(task_id="act", campaign_id=7, **COMMON)

with DAG("bulk_guarded_pause", schedule=None) as guarded_pause:
    Pause(task_id="act", campaign_id=7, shifts=SHIFTS, **COMMON)

with DAG("bulk_pause_mapped", schedule=None) as pause_mapped:
    Pause.partial(task_id="act", **COMMON).expand(campaign_id=[7, 8, 9])

RENDERED: dict[str, Any] = {"batch_ids": "{{ params.batch_ids }}", "exclude": "{{ params.exclude }}"}

with DAG("bulk_pause_rendered", schedule=None, params={"batch_ids": "all", "exclude": []}) as pause_rendered:
    Pause(task_id="act", campaign_id=7, **RENDERED, **COMMON)

with DAG("bulk_pause_in_no_time", schedule=None) as pause_in_no_time:
    Pause(task_id="act", campaign_id=7, max_parallel_requests=2, execution_timeout=timedelta(seconds=7))


@task
def batches(dag_run: Any = None) -> Any:
    return dag_run.conf["batch_ids"]


with DAG("bulk_pause_given", schedule=None) as pause_given:
    Pause(task_id="act", campaign_id=7, batch_ids=batches(), **COMMON)

with DAG("bulk_pause_mapped_ids", schedule=None) as pause_mapped_ids:
    Pause.partial(task_id="act", campaign_id=7, **COMMON).expand(batch_ids=batches())
