from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_runs import OUTCOME

from airflow_provider_isales.simulator import Simulator

HERE = Path(__file__).parent


@pytest.fixture
def isales_simulator(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The package's fixture, but with the module's simulator: ending one each time takes longer than most tests."""
    monkeypatch.setenv("AIRFLOW_CONN_ISALES_DEFAULT", simulator.connection())
    return simulator


@pytest.fixture
def read_log(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Returns what was logged so far: Airflow 3 writes the log of a task to the output, Airflow 2 to its loggers."""
    return lambda: caplog.text + "".join(capfd.readouterr())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.airflow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    outcomes = [value for report in reports for name, value in report.user_properties if name == OUTCOME]
    if outcomes:
        terminalreporter.section("what a pause task does, by the server's answer")
        for name, verdict, message in outcomes:
            terminalreporter.write_line(
                f"{name:<36}{verdict:<25}{(message.partition(' failed: ')[2] or message)[:100]}"
            )
