"""``isales`` where Airflow is installed: connections that only Airflow knows, and ``airflow isales``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import starmap
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from airflow.configuration import conf
from airflow.models.connection import Connection
from airflow.providers_manager import ProvidersManager
from airflow_runs import start_airflow
from variables import delete_variable, with_database

from airflow_provider_isales.simulator import Simulator

CONN_ID = "isales_test"


@pytest.fixture
def environment(isales_simulator: Simulator) -> dict[str, str]:
    """The environment of a process that has no connection in it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN_")}
    return {**others, "AIRFLOW__CORE__FERNET_KEY": conf.get("core", "fernet_key")}


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


def test_a_connection_in_the_database_is_found(environment: dict[str, str]) -> None:
    start_airflow()
    # The database is not encrypted, and another test looks for the usual secret key in it.
    with Simulator(secret_key="stored-secret-key") as simulator:
        simulator.add_campaign(1001, batches=1)
        connection = Connection.from_json(simulator.connection(), "isales_stored")
        with_database(lambda session, model: session.add(connection))
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


@dataclass(frozen=True)
class HoldCase:
    """
    A call of ``isales hold``.

    :param arguments: those of the command
    :param text: what the Variable holds before; None for no Variable
    :param environment: more variables of the environment
    """

    arguments: Sequence[str]
    text: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """What a call of ``isales hold`` did; ``found`` is the text in the Variable, ``before`` when the call began."""

    status: int
    output: str
    errors: str
    found: str | None
    before: str


ZONE = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # in which it is noon
UNTIL = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0).isoformat()
LASTING = {"until": "2999-01-01T20:00+08:00", "campaign_ids": [1], "reason": "end of month"}
CASES = {
    "written": HoldCase(
        ["--until", UNTIL, "--timezone", "Asia/Shanghai", "--reason", "end of month", "--campaign=2", "--campaign=1"]
    ),
    "of today": HoldCase(["--until", "20:00"]),
    "lasting": HoldCase(["--clear"], json.dumps(LASTING)),
    "over": HoldCase(["--clear"], '{"until": "2026-01-01T20:00+08:00"}'),
    "wrong": HoldCase(["--clear"], "tonight"),
    "none": HoldCase(["--clear"]),
    "cleared, but in the environment": HoldCase(["--clear"], None, {"AIRFLOW_VAR_ISALES_HOLD": '{"until": "20:00"}'}),
    "written, but in the environment": HoldCase(["--until", UNTIL], None, {"AIRFLOW_VAR_ISALES_HOLD": "{}"}),
}
# All in one process: to import Airflow takes longer than what the commands do.
RUN_ALL = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from airflow_provider_isales.cli.runner import run_command_line
from variables import delete_variable, read_text, set_variable

def run(arguments, text, environment):
    delete_variable("isales_hold")
    if text is not None:
        set_variable("isales_hold", text)
    os.environ.update(environment)
    before = datetime.now(UTC).replace(microsecond=0).isoformat()
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()) as errors:
        status = run_command_line(["hold", *arguments])
    for name in environment:
        del os.environ[name]
    return status, output.getvalue(), errors.getvalue(), read_text("isales_hold"), before

print(json.dumps([run(*case) for case in json.loads(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def all_held(server: Simulator) -> dict[str, Held]:
    """What the calls of all cases did, in one process."""
    start_airflow()
    environment = {
        **os.environ,
        "AIRFLOW__CORE__FERNET_KEY": conf.get("core", "fernet_key"),
        "AIRFLOW_CONN_ISALES_DEFAULT": server.connection(timezone=ZONE),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    cases = [(case.arguments, case.text, case.environment) for case in CASES.values()]
    output = subprocess.check_output([sys.executable, "-c", RUN_ALL, json.dumps(cases)], text=True, env=environment)
    delete_variable("isales_hold")
    return dict(zip(CASES, starmap(Held, json.loads(output.splitlines()[-1])), strict=True))


class TestAHoldInAVariable:
    def test_is_written_with_an_absolute_time(self, all_held: dict[str, Held]) -> None:
        held = all_held["written"]
        until = datetime.fromisoformat(UNTIL).astimezone(ZoneInfo("Asia/Shanghai")).isoformat()
        assert held.status == 0, held
        assert json.loads(held.found or "") == {"until": until, "campaign_ids": [1, 2], "reason": "end of month"}
        assert held.output.startswith(f"Pause tasks leave campaigns 1, 2 alone until {until}.")

    def test_of_today_is_in_the_zone_of_the_connection(self, all_held: dict[str, Held]) -> None:
        held = all_held["of today"]
        assert held.status == 0, held
        until = datetime.fromisoformat(json.loads(held.found or "")["until"])
        began = datetime.fromisoformat(held.before).astimezone(ZoneInfo(ZONE))
        assert until == began.replace(hour=20, minute=0, second=0, microsecond=0)
        assert until.utcoffset() == began.utcoffset()

    def test_that_lasts_is_ended_now(self, all_held: dict[str, Held]) -> None:
        held = all_held["lasting"]
        assert held.status == 0, held
        found = json.loads(held.found or "")
        until = datetime.fromisoformat(found.pop("until"))
        assert datetime.fromisoformat(held.before) <= until <= datetime.now(UTC)
        assert found == {"campaign_ids": [1], "reason": "end of month"}

    @pytest.mark.parametrize("case", ["over", "wrong", "none"])
    def test_that_is_over_or_can_not_be_ended_is_deleted(self, all_held: dict[str, Held], case: str) -> None:
        held = all_held[case]
        assert (held.status, held.output) == (0, "There is no hold in the Variable isales_hold.\n"), held
        assert held.found is None

    def test_that_the_environment_keeps_is_not_reported_as_cleared(self, all_held: dict[str, Held]) -> None:
        held = all_held["cleared, but in the environment"]
        assert (held.status, held.output) == (1, ""), held
        assert "a secrets backend or the environment overrides it" in held.errors

    def test_that_is_hidden_by_the_environment_is_told(self, all_held: dict[str, Held]) -> None:
        held = all_held["written, but in the environment"]
        assert held.status == 1
        assert "a secrets backend or the environment overrides it" in held.errors
