"""Try each of many batches or campaigns, in parallel, and again those whose request failed transiently."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, Final, Literal

from airflow_provider_isales.client.errors import (
    ISalesError,
    ISalesHeldBackError,
    ISalesProtocolError,
    ISalesStoppedError,
    ISalesTransportError,
)
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.threads import Queue, run_threads

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0
# A run gives up this long after the server's last response, and this long after its start at the latest.
OUTAGE_SECONDS = 150.0
SWITCHING_SECONDS = 900.0
# Minimum timeout of a request while the server is not responding.
LEAST_TIMEOUT = 1.0

#: What an attempt returns that takes one more request, after those of others that wait.
UNFINISHED: Final = "unfinished"
Attempted = ISalesError | Literal["unfinished"] | None
Attempt = Callable[[Any, float, float | None], Attempted]
Progress = Callable[[int, int, float], None]


class Rounds:
    """
    Try each once in a round. Those that failed transiently go into the next, after a back-off.

    So those that fail do not delay the others. While the server does not respond, timeouts are shortened so that each
    gets its request before the run gives up.

    :param action: what is being done, for the log
    :param attempt: sends a request for one; it gets its id, when to give up at the gate, on the ``time.monotonic()``
        clock, and the timeout in seconds, and returns what went wrong
    :param parallel: how many requests are under way at once
    """

    def __init__(self, action: str, session: Session, attempt: Attempt, parallel: int) -> None:
        self._action = action
        self._session = session
        self._attempt = attempt
        self._parallel = parallel
        self._ends_at = 0.0
        self._responded_at = 0.0
        self._failures_since = 0
        #: Why the run gave up; empty if it did not.
        self.outage = ""

    def run(self, ids: Collection[Any], progress: Progress) -> None:
        """
        Send the requests, in as many rounds as the retry policy allows; none once a run has given up.

        :param progress: called every few seconds with how many are done, of how many, after how many seconds
        :raises ISalesStoppedError: if the client was stopped
        """
        self._ends_at = self._ends_at or time.monotonic() + SWITCHING_SECONDS
        self._responded_at = time.monotonic()
        again = self._run_round(ids, progress)
        ends = time.monotonic() + self._session.retry.total
        for number in range(1, self._session.retry.attempts):
            wait = self._session.retry.backoff(number)
            if not again or self.outage or time.monotonic() + wait > ends:
                return
            log.warning("%s: %s Trying again in %.1f s.", self._action, _format_failures(again, len(ids)), wait)
            self._session.gate.sleep(wait)
            again = self._run_round(list(again), progress)

    def _run_round(self, ids: Collection[Any], progress: Progress) -> dict[Any, ISalesError]:
        """Try each once; return the transient failures."""
        finished: dict[Any, ISalesError | None] = {}
        began = time.monotonic()
        run_threads(
            Queue(ids),
            lambda queue: self._work(queue, finished),
            self._parallel,
            lambda: progress(len(finished), len(ids), time.monotonic() - began),
            PROGRESS_SECONDS,
        )
        if stopped := next((error for error in finished.values() if isinstance(error, ISalesStoppedError)), None):
            raise stopped
        return {item_id: error for item_id, error in finished.items() if error and error.transient}

    def _work(self, queue: Queue[Any], finished: dict[Any, ISalesError | None]) -> None:
        for item_id in queue:
            timeout = self._limit_timeout(queue.left + 1)
            if self.outage:
                return
            attempted = self._attempt(item_id, self._gives_up_at, timeout)
            if attempted == UNFINISHED:
                queue.put(item_id)
            else:
                finished[item_id] = attempted
            if isinstance(attempted, ISalesStoppedError):
                return
            if isinstance(attempted, ISalesError):
                self._session.gate.hold_after(attempted, self._session.retry.wait_after(attempted, attempt=1))
            if isinstance(attempted, ISalesHeldBackError):
                self.outage = f"No more requests were sent: {attempted.problem}"
            # A refusal is a response too: the service itself is there.
            if isinstance(attempted, (ISalesTransportError, ISalesProtocolError)):
                self._failures_since += 1
            else:
                self._responded_at, self._failures_since = time.monotonic(), 0

    @property
    def _gives_up_at(self) -> float:
        return min(self._responded_at + OUTAGE_SECONDS, self._ends_at)

    def _limit_timeout(self, left: int) -> float | None:
        """Return the timeout of the next request; None for the client's, unless the server does not respond."""
        seconds = self._gives_up_at - time.monotonic()
        if seconds <= 0:
            self.outage = (
                f"No more requests were sent: the server has not responded for {OUTAGE_SECONDS:.0f} s"
                if time.monotonic() < self._ends_at
                else f"No more requests were sent: the time limit of {SWITCHING_SECONDS:.0f} s was reached"
            )
        if self._failures_since < self._parallel:
            return None
        return max(LEAST_TIMEOUT, seconds * self._parallel / left)


def _format_failures(failed: dict[Any, ISalesError], total: int) -> str:
    """Return one line with how many requests failed, and why most of them did."""
    ((problem, count),) = Counter(error.problem for error in failed.values()).most_common(1)
    return f"{len(failed)} of {total} failed, {count} of them: {problem}."
