"""
Pytest fixtures: a running simulator, fresh for each test, and a clock to set.

Switch them on in ``conftest.py`` with ``pytest_plugins = ["airflow_provider_isales.simulator.pytest_plugin"]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import check_instant
from airflow_provider_isales.simulator import Simulator


@pytest.fixture
def isales_simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A running simulator without campaigns, which is Airflow's connection ``isales_default`` during the test."""
    with Simulator() as simulator:
        monkeypatch.setenv("AIRFLOW_CONN_ISALES_DEFAULT", simulator.connection())
        yield simulator


@pytest.fixture
def isales_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """A function that sets the time for the operators' guard, holds and lateness, during the test."""

    def set_time(time: datetime) -> None:
        moment = check_instant("time", time).astimezone(UTC)
        monkeypatch.setattr(clock, "utc_now", lambda: moment)

    return set_time
