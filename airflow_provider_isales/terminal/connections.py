"""From what the command line, the environment or Airflow says to a client."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from airflow_provider_isales.provider_info import DEFAULT_CONN_ID

if TYPE_CHECKING:
    from airflow_provider_isales.client import ISalesClient


class UsageError(Exception):
    """What was typed cannot be carried out; nothing was sent. The message says what to type instead."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which connection to use."""
    connection = parser.add_argument_group("connection")
    connection.add_argument("--conn-id", default=DEFAULT_CONN_ID, metavar="ID", help="(default: %(default)s)")
    connection.add_argument("--connection-file", metavar="FILE", help="a file with the connection as JSON or as URI")


def client_of(arguments: argparse.Namespace, *, max_connections: int = 8) -> ISalesClient:
    """
    Return a client for the connection that was asked for. Close it, or use it as a context manager.

    :param arguments: what was typed
    :param max_connections: how many connections are kept open: as many as threads use the client at once
    :raises UsageError: if there is no such connection, or it cannot be read; the message says what to type
    :raises ISalesArgumentError: for a value in the connection that is not allowed
    """
    raise UsageError("there is no connection yet")
