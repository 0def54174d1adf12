# PYTHON_ARGCOMPLETE_OK
"""The command ``isales``: the parser, and how each command ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Protocol, cast

from airflow_provider_isales import __version__
from airflow_provider_isales.terminal import output
from airflow_provider_isales.terminal.connections import UsageError
from airflow_provider_isales.terminal.options import add_examples
from airflow_provider_isales.terminal.status import FAILURE, INTERRUPTED, NAGIOS, UNUSABLE

# In the order of the help. Each is a module of this package.
COMMANDS: tuple[str, ...] = ("list", "pause", "resume", "check", "shifts", "doctor")

DESCRIPTION = "Stop and restart outbound calling on CC-iSales, also when Airflow is down."


class Command(Protocol):
    """What each command's module has; at its top it imports next to nothing, since every start needs its parser."""

    SUMMARY: str

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments."""

    @staticmethod
    def run(arguments: argparse.Namespace) -> int:
        """Carry the command out, and return the exit status."""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out one command.

    :param argv: the arguments; those of the process when None
    :return: the exit status
    """
    parser = make_parser()
    if "_ARGCOMPLETE" in os.environ:
        with suppress(ImportError):
            import argcomplete  # noqa: PLC0415 - only when the shell asks

            argcomplete.autocomplete(parser)
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as error:
        if "--nagios" in (sys.argv if argv is None else argv):
            error.code = NAGIOS.get(error.code, error.code)
        raise
    # Whoever ends it is told what was done, as after Ctrl-C; a terminal that is closed ends nothing.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return carry_out(arguments.command, arguments)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="isales", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = command_of(name)
        subparser = commands.add_parser(name, help=command.SUMMARY, description=command.SUMMARY)
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    add_examples(
        parser,
        """
        isales pause 1001 1002 --save before.json   # stop calling in two campaigns
        isales check 1001 1002                      # has it stopped?
        isales resume --from-file before.json       # start again what was stopped
        isales COMMAND --help                       # more of each
        """,
    )
    return parser


def command_of(name: str) -> Command:
    """Return the module of a command."""
    return cast("Command", import_module(f"{__package__}.{name}"))


def carry_out(command: Command, arguments: argparse.Namespace) -> int:
    """
    Carry out a command whose arguments are read.

    :param command: the command's module
    :param arguments: its arguments
    :return: the exit status
    """
    verbose = getattr(arguments, "verbose", False)
    output.set_up(verbose=verbose)
    try:
        status = command.run(arguments)
    except UsageError as error:
        output.warn(f"isales: {error}")
        status = UNUSABLE
    except KeyboardInterrupt:
        output.warn("isales: interrupted")
        status = INTERRUPTED
    except Exception as error:  # a bug, so --verbose shows where
        output.warn(traceback.format_exc() if verbose else f"isales: unexpected {type(error).__name__}: {error}")
        status = UNUSABLE
    if problem := output.flush():
        output.warn(f"isales: {problem}")
        status = status or FAILURE
    return NAGIOS.get(status, status) if getattr(arguments, "nagios", False) else status


if __name__ == "__main__":
    sys.exit(main())
