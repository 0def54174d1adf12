"""``isales`` where Airflow is installed: connections that only Airflow knows, and ``airflow isales``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
from airflow.providers_manager import ProvidersManager
from airflow_runs import start_airflow

from airflow_provider_isales.simulator import Simulator

CONN_ID = "isales_test"


@pytest.fixture
def environment(isales_simulator: Simulator) -> dict[str, str]:
    """The environment of a process that has no connection in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN_")}


def command(environment: dict[str, str], program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_connection_in_the_database_is_found(
    isales_simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    isales_simulator.add_campaign(1001, batches=1)
    start_airflow()
    # From a file: Airflow 2.11.0 keeps a command's arguments in its database, a secret key too.
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"isales_stored": json.loads(isales_simulator.connection())}))
    added = command(environment, "airflow", "connections", "import", str(file))
    assert added.returncode == 0, added
    done = command(environment, "isales", "check", "1001", "--conn-id", "isales_stored", "--output", "json")
    assert done.returncode == 1, done
    assert len(json.loads(done.stdout)[0]["started"]) == 1


def test_a_connection_in_a_secrets_backend_is_found(
    isales_simulator: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    isales_simulator.add_campaign(1001, batches=1)
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({CONN_ID: json.loads(isales_simulator.connection())}))
    environment |= {
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(file)}),
    }
    done = command(environment, "isales", "list", "1001", "--conn-id", CONN_ID)
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 1


def test_a_connection_as_uri_is_read_by_airflow(isales_simulator: Simulator, environment: dict[str, str]) -> None:
    isales_simulator.add_campaign(1001, batches=1)
    query = urlencode({"vdn_id": 25, "verify": str(isales_simulator.ca_file)})
    port = isales_simulator.port
    environment["AIRFLOW_CONN_ISALES_DEFAULT"] = f"isales://simulator:simulator-secret-key@127.0.0.1:{port}/?{query}"
    assert command(environment, "isales", "list", "1001").returncode == 0


@pytest.mark.skipif(not hasattr(ProvidersManager, "cli_command_functions"), reason="Airflow before 3.2")
class TestWithinAirflow:
    def test_airflow_isales_runs_the_same_command(
        self, isales_simulator: Simulator, environment: dict[str, str]
    ) -> None:
        isales_simulator.add_campaign(1001, batches=1)
        environment["AIRFLOW_CONN_ISALES_DEFAULT"] = isales_simulator.connection()
        done = command(environment, "airflow", "isales", "check", "1001")
        assert done.returncode == 1, done
        assert done.stdout == command(environment, "isales", "check", "1001").stdout

    def test_airflow_isales_help_has_the_same_options_and_examples(self, environment: dict[str, str]) -> None:
        ours, airflows = (
            command(environment, *program, "pause", "--help").stdout for program in (("isales",), ("airflow", "isales"))
        )
        assert set(re.findall("--[a-z-]+", ours)) == set(re.findall("--[a-z-]+", airflows))
        assert ours.partition("examples:")[2].split() == airflows.partition("examples:")[2].split() != []
