"""One HTTPS server: the connections to it, and exceptions of libraries turned into ours."""

from __future__ import annotations

import io
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPResponse
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util.ssltransport import SSLTransport

from airflow_provider_isales import __version__
from airflow_provider_isales.client.answers import MAX_ANSWER_BYTES, TOO_LARGE
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
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesProtocolError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)
from airflow_provider_isales.client.text import clean

T = TypeVar("T")

# Status line and headers, and what else is not the body itself.
_OVERHEAD_BYTES = 64 * 1024

_HEADERS = {
    "User-Agent": f"airflow-provider-isales/{__version__}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json; charset=UTF-8",
}


class Transport:
    """
    Keep-alive connections to one server; safe to use from many threads, and on both sides of a fork.

    Proxies, trust and the pool of connections are those of ``requests``; each request goes to that pool directly: there
    are no cookies to keep, no redirects to follow and no settings to merge.

    :param host: the server's name or address, without scheme or port
    :param port: the server's port
    :param auth: signs each request
    :param verify: True, the path of a CA bundle, or False to trust anybody
    :param timeout: the seconds that one request may take, from connecting to the last byte of its answer
    :param proxies: proxies by scheme, as ``requests`` takes them, added to those of the environment
    :param max_connections: how many connections are kept open
    :raises ISalesArgumentError: for a setting that cannot work
    """

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
        self._connect()

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes,
        read: Callable[[BaseHTTPResponse], T],
        timeout: float | None = None,
        *,
        auth: C2Auth | None = None,
    ) -> T:
        """
        Send one request and read its answer.

        :param method: the HTTP method
        :param path: the path below the base URL
        :param body: the request body
        :param read: reads the response, whose body was not read yet
        :param timeout: the seconds that it may take, where this is less than those of the transport
        :param auth: signs this request, if not as all others
        :raises ISalesTransportError: if no answer came, or its connection broke
        """
        timeout = min(timeout or self.timeout, self.timeout)
        outside = sys.exception()
        _attempt.deadline = time.monotonic() + timeout
        try:
            headers = {**_HEADERS, "Content-Length": str(len(body))}
            response = self._pool().urlopen(
                method,
                path,
                body,
                (auth or self._auth).headers(method, f"{self.base_url}{path}", headers, body),
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
            try:
                return read(response)
            finally:
                response.close()  # closes the connection too, unless all was read
                response.release_conn()
        except ISalesError as error:
            # The frames of urllib3 hold the signature, and some log formats show their variables.
            raise error.with_traceback(None) from None
        # Not all that urllib3 raises for broken answers is of its own kinds; requests has its own for bad proxies.
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
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
        return list(dict.fromkeys(_addresses(self.host)))

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def _connect(self) -> None:
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=self._max_connections)
        self._process = os.getpid()

    def _pool(self) -> HTTPConnectionPool:
        if self._process != os.getpid():
            self._connect()  # the parent's connections: whoever reads first would get the other's answer
        return self._adapter.pool or self._adapter.make_pool(self.base_url, **self._settings)


class Peer(NamedTuple):
    """
    The other end of a connection.

    :param tls: the version of TLS
    :param certificate: the server's certificate, as ``ssl`` shows it; empty when it was not checked
    """

    tls: str
    certificate: Mapping[str, Any]


def peer_of(response: BaseHTTPResponse) -> Peer:
    """Return who sent a response, whose body was not read yet."""
    answer = cast("_Response", cast("urllib3.HTTPResponse", response)._original_response)
    connection = cast("ssl.SSLSocket", answer.connection)
    return Peer(connection.version() or "", connection.getpeercert() or {})


class _Attempt(threading.local):
    deadline = 0.0

    @property
    def seconds_left(self) -> float:
        if (left := self.deadline - time.monotonic()) <= 0:
            raise TimeoutError("the request took longer than its timeout, though bytes came")
        return left


# Of the request that a thread is sending: urllib3 has no way to hand it down to a connection and its response.
_attempt = _Attempt()


class _Meter(io.RawIOBase):
    """What comes over a connection for one answer, in no more bytes than an answer has and no later than it may."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection
        self._bytes_left = MAX_ANSWER_BYTES + _OVERHEAD_BYTES
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.ended:
            return 0
        self._connection.settimeout(_attempt.seconds_left)
        count = self._raw.readinto(buffer)
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise ISalesProtocolError(TOO_LARGE)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.connection = sock
        self._meter = _Meter(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._meter)

    def begin(self) -> None:
        super().begin()
        # urllib3 would log what stands among the headers but is none: it may be our signature, echoed.
        self.msg.defects.clear()
        self.msg.set_payload("")

    def _close_conn(self) -> None:
        self._meter.ended = True
        if self.fp.peek(1):  # bytes after the answer's end: the start of something that nobody asked for
            getattr(self.connection, "socket", self.connection).shutdown(socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]  # not in the stubs


class _Connection(HTTPSConnection):
    response_class = _Response
    _held_back: bytearray | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request in one piece, where urllib3 has one for the head and one for the body."""
        self._held_back = bytearray()
        try:
            super().request(*args, **kwargs)
            whole = self._held_back
        finally:
            self._held_back = None
        super().send(whole)

    def send(self, data: Any) -> None:
        """Send what is part of no request, or hold back a part of one."""
        if self._held_back is None:
            super().send(data)
        else:
            self._held_back += data

    @property
    def is_connected(self) -> bool:
        """Tell whether the connection can be used again: it is open, and nothing waits on it, not even decrypted."""
        return super().is_connected and not _decrypted(self.sock)

    def _new_conn(self) -> socket.socket:
        name, timeout = self._dns_host, self.timeout
        try:
            connection = self._connect_to_any(_addresses(name) or [name])
        finally:
            self._dns_host, self.timeout = name, timeout
        connection.settimeout(_attempt.seconds_left)  # for what follows: the proxy's answer and the TLS handshake
        return connection

    def _connect_to_any(self, addresses: list[str]) -> socket.socket:
        # By itself, urllib3 would give the whole timeout to each.
        for number, address in enumerate(addresses, 1):
            self._dns_host, self.timeout = address, _attempt.seconds_left / (len(addresses) - number + 1)
            try:
                return super()._new_conn()
            except HTTPError:
                if number == len(addresses):
                    raise
        raise AssertionError  # never: there is at least one

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        connection = super()._connect_tls_proxy(hostname, sock)
        connection.__class__ = _PacedSocket
        return connection


class _PacedSocket(ssl.SSLSocket):
    """A connection to a proxy, from which TLS within TLS reads piece by piece, each no later than the request may."""

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self.settimeout(_attempt.seconds_left)
        return super().recv(*args, **kwargs)


def _addresses(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # urllib3, which asks for it again, has the words for it
        return []
    return [str(address[0]) for *_, address in found]


def _decrypted(connection: Any) -> int:
    """Return how much of what came is not read yet, though it is not on the socket any more."""
    if isinstance(connection, SSLTransport):
        return connection.sslobj.pending() + connection.incoming.pending + _decrypted(connection.socket)
    return connection.pending() if isinstance(connection, ssl.SSLSocket) else 0


class _Adapter(HTTPAdapter):
    #: The connections, once there are any.
    pool: HTTPConnectionPool | None = None

    def make_pool(self, base_url: str, verify: bool | str, proxies: dict[str, str]) -> HTTPConnectionPool:
        """Return the pool for a server; the same one to threads that ask at once."""
        request = requests.PreparedRequest()
        request.url = base_url
        pool = cast("HTTPConnectionPool", self.get_connection_with_tls_context(request, verify, proxies))
        self.cert_verify(pool, base_url, verify, None)  # type: ignore[no-untyped-call]
        pool.ConnectionCls = _Connection
        self.pool = pool
        return pool

    def close(self) -> None:
        self.pool = None
        # urllib3 leaves it to the garbage collector, and the traceback of an error can keep a pool for long.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  # it can't be iterated over
                manager.pools[key].close()
        super().close()


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

    if caused_by(ssl.SSLCertVerificationError):
        return ISalesCertificateError(f"the server's certificate is not trusted: {reason}")
    # A ProxyError alone does not tell: urllib3 raises it too when the connection through a proxy is lost later.
    if caused_by(NewConnectionError, ConnectTimeoutError) or reason.startswith("Tunnel connection failed"):
        return ISalesConnectError(f"no connection could be made: {reason}")
    if caused_by(ReadTimeoutError):
        return ISalesTimeoutError(f"no answer in time: {reason}")
    if caused_by(ssl.SSLError) and not caused_by(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return ISalesTLSError(f"TLS failed: {reason}")
    return ISalesConnectionLostError(f"the connection broke: {reason}")


def _causes(error: BaseException | None, outside: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it, up to what the caller of this client was already handling."""
    while error is not None and error is not outside:
        yield error
        error = error.__cause__ or error.__context__
