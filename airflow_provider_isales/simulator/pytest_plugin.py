"""
A pytest fixture: a running simulator, fresh for each test.

Switch it on in ``conftest.py`` with ``pytest_plugins = ["airflow_provider_isales.simulator.pytest_plugin"]``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_isales.simulator import Simulator


@pytest.fixture
def isales_simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A running simulator without campaigns, which is Airflow's connection ``isales_default`` during the test."""
    with Simulator() as simulator:
        monkeypatch.setenv("AIRFLOW_CONN_ISALES_DEFAULT", simulator.connection())
        yield simulator
