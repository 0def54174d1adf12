"""A TLS server that writes bytes as it is told: no HTTP library stands between a test and the wire."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import trustme

from airflow_provider_isales.client import ISalesClient, RetryPolicy

SECRET_KEY = "attacked-secret-key"
SUCCESS = b'{"resultCode": "0200000", "resultDesc": "ok", "returnCode": "0200000", "returnDesc": "ok"}'

_IDLE_SECONDS = 60.0


def http_answer(body: bytes = SUCCESS, *headers: str, status: str = "200 OK") -> bytes:
    """An answer as any server would write it."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def result(code: str, description: str = "") -> bytes:
    """The body of an answer with a result code."""
    return json.dumps({"resultCode": code, "resultDesc": description, "returnCode": code}).encode()


@dataclass(frozen=True)
class Request:
    head: bytes
    body: bytes

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def batch_id(self) -> str:
        return str(json.loads(self.body)["id"])


class Wire:
    """One accepted connection, as the handler of a server sees it."""

    def __init__(self, connection: socket.socket, ended: threading.Event) -> None:
        self.connection = connection
        self.ended = ended
        self._received = b""

    def read_request(self) -> Request | None:
        """Return the next request, None when the client has closed the connection."""
        while b"\r\n\r\n" not in self._received:
            if not self._receive():
                return None
        head, _, rest = self._received.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0)
        while len(rest) < length:
            if not self._receive():
                return None
            rest = self._received.partition(b"\r\n\r\n")[2]
        self._received = rest[length:]
        return Request(head, rest[:length])

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def dribble(self, pieces: Iterable[bytes], every: float) -> None:
        """Send piece by piece, until the client has had enough or the server ends."""
        for piece in pieces:
            self.send(piece)
            if self.ended.wait(every):
                return

    def flood(self, piece: bytes, most: int) -> None:
        """Send the same again and again, up to ``most`` bytes."""
        for _ in range(most // len(piece)):
            if self.ended.is_set():
                return
            self.send(piece)

    def stall(self) -> None:
        """Do nothing until the client closes the connection or the server ends."""
        self.connection.settimeout(0.05)
        while not self.ended.is_set():
            try:
                if not self.connection.recv(65536):
                    return
            except TimeoutError:
                continue

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _receive(self) -> bool:
        data = self.connection.recv(65536)
        self._received += data
        return bool(data)


Handler = Callable[[Wire], None]


@cache
def _authority() -> tuple[TemporaryDirectory[str], Path, ssl.SSLContext]:
    directory = TemporaryDirectory(prefix="isales-attack-")
    authority = trustme.CA()
    ca_file = Path(directory.name, "ca.pem")
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "::1").configure_cert(context)
    return directory, ca_file, context


def ca_file() -> Path:
    """The bundle with the authority that signed the servers' certificate."""
    return _authority()[1]


def server_context() -> ssl.SSLContext:
    return _authority()[2]


class RawServer:
    """
    Listens on loopback, and hands each connection to a handler in a thread of its own.

    :param handler: what is done with a connection; it is closed afterwards
    :param tls: whether the handshake is made before the handler is called
    """

    def __init__(self, handler: Handler, *, tls: bool = True) -> None:
        self._handler = handler
        self._tls = tls
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def client(self, **settings: Any) -> ISalesClient:
        """A client for this server that makes one attempt."""
        return client_of(self.port, **settings)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=target, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_IDLE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The client breaks off whenever it has had enough.
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._tls:
                connection = server_context().wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            self._handler(Wire(connection, self._ended))


def tunnel(wire: Wire, on_idle: Callable[[], object] = lambda: None) -> None:
    """
    A handler that is an HTTP proxy: CONNECT and nothing else.

    :param on_idle: called again and again while all that came is passed on
    """
    target = wire.read_request()
    assert target
    host, _, port = target.path.rpartition(":")
    with socket.create_connection((host, int(port))) as server:
        wire.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        other = {wire.connection: server, server: wire.connection}
        while not wire.ended.is_set():
            readable = select.select(list(other), [], [], 0.01)[0]
            if not readable:
                on_idle()
            for ready in readable:
                data = ready.recv(65536)
                while getattr(ready, "pending", int)():
                    data += ready.recv(65536)
                if not data:
                    return
                other[ready].sendall(data)


def client_of(port: int, **settings: Any) -> ISalesClient:
    """A client for a server on loopback that makes one attempt."""
    given = {"host": "127.0.0.1", "vdn_id": 25, "verify": str(ca_file()), "retry": RetryPolicy(attempts=1)}
    return ISalesClient(**{"access_key": "attacker", "secret_key": SECRET_KEY, "port": port, **given, **settings})


def answering(answer: Callable[[Request], bytes]) -> Handler:
    """A handler that answers each request of a connection."""

    def handler(wire: Wire) -> None:
        while request := wire.read_request():
            wire.send(answer(request))

    return handler


def seconds_of(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started
