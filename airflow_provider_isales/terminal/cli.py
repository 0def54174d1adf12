"""The command ``isales``: the parser, and how each command ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from airflow_provider_isales.terminal.connections import UsageError

# In the order of the help. Each is a module of this package.
COMMANDS: tuple[str, ...] = ()

SUCCESS, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130


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
    arguments = make_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except UsageError as error:
        print(f"isales: {error}", file=sys.stderr)
        return USAGE


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="isales", description="Stop and restart outbound calling on CC-iSales.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = command_of(name)
        subparser = commands.add_parser(name, help=command.SUMMARY, description=command.SUMMARY)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def command_of(name: str) -> Command:
    """Return the module of a command."""
    return cast("Command", import_module(f"{__package__}.{name}"))
