"""Send requests to one HTTPS server over kept connections."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - an import under way in another thread would never end in a forked child
import logging
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import TypeVar

from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from airflow_provider_isales import __version__
from airflow_provider_isales.client.arguments import MAX_TIMEOUT, check_parallelism, check_seconds
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.failures import explain_failure
from airflow_provider_isales.client.forks import renew_in_children
from airflow_provider_isales.client.http_response import Response, read_response
from airflow_provider_isales.client.route import Route
from airflow_provider_isales.client.text import clean_text
from airflow_provider_isales.client.tls_socket import Peer, limits

T = TypeVar("T")

_HEADERS = {
    "User-Agent": f"airflow-provider-isales/{__version__}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json; charset=UTF-8",
}


def mask_signatures(record: logging.LogRecord) -> bool:
    """Mask signatures in a log record: urllib3 logs header lines that it cannot parse, and a server may echo ours."""
    if "auth-v2" in (message := record.getMessage()):
        record.msg, record.args, record.exc_info = clean_text(message), (), None
    return True


logging.getLogger("urllib3.connection").addFilter(mask_signatures)

# Raised while a request is sent or its response is read; ValueError for names and headers that cannot be sent.
_FAILURES = (HTTPError, HTTPException, OSError, ValueError)


class Transport:
    """Keep-alive connections to one server; safe to use from many threads, and on both sides of a fork."""

    # One connection each, used by one thread at a time: an interrupt can leave a lock of urllib3 locked for good.
    _idle: list[HTTPConnectionPool]

    def __init__(self, route: Route, auth: C2Auth, timeout: float, max_connections: int) -> None:
        self.route, self._auth = route, auth
        self.timeout = check_seconds("timeout", timeout, MAX_TIMEOUT)
        self._max_connections = check_parallelism(max_connections, "max_connections")
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Forget the parent's connections: parent and child would read each other's responses."""
        self._idle = []

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes,
        read: Callable[[Response], T],
        timeout: float | None = None,
        *,
        auth: C2Auth | None = None,
    ) -> T:
        """
        Send one request and return ``read(response)``.

        :param path: the path below the base URL
        :param timeout: in seconds, if shorter than the transport's
        :param auth: signs this request instead of the transport's
        :raises ISalesTransportError: if no response came, or the connection broke
        """
        limits.begin(time.monotonic() + min(timeout or self.timeout, self.timeout))
        try:
            headers = {**_HEADERS, "Content-Length": str(len(body))}
            url, signer = f"{self.route.base_url}{path}", auth or self._auth
            # Inside one expression, so that no variable of this frame holds the signature or an echo of it.
            return read(self._send(method, path, body, signer.make_headers(method, url, headers, body)))
        except ISalesError as error:
            # Drop the traceback: its frames hold the Authorization header, and some log formats show their variables.
            raise error.with_traceback(None) from None
        except _FAILURES as error:
            raise explain_failure(error) from None
        except BaseException as interruption:  # a timeout of the task, or Ctrl-C
            raise interruption.with_traceback(None) from interruption.__cause__

    def close(self) -> None:
        """Close the connections; those in use are closed after their response."""
        idle, self._idle = self._idle, []
        while idle:
            idle.pop().close()

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        idle = self._idle
        try:
            pool = idle.pop()
        except IndexError:
            pool = self.route.make_pool()
        is_whole = False
        try:
            response = pool.urlopen(
                method,
                path,
                body=body,
                headers=headers,
                timeout=Timeout(total=limits.seconds_left),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            peer = Peer("", {}) if self.route.proxy_speaks_tls or not limits.socket else limits.socket.peer
            result, is_whole = read_response(response, peer)
            if not is_whole:
                response.close()
        finally:
            # Close any other: it may hold a part of the request or of another response. So may TLS in TLS, whose
            # buffers cannot be inspected.
            can_be_reused = is_whole and not self.route.proxy_speaks_tls and idle is self._idle
            if can_be_reused and len(idle) < self._max_connections:
                idle.append(pool)
            else:
                pool.close()
        return result
