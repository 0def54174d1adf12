"""A StatsD server on loopback, which keeps what it is sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


class StatsdServer:
    """The kernel keeps for it what comes until it is asked, which is enough for this provider's few metrics."""

    def __init__(self, socket_: socket.socket) -> None:
        self._socket = socket_
        #: What makes an Airflow send the provider's metrics to it, as environment variables.
        self.settings = {
            "AIRFLOW__METRICS__STATSD_ON": "true",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(socket_.getsockname()[1]),
            "AIRFLOW__METRICS__METRICS_ALLOW_LIST": "isales",
        }

    def received(self) -> list[str]:
        """Return the metrics that came since the last time, as StatsD writes them."""
        metrics: list[str] = []
        while True:
            try:
                metrics += self._socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return metrics


@contextmanager
def statsd_server() -> Iterator[StatsdServer]:
    """Listen from entry to exit."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as socket_:
        socket_.bind(("127.0.0.1", 0))
        socket_.setblocking(False)
        yield StatsdServer(socket_)
