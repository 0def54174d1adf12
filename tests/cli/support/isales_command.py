"""The command ``isales`` as a process, without a terminal or on one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patience import LONG

ISALES = str(Path(sys.executable).with_name("isales"))


class Isales:
    """
    Starts the command.

    :param environment: the whole environment of its processes
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | int | Path, **settings: Any) -> subprocess.Popen[str]:
        """Start it without a terminal."""
        defaults = {
            "env": self.environment,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "encoding": "utf-8",
        }
        process: subprocess.Popen[str] = subprocess.Popen([ISALES, *map(str, arguments)], **{**defaults, **settings})
        self.started.append(process)
        return process

    def __call__(self, *arguments: str | int | Path, **settings: Any) -> subprocess.CompletedProcess[str]:
        """Run it without a terminal, to its end."""
        process = self.start(*arguments, **settings)
        output, errors = process.communicate(timeout=LONG)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def on_terminal(self, *arguments: str | int | Path) -> OnTerminal:
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
        deadline = time.monotonic() + LONG
        while text not in self.shown:
            there_is_more = self._read()
            assert there_is_more or text in self.shown, f"{text!r} is not in {self.shown!r}"
            assert time.monotonic() < deadline

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Read to the end, and return the exit status."""
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline and self._read():
            pass
        self.close()
        return self.process.wait(timeout=LONG)

    def close(self) -> None:
        os.close(self._terminal)

    def _read(self) -> bool:
        """Read a piece; return whether there may be more."""
        if not select.select([self._terminal], [], [], LONG)[0]:
            return False
        try:
            piece = os.read(self._terminal, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += piece.decode()
        return bool(piece)
