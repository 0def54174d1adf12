"""DAGs that the test of scheduling publishes: one for each timetable, with and without catchup."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from two_years import FIRST, TIMETABLES

for timetable in TIMETABLES:
    for catchup in (True, False):
        with DAG(
            f"scheduled_{timetable._edge}_{'with' if catchup else 'without'}_catchup",
            schedule=timetable,
            start_date=FIRST,
            catchup=catchup,
            max_active_runs=10_000,
        ) as dag:
            EmptyOperator(task_id="nothing")
        globals()[dag.dag_id] = dag
