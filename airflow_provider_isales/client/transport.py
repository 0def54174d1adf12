"""One HTTPS server: the session with it, and exceptions of libraries turned into ours."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from airflow_provider_isales import __version__
from airflow_provider_isales.client.answers import clean
from airflow_provider_isales.client.arguments import HTTPS_PORT, check_host, check_port, check_timeout, check_verify
from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)

T = TypeVar("T")


class Transport:
    """
    Keep-alive connections to one server; safe to use from many threads.

    :param host: the server's name or address, without scheme or port
    :param port: the server's port
    :param auth: signs each request
    :param verify: True, the path of a CA bundle, or False to trust anybody
    :param timeout: the seconds to wait for a connection, and for each next part of an answer
    :param proxies: proxies by scheme, as ``requests`` takes them, added to those of the environment
    :param max_connections: how many connections are kept open
    :raises ISalesArgumentError: for a setting that cannot work
    """

    def __init__(
        self,
        host: str,
        port: int,
        auth: AuthBase,
        *,
        verify: bool | str,
        timeout: float,
        proxies: Mapping[str, str],
        max_connections: int,
    ) -> None:
        name, port = check_host(host), check_port(port)
        self.base_url = f"https://{name}" if port == HTTPS_PORT else f"https://{name}:{port}"
        self.timeout = check_timeout(timeout)
        self._session = _Session()
        self._session.auth = auth
        self._session.headers["User-Agent"] = f"airflow-provider-isales/{__version__}"
        self._session.headers["Content-Type"] = "application/json; charset=UTF-8"
        self._session.mount(self.base_url, HTTPAdapter(pool_connections=1, pool_maxsize=max_connections))
        # Merged here because a session's own `verify` loses against REQUESTS_CA_BUNDLE in the environment.
        self._send_settings: dict[str, Any] = dict(
            self._session.merge_environment_settings(
                self.base_url, dict(proxies), stream=True, verify=verify, cert=None
            )
        )
        check_verify(self._send_settings["verify"])

    def exchange(self, method: str, path: str, body: bytes, read: Callable[[requests.Response], T]) -> T:
        """
        Send one request and read its answer.

        :param method: the HTTP method
        :param path: the path below the base URL
        :param body: the request body
        :param read: reads the response, whose body was not read yet
        :raises ISalesTransportError: if no answer came, or its connection broke
        """
        outside = sys.exception()
        try:
            request = self._session.prepare_request(requests.Request(method, f"{self.base_url}{path}", data=body))
            with self._session.send(
                request, timeout=self.timeout, allow_redirects=False, **self._send_settings
            ) as response:
                return read(response)
        except ISalesError:
            raise
        # Not all that requests and urllib3 raise for broken answers is of their own kinds.
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # None: the frames of urllib3 hold the signature, and some log formats show their variables.
            raise _transport_error(error, outside) from None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return that there is none: requests would read the whole body of a redirect, even of one not followed."""
        return None


def _transport_error(error: Exception, outside: BaseException | None) -> ISalesTransportError:
    causes = list(_causes(error, outside))
    reason = clean(str(causes[-1])) or type(causes[-1]).__name__

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ssl.SSLCertVerificationError):
        return ISalesCertificateError(f"the server's certificate is not trusted: {reason}")
    # A ProxyError alone does not tell: urllib3 raises it too when the connection through a proxy is lost later.
    if caused_by(NewConnectionError, ConnectTimeoutError) or reason.startswith("Tunnel connection failed"):
        return ISalesConnectError(f"no connection could be made: {reason}")
    if caused_by(requests.Timeout, ReadTimeoutError):
        return ISalesTimeoutError(f"no answer in time: {reason}")
    if caused_by(ssl.SSLError) and not caused_by(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return ISalesTLSError(f"TLS failed: {reason}")
    return ISalesConnectionLostError(f"the connection broke: {reason}")


def _causes(error: BaseException | None, outside: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it, up to what the caller of this client was already handling."""
    while error is not None and error is not outside:
        yield error
        error = error.__cause__ or error.__context__
