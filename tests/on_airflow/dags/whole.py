"""Campaigns as a whole: paused, kept, remembered, resumed, given by templates and other tasks, and mapped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, Asset, task
from airflow_runs import remembering

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar

Pause, Resume = remembering(PauseCampaignsOperator), remembering(ResumeCampaignsOperator)
PauseBatches, ResumeBatches = remembering(PauseCallBatchesOperator), remembering(ResumeCallBatchesOperator)
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
BERLIN = ShiftCalendar("Europe/Berlin", {"mon-fri": ["09:00-18:00"]})
COMMON: dict[str, Any] = {"retries": 1, "retry_delay": timedelta(0)}
KEPT: dict[str, Any] = {"shifts": SHIFTS, "max_lateness": timedelta(minutes=5), **COMMON}
PARAMS: dict[str, Any] = {"campaign_ids": "all", "exclude": []}

with DAG("whole_pause", schedule=None) as pause:
    Pause(task_id="act", exclude=[9], **COMMON)

with DAG("whole_killed", schedule=None) as killed:
    Pause(task_id="act", **COMMON)

with DAG("whole_resume", schedule=None) as resume:
    Resume(task_id="act", campaign_ids=[1, "2"], **COMMON)

with DAG("whole_kept", schedule=None) as kept:
    Pause(task_id="act", **KEPT)

with DAG("whole_evening", schedule=None) as evening:
    Pause(task_id="act", remember=True, **KEPT)

with DAG("whole_with_evidence", schedule=None) as with_evidence:
    Pause(task_id="act", outlets=[Asset(uri="isales://silence")], **KEPT)

with DAG("whole_evening_without_lateness", schedule=None) as evening_without_lateness:
    Pause(task_id="act", remember=True, shifts=SHIFTS, **COMMON)

with DAG("whole_evening_of_some", schedule=None, params=PARAMS) as evening_of_some:
    Pause(task_id="act", remember=True, campaign_ids="{{ params.campaign_ids }}", **KEPT)

with DAG("whole_evening_without_shifts", schedule=None) as evening_without_shifts:
    Pause(task_id="act", remember=True, **COMMON)

with DAG("whole_morning", schedule=None) as morning:
    Resume(task_id="act", campaign_ids="remembered", shifts=SHIFTS, **COMMON)

with DAG("whole_evening_in_berlin", schedule=None) as evening_in_berlin:
    Pause(task_id="act", campaign_ids=[2], remember=True, shifts=BERLIN, **COMMON)

with DAG("whole_morning_in_berlin", schedule=None) as morning_in_berlin:
    Resume(task_id="act", campaign_ids="remembered", shifts=BERLIN, **COMMON)

with DAG("whole_morning_without_berlin", schedule=None) as morning_without_berlin:
    Resume(task_id="act", campaign_ids="remembered", exclude=[2], shifts=SHIFTS, **COMMON)

with DAG("whole_resume_at_any_hour", schedule=None) as resume_at_any_hour:
    Resume(task_id="act", campaign_ids="{{ 'remembered' }}", **COMMON)

with DAG("whole_resume_or_fail", schedule=None) as resume_or_fail:
    Resume(task_id="act", campaign_ids="remembered", missing_memory="fail", **COMMON)

with DAG("whole_resume_templated", schedule=None, params=PARAMS) as resume_templated:
    Resume(task_id="act", campaign_ids="{{ params.campaign_ids }}", **COMMON)

with DAG("whole_templated", schedule=None, params=PARAMS) as templated:
    Pause(task_id="act", campaign_ids="{{ params.campaign_ids }}", exclude="{{ params.exclude }}", **COMMON)

with DAG("whole_native", schedule=None, params=PARAMS, render_template_as_native_obj=True) as native:
    Pause(task_id="act", campaign_ids="{{ params.campaign_ids }}", exclude="{{ params.exclude }}", **COMMON)


@task
def campaigns(dag_run: Any = None) -> Any:
    return dag_run.conf["campaign_ids"]


with DAG("whole_given", schedule=None) as given:
    Pause(task_id="act", campaign_ids=campaigns(), **COMMON)

with DAG("whole_mapped", schedule=None) as mapped:
    Pause.partial(task_id="act", **COMMON).expand(campaign_ids=[[1], ["2"]])

with DAG("whole_selected", schedule=None) as selected:
    Pause(task_id="act", select="{{ dag_run.conf.select }}", **COMMON)

with DAG("whole_native_select", schedule=None, render_template_as_native_obj=True) as native_select:
    Pause(task_id="act", select="{{ dag_run.conf.select }}", **COMMON)

with DAG("whole_select_required", schedule=None) as select_required:
    Pause(task_id="act", select="evening", select_required=True, **COMMON)

with DAG("whole_select_mapped", schedule=None) as select_mapped:
    Pause.partial(task_id="act", **COMMON).expand(select=["sale 1", "sale 2"])

with DAG("whole_evening_of_sales", schedule=None) as evening_of_sales:
    Pause(task_id="act", select="sale", remember=True, **KEPT)

with DAG("whole_pause_selected_batches", schedule=None) as pause_selected_batches:
    PauseBatches(task_id="act", campaign_id=1, select="sale", **COMMON)

with DAG("whole_resume_selected_batches", schedule=None) as resume_selected_batches:
    ResumeBatches(task_id="act", campaign_id=1, select="2", **COMMON)

with DAG("batches_of_the_evening", schedule=None) as batches_of_the_evening:
    PauseBatches(task_id="act", campaign_id=1, remember=True, **KEPT)
