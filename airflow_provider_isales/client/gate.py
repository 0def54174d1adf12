"""The one gate that all requests of a client pass: it can hold them back for a while, or stop them for good."""

from __future__ import annotations

import math
import threading
import time

from airflow_provider_isales.client.errors import ISalesStoppedError


class Gate:
    """Shared by all threads that use a client."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._opens_at = 0.0
        self._closes_at = math.inf

    def pass_through(self) -> None:
        """
        Wait while requests are held back.

        :raises ISalesStoppedError: after :meth:`stop`, or when the time of :meth:`close_in` is over
        """
        while (held := self._opens_at - time.monotonic()) > 0 and not self._stopped.is_set():
            self.sleep(held)
        if self._stopped.is_set():
            raise ISalesStoppedError("it was stopped before it was sent")
        if time.monotonic() >= self._closes_at:
            raise ISalesStoppedError("the time for it was over before it was sent")

    def hold(self, seconds: float) -> None:
        """Hold back all requests for some seconds: the server is overloaded, and every thread would learn it anew."""
        self._opens_at = max(self._opens_at, time.monotonic() + seconds)

    def close_in(self, seconds: float) -> None:
        """Let no more requests pass after some seconds."""
        self._closes_at = time.monotonic() + seconds

    def stop(self) -> None:
        """Let no more requests pass, and end all waiting."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait, but not once stopped."""
        self._stopped.wait(seconds)
