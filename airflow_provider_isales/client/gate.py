"""The gate that all requests of a client pass: it can hold them back for a while, or stop them for good."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from airflow_provider_isales import clock
from airflow_provider_isales.client.errors import ISalesHeldBackError, ISalesHTTPStatusError, ISalesStoppedError
from airflow_provider_isales.client.forks import renew_in_children
from airflow_provider_isales.client.pace import Pace

# Waits poll: an exception that a signal handler raises can leave a Condition's lock locked for good.
_TICK_SECONDS = 0.05


class Gate:
    """Shared by all threads that use a client."""

    def __init__(self) -> None:
        self._stopped = False
        self._opens_at = 0.0
        self._closes_at = datetime.max.replace(tzinfo=UTC)
        self._pace = Pace()
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Replace the lock: a thread of the parent may have held it at the fork."""
        self._lock = threading.Lock()  # only taken by `with`, which no signal can interrupt halfway

    def pass_through(self, deadline: float) -> None:
        """
        Block while requests are held back; after a 429, also wait for this request's turn.

        :param deadline: when to give up, on the ``time.monotonic()`` clock
        :raises ISalesStoppedError: after :meth:`stop`, or from the instant of :meth:`close_at` on
        :raises ISalesHeldBackError: if requests are held back beyond the deadline
        """
        while True:
            self._wait(self._opens_at, deadline)
            with self._lock:
                turn = self._pace.next_turn(time.monotonic())
            self._wait(turn, deadline)
            if turn >= self._opens_at or self._is_closed:  # otherwise all were held back during the wait for this turn
                break
        if self._stopped:
            raise ISalesStoppedError("the client was stopped before the request was sent")
        if self._is_closed:
            raise ISalesStoppedError("the request was not sent: it is too close to the start or end of a shift")

    def hold(self, seconds: float, *, too_fast: bool = False) -> None:
        """Hold back all requests for some seconds; if they came too fast, also slow down the next ones."""
        with self._lock:
            now = time.monotonic()
            if too_fast:
                self._pace.slow_down(now)
            self._opens_at = max(self._opens_at, now + seconds)

    def hold_after(self, error: object, seconds: float) -> None:
        """Hold back all requests for some seconds if the response to one of them asked to slow down."""
        if isinstance(error, ISalesHTTPStatusError) and (error.too_fast or error.retry_after is not None):
            self.hold(seconds, too_fast=error.too_fast)

    def close_at(self, instant: datetime) -> None:
        """Refuse requests and end waits from an instant on, by this machine's clock."""
        self._closes_at = instant

    def stop(self) -> None:
        """Refuse requests and end waits from now on."""
        self._stopped = True

    def sleep(self, seconds: float) -> None:
        """Wait; return early when stopped or closed."""
        until = time.monotonic() + seconds
        while not self._is_closed and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _TICK_SECONDS))

    def _wait(self, until: float, deadline: float) -> None:
        while (left := until - time.monotonic()) > 0 and not self._is_closed:
            if until > deadline:
                raise ISalesHeldBackError("the server asked to slow down for longer than this call may take")
            self.sleep(left)

    @property
    def _is_closed(self) -> bool:
        return self._stopped or clock.utc_now() >= self._closes_at
