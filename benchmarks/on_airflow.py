"""Measure what the provider costs a process of Airflow."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from client import HERE, run_lean_server
from table import Row

EXAMPLE = HERE.parent / "example_dags" / "pause_one_batch.py"
HTTP_EXAMPLE = """
from datetime import timedelta
import pendulum
from airflow.sdk import DAG
from airflow.providers.http.operators.http import HttpOperator
with DAG("d", schedule="0 18 * * mon-fri", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False):
    HttpOperator(task_id="pause", endpoint="/x", retries=3, retry_delay=timedelta(seconds=30))
"""
TASK = """
import re, sys
from airflow.sdk import BaseOperator
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator
task = PauseCallBatchesOperator(task_id="pause", campaign_id=7)
if sys.argv[1] == "run":
    assert len(task.execute({})["paused"]) == 1000
# Not getrusage(): its peak includes that of the parent process.
print(int(re.search("VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


def measure_imports() -> list[Row]:
    """Time the import of the operators after Airflow's SDK, and the parsing of an example DAG."""
    ours = _median_ms("import airflow_provider_isales.operators.call_batch")
    http = _median_ms("import airflow.providers.http.operators.http")
    example = _median_ms(f"import runpy; runpy.run_path({str(EXAMPLE)!r})")
    http_example = _median_ms(HTTP_EXAMPLE)
    return [
        Row("import of the operators, ms", f"{ours:.0f} ms", f"HttpOperator {http:.0f} ms", ours, goal=60),
        Row(
            "first parse of an example DAG",
            f"{example:.0f} ms",
            f"with HttpOperator {http_example:.0f} ms",
            example / http_example,
        ),
    ]


def measure_memory() -> list[Row]:
    """Measure the peak memory of the bulk task, and of a process that only creates the task."""
    with run_lean_server() as server:
        os.environ["AIRFLOW_CONN_ISALES_DEFAULT"] = server.connection()
        peaks = {
            how: float(subprocess.check_output([sys.executable, "-c", TASK, how], text=True).splitlines()[-1])
            for how in ("empty", "run")
        }
    more = peaks["run"] - peaks["empty"]
    return [
        Row(
            "peak memory of 1000 batches, MB",
            f"{peaks['run']:.0f} MB",
            f"empty task {peaks['empty']:.0f} MB",
            more,
            goal=20,
        )
    ]


def _median_ms(code: str, times: int = 7) -> float:
    program = (
        f"import time, airflow.sdk\nfrom airflow.sdk import DAG, BaseOperator\nbegan = time.perf_counter()\n{code}\n"
    )
    program += "print(time.perf_counter() - began)"
    outputs = [subprocess.check_output([sys.executable, "-c", program], text=True) for _ in range(times)]
    return statistics.median(float(output.splitlines()[-1]) for output in outputs) * 1000


def measure() -> list[Row]:
    """Measure all."""
    return [*measure_imports(), *measure_memory()]
