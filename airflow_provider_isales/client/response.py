"""An HTTP response, and who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from typing import Any, NamedTuple

from airflow_provider_isales.client.errors import ISalesError, ISalesProtocolError

MAX_ANSWER_BYTES = 1024 * 1024
TOO_LARGE = f"the answer is larger than {MAX_ANSWER_BYTES // 1024} KiB"

_PIECE_BYTES = 64 * 1024
_FEW_DIGITS = 6


class Peer(NamedTuple):
    """
    The other end of a connection.

    :param tls: the version of TLS
    :param certificate: the server's certificate, as ``ssl`` shows it; empty when it was not checked
    """

    tls: str
    certificate: Mapping[str, Any]


class Response(NamedTuple):
    """
    An HTTP response.

    :param status: the HTTP status
    :param headers: the headers, whose names may be written in any case
    :param peer: who sent it
    :param content: the body, or the exception raised while reading it; empty when it is not needed
    """

    status: int
    headers: HTTPMessage
    peer: Peer
    content: bytes | Exception

    @property
    def body(self) -> bytes:
        """The body; raises the exception that reading it raised."""
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def read_response(response: HTTPResponse, peer: Peer) -> Response:
    """Read the body of a 200 response. For any other status, drain a short body so that the connection is reused."""
    content: bytes | Exception = b""
    wanted, length = response.status == HTTPStatus.OK, response.headers.get("Content-Length", "")
    if wanted or (length.isascii() and length.isdigit() and len(length) < _FEW_DIGITS):
        try:
            content = _read_body(response)
        except (HTTPException, OSError, ValueError, ISalesError) as error:
            content = error.with_traceback(None) if wanted else b""  # its frames hold the response
            response.will_close = True  # what comes next on the connection may be the rest of it
    return Response(response.status, response.headers, peer, content)


def _read_body(response: HTTPResponse) -> bytes:
    if response.headers.defects and response.length is None and not response.chunked:
        # The line that can't be read may hide the length: do not wait for the end of the connection.
        raise ISalesProtocolError("a header line of the answer can't be read")
    body = bytearray()
    while not response.isclosed() and len(body) <= MAX_ANSWER_BYTES:
        body += response.read(_PIECE_BYTES)  # read(n) allocates n bytes at once
    if response.isclosed() and response.length:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)
