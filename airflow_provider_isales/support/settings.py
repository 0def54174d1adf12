"""From an Airflow connection to the settings of an ``ISalesClient``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, Protocol

from airflow_provider_isales.client.arguments import check_client_cert, check_proxy, check_signing_profile, check_vdn_id
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.text import Secret
from airflow_provider_isales.provider_info import CONNECTION_FIELDS

log = logging.getLogger(__name__)

_BOOLEANS = {"true": True, "false": False}


class ConnectionLike(Protocol):
    """What is read of an Airflow connection."""

    conn_id: Any
    host: Any
    port: Any
    login: Any
    password: Any
    extra: Any


def client_settings(connection: ConnectionLike) -> dict[str, Any]:
    """
    Read a connection.

    :param connection: the Airflow connection
    :return: the keyword arguments of ``ISalesClient``
    :raises ISalesArgumentError: for a value that is not allowed; it names key and value, but for those that are secret
    """
    if not connection.login:
        raise ISalesArgumentError("login, the access key, is empty")
    if not connection.password:
        raise ISalesArgumentError("password, the secret key, is empty")
    extra = _extra(connection)
    settings: dict[str, Any] = {
        "host": connection.host or "",
        "access_key": connection.login,
        "secret_key": Secret(connection.password),
    }
    if connection.port is not None:
        settings["port"] = connection.port
    readers: dict[str, Callable[[object], object]] = {
        "vdn_id": check_vdn_id,
        "verify": _read_boolean,
        "verify_strict": _read_boolean,
        "client_cert": check_client_cert,
        "timeout": _timeout,
        "signing_profile": check_signing_profile,
        "proxies": _proxies,
    }
    settings |= {name: read(extra[name]) for name, read in readers.items() if name in extra}
    if settings.get("verify") is False:
        log.warning(
            "Connection %r has verify=false: whoever sits between this machine and %s can read and change the calls.",
            connection.conn_id,
            connection.host,
        )
    return settings


def _extra(connection: ConnectionLike) -> dict[str, Any]:
    """Return the extra fields that are filled in: the form stores empty ones too."""
    try:
        extra = json.loads(connection.extra or "{}")
    except (ValueError, TypeError, RecursionError):
        extra = None
    if not isinstance(extra, dict):
        raise ISalesArgumentError("extra must be a JSON object")
    for name in extra.keys() - CONNECTION_FIELDS.keys():
        log.warning(
            "Connection %r has the unknown extra field %r, which is ignored. Known: %s.",
            connection.conn_id,
            name,
            ", ".join(CONNECTION_FIELDS),
        )
    return {name: value for name, value in extra.items() if value not in (None, "")}


def _read_boolean(value: object) -> object:
    # A connection that is written as a URI has text in all its extra fields.
    return _BOOLEANS.get(value.lower(), value) if isinstance(value, str) else value


def _timeout(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _proxies(value: object) -> dict[str, str]:
    try:
        proxies = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        proxies = None
    if not isinstance(proxies, dict) or not proxies.keys() <= {"https", "all"}:
        # The value is not shown: it may hold a password.
        raise ISalesArgumentError('proxies must be JSON such as {"https": "http://proxy.example.com:3128"}')
    return {scheme: check_proxy(url) for scheme, url in proxies.items()}
