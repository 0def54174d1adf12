"""One HTTPS server: the connections to it, and exceptions of libraries turned into ours."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - an import under way in another thread would never end in a forked child
import logging
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import TypeVar

from airflow_provider_isales import __version__
from airflow_provider_isales.client.arguments import MAX_TIMEOUT, check_parallelism, check_seconds
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.connection import Connection
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.failures import explain_no_answer, explain_no_connection
from airflow_provider_isales.client.forks import renew_in_children
from airflow_provider_isales.client.response import Response
from airflow_provider_isales.client.route import Route

log = logging.getLogger(__name__)

T = TypeVar("T")

_HEADERS = {
    "User-Agent": f"airflow-provider-isales/{__version__}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json; charset=UTF-8",
}
# What can go wrong on the way; ValueError comes from names and headers that cannot be sent.
_FAILURES = (HTTPException, OSError, ValueError)


class Transport:
    """
    Keep-alive connections to one server; safe to use from many threads, and on both sides of a fork.

    :param route: how to reach the server
    :param auth: signs each request
    :param timeout: the seconds that one request may take, from connecting to the last byte of its answer
    :param max_connections: how many connections are kept open
    """

    # Taking one and adding one are atomic. A queue has a lock, which an interrupt can leave locked for good.
    _idle: list[Connection]

    def __init__(self, route: Route, auth: C2Auth, timeout: float, max_connections: int) -> None:
        self.route, self._auth = route, auth
        self.timeout = check_seconds("timeout", timeout, MAX_TIMEOUT)
        self._max_connections = check_parallelism(max_connections, "max_connections")
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Forget the connections, which are the parent's: whoever reads first would get the other's answer."""
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
        Send one request and read its answer.

        :param method: the HTTP method
        :param path: the path below the base URL
        :param body: the request body
        :param read: reads the response
        :param timeout: the seconds that it may take, where this is less than those of the transport
        :param auth: signs this request, if not as all others
        :raises ISalesTransportError: if no answer came, or its connection broke
        """
        deadline = time.monotonic() + min(timeout or self.timeout, self.timeout)
        try:
            headers = {**_HEADERS, "Content-Length": str(len(body))}
            url = f"{self.route.base_url}{path}"
            # In the expression itself: no variable of this frame holds the signature, or an echo of it.
            return read(
                self._send(method, path, body, (auth or self._auth).headers(method, url, headers, body), deadline)
            )
        except ISalesError as error:
            # Drop the traceback: its frames hold the Authorization header, and some log formats show their variables.
            raise error.with_traceback(None) from None
        except _FAILURES as error:
            raise explain_no_answer(error) from None
        except BaseException as interruption:  # a timeout of the task, or Ctrl-C
            raise interruption.with_traceback(None) from interruption.__cause__

    def close(self) -> None:
        """Close the connections; those that are in use, after their answer."""
        idle, self._idle = self._idle, []
        while idle:
            idle.pop().close()

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str], deadline: float) -> Response:
        idle = self._idle
        connection = self._take_connection(deadline)
        try:
            response = connection.ask(method, path, body, headers, deadline)
            log.debug("%s %s%s: HTTP %d", method, self.route.base_url, path, response.status)
            if connection.is_reusable and idle is self._idle and len(idle) < self._max_connections:
                idle.append(connection)
            else:
                connection.close()
        except BaseException:
            connection.close()  # and it is not used again: it may hold a part of the request
            raise
        return response

    def _take_connection(self, deadline: float) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if connection.is_reusable:
                return connection
            connection.close()  # what the server has closed, or sent unasked
        try:
            return Connection(self.route, deadline)
        except _FAILURES as error:
            raise explain_no_connection(error, self.route, deadline) from None
