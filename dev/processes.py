"""Processes to start and to end for good, with all that they start themselves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

WAIT_SECONDS = 120
STOP_SECONDS = 10


class ProcessGroup:
    """
    A process in a group of its own, so that what it starts can be ended with it.

    :param command: program and arguments
    :param log: the file that its output is appended to
    :param environment: the whole environment, this process's when None
    """

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = " ".join(map(str, command))
        self.log = log
        with log.open("a") as output:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """
        Find out whether it still runs.

        :raises RuntimeError: if it has ended, with the end of its log
        """
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.command} ended; see {self.log}:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End the whole group: the first process ends most of the others, and some outlive it."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        for how in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.pid, how)
                deadline = time.monotonic() + STOP_SECONDS
                while time.monotonic() < deadline:
                    self._process.poll()
                    os.killpg(self.pid, 0)
                    time.sleep(0.1)


def wait_for(condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """
    Wait until a condition holds.

    :raises TimeoutError: if it does not within some seconds
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.3)


def free_port() -> int:
    """Give a TCP port of the loopback address on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
