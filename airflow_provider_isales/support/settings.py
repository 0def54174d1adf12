"""Reads the settings of an ``ISalesClient`` from an Airflow connection."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any, Protocol

from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.route import check_proxy
from airflow_provider_isales.client.text import Secret
from airflow_provider_isales.provider_info import CONNECTION_FIELDS

log = logging.getLogger(__name__)

_BOOLEANS = {"true": True, "false": False}


class ConnectionLike(Protocol):
    """The fields of an Airflow connection that are read."""

    conn_id: Any
    host: Any
    port: Any
    login: Any
    password: Any
    extra: Any


def read_client_settings(connection: ConnectionLike) -> dict[str, Any]:
    """
    Return the keyword arguments of ``ISalesClient``, which checks them.

    :raises ISalesArgumentError: for a field that cannot be read; it names the key, and the value unless that is secret
    """
    if not connection.login:
        raise ISalesArgumentError("login, the access key, is empty")
    if not connection.password:
        raise ISalesArgumentError("password, the secret key, is empty")
    settings = _read_extra(connection)
    if settings.get("verify") is False:
        log.warning(
            "Connection %r has verify=false: anyone on the network path to %s can read and change requests.",
            connection.conn_id,
            connection.host,
        )
    if connection.port is not None:
        settings["port"] = connection.port
    return {
        "host": connection.host or "",
        "access_key": connection.login,
        "secret_key": Secret(connection.password),
        **settings,
    }


def _read_extra(connection: ConnectionLike) -> dict[str, Any]:
    """Return the extra fields that are known and not empty: the form stores empty ones, too."""
    extra = _read_json_object(connection.extra or "{}")
    if extra is None:
        raise ISalesArgumentError("extra must be a JSON object")
    for name in extra.keys() - CONNECTION_FIELDS.keys():
        log.warning(
            "Connection %r has the unknown extra field %r, which is ignored. Known: %s.",
            connection.conn_id,
            name,
            ", ".join(CONNECTION_FIELDS),
        )
    known = {name: value for name, value in extra.items() if name in CONNECTION_FIELDS and value not in (None, "")}
    # In a connection from a URI, all extra fields are text.
    for name in {"verify", "verify_strict"} & known.keys():
        known[name] = _BOOLEANS.get(str(known[name]).lower(), known[name])
    with suppress(ValueError):  # the client reports it
        if isinstance(known.get("timeout"), str):
            known["timeout"] = float(known["timeout"])
    if "proxies" in known:
        known["proxies"] = _read_json_object(known["proxies"])
        if known["proxies"] is None or not known["proxies"].keys() <= {"https", "all"}:
            # Do not show the value: it may hold a password.
            raise ISalesArgumentError('proxies must be JSON such as {"https": "http://proxy.example.com:3128"}')
        for url in known["proxies"].values():
            check_proxy(url)
    return known


def _read_json_object(value: object) -> dict[str, Any] | None:
    """Return a dict, also from its JSON; None for anything else."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
