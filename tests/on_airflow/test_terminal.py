"""``isales`` where Airflow is installed: connections that only Airflow knows, and ``airflow isales``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from airflow.models.connection import Connection
from airflow.providers_manager import ProvidersManager
from airflow_runs import start_airflow
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_isales.hooks.settings import client_settings
from airflow_provider_isales.simulator import Simulator
from airflow_provider_isales.terminal.connections import read

CONN_ID = "isales_test"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
EXTRA = st.fixed_dictionaries(
    {},
    optional={
        "vdn_id": st.sampled_from([1, 9999, "25"]),
        "verify": st.sampled_from(["true", "false", True, False]),
        "timeout": st.sampled_from([5, 0.5, "7"]),
        "signing_profile": st.sampled_from(["current", "legacy"]),
        "proxies": st.sampled_from([{"https": "http://proxy.example.com:3128"}, '{"all": "http://u:p@proxy:1"}']),
        "unknown": TEXT,
    },
)
HOST = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[A-Za-z]{1,5}){0,2}", fullmatch=True)
PORT = st.none() | st.integers(1, 65535)
FIELDS = st.fixed_dictionaries({"host": HOST, "port": PORT, "login": TEXT, "password": TEXT})


def agrees(text: str) -> None:
    """Make sure that a client is made with the same settings from what Airflow reads as from what we read."""
    ours = read(text, CONN_ID, "it")
    airflows = Connection.from_json(text, CONN_ID) if text.startswith("{") else Connection(CONN_ID, uri=text)
    assert comparable(client_settings(ours)) == comparable(client_settings(airflows))


def comparable(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"secret_key": found["secret_key"].reveal()}


@settings(deadline=None)
@given(FIELDS, EXTRA, st.booleans())
def test_json_is_read_as_airflow_reads_it(fields: dict[str, Any], extra: dict[str, Any], as_text: bool) -> None:
    agrees(json.dumps({"conn_type": "isales", **fields, "extra": json.dumps(extra) if as_text else extra}))


@settings(deadline=None)
@given(FIELDS, EXTRA, st.booleans())
def test_a_uri_is_read_as_airflow_reads_it(fields: dict[str, Any], extra: dict[str, Any], in_one: bool) -> None:
    values = {"__extra__": extra} if in_one else extra
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    query = "&".join(f"{name}={quote(text, safe='')}" for name, text in texts.items())
    login, password = (quote(fields[name], safe="") for name in ("login", "password"))
    port = f":{fields['port']}" if fields["port"] else ""
    agrees(f"isales://{login}:{password}@{fields['host']}{port}/?{query}")


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


def test_a_connection_in_the_database_is_found(isales_simulator: Simulator, environment: dict[str, str]) -> None:
    isales_simulator.add_campaign(1001, batches=1)
    start_airflow()
    added = command(environment, "airflow", "connections", "add", CONN_ID, "--conn-json", isales_simulator.connection())
    assert added.returncode == 0, added
    try:
        done = command(environment, "isales", "check", "1001", "--conn-id", CONN_ID, "--output", "json")
    finally:
        command(environment, "airflow", "connections", "delete", CONN_ID)
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


@pytest.mark.skipif(not hasattr(ProvidersManager, "cli_command_functions"), reason="Airflow before 3.2")
class TestWithinAirflow:
    def test_the_same_command_is_there(self, isales_simulator: Simulator, environment: dict[str, str]) -> None:
        isales_simulator.add_campaign(1001, batches=1)
        environment["ISALES_CONN"] = isales_simulator.connection()
        done = command(environment, "airflow", "isales", "check", "1001")
        assert done.returncode == 1, done
        assert done.stdout == command(environment, "isales", "check", "1001").stdout

    def test_its_help_is_the_same_too(self, environment: dict[str, str]) -> None:
        ours, airflows = (
            command(environment, *program, "pause", "--help").stdout for program in (("isales",), ("airflow", "isales"))
        )
        assert ours.partition("positional arguments")[2] == airflows.partition("positional arguments")[2] != ""
