"""Runs a command line, and makes sure that each command ends with an exit status and a message."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from airflow_provider_isales.cli import output
from airflow_provider_isales.cli.output import FAILURE, INTERRUPTED, NAGIOS, UNUSABLE, UsageError
from airflow_provider_isales.cli.parser import make_parser
from airflow_provider_isales.client.errors import ISalesArgumentError


def run_command_line(argv: Sequence[str] | None = None) -> int:
    """Run the command of some arguments, by default those of the process; return the exit status."""
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as error:
        if "--nagios" in (sys.argv if argv is None else argv):
            error.code = NAGIOS.get(error.code, error.code)
        raise
    return run_command(arguments.command, arguments)


def run_command(name: str, arguments: argparse.Namespace) -> int:
    """Import the module of a command, and no other's, and run it; return the exit status."""
    verbose = getattr(arguments, "verbose", False)
    output.set_up(verbose=verbose)
    try:
        run = import_module(f"{__package__}.commands.{name}").run
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        # SIGTERM reports what was done, as Ctrl-C does; a terminal that is closed ends nothing.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        status: int = run(arguments)
    except (UsageError, ISalesArgumentError) as error:
        output.warn(f"isales: {error}")
        status = UNUSABLE
    except KeyboardInterrupt:
        output.warn("isales: interrupted")
        status = INTERRUPTED
    except Exception as error:  # a bug, so --verbose shows where
        output.warn(traceback.format_exc() if verbose else f"isales: unexpected {type(error).__name__}: {error}")
        status = UNUSABLE
    if output.problem:
        output.warn(f"isales: {output.problem}")
        status = status or FAILURE
    return NAGIOS.get(status, status) if getattr(arguments, "nagios", False) else status
