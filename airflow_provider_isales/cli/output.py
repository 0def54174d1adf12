"""What commands print, and how they end. What goes wrong with printing never stops what a command does."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO

SUCCESS = 0
FAILURE = 1
UNUSABLE = 2
INTERRUPTED = 130

#: Nagios' statuses for ``isales check``: critical and unknown.
NAGIOS: dict[Any, Any] = {FAILURE: 2, UNUSABLE: 3}

#: What they mean, of all commands.
STATUSES = {
    SUCCESS: "all is as it must be; after a pause or resume, list confirms it",
    FAILURE: "something is not, or it is not known, or the answer to a question was no",
    UNUSABLE: "what was typed, or the connection, cannot be used; check: not found out",
    INTERRUPTED: "interrupted: what was done and what is not known was said",
}

#: What went wrong with the results; empty if all were printed.
problem = ""


class UsageError(Exception):
    """What was typed cannot be carried out; nothing was sent. The message says what to type instead."""


def set_up(*, verbose: bool) -> None:
    """Prepare standard output, and the log on standard error: of what goes wrong, or also of what is being done."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a batch's name in Chinese, on a terminal that has none
    log, handler = logging.getLogger("airflow_provider_isales"), _Handler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s" if verbose else "isales: %(message)s"))
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.INFO if verbose else logging.WARNING)
    # What it warns of, the results say too.
    logging.getLogger("airflow_provider_isales.client.bulk").setLevel(logging.INFO if verbose else logging.ERROR)


def say(text: str) -> None:
    """Print a line of the results."""
    _print(text, sys.stdout)


def say_json(value: Any) -> None:
    """Print the results for a script, in ASCII: it is valid JSON in every locale."""
    say(json.dumps(value, indent=2))


def warn(text: str) -> None:
    """Print a line that is no result on standard error."""
    _print(text, sys.stderr)


def is_interactive() -> bool:
    """Tell whether there is a terminal, at which somebody could answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str, reason: str = "") -> bool:
    """Ask on standard error, and return whether the answer is yes; ``UsageError`` if a reason needs a terminal."""
    if reason and not is_interactive():
        raise UsageError(f"{reason}, and there is no terminal to ask: add --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def silence() -> Iterator[None]:
    """Keep what Airflow and DAG files print out of the results, and of the mails that cron sends."""
    printed = io.StringIO()  # not closed: Airflow's log may keep it
    with redirect_stdout(printed), redirect_stderr(printed):
        yield


def format_count(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many}"


def _print(text: str, stream: TextIO | None) -> None:
    global problem  # noqa: PLW0603  # of the process, as standard output is
    try:
        print(f"{text}\n", file=stream, end="", flush=True)  # in one piece: other threads print too
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # of `isales list ... | head`: nobody wants more
            problem = f"standard output can't be written: {error}"
        # Nor is it to fail once more at the end, when Python flushes it.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]  # None never fails


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warn(self.format(record))
