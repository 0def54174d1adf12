"""Pause and resume with a guard against the wrong hour, plain and mapped."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
BATCH: dict[str, Any] = {"campaign_id": 7, "batch_id": "000000000000007000000000000001"}

with DAG("guarded_pause", schedule=None) as pause:
    PauseCallBatchOperator(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_resume", schedule=None) as resume:
    ResumeCallBatchOperator(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_mapped_pause", schedule=None) as mapped_pause:
    PauseCallBatchOperator.partial(task_id="act", shifts=SHIFTS, campaign_id=7).expand(batch_id=[BATCH["batch_id"]])
