"""A pause that a Variable may hold back."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG

from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar

# Of one shift that ended with the last minute, so that it is the time to pause whenever the test runs.
END = pendulum.now("Asia/Shanghai").start_of("minute")
START = END - timedelta(hours=2)
SHIFTS = ShiftCalendar("Asia/Shanghai", {}, special={f"{START:%Y-%m-%d}": [f"{START:%H:%M}-{END:%H:%M}"]})

with DAG("held", schedule=None, is_paused_upon_creation=False):
    PauseCampaignsOperator(
        task_id="pause",
        campaign_ids=[1004],
        shifts=SHIFTS,
        hold="{{ var.value.get('isales_hold', '') }}",
    )
