"""Pauses that are to be in time, and to be kept: of whole campaigns, of one batch, with evidence, with a memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Asset

from airflow_provider_isales.operators.call_batch import (
    PauseCallBatchesOperator,
    PauseCallBatchOperator,
    ResumeCallBatchesOperator,
)
from airflow_provider_isales.shifts import ShiftCalendar

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
BATCH = "000000000000007000000000000001"
KEPT: dict[str, Any] = {
    "task_id": "pause",
    "campaign_id": 7,
    "shifts": SHIFTS,
    "max_lateness": timedelta(minutes=5),
    "retries": 3,
    "retry_delay": timedelta(0),
}
REMEMBERING: dict[str, Any] = {"campaign_id": 7, "retries": 1, "retry_delay": timedelta(0)}
SILENCE = Asset(uri="isales://silence")  # in Airflow 2 it has no name

with DAG("kept", schedule=None) as kept:
    PauseCallBatchesOperator(**KEPT)

with DAG("kept_one", schedule=None) as kept_one:
    PauseCallBatchOperator(batch_id=BATCH, **KEPT)

with DAG("kept_or_failed", schedule=None) as kept_or_failed:
    PauseCallBatchesOperator(campaign_suspended="fail", **KEPT)

with DAG("kept_one_or_failed", schedule=None) as kept_one_or_failed:
    PauseCallBatchOperator(batch_id=BATCH, campaign_suspended="fail", **KEPT)

with DAG("kept_with_evidence", schedule=None) as kept_with_evidence:
    PauseCallBatchesOperator(outlets=[SILENCE], **KEPT)

with DAG(
    "kept_but_for_some", schedule=None, params={"exclude": []}, render_template_as_native_obj=True
) as but_for_some:
    PauseCallBatchesOperator(task_id="pause", campaign_id=7, exclude="{{ params.exclude }}")

with DAG("remembering_pause", schedule=None) as remembering_pause:
    PauseCallBatchesOperator(task_id="pause", remember=True, **REMEMBERING)

with DAG("remembering_pause_of_another_dag", schedule=None) as remembering_pause_of_another_dag:
    PauseCallBatchesOperator(task_id="pause", remember=True, **REMEMBERING)

with DAG("remembered_resume", schedule=None) as remembered_resume:
    ResumeCallBatchesOperator(task_id="resume", batch_ids="remembered", **REMEMBERING)

with DAG("resume_or_fail", schedule=None) as resume_or_fail:
    ResumeCallBatchesOperator(task_id="resume", batch_ids="remembered", missing_memory="fail", **REMEMBERING)
