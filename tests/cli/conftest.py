"""The real command, as a process, against a simulator."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from isales_command import Isales

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

HERE = Path(__file__).parent


@pytest.fixture
def connection_file(simulator: Simulator, tmp_path: Path) -> str:
    file = tmp_path / "connection.json"
    file.write_text(simulator.connection())
    file.chmod(0o600)
    return str(file)


@pytest.fixture
def isales(simulator: Simulator) -> Iterator[Isales]:
    """The command, with a connection to the simulator and nothing else in its environment."""
    isales = Isales({"AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(), "AIRFLOW_HOME": os.environ["AIRFLOW_HOME"]})
    yield isales
    for process in isales.started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def no_airflow(isales: Isales, tmp_path: Path) -> None:
    """Make the import of Airflow fail, which otherwise takes seconds where it is installed."""
    (tmp_path / "airflow.py").write_text("raise ModuleNotFoundError(name='airflow')")
    isales.environment["PYTHONPATH"] = str(tmp_path)


@pytest.fixture
def started(simulator: Simulator) -> Callable[[], int]:
    """Counts the batches that are started, in all campaigns."""
    return lambda: sum(
        batch.status is BatchStatus.STARTED
        for campaign in list(simulator.service.campaigns.values())
        for batch in list(campaign.batches.values())
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)
