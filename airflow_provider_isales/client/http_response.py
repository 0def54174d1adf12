"""An HTTP response, read within the size limit, and the server that sent it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import NamedTuple

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.tls_socket import MAX_RESPONSE_BYTES, Peer

_CHUNK_BYTES = 64 * 1024
_FEW_DIGITS = 6


class Response(NamedTuple):
    """
    An HTTP response.

    :param headers: case-insensitive
    :param content: the body, or the exception raised while reading it; empty when it is not needed
    """

    status: int
    headers: Mapping[str, str]
    peer: Peer
    content: bytes | Exception

    @property
    def body(self) -> bytes:
        """The body; raises the exception that reading it raised."""
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def read_response(response: BaseHTTPResponse, peer: Peer) -> tuple[Response, bool]:
    """
    Read a response; return it, and whether it is complete.

    Only status 200 needs the body. With any other, a short body is still read, so that the connection can be reused.
    """
    needs_body, length = response.status == HTTPStatus.OK, response.headers.get("Content-Length", "")
    is_short = length.isascii() and length.isdigit() and len(length) < _FEW_DIGITS
    if not needs_body and not is_short:
        return Response(response.status, response.headers, peer, b""), False
    body, problem = bytearray(), None
    try:
        while len(body) <= MAX_RESPONSE_BYTES and (chunk := response.read(_CHUNK_BYTES, decode_content=False)):
            body += chunk  # in chunks, because read(n) allocates n bytes at once
    except (HTTPError, HTTPException, OSError, ValueError, ISalesError) as error:
        problem = error.with_traceback(None)  # its frames hold the response
    # An interim response (1xx) is followed by another one.
    is_whole = not problem and len(body) <= MAX_RESPONSE_BYTES and response.status >= HTTPStatus.OK
    content = (problem or bytes(body)) if needs_body else b""
    return Response(response.status, response.headers, peer, content), is_whole
