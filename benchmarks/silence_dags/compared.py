"""The ways to pause many batches that are compared on a real Airflow. The benchmark sets the end of the shift."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG, task

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

#: The DAGs: the name, the calendar, the campaigns (none for all campaigns of another VDN), and the seconds for which
#: tasks only wait, if they do.
CASES = json.loads(Path(os.environ["BENCH_CASES"]).read_text())
MAPPED = int(os.environ["BENCH_MAPPED"])
HTTP_CAMPAIGN = os.environ["BENCH_HTTP_CAMPAIGN"]


@task
def wait(campaign: int, seconds: float) -> None:
    """Wait as long as latency alone takes for a campaign."""
    time.sleep(seconds)


for name, calendar, campaigns, waits in CASES:
    shifts = ShiftCalendar.from_dict(calendar)
    with DAG(
        name,
        schedule=ShiftEndTimetable(shifts),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_tasks=32,
    ):
        if waits:
            wait.partial(seconds=waits).expand(campaign=campaigns)
        elif not campaigns:
            PauseCampaignsOperator(task_id="pause", shifts=shifts, isales_conn_id="isales_whole")
        else:
            PauseCallBatchesOperator.partial(task_id="pause", shifts=shifts).expand(campaign_id=campaigns)

with DAG("mapped", schedule=None, max_active_tasks=32):
    HttpOperator.partial(
        task_id="pause",
        endpoint=f"/rest/isales/v1/openapi/campaigns/25/callbatch/{HTTP_CAMPAIGN}/pause",
        headers={"Content-Type": "application/json; charset=UTF-8", "Authorization": "x" * 160},
        extra_options={"verify": os.environ["BENCH_CA_FILE"]},
    ).expand(data=[json.dumps({"id": f"{number:030d}"}) for number in range(1, MAPPED + 1)])
