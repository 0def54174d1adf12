"""From what the command line, the environment or Airflow says to a client."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from airflow_provider_isales.provider_info import DEFAULT_CONN_ID
from airflow_provider_isales.terminal.options import duration, vdn_id, wrap
from airflow_provider_isales.terminal.output import warn

if TYPE_CHECKING:
    from airflow_provider_isales.client import CampaignKey, ISalesClient
    from airflow_provider_isales.hooks.settings import ConnectionLike

#: The variable for whoever has no Airflow.
VARIABLE = "ISALES_CONN"
EXAMPLE = (
    '{"host": "isales.example.com", "port": 28080, "login": "<access key>", "password": "<secret key>", '
    '"extra": {"vdn_id": 25}}'
)

_FIELDS = ("conn_type", "host", "port", "login", "password", "schema", "extra", "description")
# The whole value of a URI's query, where it is no list of fields.
_EXTRA = "__extra__"


class UsageError(Exception):
    """What was typed cannot be carried out; nothing was sent. The message says what to type instead."""


@dataclass
class Connection:
    """What an Airflow connection has, as far as it is needed. Its values are as Airflow would read them."""

    conn_id: str
    host: Any = None
    port: Any = None
    login: Any = None
    password: Any = field(default=None, repr=False)
    extra: Any = field(default=None, repr=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which connection to use."""
    group = parser.add_argument_group(
        "connection",
        wrap(
            f"The first of: --connection-file, the variable AIRFLOW_CONN_<ID>, for the default one {VARIABLE}, then "
            "Airflow's secrets backends and database where it is installed. Keys are never given on the command line."
        ),
    )
    group.add_argument("--conn-id", default=DEFAULT_CONN_ID, metavar="ID", help="(default: %(default)s)")
    group.add_argument(
        "--connection-file",
        metavar="FILE",
        help="a file with the connection as Airflow has it in variables, JSON or URI, or exports it",
    )
    group.add_argument("--vdn-id", type=vdn_id, metavar="VDN", help="another VDN than the connection's")
    group.add_argument(
        "--retry-for",
        type=duration,
        default="60s",
        metavar="TIME",
        help="how long one request is tried again when it fails in passing (default: %(default)s)",
    )


def client_of(arguments: argparse.Namespace, *, max_connections: int = 8) -> ISalesClient:
    """
    Return a client for the connection that was asked for. Close it, or use it as a context manager.

    :param arguments: what was typed
    :param max_connections: how many connections are kept open: as many as threads use the client at once
    :raises UsageError: if there is no such connection, or it cannot be used; the message says what to type
    """
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.client import ISalesArgumentError, ISalesClient, RetryPolicy  # noqa: PLC0415
    from airflow_provider_isales.hooks.settings import client_settings  # noqa: PLC0415

    connection, source = find(arguments.conn_id, arguments.connection_file)
    try:
        retry = RetryPolicy(total=arguments.retry_for.total_seconds())
    except ISalesArgumentError as error:
        raise UsageError(f"--retry-for: {error}") from None
    try:
        settings = client_settings(connection)
        if arguments.vdn_id is not None:
            settings["vdn_id"] = arguments.vdn_id
        return ISalesClient(**settings, retry=retry, max_connections=max_connections)
    except ISalesArgumentError as error:
        problem = f"{source} cannot be used: {error}"
    raise UsageError(problem)  # here, so that no frame whose variables hold secrets hangs on it


def campaigns_of(arguments: argparse.Namespace, client: ISalesClient) -> list[CampaignKey]:
    """
    Return the campaigns that were named, each once.

    :raises UsageError: if nothing says in which VDN they are
    """
    if client.vdn_id is None:
        raise UsageError("the connection names no vdn_id: add --vdn-id VDN, or set its extra field vdn_id")
    return list(dict.fromkeys(map(client.campaign, arguments.campaigns)))


def find(conn_id: str, file: str | None) -> tuple[ConnectionLike, str]:
    """
    Return a connection, and where it was found.

    :param conn_id: its id
    :param file: the file that has it, if one was named
    :raises UsageError: if there is none, or it can't be read
    """
    if file is not None:
        return _in_file(file, conn_id), f"the connection in {file}"
    variables = [f"AIRFLOW_CONN_{conn_id.upper()}"]
    if conn_id == DEFAULT_CONN_ID:  # not for another one: it may be that of another platform
        variables.append(VARIABLE)
    for variable in variables:
        if text := os.environ.get(variable, "").strip():
            return read(text, conn_id, f"the variable {variable}"), f"the connection in the variable {variable}"
    connection, why_not = _in_airflow(conn_id)
    if connection is not None:
        return connection, f"Airflow's connection {conn_id!r}"
    raise UsageError(
        f"there is no connection {conn_id!r}: there is no variable {' or '.join(variables)}, and {why_not}. "
        f"Type\n\n  export {variables[-1]}='{EXAMPLE}'\n\nor put the same, without the quotes around it, into a "
        "file that only you can read, and add --connection-file FILE."
    )


def read(text: str, conn_id: str, source: str) -> Connection:
    """
    Read a connection as Airflow does from a variable: JSON if it begins with a brace, else a URI.

    :param text: what stands there
    :param conn_id: the connection's id
    :param source: how messages speak of where it stands; they never show what
    :raises UsageError: if it is neither
    """
    problem = f"{source} is neither a connection as JSON nor as URI"
    try:
        return Connection(conn_id, **(_json_fields(text) if text.startswith("{") else _uri_fields(text)))
    except UsageError as error:
        problem = f"{problem}: {error}"
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise UsageError(problem)  # here, so that nothing that shows the text hangs on it


def _in_file(file: str, conn_id: str) -> Connection:
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read().strip()
            if os.fstat(stream.fileno()).st_mode & stat.S_IROTH:
                warn(f"isales: every user of this machine can read the keys in {file}: chmod 600 {file}")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read: {error}") from None
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        exported = json.loads(text).get(conn_id)  # `airflow connections export`
        if exported:
            text = exported if isinstance(exported, str) else json.dumps(exported)
    return read(text, conn_id, file)


def _in_airflow(conn_id: str) -> tuple[ConnectionLike | None, str]:
    """Return the connection by Airflow's own look-up, or why there is none."""
    with _silence():
        try:
            # Not BaseHook, which in Airflow 3 asks the database only from within a task.
            from airflow.models.connection import Connection as AirflowConnection  # noqa: PLC0415
            from airflow.providers.common.compat.sdk import AirflowNotFoundException  # noqa: PLC0415
        except ImportError as error:
            installed = getattr(error, "name", None) != "airflow"
            return None, f"Airflow can't be imported ({error})" if installed else "Airflow is not installed here"
        try:
            return AirflowConnection.get_connection_from_secrets(conn_id), ""
        except AirflowNotFoundException:
            return None, f"Airflow has none, or cannot reach what has it (`airflow connections get {conn_id}` tells)"
        except Exception as error:  # of whatever secrets backend there is; its text may hold what it read
            return None, f"Airflow's own look-up failed ({type(error).__name__})"


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what Airflow says at its start out of the results, and of the mails that cron sends."""
    said = io.StringIO()  # not closed: Airflow's log may keep it
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        yield


def _json_fields(text: str) -> dict[str, Any]:
    given = json.loads(text)
    if unknown := given.keys() - _FIELDS:
        raise UsageError(f"unknown field {min(unknown)!r}; known are {', '.join(_FIELDS)}")
    extra, port = given.get("extra"), given.get("port")
    fields: dict[str, Any] = {name: given.get(name) for name in ("host", "login", "password")}
    fields["extra"] = extra if isinstance(extra, str) or not extra else json.dumps(extra)
    fields["port"] = int(port) if port else None
    return fields


def _uri_fields(text: str) -> dict[str, Any]:
    _scheme, separator, rest = text.partition("://")
    if not separator or "://" in rest:
        raise UsageError("write isales://<access key>:<secret key>@isales.example.com:28080/?vdn_id=25")
    parts = urlsplit(f"//{rest}")
    extra: dict[str, str] = dict(parse_qsl(parts.query, keep_blank_values=True))
    return {
        "host": unquote(parts.hostname or ""),
        "port": parts.port,
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "extra": extra.get(_EXTRA, json.dumps(extra)),
    }
