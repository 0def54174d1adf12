"""Exit statuses and output. A failure to print never aborts a command."""

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

#: The statuses of ``isales check --nagios``: critical and unknown.
NAGIOS: dict[Any, Any] = {FAILURE: 2, UNUSABLE: 3}

#: What the exit statuses mean, for the help of every command.
STATUSES = {
    SUCCESS: "nothing is wrong; a pause or resume is confirmed by a listing",
    FAILURE: "check: calls may go on; others: failed, unconfirmed, or declined",
    UNUSABLE: "wrong arguments or connection; check: could not find out",
    INTERRUPTED: "interrupted; the output says what was done and what is unknown",
}

#: Why results could not be printed; empty if all were.
problem = ""


class UsageError(Exception):
    """Wrong arguments or a wrong connection; nothing was sent. The message says what to do instead."""


def set_up(*, verbose: bool) -> None:
    """Set up standard output, and the log on standard error: warnings, or with ``verbose`` also the progress."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a batch's name in Chinese, on a terminal that has none
    log, handler = logging.getLogger("airflow_provider_isales"), _Handler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s" if verbose else "isales: %(message)s"))
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(logging.INFO if verbose else logging.WARNING)
    # Its warnings are in the results, too.
    logging.getLogger("airflow_provider_isales.client.bulk").setLevel(logging.INFO if verbose else logging.ERROR)


def print_line(text: str) -> None:
    """Print a line of the results."""
    _print(text, sys.stdout)


def print_json(value: Any) -> None:
    """Print the results as JSON; in ASCII, so that it is valid in every locale."""
    print_line(json.dumps(value, indent=2))


def print_error(text: str) -> None:
    """Print a line on standard error."""
    _print(text, sys.stderr)


def is_interactive() -> bool:
    """Return whether somebody at a terminal could answer a question."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str, reason: str = "") -> bool:
    """
    Ask on standard error, and return whether the answer is yes.

    :param reason: why it has to be asked; empty if it need not be
    :raises UsageError: if it has to be asked and there is no terminal
    """
    if reason and not is_interactive():
        raise UsageError(f"{reason}, and there is no terminal to ask: add --yes")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def discard_output() -> Iterator[None]:
    """Discard what Airflow and DAG files print: it is no result, and cron would mail it."""
    printed = io.StringIO()  # not closed: Airflow's log may keep a reference
    with redirect_stdout(printed), redirect_stderr(printed):
        yield


def format_count(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many}"


def _print(text: str, stream: TextIO | None) -> None:
    global problem  # noqa: PLW0603  # one per process, like standard output
    try:
        print(f"{text}\n", file=stream, end="", flush=True)  # in one piece: other threads print too
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # a closed pipe is no error: `isales list ... | head`
            problem = f"standard output can't be written: {error}"
        # Python flushes the stream at exit: that must not fail again.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]  # None never fails


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print_error(self.format(record))
