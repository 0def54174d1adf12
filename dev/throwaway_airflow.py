"""
A throw-away Airflow 3 in a directory of its own: all in one with SQLite, or each component by itself.

Run as a program, it serves the example DAGs with the UI until interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from processes import (
    WAIT_SECONDS,
    ProcessGroup,
    StartError,
    find_free_port,
    is_open,
    lock_directory,
    run_program,
    wait_for,
)

from airflow_provider_isales.simulator import Simulator

REPOSITORY = Path(__file__).resolve().parents[1]
AIRFLOW = Path(sys.executable).parent / "airflow"
START_SECONDS = 300
# Under hundreds of tasks on two cores, the API server takes its time.
API_SECONDS = 120
# DAGs are found soon, and read no more often than they change.
READ_DAGS_ONCE = {
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}


class ThrowawayAirflow:
    """
    As a context manager, Airflow runs from entry to exit, and leaves no process behind.

    :param home: the directory for database, logs and configuration; it is emptied first. No other Airflow may use it
    :param dags: the folder with DAG files
    :param environment: more environment variables, connections for example
    :param port: the port of API server and UI; 0 takes a free one
    :param components: the ``airflow`` commands to run; several need a database in the environment
    :raises StartError: on entry, if the home is in use, the port is taken, or a component ends
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        environment: Mapping[str, str],
        port: int = 0,
        components: Sequence[str] = ("standalone",),
    ) -> None:
        self.home = home
        self.components = components
        self.port = port or find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self._environment = own | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(find_free_port()),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(find_free_port()),
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **environment,
        }
        self._api = requests.Session()
        self._api.trust_env = False

    def __enter__(self) -> Self:
        self._running = ExitStack()
        try:
            self._in_use = self._running.enter_context(lock_directory(self.home))
            self._check_that_the_port_is_free()
            if "standalone" not in self.components:
                subprocess.check_call([AIRFLOW, "db", "migrate"], env=self._environment, stdout=subprocess.DEVNULL)
            self._processes = [self.start(component) for component in self.components]
            self._wait_until_it_serves()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.close()

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None, log: str = "") -> ProcessGroup:
        """
        Start one more component, which ends with the others.

        :param arguments: the arguments of ``airflow``
        :param environment: more environment variables for it alone
        :param log: the name of its log; that of the component if empty
        """
        process = ProcessGroup(
            [AIRFLOW, *arguments],
            self.home / f"{log or arguments[0]}.log",
            {**self._environment, **(environment or {})},
            holds=[self._in_use],
        )
        self._running.callback(process.stop)
        return process

    def unpause_dag(self, dag_id: str) -> None:
        """
        Unpause a DAG, and wait until the runs for missed dates have ended.

        :raises TimeoutError: if that takes more than two minutes
        """
        wait_for(lambda: self.api("GET", f"dags/{dag_id}").ok, f"DAG {dag_id}")
        self.api("PATCH", f"dags/{dag_id}", json={"is_paused": False}).raise_for_status()
        wait_for(lambda: self._is_up_to_date(dag_id), f"the runs of {dag_id}")

    def run_dag(self, dag_id: str, conf: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Trigger a DAG, wait for the end of the run, and return its task instances."""
        return self.wait_for_run(self.trigger_dag(dag_id, conf))

    def trigger_dag(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """
        Trigger a DAG.

        :return: the run's path in the REST API
        :raises TimeoutError: if the DAG is not there within two minutes
        """
        wait_for(lambda: self.api("GET", f"dags/{dag_id}").ok, f"DAG {dag_id}")
        response = self.api("POST", f"dags/{dag_id}/dagRuns", json={"conf": dict(conf), "logical_date": None})
        response.raise_for_status()
        return f"dags/{dag_id}/dagRuns/{response.json()['dag_run_id']}"

    def wait_for_run(self, run: str, seconds: float = WAIT_SECONDS) -> list[dict[str, Any]]:
        """
        Wait for the end of a run, and return its task instances.

        :param run: what :meth:`trigger_dag` returned
        :param seconds: how long to wait
        :raises TimeoutError: if the run does not end in that time
        """
        wait_for(lambda: self.api("GET", run).json()["state"] in ("success", "failed"), run, seconds)
        return self.list_task_instances(run)

    def list_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG, in the order in which they were due; none before Airflow knows the DAG."""
        response = self.api("GET", f"dags/{dag_id}/dagRuns", params={"order_by": "run_after"})
        return list(response.json()["dag_runs"]) if response.ok else []

    def list_task_instances(self, run: str) -> list[dict[str, Any]]:
        """Return the task instances of a run."""
        found: list[dict[str, Any]] = []
        while True:  # page by page
            page = self.api("GET", f"{run}/taskInstances", params={"limit": 100, "offset": len(found)}).json()
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def get_xcom(self, instance: Mapping[str, Any]) -> Any:
        """Return the value that a task instance returned; None if there is none."""
        parameters = {"deserialize": True, "map_index": instance["map_index"]}
        response = self.api("GET", f"{_path(instance)}/xcomEntries/return_value", params=parameters)
        return response.json()["value"] if response.ok else None

    def get_log(self, instance: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the structured events in the log of a task instance's last try."""
        response = self.api("GET", f"{_path(instance)}/logs/{instance['try_number']}", params={"full_content": True})
        return [event for event in response.json()["content"] if isinstance(event, dict)]

    def api(self, method: str, path: str, **settings: Any) -> requests.Response:
        """Call Airflow's REST API."""
        return self._api.request(method, f"{self.url}/api/v2/{path}", timeout=API_SECONDS, **settings)

    def _is_up_to_date(self, dag_id: str) -> bool:
        due = self.api("GET", f"dags/{dag_id}/details").json()["next_dagrun_run_after"]
        runs = self.api("GET", f"dags/{dag_id}/dagRuns", params={"state": ["queued", "running"]}).json()["dag_runs"]
        return not runs and (due is None or datetime.fromisoformat(due) > datetime.now(UTC))

    def _check_that_the_port_is_free(self) -> None:
        try:
            socket.create_server(("127.0.0.1", self.port)).close()
        except (OSError, OverflowError) as error:
            raise StartError(
                f"port {self.port} cannot be used: {error}\n"
                "End what listens there, or take another port, as in `make airflow PORT=8081`."
            ) from None

    def _wait_until_it_serves(self) -> None:
        def serves() -> bool:
            for process in self._processes:
                process.check()
            return is_open(self.port) and self._has_a_token() and self._scheduler_is_healthy()

        wait_for(serves, f"API server and scheduler; see the logs in {self.home}", START_SECONDS)

    def _scheduler_is_healthy(self) -> bool:
        return bool(self.api("GET", "monitor/health").json()["scheduler"]["status"] == "healthy")

    def _has_a_token(self) -> bool:
        try:
            response = self._api.post(f"{self.url}/auth/token", json={}, timeout=5)
            if not response.ok:
                response = self._api.get(f"{self.url}/auth/token", timeout=5)
            self._api.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        except (requests.RequestException, ValueError, KeyError):
            return False
        return True


def _path(instance: Mapping[str, Any]) -> str:
    return f"dags/{instance['dag_id']}/dagRuns/{instance['dag_run_id']}/taskInstances/{instance['task_id']}"


def main() -> int:
    """Serve the example DAGs until interrupted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080, help="of the UI; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--simulator", type=int, default=8443, help="the simulator's port (default: %(default)s)")
    options = parser.parse_args()
    simulator = Simulator(port=options.simulator, ca_file=REPOSITORY / ".venv" / "isales-simulator-ca.pem")
    connection = {"AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection()}
    home = REPOSITORY / ".airflow"
    with ThrowawayAirflow(home, REPOSITORY / "example_dags", connection, options.port) as airflow:
        print(f"Airflow with the example DAGs: {airflow.url} (no login; Ctrl-C to stop; logs in {home})", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    run_program(main)
