"""One connection, and what comes over it: in no more bytes than an answer has, and no later than it may."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any, cast

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssltransport import SSLTransport
from urllib3.util.wait import wait_for_read

from airflow_provider_isales.client.errors import ISalesProtocolError
from airflow_provider_isales.client.response import MAX_ANSWER_BYTES, TOO_LARGE, Peer, Response, received

# Status line and headers, and what else is not the body itself.
_OVERHEAD_BYTES = 64 * 1024
# So many seconds may a read take too long, rather than that its timeout is set each time.
_TOLERANCE_SECONDS = 0.1


class Attempt(threading.local):
    """The time that a thread's request has; its ``deadline`` is by :func:`time.monotonic`."""

    deadline = 0.0

    @property
    def seconds_left(self) -> float:
        """The seconds that are left; more than 0, or it raises ``TimeoutError``."""
        if (left := self.deadline - time.monotonic()) <= 0:
            raise TimeoutError("the request took longer than its timeout, though bytes came")
        return left


# Of the request that a thread is sending: http.client has no way to hand it down to an answer's stream.
attempt = Attempt()


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
        self._wait()
        count = self._raw.readinto(buffer)
        self.ended = not count  # for good: what TLS has told once, the socket does not tell again
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise ISalesProtocolError(TOO_LARGE)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _wait(self) -> None:
        """Wait for more, and have the read be in time."""
        connection = self._connection
        if not isinstance(connection, (ssl.SSLSocket, SSLTransport)):  # one of pyOpenSSL, if something injected it
            connection.settimeout(attempt.seconds_left)
            return
        # Waiting first saves a read in vain, and setting the timeout a system call: other threads get in at each.
        if not _decrypted(connection) and not wait_for_read(cast("socket.socket", connection), attempt.seconds_left):
            raise TimeoutError("The read operation timed out")
        if attempt.seconds_left < (connection.gettimeout() or 0) - _TOLERANCE_SECONDS:
            connection.settimeout(attempt.seconds_left)


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.connection = sock
        self._meter = _Meter(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._meter)

    def _close_conn(self) -> None:
        self._meter.ended = True
        if self.fp.peek(1):  # bytes after the answer's end: the start of something that nobody asked for
            with suppress(OSError):  # the other end was faster
                getattr(self.connection, "socket", self.connection).shutdown(socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]  # not in the stubs


class Connection(HTTPSConnection):
    """One connection, whose answers are read to their end."""

    response_class = _Answer
    _held_back: bytearray | None = None

    def connect(self) -> None:
        """Connect, and take down who is at the other end."""
        super().connect()
        connection, certificate = cast("ssl.SSLSocket", self.sock), None
        with suppress(ValueError, ssl.SSLError):  # it is trusted, though not all of it can be read
            certificate = connection.getpeercert()
        self._peer = Peer(connection.version() or "", certificate or {})

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a request in one piece, where http.client has one for the head and one for the body."""
        self.sock.settimeout(attempt.seconds_left)
        self._held_back = bytearray()
        try:
            self.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                self.putheader(name, value)
            self.endheaders(body)
            whole = self._held_back
        finally:
            self._held_back = None
        self.send(whole)

    def answer(self) -> Response:
        """Read what answers a request. What is left over, because nobody wants it, is the end of the connection."""
        answer, whole = HTTPConnection.getresponse(self), False
        try:
            response, whole = received(answer, self._peer)
            return response
        finally:
            if not whole:
                self.close()
                answer.close()  # http.client has given it the socket if it is the last one on it

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
        name = self._dns_host
        try:
            connection = self._connect_to_any(addresses(name) or [name])
        finally:
            self._dns_host = name
        connection.settimeout(attempt.seconds_left)  # for what follows: the proxy's answer and the TLS handshake
        return connection

    def _connect_to_any(self, targets: list[str]) -> socket.socket:
        # By itself, urllib3 would give the whole timeout to each.
        for number, address in enumerate(targets, 1):
            self._dns_host, self.timeout = address, attempt.seconds_left / (len(targets) - number + 1)
            try:
                return super()._new_conn()
            except HTTPError:
                if number == len(targets):
                    raise
        raise AssertionError  # never: there is at least one

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        connection = super()._connect_tls_proxy(hostname, sock)
        connection.__class__ = _PacedSocket
        return connection


class _PacedSocket(ssl.SSLSocket):
    """A connection to a proxy, from which TLS within TLS reads piece by piece, each no later than the request may."""

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self.settimeout(attempt.seconds_left)
        return super().recv(*args, **kwargs)


def addresses(name: str) -> list[str]:
    """Look up the addresses of a name; none if it has none."""
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
