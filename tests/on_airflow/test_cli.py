"""``isales`` where Airflow is installed: connections that only Airflow knows, and ``airflow isales``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from airflow.providers_manager import ProvidersManager
from airflow_runs import start_airflow
from variables import delete_variable, read_variable, set_variable

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


class TestAHoldInAVariable:
    @pytest.fixture(autouse=True)
    def no_variable(self, environment: dict[str, str]) -> Iterator[None]:
        from airflow.configuration import conf

        environment["AIRFLOW__CORE__FERNET_KEY"] = conf.get("core", "fernet_key")
        start_airflow()
        delete_variable("isales_hold")
        yield
        delete_variable("isales_hold")

    def test_is_written_with_an_absolute_time(self, environment: dict[str, str]) -> None:
        until = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
        arguments = ["--until", until.isoformat(), "--timezone", "Asia/Shanghai", "--reason", "end of month"]
        done = command(environment, "isales", "hold", *arguments, "--campaign", "2", "--campaign", "1")
        assert done.returncode == 0, done
        assert read_variable("isales_hold") == {
            "until": until.astimezone(ZoneInfo("Asia/Shanghai")).isoformat(),
            "campaign_ids": [1, 2],
            "reason": "end of month",
        }
        until_text = read_variable("isales_hold")["until"]
        assert done.stdout.startswith(f"Pause tasks leave campaigns 1, 2 alone until {until_text}.")

    def test_of_today_is_in_the_zone_of_the_connection(
        self, isales_simulator: Simulator, environment: dict[str, str]
    ) -> None:
        zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # in which it is noon
        environment["AIRFLOW_CONN_ISALES_DEFAULT"] = isales_simulator.connection(timezone=zone)
        done = command(environment, "isales", "hold", "--until", "20:00")
        assert done.returncode == 0, done
        until = datetime.fromisoformat(read_variable("isales_hold")["until"])
        assert (until, until.utcoffset()) == (
            datetime.now(ZoneInfo(zone)).replace(hour=20, minute=0, second=0, microsecond=0),
            datetime.now(ZoneInfo(zone)).utcoffset(),
        )

    def test_that_lasts_is_ended_now(self, environment: dict[str, str]) -> None:
        lasting = {"until": "2999-01-01T20:00+08:00", "campaign_ids": [1], "reason": "end of month"}
        set_variable("isales_hold", json.dumps(lasting))
        before = datetime.now(UTC).replace(microsecond=0)
        done = command(environment, "isales", "hold", "--clear")
        assert done.returncode == 0, done
        found = read_variable("isales_hold")
        assert before <= datetime.fromisoformat(found.pop("until")) <= datetime.now(UTC)
        assert found == {"campaign_ids": [1], "reason": "end of month"}

    @pytest.mark.parametrize("text", ['{"until": "2026-01-01T20:00+08:00"}', "tonight", None])
    def test_that_is_over_or_can_not_be_ended_is_deleted(self, environment: dict[str, str], text: str | None) -> None:
        if text is not None:
            set_variable("isales_hold", text)
        done = command(environment, "isales", "hold", "--clear")
        assert (done.returncode, done.stdout) == (0, "There is no hold in the Variable isales_hold.\n"), done
        assert read_variable("isales_hold") is None

    def test_that_the_environment_keeps_is_not_reported_as_cleared(self, environment: dict[str, str]) -> None:
        environment["AIRFLOW_VAR_ISALES_HOLD"] = '{"until": "20:00"}'
        done = command(environment, "isales", "hold", "--clear")
        assert (done.returncode, done.stdout) == (1, ""), done
        assert "a secrets backend or the environment overrides it" in done.stderr

    def test_that_is_hidden_by_the_environment_is_told(self, environment: dict[str, str]) -> None:
        environment["AIRFLOW_VAR_ISALES_HOLD"] = "{}"
        until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        done = command(environment, "isales", "hold", "--until", until)
        assert done.returncode == 1
        assert "a secrets backend or the environment overrides it" in done.stderr
