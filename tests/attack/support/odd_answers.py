"""Answers that are wrong or odd in every way that we could think of, by chance, and a few that are merely unusual."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

CODES: list[object] = [
    "0200000", "0200000", "0200000", "0200000", "03000006", "0200006", "0200001", "03000002", "", None,
    "0200000 ", " 0200000", "0200000\n", "0200000\x00", "0200000\u200b", "\ufeff0200000", "02000000", "200000",
    "O200000", "\uff10200000", "\u0660\u0662\u0660\u0660\u0660\u0660\u0660", "0200000.0",
    "0x200000", "0200000,0200000", "success", "0", "OK",
    200000, 200000.0, True, False, 0, ["0200000"], {"code": "0200000"}, [], {},
]  # fmt: skip
NAMES = [
    "resultCode", "resultCode", "resultCode", "returnCode", "returnCode", "returnCode", "ResultCode", "resultcode",
    "resultCode ", "result\u0421ode", "result_code", "code", "resultDesc", "returnDesc", "data", "returnObject",
]  # fmt: skip
STATUS_LINES = [
    "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 0200 OK", "HTTP/1.1 +200 OK",
    "HTTP/1.1 2_00 OK", "HTTP/1.1 200.0 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 -200 OK", "HTTP/1.1 OK",
    "HTTP/1.1200 OK", "HTTP/2 200 OK", "HTTP/2.0 200", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "HTTP/1.10 200 OK",
    "HTTP/1. 200 OK", "HTTP/x 200 OK", "http/1.1 200 OK", "HTTPS/1.1 200 OK", "ICY 200 OK", "200 OK", "", " ", "HTTP/",
    "HTTP/1.1 201 Created", "HTTP/1.1 202 Accepted", "HTTP/1.1 203 Other", "HTTP/1.1 204 No Content",
    "HTTP/1.1 206 Partial Content", "HTTP/1.1 226 IM Used", "HTTP/1.1 301 Moved", "HTTP/1.1 302 Found",
    "HTTP/1.1 304 Not Modified", "HTTP/1.1 307 Temporary", "HTTP/1.1 400 Bad", "HTTP/1.1 401 Who", "HTTP/1.1 403 No",
    "HTTP/1.1 407 Proxy", "HTTP/1.1 408 Slow", "HTTP/1.1 418 Teapot", "HTTP/1.1 429 Slower", "HTTP/1.1 451 Law",
    "HTTP/1.1 500 Oops", "HTTP/1.1 502 Bad Gateway", "HTTP/1.1 503 Later", "HTTP/1.1 599 None", "HTTP/1.1 600 None",
    "HTTP/1.1 999 None", "HTTP/1.1 100 Continue", "HTTP/1.1 101 Switching", "HTTP/1.1 103 Early", "HTTP/1.1 199 None",
    "HTTP/1.1 200 0200000", "HTTP/1.1 500 200 OK", "HTTP/1.1 404 HTTP/1.1 200 OK", "GET / HTTP/1.1", "\0\0\0\0",
]  # fmt: skip
HEADERS = [
    "Garbage", ": nothing", "Content-Length : 3", " Content-Length: 3", "Content-Length", "Content-Length:",
    "X\0Y: 1", "X Y: 1", "X: \0", "X: a\rContent-Length: 3", "Ünicode: ü", "X" * 70000, "X: " + "y" * 70000,
    "Connection: close", "Connection: keep-alive", "Connection: Upgrade", "Upgrade: h2c", "Set-Cookie: a=b",
    "Location: https://127.0.0.1:1/", "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: br",
    "Content-Encoding: gzip, gzip", "Content-Encoding: identity", "Content-Encoding: x", "Content-Encoding: IDENTITY",
    "Content-Type: text/html; charset=utf-16", "Content-Range: bytes 0-1/9", "Trailer: X", "Retry-After: 0", "Age: -1",
    "Transfer-Encoding: identity", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;q=1",
    "TRANSFER-ENCODING: CHUNKED", "Transfer-Encoding:", "Proxy-Authenticate: Basic", "Refresh: 0", "HTTP/1.1 200 OK",
]  # fmt: skip
LENGTHS = [
    "-1", "+{}", "{}_0", "0{}", "{} {}", "{}, {}", "{},", "{}, 3", "0x{:x}", "{}.0", "{}e0", "", "1" + "0" * 30, "٣",
    "{}\u00b2", "nan", "{};", "'{}'", "0", "{}\nContent-Length: {}", "{}\nContent-Length: 3",
    "3\nContent-Length: {}", "{}\nTransfer-Encoding: chunked",
]  # fmt: skip
CHUNK_SIZES = [
    "-1", "-{:x}", "+{:x}", "0x{:x}", "{:x}_0", "_{:x}", " {:x}", "{:x} ", "{:x}\t", "", "g", "{:x};", "{:x};a=b",
    "000{:x}", "{:x}h", "ffffffffffffffff", "7fffffff", "80000000", "{:x};" + "e" * 9000, "{:x}\0", "{:x},0",
]  # fmt: skip
INTERIM = [
    "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 100\r\n", "HTTP/1.1 199 X\r\n\r\n",
]  # fmt: skip


@dataclass(frozen=True)
class OddAnswer:
    """
    An answer.

    :param raw: its bytes
    :param innocent: whether it is a documented success in every way, only unusually written
    """

    raw: bytes
    innocent: bool = False


def base_answers() -> Iterator[bytes]:
    """Plain answers, small enough to be cut at every byte."""
    body = b'{"resultCode":"0200000","returnCode":"0200000"}'
    head = b"HTTP/1.1 200 OK\r\n"
    yield head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    yield head + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(body, [10, 30]) + b"0\r\n\r\n"
    yield head + b"\r\n" + body
    yield b"HTTP/1.1 100 Continue\r\n\r\n" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    yield head + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(body, []) + b"0\r\nX-Trailer: 1\r\n\r\n"


def odd_answer(chance: Random) -> OddAnswer:
    """An answer that is odd in one to three ways."""
    if chance.random() < 0.1:
        return OddAnswer(_innocent(chance), innocent=True)
    body = _odd_body(chance) if chance.random() < 0.5 else _plain_body(chance)
    head = ["HTTP/1.1 200 OK", "Content-Type: application/json"]
    framed = chance.choice((_by_length, _by_length, _by_chunks, _by_close, _by_odd_length, _by_odd_chunks))
    lines, body = framed(chance, body)
    head += lines
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        if chance.random() < 0.4:
            head[0] = chance.choice(STATUS_LINES)
        else:
            head.insert(chance.randint(1, len(head)), chance.choice(HEADERS))
    end = "\r\n" if chance.random() < 0.9 else chance.choice(("\n", "\r", "\r\r\n", " \r\n"))
    raw = (end.join(head) + end * 2).encode("utf-8") + body
    if chance.random() < 0.15:
        raw = chance.choice(INTERIM).encode() * chance.choice((1, 1, 2, 3, 120)) + raw
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        raw = chance.choice(_SPOILERS)(chance, raw)
    return OddAnswer(raw)


def _innocent(chance: Random) -> bytes:
    code = chance.choice(("0200000", "0200000", "03000006"))
    fields = {
        "resultCode": code,
        "returnCode": code,
        "resultDesc": "成功",
        "returnDesc": "ok",
        "more": {"a": [1, None]},
    }
    names = chance.sample(list(fields), len(fields))
    if chance.random() < 0.3:
        names.remove(chance.choice(("resultCode", "returnCode")))
    text = json.dumps(
        {name: fields[name] for name in names}, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, 0, 4))
    )
    lines, body = chance.choice((_by_length, _by_chunks, _by_close))(chance, text.encode())
    status = chance.choice(("HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200 成功", "HTTP/1.0 200 Fine"))
    if "chunked" in str(lines):
        status = "HTTP/1.1 200 OK"
    head = [status, *lines, "Date: today", "Set-Cookie: a=b"]
    change = chance.choice((str, str, str.lower, str.upper))
    head[1:] = [change(name) + colon + value for name, colon, value in (line.partition(":") for line in head[1:])]
    interim = "HTTP/1.1 100 Continue\r\n\r\n" * chance.choice((0, 0, 0, 1, 2))
    return (interim + "\r\n".join(head) + "\r\n\r\n").encode() + body


def _plain_body(chance: Random) -> bytes:
    code = chance.choice(("0200000", "0200000", "0200000", "0200000", "03000006", "0200006"))
    return json.dumps({"resultCode": code, "resultDesc": "ok", "returnCode": code}).encode()


def _odd_body(chance: Random) -> bytes:
    fields = [(chance.choice(NAMES), chance.choice(CODES)) for _ in range(chance.randint(0, 5))]
    if chance.random() < 0.7:
        fields.insert(0, ("resultCode", "0200000"))
    text = "{" + ", ".join(f"{_name(chance, name)}: {json.dumps(value)}" for name, value in fields) + "}"
    success = '{"resultCode": "0200000", "returnCode": "0200000"}'
    if chance.random() < 0.5:
        text = chance.choice((
            lambda: f"[{success}]", lambda: json.dumps(success), lambda: f'{{"response": {success}}}',
            lambda: success + success, lambda: success + "x", lambda: "x" + success, lambda: success[:-1] + ",}",
            lambda: success + "\n// done", lambda: success.replace('"', "'"), lambda: f"callback({success})",
            lambda: ")]}',\n" + success, lambda: "\u00a0" + success, lambda: "\x0b" + success, lambda: success + "\0",
            lambda: success[:-1] + ', "x": NaN}', lambda: success[:-1] + ', "x": -Infinity}',
            lambda: success[:-1] + ', "x": 1e999}', lambda: success[:-1] + f', "x": {"9" * 5000}}}',
            lambda: success[:-1] + ', "x": ' + "[" * 100000, lambda: success[:-1] + f', "x": {"[" * 400}{"]" * 400}}}',
            lambda: "[" * 50000, lambda: '{"a":' * 50000, lambda: '{"resultCode": 0200000}', lambda: "0200000",
            lambda: '"0200000"', lambda: "null", lambda: "true", lambda: "", lambda: " ", lambda: "{}", lambda: "[]",
            lambda: success.replace("0200000", "0200006", 1), lambda: success[:-1] + ', "resultCode": "0200006"}',
            lambda: '{"resultCode": "0200006", ' + success[1:], lambda: success[:-1] + ', "x": "\\ud800"}',
            lambda: success[:-1] + ', "x": "\t"}', lambda: success[:-1] + ', "resultDesc": ["' + "x" * 9000 + '"]}',
            lambda: '{"resultCode": "\\u0030200000"}', lambda: '{"resultCode": "02000\\u0300"}', lambda: "<html>",
            lambda: '{"resultCode": "0200000" "returnCode": "0200000"}', lambda: success + "\x1a", lambda: success[:-2],
        ))()  # fmt: skip
    return chance.choice(_ENCODINGS)(text) if chance.random() < 0.2 else text.encode("utf-8", "surrogatepass")


def _name(chance: Random, name: str) -> str:
    if name.isascii() and chance.random() < 0.1:
        return '"' + "".join(f"\\u{ord(character):04x}" for character in name) + '"'
    return json.dumps(name)


_ENCODINGS: list[Callable[[str], bytes]] = [
    lambda text: text.encode("utf-8-sig"),
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-16-le"),
    lambda text: text.encode("utf-32"),
    lambda text: text.encode("utf-7"),
    lambda text: text.encode() + b"\xff",
    lambda text: text.replace("}", ', "x": "@"}').encode().replace(b"@", b"\xed\xa0\x80"),
    lambda text: text.replace("}", ', "x": "@"}').encode().replace(b"@", b"\xc0\x80"),
    lambda text: gzip.compress(text.encode()),
    lambda text: zlib.compress(text.encode()),
    lambda text: text.encode()[::-1],
]


def _by_length(chance: Random, body: bytes) -> tuple[list[str], bytes]:
    return [f"Content-Length: {len(body)}"], body


def _by_close(chance: Random, body: bytes) -> tuple[list[str], bytes]:
    return [], body


def _by_chunks(chance: Random, body: bytes) -> tuple[list[str], bytes]:
    cuts = sorted(chance.randint(0, len(body)) for _ in range(chance.randint(0, 3)))
    trailer = chance.choice((b"", b"", b"X-Trailer: 1\r\n", b"Content-Length: 3\r\n"))
    return ["Transfer-Encoding: chunked"], _chunked(body, cuts) + b"0\r\n" + trailer + b"\r\n"


def _by_odd_length(chance: Random, body: bytes) -> tuple[list[str], bytes]:
    length = chance.choice(LENGTHS).format(len(body), len(body))
    if chance.random() < 0.4:
        length = str(max(0, len(body) + chance.choice((-2, -1, 1, 2, 5, 100, 10**6, 10**10))))
    return f"Content-Length: {length}".split("\n"), body


def _by_odd_chunks(chance: Random, body: bytes) -> tuple[list[str], bytes]:
    lines = [chance.choice(("Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding:chunked"))]
    size = chance.choice(CHUNK_SIZES).format(len(body))
    if chance.random() < 0.4:
        size = f"{max(0, len(body) + chance.choice((-4, -3, -2, -1, 1, 2, 3, 50))):x}"
    after = chance.choice((b"\r\n", b"\r\n", b"\n", b"\r", b"", b"xx", b"}}", b"\r\n\r\n"))
    last = chance.choice(
        (b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\n", b"0\n\n", b"0", b"", b"-0\r\n\r\n", b"00\r\n\r\n", b"0;x\r\n\r\n")
    )
    return lines, size.encode() + b"\r\n" + body + after + last


def _chunked(body: bytes, cuts: list[int]) -> bytes:
    edges = [0, *cuts, len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges) if end > start]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def _cut(chance: Random, raw: bytes) -> bytes:
    return raw[: chance.randint(0, max(len(raw) - 1, 0))]


def _more(chance: Random, raw: bytes) -> bytes:
    return raw + chance.choice(
        (b"\r\n", b"x", b"}", b" ", b"\0", raw, b"HTTP/1.1 200 OK\r\n\r\n", b"0\r\n\r\n", raw + raw)
    )


def _before(chance: Random, raw: bytes) -> bytes:
    return chance.choice((b"\r\n", b"\n", b" ", b"\xef\xbb\xbf", b"x", b"\0", b"HTTP/1.1 200 OK\r\n")) + raw


def _changed(chance: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.choice((chance.randrange(256), *b' \r\n{}",:0123456789'))
    return bytes(changed)


def _without(chance: Random, raw: bytes) -> bytes:
    at = chance.randint(0, len(raw))
    return raw[:at] + raw[at + chance.randint(1, 4) :]


def _twice(chance: Random, raw: bytes) -> bytes:
    at = chance.randint(0, len(raw))
    return raw[:at] + raw[max(0, at - chance.randint(1, 20)) : at] + raw[at:]


_SPOILERS = (_cut, _cut, _more, _more, _before, _changed, _changed, _without, _twice)
