"""DAGs with each timetable and each operator, that every version of the provider can run."""

import importlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_isales.operators.call_batch import (
    PauseCallBatchesOperator,
    PauseCallBatchOperator,
    ResumeCallBatchesOperator,
    ResumeCallBatchOperator,
)
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

triggers: Any
try:
    triggers = importlib.import_module("airflow.providers.standard.triggers.file")
except ImportError:  # Airflow 2
    triggers = importlib.import_module("airflow.triggers.file")

HERE = Path(__file__).parent
START = datetime.fromisoformat(os.environ["UPGRADE_START"])
SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-sun": ["09:00-12:00", "13:30-18:00"]},
    closed=os.environ["UPGRADE_CLOSED"].split(),
    special={date: ["10:00-11:00"] for date in os.environ["UPGRADE_SPECIAL"].split()},
)
AGAIN: dict[str, Any] = {"retries": 5, "retry_delay": timedelta(seconds=1)}


class WaitForFile(BaseOperator):
    """Waits, deferred, for a file with the name of the run."""

    def execute(self, context: Any) -> None:
        """Begin to wait."""
        file = HERE / f"go-{context['run_id']}"
        self.defer(trigger=triggers.FileTrigger(filepath=str(file), poke_interval=0.5), method_name="it_is_there")

    def it_is_there(self, context: Any, event: Any = None) -> None:
        """End."""


with DAG("every_end", schedule=ShiftEndTimetable(SHIFTS), start_date=START, catchup=True, max_active_runs=1):
    PauseCallBatchOperator.partial(task_id="pause", campaign_id=1001, **AGAIN).expand(
        batch_id=["000000000001001000000000000001"]
    )

with DAG("every_start", schedule=ShiftStartTimetable(SHIFTS), start_date=START, catchup=True, max_active_runs=1):
    ResumeCallBatchOperator(task_id="resume", campaign_id=1001, batch_id="000000000001001000000000000002", **AGAIN)

with DAG("evening_to_morning", schedule=None, start_date=START, render_template_as_native_obj=True):
    pause: Any = PauseCallBatchesOperator(task_id="pause", campaign_id=1002, **AGAIN)
    resume: Any = ResumeCallBatchesOperator(
        task_id="resume", campaign_id=1002, batch_ids="{{ ti.xcom_pull(task_ids='pause')['paused'] }}", **AGAIN
    )
    pause >> WaitForFile(task_id="wait", **AGAIN) >> resume

with DAG("interrupted", schedule=None, start_date=START):
    PauseCallBatchesOperator(task_id="pause", campaign_id=1003, isales_conn_id="isales_slow", **AGAIN)
