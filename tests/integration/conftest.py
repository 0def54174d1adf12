from __future__ import annotations

from pathlib import Path

import pytest
from airflow_runs import OUTCOMES

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if outcomes := config.stash[OUTCOMES]:
        terminalreporter.section("what a pause task does, by the server's answer")
        for name, verdict, message in outcomes:
            terminalreporter.write_line(
                f"{name:<36}{verdict:<25}{(message.partition(' failed: ')[2] or message)[:100]}"
            )
