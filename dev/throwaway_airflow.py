"""
A throw-away Airflow 3 with scheduler, API server and SQLite, in a directory of its own.

Run as a program, it serves the example DAGs with the UI until interrupted.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from airflow_provider_isales.simulator import Simulator

REPOSITORY = Path(__file__).resolve().parents[1]
START_SECONDS = 120
RUN_SECONDS = 120
STOP_SECONDS = 10


class ThrowawayAirflow:
    """
    As a context manager, ``airflow standalone`` runs from entry to exit; nothing of it is left running.

    :param home: the directory for database, logs and configuration; it is emptied first
    :param dags: the folder with DAG files
    :param environment: more environment variables, connections for example
    :param port: of the API server and UI; 0 takes a free one
    """

    def __init__(self, home: Path, dags: Path, environment: Mapping[str, str], port: int = 0) -> None:
        self.home = home
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = home / "standalone.log"
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
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port()),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
            "NO_PROXY": "127.0.0.1,localhost",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **environment,
        }
        self._api = requests.Session()
        self._api.trust_env = False

    def __enter__(self) -> Self:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).parent / "airflow"), "standalone"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_serves()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End its whole process group: the first process ends most of the others, and some outlive it."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        for how in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)
                deadline = time.monotonic() + STOP_SECONDS
                while time.monotonic() < deadline:
                    self._process.poll()
                    os.killpg(self._process.pid, 0)
                    time.sleep(0.1)

    def run(self, dag_id: str, conf: Mapping[str, Any]) -> list[dict[str, Any]]:
        """
        Trigger a DAG, wait for the end of the run, and give its task instances.

        :param dag_id: the DAG
        :param conf: the configuration of the run
        :raises TimeoutError: if the DAG is not there or the run does not end within two minutes
        """
        self._wait_for(lambda: self.api("GET", f"dags/{dag_id}").ok, f"DAG {dag_id}")
        answer = self.api("POST", f"dags/{dag_id}/dagRuns", json={"conf": dict(conf), "logical_date": None})
        answer.raise_for_status()
        path = f"dags/{dag_id}/dagRuns/{answer.json()['dag_run_id']}"
        self._wait_for(lambda: self.api("GET", path).json()["state"] in ("success", "failed"), path)
        return list(self.api("GET", f"{path}/taskInstances", params={"limit": 100}).json()["task_instances"])

    def xcom(self, instance: Mapping[str, Any]) -> Any:
        """Give what a task instance returned, None if nothing."""
        answer = self.api("GET", f"{_path(instance)}/xcomEntries/return_value", params={"deserialize": True})
        return answer.json()["value"] if answer.ok else None

    def log(self, instance: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the log of a task instance's last try as structured events."""
        answer = self.api("GET", f"{_path(instance)}/logs/{instance['try_number']}", params={"full_content": True})
        return [event for event in answer.json()["content"] if isinstance(event, dict)]

    def api(self, method: str, path: str, **settings: Any) -> requests.Response:
        """Call Airflow's REST API."""
        return self._api.request(method, f"{self.url}/api/v2/{path}", timeout=30, **settings)

    def _wait_until_it_serves(self) -> None:
        self._wait_for(self._has_a_token, "the API server", START_SECONDS)
        self._wait_for(
            lambda: self.api("GET", "monitor/health").json()["scheduler"]["status"] == "healthy", "the scheduler"
        )

    def _has_a_token(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"airflow standalone ended; see {self._log}:\n{self._log.read_text()[-2000:]}")
        try:
            answer = self._api.post(f"{self.url}/auth/token", json={}, timeout=5)
            if not answer.ok:
                answer = self._api.get(f"{self.url}/auth/token", timeout=5)
            self._api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        except (requests.RequestException, ValueError, KeyError):
            return False
        return True

    def _wait_for(self, condition: Any, what: str, seconds: float = RUN_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds} s for {what}; see {self._log}")
            time.sleep(0.3)


def _path(instance: Mapping[str, Any]) -> str:
    return f"dags/{instance['dag_id']}/dagRuns/{instance['dag_run_id']}/taskInstances/{instance['task_id']}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def main() -> None:
    """Serve the example DAGs until interrupted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    simulator = Simulator(port=8443, ca_file=REPOSITORY / ".venv" / "isales-simulator-ca.pem")
    connection = {"AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection()}
    home = REPOSITORY / ".airflow"
    with ThrowawayAirflow(home, REPOSITORY / "example_dags", connection, port=8080) as airflow:
        print(f"Airflow with the example DAGs: {airflow.url} (no login; Ctrl-C to stop; logs in {home})", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping")


if __name__ == "__main__":
    main()
