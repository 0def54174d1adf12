"""How to reach a server, and whom to trust there, from the settings and, as ``requests`` reads it, the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy
from urllib3 import PoolManager

from airflow_provider_isales.client.arguments import (
    HTTPS_PORT,
    MAX_PORT,
    check_client_cert,
    check_flag,
    check_host,
    check_integer,
    check_proxy,
    check_verify,
)
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.pools import make_pool, make_proxy_pool
from airflow_provider_isales.client.text import Secret
from airflow_provider_isales.client.tls_socket import LimitedSocket

_PROXY_PORTS = {"http": 80, "https": 443}


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
        self.address = name.strip("[]"), port
        self.verify, self._proxy = _read_environment(self.base_url, check_verify(verify), proxies)
        self.context = _make_context(self.verify)
        self.context.sslsocket_class = LimitedSocket
        if not check_flag("verify_strict", verify_strict):
            self.context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if client_cert is not None:
            self.context.load_cert_chain(check_client_cert(client_cert))
        proxy = urlsplit(self._proxy.reveal())
        self.proxy_speaks_tls = proxy.scheme == "https"
        self.proxy_address = (proxy.hostname, proxy.port or _PROXY_PORTS[proxy.scheme]) if proxy.hostname else None

    def make_pool(self) -> PoolManager:
        """Return a new pool of urllib3, for one connection."""
        if not self.proxy_address:
            return make_pool(self.context)
        return make_proxy_pool(self.context, self._proxy)


def _make_context(verify: bool | str) -> ssl.SSLContext:
    """Return settings of TLS with the trust of ``requests``: its own bundle, unless another one is named."""
    bundle = DEFAULT_CA_BUNDLE_PATH if isinstance(verify, bool) else verify
    context = (
        ssl.create_default_context(capath=bundle)
        if os.path.isdir(bundle)
        else ssl.create_default_context(cafile=bundle)
    )
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _read_environment(
    base_url: str, verify: bool | str, proxies: Mapping[str, str] | None
) -> tuple[bool | str, Secret]:
    """Return what is trusted, and the URL of the proxy, as ``requests`` takes them from the environment."""
    if not isinstance(proxies, Mapping | None):
        raise ISalesArgumentError('proxies must be a mapping such as {"https": "http://proxy.example.com:3128"}')
    proxies = dict(proxies or {})
    for url in proxies.values():
        if not isinstance(url, str | None):
            check_proxy(url)
    # A session's own `verify` loses against REQUESTS_CA_BUNDLE in the environment, one that is passed does not.
    with requests.Session() as session:
        settings = session.merge_environment_settings(base_url, proxies, stream=True, verify=verify, cert=None)
    proxy = select_proxy(base_url, settings["proxies"])
    if proxy and isinstance(proxy, str) and "://" not in proxy:
        proxy = f"http://{proxy}"  # as the environment may have it
    return check_verify(settings["verify"]), Secret(check_proxy(proxy) if proxy else "")
