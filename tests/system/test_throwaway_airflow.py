"""``make airflow`` and ``make demo`` keep to themselves, and leave no process behind, however they are ended."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests
from processes import find_free_port, is_open, wait_for
from throwaway_airflow import REPOSITORY

LONGEST_STOP = 60


class Made:
    """
    A ``make`` in a session of its own.

    :param checkout: the directory to run it in
    :param arguments: its arguments
    :param stdin: its standard input
    """

    def __init__(self, checkout: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> None:
        # What is installed here is good enough for the copy.
        lines = [path.stem.removeprefix("airflow-") for path in (REPOSITORY / "constraints").glob("airflow-*.txt")]
        installed = [f"--assume-old=.venv/installed-{line}" for line in lines]
        self._checkout = checkout
        self._log = checkout / f"{'-'.join(arguments)}.log"
        # With nohup, what runs the tests would hand down that a hang-up is ignored.
        command = ["env", "--default-signal=HUP", "make", *installed, *arguments]
        not_of_another_make = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        with self._log.open("w") as output:
            self._process = subprocess.Popen(
                command,
                cwd=checkout,
                env=not_of_another_make,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_until_it_says(self, text: str) -> None:
        def says() -> bool:
            assert self._process.poll() is None, self.said
            return text in self.said

        wait_for(says, f"{self._log} to say {text!r}")

    def wait_until_it_runs(self, program: str) -> None:
        def runs() -> bool:
            assert self._process.poll() is None, self.said
            return any(program in command_line(each) for each in self.descendants())

        wait_for(runs, program)

    def descendants(self) -> set[psutil.Process]:
        return set(psutil.Process(self._process.pid).children(recursive=True))

    def error(self) -> str:
        """Wait for it to fail, and return what it said."""
        assert self._process.wait(LONGEST_STOP) != 0
        return self.said

    def end(self, *signals: signal.Signals) -> list[str]:
        """Send signals to the process group, as a terminal does, and return what still runs long afterwards."""
        before = self.descendants() | processes_in(self._checkout)
        for number in signals:
            os.killpg(self._process.pid, number)
            time.sleep(0.2)
        self._process.wait(LONGEST_STOP)
        psutil.wait_procs(before, LONGEST_STOP)
        return [command_line(each) for each in before | processes_in(self._checkout) if each.is_running()]


def command_line(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def processes_in(directory: Path) -> set[psutil.Process]:
    """Find all processes that came of a ``make`` there: they keep the directory, while titles hide environments."""
    return {each for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(directory)}


@contextmanager
def checkout(directory: Path) -> Iterator[Path]:
    """Copy what ``make airflow`` needs, so that it meets nothing of the developer's own; kill what is left of it."""
    for name in ("dev", "example_dags"):
        shutil.copytree(REPOSITORY / name, directory / name)
    shutil.copy(REPOSITORY / "Makefile", directory)
    (directory / ".venv").symlink_to(sys.prefix)
    try:
        yield directory
    finally:
        for process in processes_in(directory):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@dataclass(frozen=True)
class Seen:
    """The observations of ``make airflow``, two more beside it, and ``make demo``."""

    second: str
    on_the_same_port: str
    first_still_answers: bool
    first_has_its_database: bool
    left_of_first: list[str]
    first_still_listens: bool
    left_of_demo: list[str]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    port = find_free_port()
    with checkout(tmp_path_factory.mktemp("one")) as one, checkout(tmp_path_factory.mktemp("other")) as other:
        first, demo = Made(one, "airflow", f"PORT={port}"), Made(other, "demo")
        demo.wait_until_it_runs("airflow scheduler")
        left_of_demo = demo.end(signal.SIGTERM)
        first.wait_until_it_says(f"Airflow with the example DAGs: http://127.0.0.1:{port} ")
        database = one / ".airflow" / "airflow.db"
        before = database.stat().st_ino
        second, on_the_same_port = Made(one, "airflow", "PORT=0"), Made(other, "airflow", f"PORT={port}")
        refused = second.error(), on_the_same_port.error()
        with requests.Session() as session:
            session.trust_env = False  # no proxy to loopback
            answers = session.get(f"http://127.0.0.1:{port}/api/v2/version", timeout=30).ok
        is_the_same = database.stat().st_ino == before
        left_of_first = first.end(signal.SIGINT, signal.SIGINT)
        yield Seen(*refused, answers, is_the_same, left_of_first, is_open(port), left_of_demo)


def test_a_second_airflow_in_a_checkout_says_which_process_it_would_disturb(seen: Seen) -> None:
    assert re.match(r"Error: \S+/\.airflow is in use by process \d+, which started at [^\n]+\nmake: ", seen.second)


def test_a_second_airflow_on_a_port_says_that_it_is_taken(seen: Seen) -> None:
    assert re.match(r"Error: port \d+ cannot be used: .*Address already in use", seen.on_the_same_port)


def test_a_refused_second_airflow_leaves_the_first_serving(seen: Seen) -> None:
    assert seen.first_still_answers


def test_a_refused_second_airflow_leaves_the_firsts_database(seen: Seen) -> None:
    assert seen.first_has_its_database


def test_ctrl_c_twice_leaves_no_process(seen: Seen) -> None:
    assert seen.left_of_first == []


def test_ctrl_c_twice_frees_the_port(seen: Seen) -> None:
    assert not seen.first_still_listens


def test_terminating_the_demo_leaves_no_process(seen: Seen) -> None:
    assert seen.left_of_demo == []


@pytest.mark.parametrize(
    ("program", "signals"),
    [
        ("airflow standalone", [signal.SIGINT, signal.SIGINT]),
        ("airflow standalone", [signal.SIGHUP]),
        ("airflow standalone", [signal.SIGKILL]),
        ("airflow scheduler", [signal.SIGTERM]),
    ],
    ids=["Ctrl-C twice", "hang-up", "kill", "terminate"],
)
def test_ending_make_airflow_while_it_starts_leaves_no_process(
    tmp_path: Path, program: str, signals: list[signal.Signals]
) -> None:
    with checkout(tmp_path) as directory:
        airflow = Made(directory, "airflow", "PORT=0")
        airflow.wait_until_it_runs(program)
        assert airflow.end(*signals) == []


def test_closing_the_terminal_of_make_airflow_leaves_no_process(tmp_path: Path) -> None:
    terminal, its_end = os.openpty()
    with checkout(tmp_path) as directory:
        airflow = Made(directory, "airflow", "PORT=0", stdin=its_end)
        os.close(its_end)
        airflow.wait_until_it_runs("airflow standalone")
        os.close(terminal)
        assert airflow.end() == []
