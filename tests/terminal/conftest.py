"""The real command, as a process, against a simulator."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

HERE = Path(__file__).parent
ISALES = str(Path(sys.executable).with_name("isales"))
SECONDS = 60


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
def connection_file(simulator: Simulator, tmp_path: Path) -> str:
    file = tmp_path / "connection.json"
    file.write_text(simulator.connection())
    return str(file)


class Isales:
    """
    Starts the command.

    :param environment: the whole environment of its processes
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | int, **settings: Any) -> subprocess.Popen[str]:
        """Start it without a terminal."""
        defaults = {
            "env": self.environment,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "encoding": "utf-8",
        }
        process: subprocess.Popen[str] = subprocess.Popen(
            [ISALES, *map(str, arguments)], **{**defaults, **settings}
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str | int, **settings: Any) -> subprocess.CompletedProcess[str]:
        """Run it without a terminal, to its end."""
        process = self.start(*arguments, **settings)
        output, errors = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def on_terminal(self, *arguments: str | int) -> OnTerminal:
        """Start it on a terminal."""
        ours, theirs = pty.openpty()
        environment = {**self.environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "50"}
        process = self.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        return OnTerminal(process, ours)


class OnTerminal:
    """The command on a terminal, at which a test sits."""

    def __init__(self, process: subprocess.Popen[str], terminal: int) -> None:
        self.process = process
        self.shown = ""
        self._terminal = terminal

    def wait_for(self, text: str) -> None:
        """Read until a text is shown."""
        deadline = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < deadline and self._read(), f"{text!r} is not in {self.shown!r}"

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Read to the end, and return the exit status."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self._read():
            pass
        os.close(self._terminal)
        return self.process.wait(timeout=SECONDS)

    def _read(self) -> bool:
        """Read a piece; return whether there may be more."""
        if not select.select([self._terminal], [], [], SECONDS)[0]:
            return False
        try:
            piece = os.read(self._terminal, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += piece.decode()
        return bool(piece)


@pytest.fixture
def isales(simulator: Simulator) -> Iterator[Isales]:
    """The command, with a connection to the simulator and nothing else in its environment."""
    isales = Isales({"ISALES_CONN": simulator.connection(), "AIRFLOW_HOME": os.environ["AIRFLOW_HOME"]})
    yield isales
    for process in isales.started:
        if process.poll() is None:
            process.kill()
            process.wait()


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
