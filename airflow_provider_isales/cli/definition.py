"""The same commands as ``airflow isales ...``, from Airflow 3.2 on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from airflow.cli.cli_config import ActionCommand, CLICommand, GroupCommand

from airflow_provider_isales.cli.parser import COMMANDS, CONNECTION, DESCRIPTION
from airflow_provider_isales.cli.runner import run_command


def get_isales_cli_commands() -> list[CLICommand]:
    """Return the commands; Airflow calls this, as the provider info names it."""
    commands = []
    for name, command in COMMANDS.items():
        arguments: Any = [*command.arguments, *CONNECTION] if command.has_connection else command.arguments
        commands.append(ActionCommand(name, command.summary, _make_function(name), arguments, epilog=command.epilog))
    return [GroupCommand(name="isales", help=DESCRIPTION, subcommands=commands)]


def _make_function(name: str) -> Callable[[argparse.Namespace], None]:
    return lambda arguments: sys.exit(run_command(name, arguments))
