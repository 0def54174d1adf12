"""Builds a client from command-line arguments, an environment variable or an Airflow connection."""

from __future__ import annotations

import argparse
import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import urllib3
from urllib3.exceptions import InsecureRequestWarning

from airflow_provider_isales.cli.output import UsageError, discard_output, print_error
from airflow_provider_isales.cli.parallel import MAX_PARALLEL
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import CampaignKey, VdnKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.support.settings import ConnectionLike, read_client_settings

EXAMPLE = (
    '{"host": "isales.example.com", "port": 28080, "login": "<access key>", "password": "<secret key>", '
    '"extra": {"vdn_id": 25}}'
)
_FIELDS = ("conn_type", "host", "port", "login", "password", "schema", "extra", "description")


@dataclass
class JSONConnection:
    """A connection read without Airflow."""

    conn_id: str
    host: Any
    port: Any
    login: Any
    password: Any = field(repr=False)
    extra: Any = field(repr=False)


def make_client(arguments: argparse.Namespace, max_connections: int = MAX_PARALLEL) -> ISalesClient:
    """Return a client for the connection of the arguments; a ``UsageError`` if it is missing or wrong."""
    urllib3.disable_warnings(InsecureRequestWarning)  # one for each connection; reading the settings warns once
    connection, source = find_connection(arguments.conn_id, arguments.connection_file)
    try:
        retry = RetryPolicy(total=arguments.retry_for.total_seconds())
    except ISalesArgumentError as error:
        raise UsageError(f"--retry-for: {error}") from None
    try:
        settings = read_client_settings(connection)
        settings["retry"] = retry
        if arguments.vdn_id is not None:
            settings["vdn_id"] = arguments.vdn_id
        return ISalesClient(**settings, max_connections=max_connections)
    except ISalesArgumentError as error:
        problem = f"{source} cannot be used: {error}"
    raise UsageError(problem)  # outside, so that its traceback has no frame with secrets


def make_vdn_key(client: ISalesClient) -> VdnKey:
    """Return the VDN; a ``UsageError`` if neither arguments nor connection name one."""
    if client.vdn_id is None:
        raise UsageError("the connection has no vdn_id: add --vdn-id VDN, or set the connection's extra 'vdn_id'")
    return client.vdn()


def make_campaign_key(client: ISalesClient, campaign_id: int) -> CampaignKey:
    """Return the campaign; a ``UsageError`` if no VDN is named."""
    return CampaignKey(make_vdn_key(client).vdn_id, campaign_id)


def make_campaign_keys(client: ISalesClient, campaign_ids: Iterable[int]) -> list[CampaignKey]:
    """Return the campaigns without duplicates; a ``UsageError`` if no VDN is named."""
    return list(dict.fromkeys(make_campaign_key(client, campaign_id) for campaign_id in campaign_ids))


def find_connection(conn_id: str, file: str | None) -> tuple[ConnectionLike, str]:
    """Return a connection and where it was found; a ``UsageError`` if it is missing or can't be read."""
    if file is not None:
        return read_connection(_read_file(file), conn_id, file), file
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(variable, "").strip()
    if text.startswith("{"):  # Airflow reads other forms, such as a URI
        source = f"the variable {variable}"
        return read_connection(text, conn_id, source), source
    with discard_output():
        try:
            # Not BaseHook: in Airflow 3 it reads the database only within a task.
            model = import_module("airflow.models.connection").Connection
            return model.get_connection_from_secrets(conn_id), f"Airflow's connection {conn_id!r}"
        except ImportError as error:
            problem = f"Airflow can't be imported ({error})"
        except Exception as error:  # from any secrets backend; its text may show secrets
            problem = f"Airflow could not look it up ({type(error).__name__}; see `airflow connections get {conn_id}`)"
    raise UsageError(
        f"no connection {conn_id!r}: {variable} is not set to JSON, and {problem}. "
        f"Run\n\n  export {variable}='{EXAMPLE}'\n\nor put the JSON, without the quotes around it, into a "
        "file that only you can read, and add --connection-file FILE."
    )


def read_connection(text: str, conn_id: str, source: str) -> ConnectionLike:
    """Read a connection as JSON or as Airflow exports it; a ``UsageError``, without the text, if it is wrong."""
    try:
        fields = json.loads(text)
        fields = fields.get(conn_id) or fields
        unknown = fields.keys() - _FIELDS
        if not unknown:
            port = fields.get("port")
            return JSONConnection(
                conn_id,
                host=fields.get("host"),
                port=int(port) if port else None,
                login=fields.get("login"),
                password=fields.get("password"),
                extra=fields.get("extra"),
            )
        problem = f"{source} has the unknown field {min(unknown)!r}; known are {', '.join(_FIELDS)}"
    except Exception:  # of json or of a wrong type
        problem = f"{source} does not hold a connection as JSON, such as {EXAMPLE}"
    raise UsageError(problem)  # outside, so that it has no cause that shows the text


def _read_file(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as stream:
            if os.fstat(stream.fileno()).st_mode & stat.S_IROTH:
                print_error(f"isales: every user of this machine can read the keys in {file}: chmod 600 {file}")
            return stream.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} can't be read: {error}") from None
