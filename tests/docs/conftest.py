"""The platform and the files that the pages speak of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pages import REPOSITORY

from airflow_provider_isales.client import BatchStatus, CallBatch
from airflow_provider_isales.simulator import Simulator

HERE = Path(__file__).parent
BATCH_OF_THE_REFERENCE = "174712034211433247704877116507"
SHIFTS = {"timezone": "Asia/Shanghai", "week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}}


@pytest.fixture
def renew_platform(server: Simulator) -> Callable[[], None]:
    """Makes the platform new: two campaigns with 50 batches each, all dialled."""

    def renew_platform() -> None:
        server.reset()
        campaign = server.add_campaign(1001, batches=49)
        campaign.batches[BATCH_OF_THE_REFERENCE] = CallBatch(BATCH_OF_THE_REFERENCE, "example", BatchStatus.STARTED)
        server.add_campaign(1002, name="spring sales", batches=50)

    return renew_platform


@pytest.fixture
def fill_in(server: Simulator) -> Callable[[str], str]:
    """Replaces what a page leaves to its reader, or takes as an example, by the values of the simulator."""
    connection = json.loads(server.connection())
    values = {
        "isales.example.com": connection["host"],
        "28080": str(connection["port"]),
        "8443": str(connection["port"]),
        "/etc/ssl/isales-ca.pem": connection["extra"]["verify"],
        **dict.fromkeys(["<access key>", "<AK>"], connection["login"]),
        **dict.fromkeys(["<secret key>", "<SK>"], connection["password"]),
    }

    in_an_hour = f"--until {datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M%z}"
    values |= dict.fromkeys(["--until 20:00", "--until 2026-11-29T20:00+08:00"], in_an_hour)

    def fill_in(code: str) -> str:
        for example, value in values.items():
            code = code.replace(example, value)
        return code

    return fill_in


@pytest.fixture
def folder(server: Simulator, tmp_path: Path) -> Path:
    """A directory with the files that pages name: calendars, the examples, and the simulator's authority."""
    for name in ("shifts.yaml", "shifts.new.yaml"):
        (tmp_path / name).write_text(json.dumps(SHIFTS))
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/team.py").write_text(
        f"from airflow_provider_isales.shifts import ShiftCalendar\nSHIFTS = ShiftCalendar(**{SHIFTS})\n"
    )
    shutil.copytree(REPOSITORY / "example_dags", tmp_path / "example_dags")
    shutil.copy(REPOSITORY / "example_dags/holiday_cn_2026.json", tmp_path)
    assert server.ca_file
    for name in (".venv/isales-simulator-ca.pem", "build/own/ca.pem", "isales-simulator-ca.pem"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(server.ca_file)
    return tmp_path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.airflow)
