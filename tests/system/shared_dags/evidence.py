"""A pause that leaves evidence."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar

# Of one shift that ended with the last minute, so that it is the time to pause whenever the test runs.
END = pendulum.now("Asia/Shanghai").start_of("minute")
START = END - timedelta(hours=2)
SHIFTS = ShiftCalendar("Asia/Shanghai", {}, special={f"{START:%Y-%m-%d}": [f"{START:%H:%M}-{END:%H:%M}"]})

with DAG("pause_with_evidence", schedule=None):
    PauseCallBatchesOperator(
        task_id="pause",
        campaign_id=1002,
        shifts=SHIFTS,
        outlets=[Asset("campaign_1002_is_silent")],
    )
