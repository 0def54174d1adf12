"""
Start processes, and end them with all their descendants.

Run as a program, it supervises one command. It ends the command and all its descendants when the command ends, on a
signal, or when standard input is closed, which happens however the parent dies.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import psutil

WAIT_SECONDS = 120
# Below the ports that Linux uses for outgoing connections.
_PORTS = (20_000, 32_768)
STOP_SECONDS = 10
PR_SET_CHILD_SUBREAPER = 36


class StartError(RuntimeError):
    """A process cannot be started, or ended too early; the message says why and what to do."""


class ProcessGroup:
    """
    A process under a supervisor, which ends it and all its descendants on :meth:`stop`, or when this process dies.

    :param command: program and arguments
    :param log: the file that its output is appended to
    :param environment: the whole environment; None for this process's
    :param holds: file descriptors to keep open until the last of its processes has ended
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        holds: Sequence[int] = (),
    ) -> None:
        self.command = " ".join(map(str, command))
        self.log = log
        with log.open("a") as output:
            self._supervisor = subprocess.Popen(
                [sys.executable, __file__, *command],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=holds,
            )

    @property
    def pid(self) -> int:
        """The supervisor, whose descendants the processes are."""
        return self._supervisor.pid

    def check(self) -> None:
        """
        Check that it still runs.

        :raises StartError: it has ended; the message has the end of its log
        """
        if self._supervisor.poll() is not None:
            raise StartError(f"{self.command} ended; see {self.log}:\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End all its processes."""
        self._supervisor.communicate()


def wait_for(condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """
    Wait until a condition holds; look less often in a long wait, because each look may cost an Airflow time.

    :raises TimeoutError: it does not within ``seconds``
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > seconds:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(min(0.2 + waited / 20, 1.5))


def find_free_port() -> int:
    """
    Return a TCP port of the loopback address on which nobody listens.

    Not one that the system assigns by itself: it could give it to another process before the server is up.
    """
    for _ in range(100):
        port = random.SystemRandom().randrange(*_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise StartError(f"no port from {_PORTS[0]} to {_PORTS[1]} is free")


def is_open(port: int) -> bool:
    """Return whether somebody listens on a TCP port of the loopback address."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def lock_directory(directory: Path) -> Iterator[int]:
    """
    Lock a directory for this process and empty it; create it if needed.

    :return: a file descriptor; the directory stays locked as long as any process has it open
    :raises StartError: it is in use
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = directory / "lock"
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"{directory} is in use{_describe_user(lock)}") from None
        for path in set(directory.iterdir()) - {lock}:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        yield file.fileno()


def run_program(main: Callable[[], int]) -> NoReturn:
    """
    Run a program that starts process groups; however it ends, their supervisors end them.

    :param main: the program; it returns the exit status
    """
    if sys.stdin.isatty():
        threading.Thread(target=_end_with_the_terminal, daemon=True).start()
    try:
        sys.exit(main())
    except (StartError, TimeoutError) as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGINT)  # does not wait for threads that were interrupted while starting


def _end_with_the_terminal() -> None:
    """End when the terminal is closed: `make` does not pass the signal on, and waits for this program."""
    terminal = select.poll()
    terminal.register(sys.stdin, 0)
    terminal.poll()
    os.kill(os.getpid(), signal.SIGHUP)


def _describe_user(file: Path) -> str:
    """Describe the other process that opened a file first."""
    users = [
        process
        for process in psutil.process_iter(["open_files", "create_time"])
        if process.pid != os.getpid() and str(file) in {opened.path for opened in process.info["open_files"] or ()}
    ]
    if not users:
        return ": try again"
    user = min(users, key=lambda process: float(process.info["create_time"]))
    since = datetime.fromtimestamp(user.info["create_time"])
    return (
        f" by process {user.pid}, which started at {since:%Y-%m-%d %H:%M:%S}: "
        f"stop it with Ctrl-C in its terminal, or with `kill {user.pid}`"
    )


def _supervise(command: Sequence[str]) -> None:
    """Run a command until it ends, a signal comes or standard input is closed; then end all its descendants."""
    if sys.platform == "linux":  # so that orphaned descendants remain children of this process
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.set())
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies of adopted orphans
    while not asked.is_set() and process.poll() is None:
        if select.select([sys.stdin], [], [], 0.2)[0]:
            break
    for end in (psutil.Process.terminate, psutil.Process.kill, psutil.Process.kill, psutil.Process.kill):
        descendants = psutil.Process().children(recursive=True)
        for descendant in descendants:
            with suppress(psutil.Error):
                end(descendant)
        psutil.wait_procs(descendants, timeout=STOP_SECONDS)


if __name__ == "__main__":
    _supervise(sys.argv[1:])
