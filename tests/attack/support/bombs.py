"""Answers that want all the memory of whoever reads them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import cache

from raw_server import SUCCESS, Handler, Wire

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_PIECE = b"x" * 65536
# Far more than anything may take, and sent in seconds.
_MOST = 150 * 2**20
_ZEROS = 100 * 2**20


def _bomb(start: bytes, piece: bytes = _PIECE) -> Handler:
    def handler(wire: Wire) -> None:
        wire.read_request()
        wire.send(start)
        wire.flood(piece, _MOST)

    return handler


def _encoded(coding: str, make_data: Callable[[], bytes]) -> Handler:
    """Return a handler; its data is made when it is sent, because compressing it takes a second."""

    def handler(wire: Wire) -> None:
        wire.read_request()
        data = make_data()
        wire.send(_HEAD + f"Content-Encoding: {coding}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)

    return handler


@cache
def _gzip() -> bytes:
    return gzip.compress(bytes(_ZEROS), 9)


BOMBS: dict[str, Handler] = {
    "a chunk of size -1": _bomb(_CHUNKED + b"-1\r\n"),
    "a chunk of 2 GiB": _bomb(_CHUNKED + b"7fffffff\r\n"),
    "a chunk of 16 EiB": _bomb(_CHUNKED + b"ffffffffffffffff\r\n"),
    "chunks without end": _bomb(_CHUNKED, b"10000\r\n" + _PIECE + b"\r\n"),
    "tiny chunks without end": _bomb(_CHUNKED, b"1\r\n \r\n" * 10000),
    "a chunk size without end": _bomb(_CHUNKED, b"0" * 65536),
    "a chunk extension without end": _bomb(_CHUNKED + b"1;"),
    "a trailer without end": _bomb(_CHUNKED + b"0\r\nX: "),
    "trailers without end": _bomb(_CHUNKED + b"0\r\n", b"X: y\r\n" * 10000),
    "gzip": _encoded("gzip", _gzip),
    "gzip of gzip": _encoded("gzip, gzip", lambda: gzip.compress(_gzip(), 9)),
    "deflate": _encoded("deflate", lambda: zlib.compress(bytes(_ZEROS), 9)),
    "Content-Length of 2 GiB": _bomb(_HEAD + b"Content-Length: 2147483648\r\n\r\n"),
    "Content-Length of 10^30": _bomb(_HEAD + b"Content-Length: 1" + b"0" * 30 + b"\r\n\r\n"),
    "Content-Length of -1": _bomb(_HEAD + b"Content-Length: -1\r\n\r\n"),
    "a body without end": _bomb(_HEAD + b"\r\n"),
    "a success, and spaces without end": _bomb(_HEAD + b"\r\n" + SUCCESS, b" " * 65536),
    "a header without end": _bomb(_HEAD + b"X: "),
    "headers without end": _bomb(_HEAD, b"X: y\r\n" * 10000),
    "a status line without end": _bomb(b"HTTP/1.1 200 "),
    "100 Continue without end": _bomb(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a body of a 503 without end": _bomb(b"HTTP/1.1 503 No\r\n\r\n"),
    "a redirect to somewhere far": _bomb(b"HTTP/1.1 302 Found\r\nLocation: "),
    "JSON, deeply nested": _bomb(_HEAD + b"\r\n", b"[" * 65536),
    "1 MiB of short fields": _encoded(
        "identity", lambda: b"{" + b",".join(b'"%x":0' % i for i in range(90_000)) + b"}"
    ),
    "1 MiB of lists": _encoded("identity", lambda: b'{"x":[' + b"[]," * 340_000 + b"[]]}"),
    "1 MiB in one number": _encoded("identity", lambda: b'{"resultCode":' + b"9" * (2**20 - 20) + b"}"),
}
