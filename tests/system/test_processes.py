""":class:`ProcessGroup` leaves nothing behind when the process that started it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import processes
import psutil
import pytest
from processes import StartError, lock_directory, wait_for

# A daemon as they come: in a session of its own, no child of who started it, and this one does not heed SIGTERM.
DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(sys.argv[1], "w").write(str(os.getpid()))
    else:
        os._exit(0)
time.sleep(300)
"""
STARTS_IT = """
import sys, time
from pathlib import Path
from processes import ProcessGroup, lock_directory
directory = Path(sys.argv[1])
with lock_directory(directory) as in_use:
    command = [sys.executable, "-c", sys.argv[2], str(directory / "daemon.pid")]
    group = ProcessGroup(command, directory / "log", holds=[in_use])
    time.sleep(300)
"""
LONGEST = 60


@dataclass(frozen=True)
class Aftermath:
    refused_at_first: str
    alive: list[psutil.Process]
    can_be_used: bool


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    directory = tmp_path_factory.mktemp("processes")
    environment = {**os.environ, "PYTHONPATH": str(Path(processes.__file__).parent)}
    starter = subprocess.Popen([sys.executable, "-c", STARTS_IT, directory, DAEMON], env=environment)
    daemon = directory / "daemon.pid"
    wait_for(lambda: daemon.exists() and daemon.read_text(), "the daemon", LONGEST)
    found = [psutil.Process(int(daemon.read_text())), *psutil.Process(starter.pid).children(recursive=True)]
    starter.kill()
    starter.wait()
    refused = why_not_usable(directory)
    _, alive = psutil.wait_procs(found, LONGEST)
    for process in alive:
        process.kill()
    return Aftermath(refused, alive, why_not_usable(directory) == "")


def why_not_usable(directory: Path) -> str:
    try:
        with lock_directory(directory):
            return ""
    except StartError as error:
        return str(error)


def test_a_daemon_that_ignores_sigterm_is_ended(aftermath: Aftermath) -> None:
    assert aftermath.alive == []


def test_the_directory_is_in_use_while_the_daemon_runs(aftermath: Aftermath) -> None:
    assert "is in use by process " in aftermath.refused_at_first


def test_the_directory_can_be_used_after_the_daemon_ends(aftermath: Aftermath) -> None:
    assert aftermath.can_be_used
