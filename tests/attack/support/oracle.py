"""
What counts as success, said once more and independently of the client: it shares no code with it.

HTTP 200; a body that begins, where the headers end, with one whole JSON object that has no field twice; and every
filled code field of it is exactly the text of a code that counts. How the body's length is told does not matter here:
HTTP libraries forgive much, and a whole object that says success is success whatever stands beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

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
    return any(_says_success(body, codes) for body in _bodies(raw))


def _says_success(body: bytes, codes: tuple[str, ...]) -> bool:
    try:
        return _codes(body) <= set(codes)
    except NotSuccessError:
        return False


def _bodies(raw: bytes) -> Iterator[bytes]:
    """Yield what a forgiving reader of HTTP may take for the body: all that follows the head, or what chunks make."""
    status = 100
    while status == 100:
        lines, raw = _lines_to_a_blank_one(raw)
        # As text, because http.client too splits at any white space of Latin-1, which is more than that of bytes.
        words = lines[0].decode("latin-1").split(None, 2) if lines else []
        if len(words) < 2 or not words[0].startswith("HTTP/"):
            return
        try:
            status = int(words[1])
        except ValueError:
            return
    if status == 200:
        yield raw
        yield _put_together(raw)


def _lines_to_a_blank_one(raw: bytes) -> tuple[list[bytes], bytes]:
    lines: list[bytes] = []
    while raw:
        line, _, raw = raw.partition(b"\n")
        if line in (b"", b"\r"):
            break
        lines.append(line)
    return lines, raw


def _put_together(raw: bytes) -> bytes:
    body = b""
    while raw:
        line, _, raw = raw.partition(b"\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            break
        if size <= 0:
            return body + raw if size else body
        body, raw = body + raw[:size], raw[size + 2 :]
    return body


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
        text = body.decode("utf-8-sig", "surrogateescape").lstrip(" \t\r\n")
        fields, _ = json.JSONDecoder(object_pairs_hook=_Fields, parse_constant=_no_constant).raw_decode(text)
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
