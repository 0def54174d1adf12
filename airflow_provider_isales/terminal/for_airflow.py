"""``airflow isales ...``: the same commands within Airflow's own, from Airflow 3.2 on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.cli.cli_config import ActionCommand, GroupCommand

from airflow_provider_isales.terminal.cli import COMMANDS, DESCRIPTION, Command, carry_out, command_of

if TYPE_CHECKING:
    from airflow.cli.cli_config import CLICommand


def get_cli_commands() -> list[CLICommand]:
    """Return the commands; the provider info names this function."""
    return [GroupCommand(name="isales", help=DESCRIPTION, subcommands=[_command(name) for name in COMMANDS])]


class _AllArguments:
    """Adds all arguments of a command at once, where Airflow has an object for each."""

    flags = ("arguments",)

    def __init__(self, command: Command) -> None:
        self._command = command

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        self._command.add_arguments(parser)


def _command(name: str) -> ActionCommand:
    command = command_of(name)
    arguments: Any = (_AllArguments(command),)
    return ActionCommand(name=name, help=command.SUMMARY, func=_function(command), args=arguments)


def _function(command: Command) -> Callable[[argparse.Namespace], None]:
    def function(arguments: argparse.Namespace) -> None:
        sys.exit(carry_out(command, arguments))

    return function
