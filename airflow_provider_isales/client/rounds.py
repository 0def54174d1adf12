"""Send requests for many batches or campaigns in parallel; retry transient failures in further rounds."""

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
MIN_TIMEOUT = 1.0

#: Returned by an attempt that needs one more request, after those of the others in the queue.
UNFINISHED: Final = "unfinished"
Attempted = ISalesError | Literal["unfinished"] | None
Attempt = Callable[[Any, float, float | None], Attempted]
Progress = Callable[[int, int, float], None]


class Rounds:
    """
    Send one request per id in each round. Ids that fail transiently go into the next round, after a back-off.

    So failures do not delay the rest. While the server does not respond, timeouts are shortened so that each id still
    gets its request before the run gives up.

    :param action: what is being done, for the log
    :param attempt: sends one request and returns its error, if any. It gets the id, the deadline at the gate on the
        ``time.monotonic()`` clock, and the timeout in seconds
    :param progress: called every few seconds with the number of ids done, the number of ids and the seconds so far
    :param parallel: the most requests under way at once
    """

    def __init__(self, action: str, session: Session, attempt: Attempt, progress: Progress, parallel: int) -> None:
        self._action = action
        self._session = session
        self._attempt = attempt
        self._progress = progress
        self._parallel = parallel
        self._ends_at = 0.0
        self._responded_at = 0.0
        self._failures_since = 0
        #: Why the run gave up; empty if it did not.
        self.outage = ""

    def run(self, ids: Collection[Any]) -> None:
        """
        Run as many rounds as the retry policy allows; none once a run has given up.

        :raises ISalesStoppedError: if the client was stopped
        """
        retry = self._session.retry
        self._ends_at = self._ends_at or time.monotonic() + SWITCHING_SECONDS
        self._responded_at = time.monotonic()
        again = self._run_round(ids)
        ends = time.monotonic() + retry.total
        for number in range(1, retry.attempts):
            wait = retry.draw_backoff(number)
            if not again or self.outage or time.monotonic() + wait > ends:
                return
            log.warning("%s: %s Trying again in %.1f s.", self._action, _format_failures(again, len(ids)), wait)
            self._session.gate.sleep(wait)
            again = self._run_round(again)

    def _run_round(self, ids: Collection[Any]) -> dict[Any, ISalesError]:
        """Send one request per id; return the transient failures."""
        finished: dict[Any, ISalesError | None] = {}
        began = time.monotonic()
        run_threads(
            Queue(ids),
            lambda queue: self._work(queue, finished),
            self._parallel,
            lambda: self._progress(len(finished), len(ids), time.monotonic() - began),
            PROGRESS_SECONDS,
        )
        if stopped := next((error for error in finished.values() if isinstance(error, ISalesStoppedError)), None):
            raise stopped
        return {item_id: error for item_id, error in finished.items() if error and error.transient}

    def _work(self, queue: Queue[Any], finished: dict[Any, ISalesError | None]) -> None:
        for item_id in queue:
            if self._gives_up():
                return
            attempted = self._attempt(item_id, self._gives_up_at, self._limit_timeout(queue.left + 1))
            if attempted == UNFINISHED:
                queue.put(item_id)
            else:
                finished[item_id] = attempted
            if isinstance(attempted, ISalesStoppedError):
                return
            if isinstance(attempted, ISalesError):
                self._session.gate.hold_after(attempted, self._session.retry.draw_wait(attempted, attempt=1))
            if isinstance(attempted, ISalesHeldBackError):
                self.outage = attempted.problem
            # A refusal is a response too: it comes from the service itself.
            if isinstance(attempted, (ISalesTransportError, ISalesProtocolError)):
                self._failures_since += 1
            else:
                self._responded_at, self._failures_since = time.monotonic(), 0

    @property
    def _gives_up_at(self) -> float:
        return min(self._responded_at + OUTAGE_SECONDS, self._ends_at)

    def _gives_up(self) -> bool:
        """Return whether the run has given up, now or earlier; ``outage`` has the reason."""
        now = time.monotonic()
        if now >= self._ends_at:
            self.outage = f"the time limit of {SWITCHING_SECONDS:.0f} s was reached"
        elif now >= self._gives_up_at:
            self.outage = f"the server has not responded for {OUTAGE_SECONDS:.0f} s"
        return bool(self.outage)

    def _limit_timeout(self, left: int) -> float | None:
        """Return the timeout of the next request; None for the client's, unless the server is not responding."""
        if self._failures_since < self._parallel:
            return None
        return max(MIN_TIMEOUT, (self._gives_up_at - time.monotonic()) * self._parallel / left)


def _format_failures(failed: dict[Any, ISalesError], total: int) -> str:
    """Return one line with the number of failures and the most common reason."""
    ((problem, count),) = Counter(error.problem for error in failed.values()).most_common(1)
    return f"{len(failed)} of {total} failed, {count} of them: {problem}."
