"""DAGs for versions of the provider that have a memory."""

import os
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator

START = datetime.fromisoformat(os.environ["UPGRADE_START"])

with DAG("remember", schedule=None, start_date=START):
    PauseCallBatchesOperator(task_id="pause", campaign_id=1004, remember=True)

with DAG("resume_remembered", schedule=None, start_date=START):
    ResumeCallBatchesOperator(task_id="resume", campaign_id=1004, batch_ids="remembered")
