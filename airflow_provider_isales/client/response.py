"""An HTTP response as it came, and who sent it."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from airflow_provider_isales.client.errors import ISalesError

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
    What answered a request.

    :param status: the HTTP status
    :param headers: the headers, whose names may be written in any case
    :param peer: who sent it
    :param content: the body, or what kept it from being read; empty if nobody wants it
    """

    status: int
    headers: http.client.HTTPMessage
    peer: Peer
    content: bytes | Exception

    @property
    def body(self) -> bytes:
        """The body; raises what kept it from being read."""
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def received(answer: http.client.HTTPResponse, peer: Peer) -> tuple[Response, bool]:
    """
    Read the body of a 200. Of another status nobody wants it: if it is short, it is read so that the connection can be
    used again.

    :return: the response, and whether the answer came to its end, so that what comes next is another one's
    """
    content: bytes | Exception = b""
    whole, wanted = False, answer.status == HTTPStatus.OK
    if wanted or _is_short(answer.headers.get("Content-Length", "")):
        try:
            content = _read(answer)
            whole = answer.isclosed()
        except (http.client.HTTPException, OSError, ValueError, ISalesError) as error:
            content = error.with_traceback(None) if wanted else b""  # its frames hold the answer, with its socket
    return Response(answer.status, answer.headers, peer, content), whole


def _read(answer: http.client.HTTPResponse) -> bytes:
    # In pieces, because memory for each is taken before any of it comes.
    body = bytearray()
    while not answer.isclosed() and len(body) <= MAX_ANSWER_BYTES:
        body += answer.read(_PIECE_BYTES)
    if answer.isclosed() and answer.length:
        raise http.client.IncompleteRead(bytes(body), answer.length)
    return bytes(body)


def _is_short(length: str) -> bool:
    return length.isascii() and length.isdigit() and len(length) < _FEW_DIGITS
