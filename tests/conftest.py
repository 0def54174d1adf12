"""Every test gets a simulator if it asks for one, and an Airflow home of the session's own."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from airflow_provider_isales.simulator import Simulator

pytest_plugins = ["airflow_provider_isales.simulator.pytest_plugin"]

REPOSITORY = Path(__file__).parents[1]
# How long an example takes says more about the machine than about the code.
settings.register_profile("without time limits", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without time limits")

_home = tempfile.TemporaryDirectory(prefix="isales-airflow-")


def pytest_configure() -> None:
    # Ignored where a shell started the tests in the background, and handed down to the processes that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Before anything imports Airflow, which reads its configuration once.
    os.environ.update(
        {
            "AIRFLOW_HOME": _home.name,
            "AIRFLOW__CORE__DAGS_FOLDER": str(Path(_home.name, "dags")),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__CORE__UNIT_TEST_MODE": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_home.name}/airflow.db",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        }
    )


def pytest_unconfigure() -> None:
    _home.cleanup()


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    """A simulator for all tests of a module: starting one takes longer than most tests."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(server: Simulator) -> Simulator:
    """The module's simulator as new: without campaigns, faults and counts."""
    server.reset()
    return server


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the waits between attempts; return the list of seconds that they would have taken."""
    waits: list[float] = []
    monkeypatch.setattr("airflow_provider_isales.client.gate.Gate.sleep", lambda self, seconds: waits.append(seconds))
    monkeypatch.setattr("airflow_provider_isales.client.gate.Gate.hold", lambda self, seconds, **_: None)
    return waits
