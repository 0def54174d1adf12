"""A small HTTP/1.1 server on asyncio's streams: strict in what it reads, and able to truncate a response."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.client import responses
from urllib.parse import unquote

# A thousand times what an interface takes.
MAX_BODY_BYTES = 2**20

_TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_START = re.compile(rb"(%s) ([\x21-\x7e]+) HTTP/1\.([01])" % _TOKEN)
_HEADER = re.compile(rb"(%s):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*" % _TOKEN)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?\r\n")
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True)
class Request:
    """A request as received: path and query still encoded, the names of headers in lower case."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(self.raw_path)


@dataclass(frozen=True)
class Response:
    """
    A response to send.

    :param truncated: whether the connection is closed after the first half of the body
    """

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    truncated: bool = False


class _BadRequestError(Exception):
    """The data received is no request, and nothing after it can be read either."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.response = make_text_response(status, text)


class HttpServer:
    """
    Responds to requests until its connections are aborted.

    :param respond: returns the response to a request, or None to close the connection without one
    """

    def __init__(self, respond: Callable[[Request], Awaitable[Response | None]]) -> None:
        self._respond = respond
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond to the requests of one connection, one after the other."""
        self._writers.add(writer)
        try:
            while await self._serve_request(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other end is gone, or the server ends
        finally:
            self._writers.remove(writer)
            writer.close()

    def abort_connections(self) -> None:
        """Drop all connections, whatever is under way on them."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Respond to one request; return whether another may follow on the connection."""
        try:
            request, is_last = await _read_request(reader, writer)
        except (_BadRequestError, asyncio.LimitOverrunError) as error:
            too_long = make_text_response(431, "a line is too long")
            _write(writer, error.response if isinstance(error, _BadRequestError) else too_long, is_last=True)
            while await reader.read(MAX_BODY_BYTES):  # the other end may only read the response once it has sent all
                pass
            return False
        response = await self._respond(request)
        if response is None:
            writer.transport.abort()
            return False
        _write(writer, response, is_last=is_last, without_body=request.method == "HEAD")
        await writer.drain()
        return not (is_last or response.truncated)


def make_text_response(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response of one line."""
    return Response(status, f"{text}\n".encode(errors="replace"), "text/plain; charset=utf-8", headers or {})


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[Request, bool]:
    """Return the next request, and whether it is the last on its connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    target, fields = _START.fullmatch(start), [_HEADER.fullmatch(line) for line in lines]
    headers: dict[str, str] = {}
    for match in fields:
        if not match:
            raise _BadRequestError("a header is not one of HTTP/1.1")
        headers.setdefault(match[1].decode().lower(), match[2].decode("latin-1"))
    if not target:
        raise _BadRequestError("this is not HTTP/1.1")
    method, address, minor = (part.decode() for part in target.groups())
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    path, _, query = address.partition("?")
    is_last = minor == "0" or "close" in headers.get("connection", "").lower()
    return Request(method, path, query, headers, await _read_body(reader, headers)), is_last


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    too_large = _BadRequestError(f"a body must not be longer than {MAX_BODY_BYTES} bytes", 413)
    if "transfer-encoding" not in headers:
        length = headers.get("content-length", "0")
        if not re.fullmatch("[0-9]{1,20}", length):
            raise _BadRequestError("Content-Length is not a number")
        if int(length) > MAX_BODY_BYTES:
            raise too_large
        return await reader.readexactly(int(length))
    if headers["transfer-encoding"].lower() != "chunked":
        raise _BadRequestError("transfer-encoding may be chunked only")
    body = b""
    while match := _CHUNK.fullmatch(await reader.readuntil(b"\r\n")):
        size = int(match[1], 16)
        if len(body) + size > MAX_BODY_BYTES:
            raise too_large
        if not size:
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass  # trailers
            return body
        body += (await reader.readexactly(size + 2))[:-2]
    raise _BadRequestError("the body is not chunked")


def _write(writer: asyncio.StreamWriter, response: Response, *, is_last: bool, without_body: bool = False) -> None:
    given = {name.lower() for name in response.headers}
    headers = {} if response.status in _WITHOUT_BODY else {"Content-Length": str(len(response.body))}
    headers |= {} if "content-type" in given else {"Content-Type": response.content_type}
    headers |= {"Connection": "close"} if is_last and "connection" not in given else {}
    lines = [f"{name}: {value}\r\n" for name, value in {**headers, **response.headers}.items()]
    head = f"HTTP/1.1 {response.status} {responses.get(response.status, '')}\r\n{''.join(lines)}\r\n"
    body = b"" if without_body else response.body[: len(response.body) // 2] if response.truncated else response.body
    writer.write(head.encode("latin-1") + body)
