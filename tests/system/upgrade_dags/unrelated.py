"""A DAG that has nothing to do with the provider."""

import os
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator

START = datetime.fromisoformat(os.environ["UPGRADE_START"])


class Nothing(BaseOperator):
    """Does nothing."""

    def execute(self, context: Any) -> None:
        """Do it."""


with DAG("unrelated", schedule=timedelta(seconds=10), start_date=START, catchup=False, max_active_runs=1):
    Nothing(task_id="nothing")
