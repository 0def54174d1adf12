"""The one gate that all requests of a client pass: it can hold them back for a while, or stop them for good."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime

from airflow_provider_isales import clock
from airflow_provider_isales.client.errors import ISalesHeldBackError, ISalesStoppedError
from airflow_provider_isales.client.pace import Pace


class Gate:
    """Shared by all threads that use a client."""

    def __init__(self) -> None:
        # Reentrant, because a signal handler may stop a client in the middle of a wait.
        self._changed = threading.Condition(threading.RLock())
        self._process = os.getpid()
        self._stopped = False
        self._opens_at = 0.0
        self._pace = Pace()
        self._closes_at = datetime.max.replace(tzinfo=UTC)

    def pass_through(self, deadline: float) -> None:
        """
        Wait while requests are held back, and for one's turn if the server refused some.

        :param deadline: how long it may wait, by :func:`time.monotonic`
        :raises ISalesStoppedError: after :meth:`stop`, or from the instant of :meth:`close_at` on
        :raises ISalesHeldBackError: if requests are held back for longer than it may wait
        """
        if self._process != os.getpid():  # another thread may have held the lock when the process was forked
            self._changed, self._process = threading.Condition(threading.RLock()), os.getpid()
        while True:
            self._wait(self._opens_at, deadline)
            with self._changed:
                turn = self._pace.next_turn(time.monotonic())
            self._wait(turn, deadline)
            if turn >= self._opens_at or self._is_closed:  # else all were held back while it waited for its turn
                break
        if self._stopped:
            raise ISalesStoppedError("it was stopped before it was sent")
        if self._is_closed:
            raise ISalesStoppedError("the time for it was over before it was sent")

    def hold(self, seconds: float, *, too_fast: bool = False) -> None:
        """
        Hold back all requests for some seconds: the server is overloaded, and every thread would learn it anew.

        :param seconds: for how long
        :param too_fast: whether requests should follow one another more slowly from then on
        """
        with self._changed:
            now = time.monotonic()
            if too_fast:
                self._pace.slow_down(now)
            self._opens_at = max(self._opens_at, now + seconds)

    def close_at(self, instant: datetime) -> None:
        """Let no more requests pass from an instant on, by this machine's clock, and end all waiting then."""
        with self._changed:
            self._closes_at = instant
            self._changed.notify_all()

    def stop(self) -> None:
        """Let no more requests pass, and end all waiting."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Wait, but not once stopped or closed."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self._is_closed and (left := until - time.monotonic()) > 0:
                self._changed.wait(min(left, (self._closes_at - _utc_now()).total_seconds(), threading.TIMEOUT_MAX))

    def now(self) -> datetime:
        """Return the time in UTC, by this machine's clock."""
        return _utc_now()

    def _wait(self, until: float, deadline: float) -> None:
        while (left := until - time.monotonic()) > 0 and not self._is_closed:
            if until > deadline:
                raise ISalesHeldBackError("the server asked for a longer pause than this call may take")
            self.sleep(left)

    @property
    def _is_closed(self) -> bool:
        return self._stopped or _utc_now() >= self._closes_at


def _utc_now() -> datetime:
    return clock.utc_now()
