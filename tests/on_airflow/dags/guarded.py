"""Pause and resume with a guard against the wrong hour: plain, mapped, with retries, on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable
from airflow_runs import prepared

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

Pause, Resume = prepared(PauseCallBatchOperator), prepared(ResumeCallBatchOperator)
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
BATCH: dict[str, Any] = {"campaign_id": 7, "batch_id": "000000000000007000000000000001"}
START: dict[str, Any] = {"start_date": datetime(2026, 1, 1, tzinfo=UTC)}  # what has a schedule needs one in Airflow 2
CLOSED = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, closed=["2026-11-25"])
PROLONGED = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-20:00"]})
AT_NOON = CronDataIntervalTimetable("0 12 * * *", "Asia/Shanghai")
AFTER_LUNCH = CronDataIntervalTimetable("30 13 * * *", "Asia/Shanghai")
RETRIES: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(0)}

with DAG("guarded_pause", schedule=None) as pause:
    Pause(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_resume", schedule=None) as resume:
    Resume(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_mapped_pause", schedule=None) as mapped_pause:
    Pause.partial(task_id="act", shifts=SHIFTS, campaign_id=7).expand(batch_id=[BATCH["batch_id"]])

with DAG("guarded_retried_pause", schedule=None) as retried_pause:
    Pause(task_id="act", shifts=SHIFTS, **BATCH, **RETRIES)

with DAG("guarded_retried_resume", schedule=None) as retried_resume:
    Resume(task_id="act", shifts=SHIFTS, **BATCH, **RETRIES)

with DAG("guarded_retried_mapped_pause", schedule=None) as retried_mapped_pause:
    Pause.partial(task_id="act", shifts=SHIFTS, campaign_id=7, **RETRIES).expand(batch_id=[BATCH["batch_id"]])

with DAG("guarded_pause_at_end", schedule=ShiftEndTimetable(SHIFTS), **START) as pause_at_end:
    Pause(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_resume_at_start", schedule=ShiftStartTimetable(SHIFTS), **START) as resume_at_start:
    Resume(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_pause_by_cron", schedule=AT_NOON, **START) as pause_by_cron:
    Pause(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_resume_by_cron", schedule=AFTER_LUNCH, **START) as resume_by_cron:
    Resume(task_id="act", shifts=SHIFTS, **BATCH)

with DAG("guarded_pause_on_a_closed_day", schedule=ShiftEndTimetable(CLOSED), **START) as pause_on_a_closed_day:
    Pause(task_id="act", shifts=CLOSED, **BATCH)

with DAG("guarded_resume_when_prolonged", schedule=ShiftStartTimetable(PROLONGED), **START) as resume_when_prolonged:
    Resume(task_id="act", shifts=PROLONGED, **BATCH)
