"""One HTTPS connection, direct or through a proxy, whose responses are bounded in size and time."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Any, TypeVar, cast

from airflow_provider_isales.client.errors import ISalesProtocolError
from airflow_provider_isales.client.response import MAX_ANSWER_BYTES, TOO_LARGE, Peer, Response, read_response
from airflow_provider_isales.client.route import Route, find_addresses

T = TypeVar("T")

# Status line, headers, and what TLS adds to each record.
_OVERHEAD_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024


class _TCP:
    """A TCP connection. Every step ends by the deadline of the present request, and what is received is bounded."""

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self.begin(deadline)
        addresses = find_addresses(host, port)
        for untried in range(len(addresses), 0, -1):  # each address gets its share of the time that is left
            try:
                self._socket = socket.create_connection(addresses[-untried], self._seconds_left / untried)
                break
            except OSError:
                if untried == 1:
                    raise
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.close = self._socket.close

    def begin(self, deadline: float) -> None:
        self._deadline, self._bytes_left = deadline, MAX_ANSWER_BYTES + _OVERHEAD_BYTES

    @property
    def _seconds_left(self) -> float:
        if (left := self._deadline - time.monotonic()) <= 0:
            raise TimeoutError("timed out")
        return left

    def receive(self, size: int, *, wait: bool = True) -> bytes:
        self._socket.settimeout(self._seconds_left if wait else 0)
        data = self._socket.recv(size)
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise ISalesProtocolError(TOO_LARGE)
        return data

    def send(self, data: bytes) -> None:
        self._socket.settimeout(self._seconds_left)
        self._socket.sendall(data)


class _TLS:
    """TLS on top of TCP, or of the TLS of a proxy, which the sockets of ``ssl`` cannot do."""

    def __init__(self, below: _TCP | _TLS, context: ssl.SSLContext, host: str) -> None:
        self._below, self._incoming, self._outgoing = below, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.engine = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host.rstrip("."))
        self._complete(self.engine.do_handshake)

    def receive(self, size: int, *, wait: bool = True) -> bytes:
        try:
            return self._complete(lambda: self.engine.read(size), wait=wait)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def send(self, data: bytes) -> None:
        self._complete(lambda: self.engine.write(data))

    def _complete(self, step: Callable[[], T], *, wait: bool = True) -> T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._flush()
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # tells the other end why
                raise
            else:
                self._flush()
                return done
            data = self._below.receive(_PIECE_BYTES, wait=wait)
            self._incoming.write(data) if data else self._incoming.write_eof()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._below.send(data)


class _Stream(io.RawIOBase):
    """The bytes of one response. To ``http.client`` it is a socket."""

    ended = False
    #: Whether bytes followed the response's end.
    has_surplus = False

    def __init__(self, layer: _TCP | _TLS) -> None:
        self._layer = layer

    def makefile(self, mode: str) -> io.BufferedReader:
        return _Reader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b"" if self.ended else self._layer.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Reader(io.BufferedReader):
    raw: _Stream

    def close(self) -> None:
        if not self.closed:
            self.raw.ended = True  # so that peek() shows what is buffered, and receives nothing
            self.raw.has_surplus = bool(self.peek(1))
            super().close()


class _Response(HTTPResponse):
    def begin(self) -> None:
        """Read status and headers, and skip interim responses, of which ``http.client`` itself skips 100 alone."""
        super().begin()
        while self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = cast("Any", None)  # else nothing more is read
            super().begin()


class Connection:
    """
    An HTTPS connection.

    :param route: how to reach the server
    :param deadline: when it has to be there, by :func:`time.monotonic`
    :raises OSError: if no connection could be made
    """

    def __init__(self, route: Route, deadline: float) -> None:
        self._reusable = False
        self._tcp = _TCP(*(route.proxy_address or route.address), deadline)
        self.close = self._tcp.close
        try:
            layer: _TCP | _TLS = self._tcp
            if route.proxy_address:
                layer = _TLS(layer, route.context, route.proxy_address[0]) if route.proxy_speaks_tls else layer
                with _ask(layer, "CONNECT", route.target, route.proxy_headers()) as (response, _):
                    if response.status != HTTPStatus.OK:
                        raise OSError(f"Tunnel connection failed: {response.status} {response.reason}")
            self._tls = _TLS(layer, route.context, route.address[0])
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise TimeoutError("something listens, but did not answer in time before TLS was there") from None
            raise
        certificate = None
        with suppress(ValueError, ssl.SSLError):  # it is trusted, though not all of it can be read
            certificate = self._tls.engine.getpeercert()
        self.peer = Peer(self._tls.engine.version() or "", certificate or {})

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str], deadline: float) -> Response:
        """Send a request and read its response."""
        self._reusable = False
        self._tcp.begin(deadline)
        with _ask(self._tls, method, path, headers, body) as (response, stream):
            result = read_response(response, self.peer)
            self._reusable = response.isclosed() and not response.will_close and not stream.has_surplus
        return result

    @property
    def is_reusable(self) -> bool:
        """Whether it is open, and nothing has come that the next request would take for its response."""
        if self._reusable:
            try:
                self._tls.receive(1, wait=False)
            except BlockingIOError:
                return True
            except (OSError, ISalesProtocolError):
                pass
        return False


@contextmanager
def _ask(
    layer: _TCP | _TLS, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
) -> Iterator[tuple[_Response, _Stream]]:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    layer.send("\r\n".join(lines).encode("latin-1") + body)
    stream = _Stream(layer)
    with _Response(cast("socket.socket", stream), method=method) as response:
        response.begin()
        yield response, stream
