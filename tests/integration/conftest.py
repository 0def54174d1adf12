from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_isales.client import ISalesClient
from airflow_provider_isales.simulator import Simulator

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    """A simulator for all tests of a module: starting one takes longer than most tests."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(server: Simulator) -> Simulator:
    """The module's simulator as new: without campaigns, faults and counts."""
    server.service.campaigns.clear()
    server.faults.clear()
    server._app.requests.clear()
    return server


@pytest.fixture
def client(simulator: Simulator, no_waiting: list[float]) -> Iterator[ISalesClient]:
    """A client for the simulator that does not really wait between attempts."""
    with simulator.client() as client:
        yield client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)
