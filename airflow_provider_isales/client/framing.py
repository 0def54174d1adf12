"""Where an answer begins and where it ends, to the letter of RFC 9112: the HTTP libraries forgive more than is safe."""

from __future__ import annotations

import io
import re
from typing import Any

from airflow_provider_isales.client.errors import ISalesProtocolError
from airflow_provider_isales.client.text import shown

MAX_HEAD_BYTES = 64 * 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})( .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r]*)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;.*)?")
_SWITCHING_PROTOCOLS = 101
_OK = 200


def read_head(stream: io.BufferedReader[Any]) -> bytes:
    """
    Read up to the body of an answer, and return status line and headers; nothing if nothing came.

    What comes before, such as ``100 Continue``, is skipped.

    :raises ISalesProtocolError: for a line that is neither, or an answer whose length nobody can tell
    :raises ConnectionError: if it is cut off
    """
    left = MAX_HEAD_BYTES
    if not stream.peek(1):
        return b""
    while True:
        lines: list[bytes] = []
        while not lines or lines[-1]:
            lines.append(_line(stream, left))
            left -= len(lines[-1]) + 2
        if not (status := _STATUS_LINE.fullmatch(lines[0])):
            raise ISalesProtocolError(f"the answer begins with {_shown(lines[0])}, which is not a status line")
        headers = [_header(line) for line in lines[1:-1]]
        if int(status[1]) >= _OK or int(status[1]) == _SWITCHING_PROTOCOLS:
            _check_length(headers)
            return b"\r\n".join([*lines, b""])


class Chunks(io.RawIOBase):
    """
    A body that comes in chunks, without what is between them.

    :param stream: where it comes from; it is closed with this
    """

    def __init__(self, stream: io.BufferedReader[Any]) -> None:
        self._stream = stream
        self._left = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left and not self._ended:
            self._begin_chunk()
        if self._ended:
            return 0
        data = self._stream.read1(min(len(buffer), self._left))
        if not data:
            raise _cut_off()
        buffer[: len(data)] = data
        self._left -= len(data)
        if not self._left and (line := _line(self._stream)):
            raise ISalesProtocolError(f"a chunk of the answer goes on with {_shown(line)} after its end")
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _begin_chunk(self) -> None:
        line = _line(self._stream)
        if not (chunk := _CHUNK.fullmatch(line)):
            raise ISalesProtocolError(f"a chunk of the answer begins with {_shown(line)}, which is not its size")
        self._left = int(chunk[1], 16)
        if not self._left:
            self._ended = True
            # The trailers, which say nothing; the body is whole without them.
            while self._stream.readline(MAX_HEAD_BYTES) not in (b"\r\n", b"\n", b""):
                pass


def _line(stream: io.BufferedReader[Any], most: int = MAX_HEAD_BYTES) -> bytes:
    line = stream.readline(max(most, 0) + 1)
    if not line.endswith(b"\n"):
        if len(line) > most:
            raise ISalesProtocolError(f"the answer has more than {MAX_HEAD_BYTES // 1024} KiB besides its body")
        raise _cut_off()
    return line[:-1].removesuffix(b"\r")


def _header(line: bytes) -> tuple[bytes, bytes]:
    if header := _HEADER.fullmatch(line):
        return header[1].lower(), header[2].rstrip(b" \t")
    raise ISalesProtocolError(f"the answer has the line {_shown(line)} among its headers, which is none")


def _check_length(headers: list[tuple[bytes, bytes]]) -> None:
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings:  # which counts then, whatever Content-Length says
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise ISalesProtocolError(f"the answer is encoded for the transfer: {_shown(b', '.join(codings))}")
        return
    lengths = {value for name, value in headers if name == b"content-length"}
    if len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]{1,18}", length) for length in lengths):
        raise ISalesProtocolError(f"the answer's length is not known: {_shown(b', '.join(sorted(lengths)))}")


def _cut_off() -> ConnectionError:
    return ConnectionError("the answer is cut off")


def _shown(line: bytes) -> str:
    return shown(line[:MAX_HEAD_BYTES].decode("latin-1"))
