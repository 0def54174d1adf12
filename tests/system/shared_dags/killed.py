"""Pauses and resumes that share a memory, and leave the id of their process to whoever wants to kill it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Context

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator

PROCESS = Path(__file__).with_name("process")


def leave_process_id(context: Context) -> None:
    PROCESS.write_text(str(os.getpid()))


COMMON: dict[str, Any] = {
    "campaign_id": 7,
    "isales_conn_id": "isales_killed",
    "retries": 1,
    "retry_delay": timedelta(0),
    "pre_execute": leave_process_id,
}

with DAG("remembering_pause", schedule=None, is_paused_upon_creation=False):
    PauseCallBatchesOperator(task_id="pause", remember=True, **COMMON)

with DAG("remembering_pause_of_another_dag", schedule=None, is_paused_upon_creation=False):
    PauseCallBatchesOperator(task_id="pause", remember=True, **COMMON)

with DAG("remembered_resume", schedule=None, is_paused_upon_creation=False):
    ResumeCallBatchesOperator(task_id="resume", batch_ids="remembered", **COMMON)
