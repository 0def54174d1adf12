"""An Airflow in a virtual environment of its own, in which packages are upgraded and removed between runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import distributions
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from processes import ProcessGroup, find_free_port, is_open, wait_for
from throwaway_airflow import REPOSITORY

PACKAGE = "airflow-provider-isales"
UV = [sys.executable, "-m", "uv"]
GIT = shutil.which("git") or "git"
#: What runs of an Airflow: in 2 the scheduler parses DAGs, and nothing else needs a server.
COMPONENTS = {True: ("scheduler", "triggerer"), False: ("api-server", "scheduler", "dag-processor", "triggerer")}
READ_ALL = """
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
with create_session() as session:
    for row in session.query(SerializedDagModel):
        print("read", row.dag_id, row.dag.timetable.summary)
"""


class VirtualEnvironment:
    """
    A virtual environment with an Airflow as its users have it: nothing of ours is in it.

    :param directory: where to make it
    :param line: the line of Airflow, as ``constraints/`` names it
    """

    def __init__(self, directory: Path, line: str) -> None:
        self.bin = directory / "bin"
        run(*UV, "venv", "--quiet", "--python", sys.executable, directory)
        self.install("apache-airflow", f"--constraints={REPOSITORY}/constraints/airflow-{line}.txt")

    def install(self, *what: str | Path) -> None:
        """Install packages, as ``uv pip install`` does."""
        run(*UV, "pip", "install", "--quiet", "--python", self.bin / "python", *what)

    def uninstall(self, package: str) -> None:
        """Remove a package."""
        run(*UV, "pip", "uninstall", "--quiet", "--python", self.bin / "python", package)

    def installed(self) -> dict[str, str]:
        """Return the versions of all packages that are installed, by their names."""
        listed = json.loads(run(*UV, "pip", "list", "--quiet", "--format=json", "--python", self.bin / "python"))
        return {each["name"]: each["version"] for each in listed}


class ThisEnvironment:
    """The environment that the tests run in."""

    bin = Path(sys.executable).parent

    def installed(self) -> dict[str, str]:
        """Return the versions of all packages that are installed, by their names."""
        return {each.name: each.version for each in distributions()}


class InstalledAirflow:
    """
    An Airflow whose database, in SQLite, is there before and after its processes.

    :param home: the directory for database, DAG files and logs
    :param environment: where it is installed
    :param settings: more environment variables
    """

    def __init__(self, home: Path, environment: VirtualEnvironment | ThisEnvironment, settings: dict[str, str]) -> None:
        self.home, self._bin = home, environment.bin
        self.dags = home / "dags"
        self.dags.mkdir(parents=True)
        self._port = find_free_port()
        self._url = url = f"http://127.0.0.1:{self._port}"
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        self._settings = own | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "so-that-all-components-trust-one-another-in-this-test",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(find_free_port()),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(find_free_port()),
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "5",
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            **settings,
        }
        self._number = 0
        version = environment.installed()["apache-airflow"]
        self.components = COMPONENTS[version.startswith("2.")]
        self.command("db", "migrate")

    def command(self, *arguments: str) -> str:
        """Carry out an ``airflow`` command, and return what it printed."""
        return run(self._bin / "airflow", *arguments, environment=self._settings)

    def api(self, method: str, path: str, **settings: Any) -> requests.Response:
        """Call the REST API of an Airflow 3."""
        with requests.Session() as session:
            session.trust_env = False
            token = session.get(f"{self._url}/auth/token", timeout=30).json()["access_token"]
            session.headers["Authorization"] = f"Bearer {token}"
            return session.request(method, f"{self._url}/api/v2/{path}", timeout=30, **settings)

    def serialized(self) -> list[str]:
        """Read all serialized DAGs with the installed version; return the ids of those that it could read."""
        printed = run(self._bin / "python", "-c", READ_ALL, environment=self._settings)
        return sorted({*re.findall(r"^read (\w+) (?!no runs)", printed, re.MULTILINE)})

    @contextmanager
    def running(self) -> Iterator[list[ProcessGroup]]:
        """Run all components, the API server first: tasks fail that cannot reach it."""
        self._number += 1
        with ExitStack() as stack:
            processes: list[ProcessGroup] = []
            for component in self.components:
                log = self.home / f"{self._number}-{component}.log"
                processes.append(ProcessGroup([self._bin / "airflow", component], log, self._settings))
                stack.callback(processes[-1].stop)
                if component == "api-server":
                    wait_while_running(processes, lambda: is_open(self._port), f"the API server; see {log}")
            yield processes

    def rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Ask the database, which costs less than asking Airflow."""
        with closing(sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(statement, values).fetchall()

    def states(self, dag_id: str, run_id: str = "%") -> list[str]:
        """Return the states of a DAG's runs, in the order of what they are for."""
        ordered = "SELECT state FROM dag_run WHERE dag_id = ? AND run_id LIKE ? ORDER BY data_interval_start"
        return [state for (state,) in self.rows(ordered, dag_id, run_id)]

    def get_xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task returned."""
        ((value,),) = self.rows(
            "SELECT value FROM xcom WHERE dag_id = ? AND run_id = ? AND task_id = ? AND key = 'return_value'",
            *(dag_id, run_id, task_id),
        )
        while isinstance(value, str | bytes):
            value = json.loads(value)
        return value


def wheel_of(source: Path, into: Path) -> Path:
    """Build the wheel of a source tree."""
    run(*UV, "build", "--quiet", "--wheel", "--out-dir", into, source)
    (wheel,) = into.glob("*.whl")
    return wheel


def source_of(revision: str, into: Path) -> Path:
    """Take the source tree of a revision out of git."""
    archive = subprocess.check_output([GIT, "-C", REPOSITORY, "archive", revision])
    with tarfile.open(fileobj=BytesIO(archive)) as tree:
        tree.extractall(into, filter="data")
    return into


def run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    """Run a command, and return what it printed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def wait_while_running(
    processes: list[ProcessGroup], condition: Callable[[], object], what: str, seconds: float = 180
) -> None:
    """Wait until a condition holds; fail at once if a process ends."""

    def holds() -> bool:
        for process in processes:
            process.check()
        return bool(condition())

    wait_for(holds, what, seconds)
