"""Runs a command line. Every command ends with an exit status, and with a message if it failed."""

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
from airflow_provider_isales.client.text import join_first


def run_command_line(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, by default those of the process, and run the command; return the exit status."""
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as error:
        if "--nagios" in (sys.argv if argv is None else argv):
            error.code = NAGIOS.get(error.code, error.code)
        raise
    return run_command(arguments.command, arguments)


def _leave_out_excluded(arguments: argparse.Namespace) -> None:
    """Leave out campaigns that are named and excluded; raise ``UsageError`` if no other is named."""
    excluded = {int(each) for each in getattr(arguments, "exclude", ())}
    both = excluded.intersection(arguments.campaigns) if excluded else excluded
    if both:
        arguments.campaigns = [each for each in arguments.campaigns if each not in both]
        arguments.exclude = [each for each in arguments.exclude if int(each) not in both]
        if not arguments.campaigns:
            raise UsageError(f"--exclude leaves no campaign: {join_first(sorted(both))} is excluded")


def run_command(name: str, arguments: argparse.Namespace) -> int:
    """Import the module of this command only, and run it; return the exit status."""
    verbose = getattr(arguments, "verbose", False)
    output.set_up(verbose=verbose)
    try:
        run = import_module(f"{__package__}.commands.{name}").run
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        # SIGTERM also reports what was done, like Ctrl-C; closing the terminal does not end a command.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _leave_out_excluded(arguments)
        status: int = run(arguments)
    except (UsageError, ISalesArgumentError) as error:
        output.print_error(f"isales: {error}")
        status = UNUSABLE
    except KeyboardInterrupt:
        output.print_error("isales: interrupted")
        status = INTERRUPTED
    except Exception as error:  # a bug: --verbose shows where
        output.print_error(traceback.format_exc() if verbose else f"isales: unexpected {type(error).__name__}: {error}")
        status = UNUSABLE
    if output.problem:
        output.print_error(f"isales: {output.problem}")
        status = status or FAILURE
    return NAGIOS.get(status, status) if getattr(arguments, "nagios", False) else status
