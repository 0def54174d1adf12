from __future__ import annotations

import os
import platform
import random
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from measuring import Figures, Size

HERE = Path(__file__).parent
PARTS = pytest.StashKey["Figures"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("attack")
    group.addoption(
        "--attack", choices=("small", "large"), default="small", help="how many tries: for seconds or minutes"
    )
    group.addoption("--attack-seed", type=int, help="the seed of a run that is to be repeated")
    group.addoption("--attack-results", type=Path, help="the file to write the table of figures to")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[PARTS] = Figures()
    if config.getoption("--attack-seed") is None:
        # Always the same in `make test`, which must not fail for a reason that the next run does not have.
        large = config.getoption("--attack") == "large"
        config.option.attack_seed = random.SystemRandom().randrange(10**6) if large else 1


def pytest_report_header(config: pytest.Config) -> str:
    return f"attack: {config.getoption('--attack')}, --attack-seed {config.getoption('--attack-seed')}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Takes the rows of the table that ends the run."""
    return pytestconfig.stash[PARTS]


@pytest.fixture(scope="session")
def size(pytestconfig: pytest.Config) -> Size:
    return Size(pytestconfig.getoption("--attack") == "large")


@pytest.fixture
def chance(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> random.Random:
    """Chance that the run's seed and the test's name decide."""
    return random.Random(f"{pytestconfig.getoption('--attack-seed')} {request.node.name}")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: pytest.ExitCode, config: pytest.Config
) -> None:
    figures = config.stash[PARTS]
    if not (figures.rows or figures.worst) or (config.getoption("--attack") == "small" and config.option.verbose < 1):
        return
    terminalreporter.section("what the attacks came to")
    for line in (*figures.lines(), *figures.details()):
        terminalreporter.write_line(line)
    if (results := config.getoption("--attack-results")) and exitstatus == pytest.ExitCode.OK:
        results.write_text(_page(config, figures))
        terminalreporter.write_line(f"written to {results}")


def _page(config: pytest.Config, figures: Figures) -> str:
    made = (
        f"Made by `make attack`: {datetime.now(UTC):%Y-%m-%d}, seed {config.getoption('--attack-seed')}, "
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"requests {version('requests')}, urllib3 {version('urllib3')}."
    )
    return "\n".join(["# What the attacks came to", "", made, "", *figures.lines(), *figures.details(), ""])
