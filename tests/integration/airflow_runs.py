"""Real runs of DAGs in this process: Airflow's own task runner, templates, retries and metadata database."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

OUTCOMES = pytest.StashKey[list[tuple[str, str, str]]]()
DAGS = [Path(__file__).parent / "dags", Path(__file__).parents[2] / "example_dags"]


@dataclass(frozen=True)
class TaskRun:
    """How a task instance ended."""

    state: str
    tries: int
    map_index: int
    xcom: Any


def airflow_home() -> Path:
    return Path(os.environ["AIRFLOW_HOME"])


@cache
def start_airflow() -> None:
    """Make the metadata database, and a folder with links to all DAG files."""
    from airflow.utils.db import initdb

    folder = airflow_home() / "dags"
    folder.mkdir()
    for file in (file for directory in DAGS for file in directory.glob("*.py")):
        (folder / file.name).symlink_to(file)
    initdb()


@cache
def dag_file(name: str) -> ModuleType:
    """Import a DAG file as Airflow would."""
    start_airflow()
    spec = importlib.util.spec_from_file_location(f"dag_file_{name}", airflow_home() / "dags" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def dags_in(module: ModuleType) -> dict[str, Any]:
    from airflow.providers.common.compat.sdk import DAG

    return {dag.dag_id: dag for value in vars(module).values() for dag in [value] if isinstance(value, DAG)}


def run_dag(
    dag: Any, conf: dict[str, Any] | None = None, logical_date: datetime | None = None
) -> dict[str, list[TaskRun]]:
    """Run a DAG once; give how its task instances ended, by task id."""
    start_airflow()
    name = (
        "logical_date" if "logical_date" in signature(dag.test).parameters else "execution_date"
    )  # as Airflow 2 has it
    dag_run = dag.test(run_conf=conf, **({name: logical_date} if logical_date else {}))
    runs: dict[str, list[TaskRun]] = {}
    for ti in sorted(dag_run.get_task_instances(), key=lambda ti: (ti.task_id, ti.map_index)):
        xcom = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
        runs.setdefault(ti.task_id, []).append(TaskRun(str(ti.state), ti.try_number, ti.map_index, xcom))
    return runs
