"""The two ways to pause many batches that are compared on a real Airflow."""

from __future__ import annotations

import json
import os

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator

MAPPED = 60

with DAG("bulk", schedule=None):
    PauseCallBatchesOperator(task_id="pause", campaign_id=7)

with DAG("mapped", schedule=None, max_active_tasks=MAPPED):
    HttpOperator.partial(
        task_id="pause",
        endpoint="/rest/isales/v1/openapi/campaigns/25/callbatch/7/pause",
        headers={"Content-Type": "application/json; charset=UTF-8", "Authorization": "x" * 160},
        extra_options={"verify": os.environ["BENCH_CA_FILE"]},
    ).expand(data=[json.dumps({"id": f"{number:030d}"}) for number in range(1, MAPPED + 1)])
