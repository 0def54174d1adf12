"""How Airflow sees the provider: its registration and its connection form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from airflow_runs import start_airflow

from airflow_provider_isales import __version__
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.provider_info import CONNECTION_FIELDS, get_provider_info
from airflow_provider_isales.simulator import Simulator

REPOSITORY = Path(__file__).parents[2]
(CONNECTION_TYPE,) = get_provider_info()["connection-types"]


COMMANDS = {
    "list": ["providers", "list", "--output", "plain"],
    "get": ["providers", "get", "airflow-provider-isales", "--full", "--output", "json"],
    "connection": ["connections", "get", "isales_default", "--output", "json"],
    "plugins": ["plugins", "--output", "json"],
}
# All in one process: to start Airflow takes longer than what the commands do.
RUN = """
import json, sys
from airflow.__main__ import main
for command in json.loads(sys.argv[1]):
    sys.argv[1:] = command
    print(flush=True)
    print("BEGIN", flush=True)
    main()
"""


@pytest.fixture(scope="module")
def said(server: Simulator) -> dict[str, str]:
    """The output of Airflow's commands."""
    start_airflow()
    environment = os.environ | {"AIRFLOW_CONN_ISALES_DEFAULT": server.connection()}
    command = [sys.executable, "-c", RUN, json.dumps([*COMMANDS.values()])]
    output = subprocess.check_output(command, text=True, stderr=subprocess.STDOUT, env=environment)
    return dict(zip(COMMANDS, output.split("\nBEGIN\n")[1:], strict=True))


# What the UI gets to draw the connection form with. In a process of its own: Airflow looks at hooks but once.
FORM = """
import json
try:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
except ImportError:
    from airflow.providers_manager import ProvidersManager
    manager = ProvidersManager()
    extra = [name.removeprefix("extra__isales__") for name in manager.connection_form_widgets]
    labels = manager.field_behaviours["isales"]["relabeling"]
else:
    (meta,) = (meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == "isales")
    labels = {name: getattr(meta.standard_fields, name).title for name in ("login", "password")}
    extra = list(meta.extra_fields)
print(json.dumps({"labels": labels, "extra": extra}))
"""


@pytest.fixture(scope="module")
def form() -> dict[str, Any]:
    start_airflow()
    shown: dict[str, Any] = json.loads(
        subprocess.check_output([sys.executable, "-c", FORM], text=True).splitlines()[-1]
    )
    return shown


def test_airflow_lists_the_provider_with_its_version(said: dict[str, str]) -> None:
    lines = [line for line in said["list"].splitlines() if line.startswith("airflow-provider-isales ")]
    assert [line.split()[-1] for line in lines] == [__version__]


def test_airflow_shows_the_provider_in_full(said: dict[str, str]) -> None:
    assert "airflow_provider_isales.hooks.isales.ISalesHook" in said["get"]


def test_airflow_reads_a_connection_from_the_command_line(said: dict[str, str]) -> None:
    shown = said["connection"]
    (connection,) = json.loads(shown[shown.index("[\n") if "[\n" in shown else shown.index('[{"') :])
    assert connection["conn_type"] == "isales"
    assert connection["login"] == "simulator"


def test_airflow_knows_the_timetables(said: dict[str, str]) -> None:
    assert [name for name in ("ShiftEndTimetable", "ShiftStartTimetable") if name not in said["plugins"]] == []


def test_a_connection_of_this_type_leads_to_the_hook() -> None:
    from airflow.models import Connection

    assert isinstance(Connection(conn_id="any", conn_type="isales").get_hook(), ISalesHook)


def test_the_form_labels_the_keys(form: dict[str, Any]) -> None:
    assert form["labels"] == {"login": "Access Key", "password": "Secret Key"}


@pytest.mark.parametrize("field", CONNECTION_TYPE["conn-fields"])
def test_the_form_has_the_extra_field(form: dict[str, Any], field: str) -> None:
    assert field in form["extra"]


class TestTheFormOfAirflowBefore32:
    """Its extra fields come from the hook, as a form of WTForms."""

    def form(self, **filled_in: str) -> Any:
        from werkzeug.datastructures import MultiDict
        from wtforms import Form

        return type("ConnectionForm", (Form,), ISalesHook.get_connection_form_widgets())(MultiDict(filled_in))

    def test_the_old_form_labels_the_extra_fields(self) -> None:
        labels = {name: field["label"] for name, field in CONNECTION_FIELDS.items()}
        assert {field.name: field.label.text for field in self.form()} == labels

    def test_the_old_form_proposes_the_defaults(self) -> None:
        defaults = {name: field["schema"].get("default") for name, field in CONNECTION_FIELDS.items()}
        assert self.form().data == defaults

    def test_the_old_form_may_be_left_empty(self) -> None:
        assert self.form(**dict.fromkeys(CONNECTION_FIELDS, "")).validate()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("vdn_id", "1"),
            ("vdn_id", "9999"),
            ("verify", "/etc/ca.pem"),
            ("timeout", "600"),
            ("signing_profile", "legacy"),
        ],
    )
    def test_the_old_form_accepts_an_allowed_value(self, field: str, value: str) -> None:
        assert self.form(**{field: value}).validate()

    def test_the_old_form_hides_and_relabels_fields(self) -> None:
        assert list(ISalesHook.get_ui_field_behaviour()) == ["hidden_fields", "relabeling", "placeholders"]


def test_the_provider_info_fits_airflows_schema() -> None:
    import airflow
    import jsonschema

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_the_logo_is_there() -> None:
    (integration,) = get_provider_info()["integrations"]
    assert (REPOSITORY / integration["logo"].lstrip("/")).is_file()


@pytest.mark.parametrize("section", ["hooks", "operators"])
def test_each_module_of_the_provider_info_is_there(section: str) -> None:
    modules = [module for entry in get_provider_info()[section] for module in entry["python-modules"]]
    assert modules
    assert all(find_spec(module) for module in modules)


def test_the_plugin_of_the_provider_info_is_that_of_the_entry_point() -> None:
    (plugin,) = get_provider_info()["plugins"]
    (entry_point,) = entry_points(group="airflow.plugins", name=plugin["name"])
    assert plugin["plugin-class"] == entry_point.value.replace(":", ".")


def test_asking_for_the_provider_info_imports_neither_airflow_nor_requests() -> None:
    program = (
        "import sys, airflow_provider_isales.provider_info;"
        "print([name for name in ('airflow', 'requests') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"
