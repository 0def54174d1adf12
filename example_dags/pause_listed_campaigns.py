"""
Pause the batches of every started campaign, one mapped task for each campaign. Nothing resumes them.

To pause campaigns as a whole, one `PauseCampaignsOperator(campaign_ids="all")` needs far fewer requests and no list:
see `keep_paused.py`.

**Red after hours? People may be called.** `isales check` says whether they are, and `isales pause --all` stops every
campaign. Then follow `docs/on-call.md` of airflow-provider-isales.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, task  # works on Airflow 2.11 and 3

from airflow_provider_isales.client import CampaignStatus
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator

with DAG(
    dag_id="isales_pause_listed_campaigns",
    schedule="0 18 * * mon-fri",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=30)},
    max_consecutive_failed_dag_runs=1_000_000,
    is_paused_upon_creation=True,
    doc_md=__doc__,
    tags=["isales"],
) as dag:

    @task
    def started_campaigns() -> list[int]:
        """Return the ids of the campaigns that are started now; one that is started later is not among them."""
        with ISalesHook().get_conn() as client:
            return [campaign.id for campaign in client.list_campaigns(CampaignStatus.STARTED)]

    PauseCallBatchesOperator.partial(
        task_id="pause",
        map_index_template="campaign {{ task.campaign_id }}",
    ).expand(campaign_id=started_campaigns())
