"""How to reach a server and which certificates to trust, from settings and, as in ``requests``, the environment."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy
from urllib3 import HTTPConnectionPool

from airflow_provider_isales.client.arguments import check_integer, make_argument_error, to_text
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.pools import make_pool
from airflow_provider_isales.client.text import Secret, format_value
from airflow_provider_isales.client.tls_socket import LimitedSocket

HTTPS_PORT = 443
MAX_PORT = 65535
# A name given by `openssl rehash`: the hash of the subject, and a number.
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


class Route:
    """
    How to reach a server: the settings of the same names of ``ISalesClient``.

    :raises ISalesArgumentError: for a setting that cannot work
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        verify: bool | str = True,
        verify_strict: bool = True,
        client_cert: str | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        name, port = check_host(host), check_integer("port", port, 1, MAX_PORT)
        self.base_url = f"https://{name}" if port == HTTPS_PORT else f"https://{name}:{port}"
        if not isinstance(verify, bool | str) or verify == "":
            raise make_argument_error("verify", "true, false or the path of a CA bundle", verify)
        self.verify, self._proxy = _read_environment(self.base_url, verify, proxies)
        self.context = make_context(self.verify)
        self.context.sslsocket_class = LimitedSocket
        if not isinstance(verify_strict, bool):
            raise make_argument_error("verify_strict", "true or false", verify_strict)
        if not verify_strict:
            self.context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if client_cert is not None:
            _load_client_cert(self.context, client_cert)
        self.has_proxy = bool(self._proxy)
        self.proxy_speaks_tls = urlsplit(self._proxy.reveal()).scheme == "https"

    def make_pool(self) -> HTTPConnectionPool:
        """Return a new pool of urllib3, for one connection."""
        return make_pool(self.base_url, self.context, self._proxy)


def check_host(value: object) -> str:
    """Check a host, a name or an address without scheme, port and path; return it as written in a URL."""
    if (text := to_text(value)) is not None:
        try:
            address = IPv6Address(text[1:-1] if text[:1] + text[-1:] == "[]" else text)
            if not address.scope_id:
                return f"[{address}]"
        except ValueError:
            if _HOST_NAME.fullmatch(text):
                return text
    raise ISalesArgumentError(
        f"host must be a bare name or address, not {format_value(value)}: leave out the scheme (it is always https) "
        "and any path, and give the port in its own field"
    )


def check_proxy(value: object) -> str:
    """Check the URL of a proxy, with or without ``user:password@``. No message shows it: it may hold a password."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and not {*" ?#\\"} & {*value}:
        try:
            parts = urlsplit(value)
            known = parts.scheme in ("http", "https") and parts.path in ("", "/") and value.count("@") <= 1
            if known and parts.port != 0 and check_host(parts.hostname):
                return value
        except ValueError:  # also what check_host raises
            pass
    raise ISalesArgumentError(
        "proxies must be URLs such as http://proxy.example.com:3128, whose user name and password have characters "
        "such as # @ / ? percent-encoded. The value is not shown: it may hold a password"
    )


@contextmanager
def _report_unreadable(problem: str, path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # also what ssl raises
        problem = f"{problem} that can be read: {format_value(path)} ({error})"
        raise ISalesArgumentError(problem, retryable=True) from None  # another worker may have the file


def make_context(verify: bool | str) -> ssl.SSLContext:
    """
    Return a TLS context.

    :param verify: which certificates to trust: True for the CA bundle of ``requests``, False for any, or the path of a
        CA bundle or a directory of certificates
    """
    bundle = DEFAULT_CA_BUNDLE_PATH if isinstance(verify, bool) else verify
    with _report_unreadable("verify names no CA bundle", bundle):
        if not os.path.isdir(bundle):
            context = ssl.create_default_context(cafile=bundle)
        elif any(map(_HASHED_NAME.fullmatch, os.listdir(bundle))):
            context = ssl.create_default_context(capath=bundle)
        else:
            raise OSError("no file has a name that OpenSSL looks for: run 'openssl rehash' on the directory")
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _load_client_cert(context: ssl.SSLContext, path: object) -> None:
    """Load a PEM file with a client certificate and its key, which has no password."""
    if not isinstance(path, str) or not path:
        raise make_argument_error("client_cert", "the path of a PEM file", path)
    with _report_unreadable("client_cert names no certificate with its key", path):
        context.load_cert_chain(path, password="")


def _read_environment(
    base_url: str, verify: bool | str, proxies: Mapping[str, str] | None
) -> tuple[bool | str, Secret]:
    """Return which certificates to trust and the proxy's URL; ``requests`` reads the environment for both."""
    if not isinstance(proxies, Mapping | None):
        raise ISalesArgumentError('proxies must be a mapping such as {"https": "http://proxy.example.com:3128"}')
    proxies = dict(proxies or {})
    for url in proxies.values():
        if not isinstance(url, str | None):
            check_proxy(url)
    # Passed as an argument, because REQUESTS_CA_BUNDLE in the environment overrides a session's own `verify`.
    with requests.Session() as session:
        settings = session.merge_environment_settings(base_url, proxies, stream=True, verify=verify, cert=None)
    proxy = select_proxy(base_url, settings["proxies"])
    if proxy and isinstance(proxy, str) and "://" not in proxy:
        proxy = f"http://{proxy}"  # the environment may leave out the scheme
    trusted = settings["verify"]
    return verify if trusted is None else trusted, Secret(check_proxy(proxy) if proxy else "")
