"""
What counts as success, said once more and independently of the client: it shares no code with it.

HTTP 200 in a status line as the standard writes it; header lines that are header lines; the whole body, by one length
that nothing contradicts; not compressed; UTF-8; one JSON object that has no field twice; and every filled code field
is exactly the text of a code that counts.
"""

from __future__ import annotations

import json
import re

PAUSED = ("0200000", "03000006")

_STATUS = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?: [^\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")


class NotSuccessError(Exception):
    """The answer does not say success, and why."""


class _Fields(list[tuple[str, object]]):
    """The fields of a JSON object, doubles included."""


def may_be_success(raw: bytes, codes: tuple[str, ...] = PAUSED) -> bool:
    """Tell whether the bytes of an answer, after which the connection ends, can be taken for success by anybody."""
    try:
        body = whole_body(raw)[0]
        return _codes(body) <= set(codes)
    except NotSuccessError:
        return False


def whole_body(raw: bytes) -> tuple[bytes, bool]:
    """Return the body of an answer with HTTP 200, and whether its end is known without the connection's."""
    status, headers, rest = _head(raw)
    while 100 <= status < 200:
        status, headers, rest = _head(rest)
    if status != 200:
        raise NotSuccessError(f"HTTP {status}")
    if any(value.lower() not in (b"", b"identity") for value in headers.get(b"content-encoding", [])):
        raise NotSuccessError("compressed")
    lengths = {part.strip() for value in headers.get(b"content-length", []) for part in value.split(b",")}
    if b"transfer-encoding" in headers:
        if [value.lower() for value in headers[b"transfer-encoding"]] != [b"chunked"]:
            raise NotSuccessError("other transfer encodings")
        return _chunks(rest)  # they count, whatever Content-Length says
    if not lengths:
        return rest, False
    length = lengths.pop()
    if lengths or not re.fullmatch(rb"[0-9]{1,18}", length):
        raise NotSuccessError("no length, or two")
    if len(rest) < int(length):
        raise NotSuccessError("cut off")
    return rest[: int(length)], True


def _head(raw: bytes) -> tuple[int, dict[bytes, list[bytes]], bytes]:
    first, raw = _line(raw)
    if not (status := _STATUS.fullmatch(first)):
        raise NotSuccessError("no status line")
    headers: dict[bytes, list[bytes]] = {}
    name = b""
    while True:
        line, raw = _line(raw)
        if not line:
            return int(status[1]), headers, raw
        if line[:1] in b" \t" and name:  # a line that goes on with the one before
            headers[name][-1] += b" " + line.strip(b" \t")
        elif header := _HEADER.fullmatch(line):
            name = header[1].lower()
            headers.setdefault(name, []).append(header[2])
        else:
            raise NotSuccessError("a line that is no header")


def _chunks(raw: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        line, raw = _line(raw)
        if not (chunk := _CHUNK.fullmatch(line)):
            raise NotSuccessError("no size of a chunk")
        size = int(chunk[1], 16)
        if size == 0:
            # The body is whole without the trailers; whether the answer is, they tell.
            return body, b"\n\n" in (b"\n" + raw).replace(b"\r\n", b"\n")
        if len(raw) < size:
            raise NotSuccessError("a chunk is cut off")
        body, raw = body + raw[:size], raw[size:]
        line, raw = _line(raw)
        if line:
            raise NotSuccessError("a chunk goes on after its end")


def _line(raw: bytes) -> tuple[bytes, bytes]:
    line, end, rest = raw.partition(b"\n")
    if not end:
        raise NotSuccessError("cut off in a line")
    return line.removesuffix(b"\r"), rest


def _codes(body: bytes) -> set[str]:
    try:
        fields = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_Fields, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotSuccessError("not JSON in UTF-8") from None
    if not isinstance(fields, _Fields):
        raise NotSuccessError("not an object")
    if len({name for name, _ in fields}) < len(fields):
        raise NotSuccessError("a field twice")
    codes = [value for name, value in fields if name in ("resultCode", "returnCode") and value not in (None, "")]
    if not codes or not all(isinstance(code, str) for code in codes) or len(set(map(str, codes))) > 1:
        raise NotSuccessError("no code, or not text, or two that disagree")
    return set(map(str, codes))


def _no_constant(name: str) -> object:
    raise ValueError(name)
