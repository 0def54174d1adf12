"""A pause that leaves evidence."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar

# Of one shift that ended with the last minute, so that it is the time to pause whenever the test runs.
END = pendulum.now("Asia/Shanghai").start_of("minute")
START = END - timedelta(hours=2)
SHIFTS = ShiftCalendar("Asia/Shanghai", {}, special={f"{START:%Y-%m-%d}": [f"{START:%H:%M}-{END:%H:%M}"]})

with DAG("pause_with_evidence", schedule=None):
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids="all",
        shifts=SHIFTS,
        outlets=[Asset("silence")],
    )
