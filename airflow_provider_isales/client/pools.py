"""Pools of urllib3 that hold one connection each, in a queue that an interrupt cannot leave locked."""

from __future__ import annotations

import queue
import ssl
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, make_headers

from airflow_provider_isales.client.text import Secret


class _Queue:
    """Replaces ``queue.LifoQueue``, whose locks an interrupt can leave locked for good."""

    def __init__(self, maxsize: int) -> None:
        self._items: list[Any] = []

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return self._items.pop()
        except IndexError:
            raise queue.Empty from None

    def qsize(self) -> int:
        return len(self._items)


class _Pool(HTTPSConnectionPool):
    QueueCls: Any = _Queue


def make_pool(url: str, context: ssl.SSLContext, proxy_url: Secret) -> HTTPConnectionPool:
    """
    Return a pool for one connection to a server.

    :param url: the URL of the server
    :param proxy_url: the URL of a proxy, which may hold a user name and a password; empty without a proxy
    """
    if proxy_url:
        manager = _make_proxy_manager(context, proxy_url)
    else:
        manager = PoolManager(num_pools=1, maxsize=1, ssl_context=context)
    manager.pool_classes_by_scheme = {"https": _Pool}
    return manager.connection_from_url(url)


def _make_proxy_manager(context: ssl.SSLContext, proxy_url: Secret) -> PoolManager:
    proxy, headers = urlsplit(proxy_url.reveal()), None
    if proxy.username is not None:
        user = unquote_to_bytes(proxy.username) + b":" + unquote_to_bytes(proxy.password or "")
        headers = make_headers(proxy_basic_auth=user.decode("latin-1"))  # which is how urllib3 encodes it
    return ProxyManager(
        f"{proxy.scheme}://{proxy.netloc.rpartition('@')[2]}",
        num_pools=1,
        maxsize=1,
        proxy_headers=headers,
        proxy_ssl_context=context,
        ssl_context=context,
    )
