"""Where ``isales`` finds its connection when there is no Airflow to ask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from isales_command import Isales

from airflow_provider_isales.cli.connections import find_connection, read_connection
from airflow_provider_isales.cli.output import UsageError
from airflow_provider_isales.simulator import Simulator

SECRET = "simulator-secret-key"


@pytest.fixture(autouse=True)
def campaign(simulator: Simulator) -> None:
    simulator.add_campaign(1001, batches=1)


@pytest.fixture
def isales(isales: Isales) -> Isales:
    """The command without any connection."""
    del isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"]
    return isales


class TestFound:
    def test_a_connection_is_read_from_a_variable(self, isales: Isales, simulator: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection()
        assert isales("list", 1001).returncode == 0

    def test_a_connection_is_read_from_the_variable_of_its_id(self, isales: Isales, simulator: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_NORTH"] = simulator.connection()
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = "isales://a:b@south.example.com"
        assert isales("list", 1001, "--conn-id", "isales_north").returncode == 0

    def test_a_connection_is_read_from_a_file(self, isales: Isales, connection_file: str) -> None:
        assert isales("list", 1001, "--connection-file", connection_file).returncode == 0

    def test_a_connection_file_that_everybody_can_read_is_a_warning(self, isales: Isales, connection_file: str) -> None:
        assert not isales("list", 1001, "--connection-file", connection_file).stderr
        Path(connection_file).chmod(0o604)
        done = isales("list", 1001, "--connection-file", connection_file)
        assert done.returncode == 0
        assert done.stderr == (
            f"isales: every user of this machine can read the keys in {connection_file}: chmod 600 {connection_file}\n"
        )

    def test_a_connection_is_read_from_a_file_that_airflow_exported(
        self, isales: Isales, simulator: Simulator, tmp_path: Path
    ) -> None:
        file, connection = tmp_path / "exported.json", json.loads(simulator.connection())
        connection["extra"] = json.dumps(connection["extra"])
        exported = {"other": {"conn_type": "http"}, "isales_default": connection | {"schema": None, "description": ""}}
        file.write_text(json.dumps(exported))
        assert isales("list", 1001, "--connection-file", file).returncode == 0

    def test_a_connection_file_wins_over_variables(self, isales: Isales, connection_file: str) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = "isales://a:b@south.example.com"
        assert isales("list", 1001, "--connection-file", connection_file).returncode == 0


class TestNotFound:
    def test_the_error_of_a_missing_connection_shows_the_line_to_type(self, isales: Isales) -> None:
        done = isales("pause", 1001)
        assert done.returncode == 2
        assert "no connection 'isales_default'" in done.stderr
        assert '\n  export AIRFLOW_CONN_ISALES_DEFAULT=\'{"host":' in done.stderr
        assert "--connection-file FILE" in done.stderr

    @pytest.mark.usefixtures("no_airflow")
    def test_the_variable_of_the_default_connection_is_not_used_for_another(
        self, isales: Isales, simulator: Simulator
    ) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection()
        done = isales("pause", 1001, "--conn-id", "isales_north")
        assert done.returncode == 2
        assert "\n  export AIRFLOW_CONN_ISALES_NORTH=" in done.stderr
        assert not simulator.requests

    @pytest.mark.usefixtures("no_airflow")
    def test_the_line_to_type_holds_a_valid_connection(self, isales: Isales) -> None:
        line = next(line for line in isales("pause", 1001).stderr.splitlines() if line.startswith("  export"))
        text = line.partition("=")[2].strip("'")
        assert read_connection(text, "isales_default", "it").login == "<access key>"

    @pytest.mark.parametrize("content", ["", "isales", '{"host": ', "[]", '{"host": 1, "hots": 2}', "isales://h:port/"])
    def test_an_invalid_connection_is_reported_without_showing_it(
        self, content: str, isales: Isales, tmp_path: Path
    ) -> None:
        file = tmp_path / "connection"
        file.write_text(content)
        done = isales("pause", 1001, "--connection-file", file)
        assert done.returncode == 2
        assert str(file) in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_missing_connection_file_is_named(self, isales: Isales) -> None:
        done = isales("pause", 1001, "--connection-file", "/nowhere")
        assert done.returncode == 2
        assert "/nowhere can't be read" in done.stderr

    def test_a_bad_setting_is_named_with_its_source(self, isales: Isales, simulator: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection(timeout="never")
        done = isales("pause", 1001)
        assert done.returncode == 2
        assert (
            "the variable AIRFLOW_CONN_ISALES_DEFAULT cannot be used: timeout must be a number of seconds"
            in done.stderr
        )
        assert SECRET not in done.stderr

    def test_a_missing_vdn_can_be_given_as_an_option(self, isales: Isales, simulator: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection(vdn_id=None)
        done = isales("list", 1001)
        assert done.returncode == 2
        assert "--vdn-id" in done.stderr
        assert isales("list", 1001, "--vdn-id", 25).returncode == 0

    def test_a_connection_error_holds_no_secret(self, tmp_path: Path) -> None:
        file = tmp_path / "connection"
        file.write_text('{"password": "hidden",')
        with pytest.raises(UsageError) as caught:
            find_connection("isales_default", str(file))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert "hidden" not in str(caught.value)

    def test_the_repr_of_a_connection_has_no_secret(self) -> None:
        assert "hidden" not in repr(read_connection('{"password": "hidden"}', "isales_default", "it"))


def test_a_server_that_is_not_verified_is_one_warning(isales: Isales, simulator: Simulator) -> None:
    isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection(verify=False)
    assert isales("list").stderr == (
        "isales: Connection 'isales_default' has verify=false: anyone on the network path to 127.0.0.1 can read and "
        "change requests.\n"
    )
