from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow.providers.http.operators.http import HttpOperator

from airflow_provider_isales.client import C2Auth

CAMPAIGNS = "/rest/isales/v1/openapi/campaigns/25"
VERIFY = "/etc/ssl/isales-ca.pem"


def succeeded(response):
    return response.json()["resultCode"] == "0200000"


def endpoints(response):
    return [f"{CAMPAIGNS}/{campaign['id']}/pause" for campaign in response.json()["data"]]


SETTINGS = {
    "http_conn_id": "isales_http",
    "auth_type": C2Auth,
    "headers": {"Content-Type": "application/json; charset=UTF-8"},
    "extra_options": {"verify": VERIFY, "timeout": 10},
    "response_check": succeeded,
}

with DAG(
    "with_http_operator",
    schedule="0 18 * * mon-fri",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=30)},
):
    started = HttpOperator(
        task_id="list",
        method="GET",
        endpoint=CAMPAIGNS,
        data={"status": "2", "deviceType": "0", "curPage": "1", "rowsPerPage": "100"},
        response_filter=endpoints,
        **SETTINGS,
    )
    HttpOperator.partial(task_id="pause", method="PUT", **SETTINGS).expand(endpoint=started.output)
