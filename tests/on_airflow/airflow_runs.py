"""Real runs of DAGs in this process: Airflow's own task runner, templates, retries and metadata database."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

#: What is called before each try of the operators that ``prepared`` made.
BEFORE_TRY: list[Callable[[], object]] = []
#: What tries of the operators that ``remembering`` made raised.
EXCEPTIONS: list[Exception] = []
#: The property of a test that says what a pause task did: of which answer, what, and with which message.
OUTCOME = "outcome of a pause task"
#: The DAG that the DAGs folder shows to Airflow.
shown: list[Any] = []
DAGS = [Path(__file__).parent / "dags", Path(__file__).parents[2] / "example_dags"]


def same_on_every_airflow(*cases: Any) -> list[Any]:
    """Return cases of a parametrised test that the matrix leaves out but for the newest Airflow: others cost time."""
    return [pytest.param(case, marks=pytest.mark.same_on_every_airflow) for case in cases]


@dataclass(frozen=True)
class TaskRun:
    """How a task instance ended."""

    state: str
    tries: int
    map_index: int
    xcom: Any


def errors_in(log: str) -> list[str]:
    """Return the messages of level ERROR in the log of a task, each once: Airflow 3.0 writes them in two ways."""
    lines = (re.split(r"ERROR - |ERROR +\S+:\d+ |\[error *\] ", line, maxsplit=1) for line in log.splitlines())
    return list(dict.fromkeys(parts[1].strip() for parts in lines if len(parts) > 1))


def airflow_home() -> Path:
    return Path(os.environ["AIRFLOW_HOME"])


@cache
def start_airflow() -> None:
    """Make the metadata database, unless the process that started this one has: it takes seconds even then."""
    from airflow.utils.db import initdb

    dags_folder().mkdir(exist_ok=True)
    made = airflow_home() / "database-is-made"
    if not made.exists():
        initdb()
        made.touch()
    share_the_api_server()
    gc.freeze()  # or each full collection goes through all of Airflow


def share_the_api_server() -> None:
    """Share one API server among all task runs: Airflow 3 starts one for each, which takes longer than most tests."""
    with suppress(ImportError):  # Airflow 2 has none
        from airflow.sdk.execution_time import supervisor

        supervisor.in_process_api_server = cache(supervisor.in_process_api_server)


def dags_folder() -> Path:
    return airflow_home() / "dags"


def link(name: str) -> Path:
    """Leave only this file in the DAGs folder."""
    start_airflow()
    link = dags_folder() / f"{name}.py"
    remove_other_files(link)
    if not link.exists():
        link.symlink_to(next(file for directory in DAGS if (file := directory / link.name).exists()))
    for data in link.resolve().parent.glob("*.json"):
        if not (beside := link.with_name(data.name)).exists():
            beside.symlink_to(data)
    return link


def show_only(dag: Any) -> None:
    """
    Leave only this DAG in the DAGs folder, if this Airflow reads and serializes all of it at each ``dag.test()``.

    For a file of our DAGs, this would take longer than the run of one.
    """
    if not importlib.util.find_spec("airflow.dag_processing.dagbag"):  # Airflow before 3.2
        return
    shown.clear()
    shown.append(dag)
    file = dags_folder() / "shown.py"
    remove_other_files(file)
    file.write_text("# read by Airflow in this process\nfrom airflow_runs import shown\n\n(dag,) = shown\n")


def remove_other_files(file: Path) -> None:
    for other in {*dags_folder().glob("*.py")} - {file}:
        other.unlink()


def read_dags(folder: Path) -> Any:
    """Return the bag of DAGs, and of import errors, that Airflow reads from a folder, a file or a zip."""
    start_airflow()
    dagbag: Any  # elsewhere since Airflow 3.2
    try:
        from airflow.dag_processing import dagbag
    except ImportError:
        from airflow.models import dagbag
    return dagbag.DagBag(dag_folder=str(folder))


def dag_file(name: str) -> ModuleType:
    """Import a DAG file as Airflow would."""
    return imported(link(name))


@cache
def imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"dag_file_{file.stem}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def remembering(operator: Any) -> Any:
    """Return the operator as one that takes down what it raises. A callback won't do: Airflow 3.0 runs it elsewhere."""

    class Remembering(operator):  # type: ignore[misc]  # which operator is up to the DAG file
        def execute(self, context: Any) -> Any:
            try:
                return super().execute(context)
            except Exception as error:
                EXCEPTIONS.append(error)
                raise

    return Remembering


def prepared(operator: Any) -> Any:
    """Return the operator as one that calls all of ``BEFORE_TRY`` at first."""

    class Prepared(operator):  # type: ignore[misc]  # which operator is up to the DAG file
        def execute(self, context: Any) -> Any:
            for prepare in BEFORE_TRY:
                prepare()
            return super().execute(context)

    return Prepared


def publish(name: str) -> None:
    """Write the DAGs of a file to the database as the DAG processor would: serialized, with their assets."""
    dagbag: Any  # in other modules, with other functions, in each line of Airflow
    try:
        dagbag = importlib.import_module("airflow.dag_processing.dagbag")
    except ImportError:
        dagbag = importlib.import_module("airflow.models.dagbag")
    bag = dagbag.DagBag(dag_folder=str(link(name)))
    assert not bag.import_errors
    with suppress(ImportError):  # Airflow 2 has none
        from airflow.dag_processing.bundles.manager import DagBundlesManager

        DagBundlesManager().sync_bundles_to_db()
        sync = getattr(dagbag, "sync_bag_to_db", None) or dagbag.DagBag.sync_to_db
        sync(bag, "dags-folder", None)
        return
    bag.sync_to_db()


def read_asset_event(dag_id: str) -> dict[str, Any]:
    """Return what the only asset event of a DAG holds."""
    from airflow.utils.session import create_session

    try:
        events = importlib.import_module("airflow.models.asset").AssetEvent
    except ImportError:
        events = importlib.import_module("airflow.models.dataset").DatasetEvent
    with create_session() as session:
        (event,) = session.query(events).filter(events.source_dag_id == dag_id).all()
        return dict(event.extra)


def dags_in(module: ModuleType) -> dict[str, Any]:
    from airflow.providers.common.compat.sdk import DAG

    return {dag.dag_id: dag for value in vars(module).values() for dag in [value] if isinstance(value, DAG)}


def run_dag(
    dag: Any, conf: dict[str, Any] | None = None, logical_date: datetime | None = None
) -> dict[str, list[TaskRun]]:
    """Run a DAG once; return how its task instances ended, by task id."""
    start_airflow()
    show_only(dag)
    name = (
        "logical_date" if "logical_date" in signature(dag.test).parameters else "execution_date"
    )  # as Airflow 2 has it
    dag_run = dag.test(run_conf=conf, **({name: logical_date} if logical_date else {}))
    runs: dict[str, list[TaskRun]] = {}
    for ti in sorted(dag_run.get_task_instances(), key=lambda ti: (ti.task_id, ti.map_index)):
        xcom = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
        runs.setdefault(ti.task_id, []).append(TaskRun(str(ti.state), ti.try_number, ti.map_index, xcom))
    return runs
