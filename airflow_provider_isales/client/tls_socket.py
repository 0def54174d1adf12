"""A TLS socket that enforces the deadline and the size limit of its thread's request."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from airflow_provider_isales.client.errors import ISalesProtocolError

MAX_RESPONSE_BYTES = 1024 * 1024
TOO_LARGE = f"the response is larger than {MAX_RESPONSE_BYTES // 1024} KiB"
# Status line and headers.
_OVERHEAD_BYTES = 64 * 1024


class Peer(NamedTuple):
    """
    The other end of a connection.

    :param tls: the version of TLS; empty behind a proxy that speaks TLS itself
    :param certificate: the server's certificate, as ``ssl`` shows it; empty when it was not checked
    """

    tls: str
    certificate: Mapping[str, Any]


class Limits(threading.local):
    """
    The time and bytes left for a thread's request. Thread-local, because urllib3 passes nothing down to a socket.

    :param socket: the socket that the request uses
    :param sent: whether any of it may have been sent
    """

    socket: LimitedSocket | None = None
    sent = False
    _deadline = 0.0
    _bytes_left = 0

    def begin(self, deadline: float) -> None:
        """Begin a request that ends by a deadline, on the ``time.monotonic()`` clock."""
        self._deadline, self._bytes_left = deadline, MAX_RESPONSE_BYTES + _OVERHEAD_BYTES
        self.socket, self.sent = None, False

    @property
    def seconds_left(self) -> float:
        """The seconds left; raises ``TimeoutError`` if there are none."""
        if (left := self._deadline - time.monotonic()) <= 0:
            raise TimeoutError("timed out")
        return left

    def count(self, received: int) -> None:
        """Count received bytes; raises ``ISalesProtocolError`` if they are too many."""
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise ISalesProtocolError(TOO_LARGE)


limits = Limits()


class LimitedSocket(ssl.SSLSocket):
    """For :attr:`ssl.SSLContext.sslsocket_class`."""

    @cached_property
    def peer(self) -> Peer:
        """The server; read once, because parsing a certificate takes as long as signing a request."""
        certificate = None
        with suppress(ValueError, ssl.SSLError):  # a trusted certificate that cannot be parsed completely
            certificate = self.getpeercert()
        return Peer(self.version() or "", certificate or {})

    def sendall(self, data: Any, flags: int = 0) -> None:
        if self.pending():
            raise ConnectionError("the server sent data before the request")
        self.settimeout(limits.seconds_left)
        limits.socket, limits.sent = self, True
        super().sendall(data, flags)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        self.settimeout(limits.seconds_left)
        data = super().recv(buflen, flags)
        limits.count(len(data))
        return data

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(limits.seconds_left)
        count = super().recv_into(buffer, nbytes, flags)
        limits.count(count)
        return count
