"""Pauses that heed a hold: from a Variable, given as it is, of campaigns, batches and one batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow_runs import remembering

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, PauseCallBatchOperator
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

Pause, PauseBatches = remembering(PauseCampaignsOperator), remembering(PauseCallBatchesOperator)
PauseBatch = remembering(PauseCallBatchOperator)
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
FROM_VARIABLE = "{{ var.value.get('isales_hold', '') }}"
TASK: dict[str, Any] = {
    "task_id": "pause",
    "hold": FROM_VARIABLE,
    "shifts": SHIFTS,
    "max_lateness": timedelta(minutes=5),
    "retries": 2,
    "retry_delay": timedelta(0),
}
WATCH: dict[str, Any] = {
    "schedule": ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=30)),
    "start_date": pendulum.datetime(2026, 11, 1, tz="Asia/Shanghai"),
    "catchup": False,
    "max_consecutive_failed_dag_runs": 1_000_000,
}

with DAG("held_watch", **WATCH) as watch:
    Pause(remember=True, **TASK)

with DAG("held_watch_of_some", **WATCH) as watch_of_some:
    Pause(campaign_ids=["01", "2"], exclude=[2], **TASK)

with DAG("held_watch_of_batches", **WATCH) as watch_of_batches:
    PauseBatches(campaign_id=1, **TASK)

with DAG("held_watch_of_one_batch", **WATCH) as watch_of_one_batch:
    PauseBatch(campaign_id="1", batch_id="{{ params.batch_id }}", params={"batch_id": "1" * 30}, **TASK)

with DAG("held_by_json", schedule=None) as by_json:
    Pause(**{**TASK, "hold": "{{ var.json.get('isales_hold', none) }}"})

with DAG("held_natively", schedule=None, render_template_as_native_obj=True) as natively:
    Pause(**{**TASK, "hold": "{{ var.json.get('isales_hold', none) }}"})

with DAG("held_in_part", schedule=None) as in_part:
    Pause(**{**TASK, "hold": {"until": "{{ '20:00' }}", "campaign_ids": ["{{ 1 }}"]}})

with DAG("held_mapped", **WATCH) as mapped:
    PauseBatches.partial(**TASK).expand(campaign_id=[1, 2])

with DAG("held_resume", schedule=None, default_args={"hold": FROM_VARIABLE}) as resume:
    ResumeCampaignsOperator(task_id="pause", campaign_ids=[1, 2])

with DAG("held_without_shifts", schedule=None) as without_shifts:
    Pause(**{**TASK, "shifts": None, "max_lateness": None})
