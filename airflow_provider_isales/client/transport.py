"""One HTTPS server: the connections to it, and exceptions of libraries turned into ours."""

from __future__ import annotations

import logging
import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from airflow_provider_isales import __version__
from airflow_provider_isales.client.arguments import (
    HTTPS_PORT,
    MAX_TIMEOUT,
    check_host,
    check_parallelism,
    check_port,
    check_proxy,
    check_seconds,
    check_verify,
)
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.connection import Connection, addresses, attempt
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)
from airflow_provider_isales.client.response import Response
from airflow_provider_isales.client.text import clean

log = logging.getLogger(__name__)

T = TypeVar("T")

_HEADERS = {
    "User-Agent": f"airflow-provider-isales/{__version__}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json; charset=UTF-8",
}


class Transport:
    """
    Keep-alive connections to one server; safe to use from many threads, and on both sides of a fork.

    Connections are made by the pool of ``requests``, with its proxies and trust, and each request goes to one directly:
    there are no cookies to keep, no redirects to follow and no settings to merge.

    :param host: the server's name or address, without scheme or port
    :param port: the server's port
    :param auth: signs each request
    :param verify: True, the path of a CA bundle, or False to trust anybody
    :param timeout: the seconds that one request may take, from connecting to the last byte of its answer
    :param proxies: proxies by scheme, as ``requests`` takes them, added to those of the environment
    :param max_connections: how many connections are kept open
    :raises ISalesArgumentError: for a setting that cannot work
    """

    # Taking one and adding one are atomic. A queue has a lock, which an interrupt can leave locked for good.
    _idle: list[Connection]

    def __init__(
        self,
        host: str,
        port: int,
        auth: C2Auth,
        *,
        verify: bool | str,
        timeout: float,
        proxies: Mapping[str, str],
        max_connections: int,
    ) -> None:
        name, port = check_host(host), check_port(port)
        self.base_url = f"https://{name}" if port == HTTPS_PORT else f"https://{name}:{port}"
        self.timeout = check_seconds("timeout", timeout, MAX_TIMEOUT)
        self._auth = auth
        self._max_connections = check_parallelism(max_connections, "max_connections")
        self._settings = _send_settings(self.base_url, check_verify(verify), proxies)
        self._begin()

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes,
        read: Callable[[Response], T],
        timeout: float | None = None,
        *,
        auth: C2Auth | None = None,
    ) -> T:
        """
        Send one request and read its answer.

        :param method: the HTTP method
        :param path: the path below the base URL
        :param body: the request body
        :param read: reads the response
        :param timeout: the seconds that it may take, where this is less than those of the transport
        :param auth: signs this request, if not as all others
        :raises ISalesTransportError: if no answer came, or its connection broke
        """
        timeout = min(timeout or self.timeout, self.timeout)
        outside = sys.exception()
        attempt.deadline = time.monotonic() + timeout
        try:
            headers = {**_HEADERS, "Content-Length": str(len(body))}
            url = f"{self.base_url}{path}"
            # In the expression itself: no variable of this frame holds the signature, or an echo of it.
            return read(self._send(method, path, body, (auth or self._auth).headers(method, url, headers, body)))
        except ISalesError as error:
            # The frames hold the signature, and some log formats show their variables.
            raise error.with_traceback(None) from None
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            raise _transport_error(error, outside) from None
        except BaseException as interruption:  # a timeout of the task, an interrupt: the same frames
            raise interruption.with_traceback(None) from interruption.__cause__

    @property
    def host(self) -> str:
        """The server's name or address, without port and brackets."""
        return str(urlsplit(self.base_url).hostname)

    @property
    def verify(self) -> bool | str:
        """Whom it trusts: the usual authorities (True), a CA bundle (its path), or anybody (False)."""
        verify: bool | str = self._settings["verify"]
        return verify

    @property
    def goes_through_a_proxy(self) -> bool:
        """Whether connections are made by a proxy, which then looks up the server's name, too."""
        return bool(self._settings["proxies"])

    def addresses(self) -> list[str]:
        """Look up the server's name; empty if it has no address."""
        return list(dict.fromkeys(addresses(self.host)))

    def close(self) -> None:
        """Close the connections; those that are in use, after their answer."""
        idle, self._idle = self._idle, []
        while idle:
            idle.pop().close()

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        pool, idle = self._connection_pool(), self._idle
        try:
            connection = idle.pop()
        except IndexError:
            connection = cast("Connection", pool._new_conn())
        try:
            if not connection.is_connected:
                connection.close()  # what the server has closed, or sent unasked
                if pool.proxy:
                    pool._prepare_proxy(connection)
                pool._validate_conn(connection)  # connects; warns if it trusts anybody
            connection.ask(method, path, body, headers)
            response = connection.answer()
        except BaseException:
            connection.close()  # and it is not used again: it may hold a part of the request
            raise
        log.debug("%s %s%s: HTTP %d", method, self.base_url, path, response.status)
        if idle is self._idle and len(idle) < self._max_connections:
            idle.append(connection)
        else:
            connection.close()
        return response

    def _begin(self) -> None:
        self._pool: HTTPConnectionPool | None = None
        self._idle = []
        self._process = os.getpid()

    def _connection_pool(self) -> HTTPConnectionPool:
        if self._process != os.getpid():
            self._begin()  # the parent's connections: whoever reads first would get the other's answer
        if self._pool is None:
            self._pool = _make_pool(self.base_url, **self._settings)
        return self._pool


def _make_pool(base_url: str, verify: bool | str, proxies: dict[str, str]) -> HTTPConnectionPool:
    """Return what makes connections to a server as ``requests`` would; it keeps none."""
    adapter, request = HTTPAdapter(), requests.PreparedRequest()
    request.url = base_url
    pool = cast("HTTPConnectionPool", adapter.get_connection_with_tls_context(request, verify, proxies))
    adapter.cert_verify(pool, base_url, verify, None)  # type: ignore[no-untyped-call]
    pool.ConnectionCls = Connection
    return pool


def _send_settings(base_url: str, verify: bool | str, proxies: Mapping[str, str]) -> dict[str, Any]:
    """Return what the adapter is told with each request, once and for all."""
    if not isinstance(proxies, Mapping):
        raise ISalesArgumentError('proxies must be a mapping such as {"https": "http://proxy.example.com:3128"}')
    for url in proxies.values():
        if not isinstance(url, str | None):
            check_proxy(url)
    # A session's own `verify` loses against REQUESTS_CA_BUNDLE in the environment, one that is passed does not.
    with requests.Session() as session:
        settings = session.merge_environment_settings(base_url, dict(proxies), stream=True, verify=verify, cert=None)
    proxy = select_proxy(base_url, settings["proxies"])
    if proxy and isinstance(proxy, str) and "://" not in proxy:
        proxy = f"http://{proxy}"  # as the environment may have it
    return {
        "verify": check_verify(settings["verify"]),
        "proxies": {"https": check_proxy(proxy)} if proxy else {},
    }


def _transport_error(error: Exception, outside: BaseException | None) -> ISalesTransportError:
    causes = list(_causes(error, outside))
    reason = clean(str(causes[-1])).strip() or type(causes[-1]).__name__

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    # By its type too: a server may answer with the same words.
    refused_by_proxy = type(causes[-1]) is OSError and reason.startswith("Tunnel connection failed")
    if caused_by(ssl.SSLCertVerificationError):
        return ISalesCertificateError(f"the server's certificate is not trusted: {reason}")
    if caused_by(NewConnectionError, ConnectTimeoutError) or refused_by_proxy:
        return ISalesConnectError(f"no connection could be made: {reason}")
    if caused_by(TimeoutError):
        return ISalesTimeoutError(f"no answer in time: {reason}")
    if caused_by(ssl.SSLError) and not caused_by(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return ISalesTLSError(f"TLS failed: {reason}")
    return ISalesConnectionLostError(f"the connection broke: {reason}")


def _causes(error: BaseException | None, outside: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it, up to what the caller of this client was already handling."""
    while error is not None and error is not outside:
        yield error
        error = error.__cause__ or error.__context__
