from datetime import timedelta

import pendulum
import requests
from airflow.providers.common.compat.sdk import DAG, BaseHook
from airflow.providers.standard.operators.python import PythonOperator

from airflow_provider_isales.client import C2Auth

CAMPAIGNS = "/rest/isales/v1/openapi/campaigns/25"


def pause_campaigns():
    connection = BaseHook.get_connection("isales_default")
    url = f"https://{connection.host}:{connection.port}{CAMPAIGNS}"
    with requests.Session() as session:
        session.auth = C2Auth(connection.login, connection.password)
        session.headers["Content-Type"] = "application/json; charset=UTF-8"
        verify = connection.extra_dejson["verify"]

        def send(method, path="", params=None):
            response = session.request(method, url + path, params=params, verify=verify, timeout=10)
            response.raise_for_status()
            result = response.json()
            if result["resultCode"] != "0200000":
                raise RuntimeError(result)
            return result

        started = []
        while True:
            page = len(started) // 100 + 1
            found = send("GET", params={"status": 2, "deviceType": 0, "curPage": page, "rowsPerPage": 100})
            started += found["data"]
            if len(started) >= found["totalSize"] or not found["data"]:
                break
        for campaign in started:
            send("PUT", f"/{campaign['id']}/pause")


with DAG(
    "with_requests",
    schedule="0 18 * * mon-fri",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    catchup=False,
    default_args={"retries": 3, "retry_delay": timedelta(seconds=30)},
):
    PythonOperator(task_id="pause", python_callable=pause_campaigns)
