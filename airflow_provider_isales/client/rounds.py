"""Doing one thing for each of many batches, in parallel, and again for those for which it failed in passing."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Protocol

from airflow_provider_isales.client.errors import (
    ISalesAuthenticationError,
    ISalesError,
    ISalesResultError,
    ISalesStoppedError,
)
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.threads import Queue, work_off

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0
# After which a try is given up while the server answers no request at all. With what listing takes, three minutes.
OUTAGE_SECONDS = 150.0
# The least that a request is given when all others got no answer either.
LEAST_TIMEOUT = 1.0

Attempt = Callable[[str, float, float | None], ISalesError | None]
Progress = Callable[[int, int, float], None]


class Waiting(Protocol):
    """What is needed of an ``ISalesClient``."""

    @property
    def retry(self) -> RetryPolicy:
        """The bounds of trying again."""

    def sleep(self, seconds: float) -> None:
        """Wait, but not once stopped."""


class Rounds:
    """
    Every batch has one request in each round; those that failed in passing are in the next round, after a wait.

    So what fails does not slow down what works, and all batches share what is known of the server: while no request at
    all is answered, each has less time, so that every batch has its request, and the try ends within three minutes.

    :param action: what is being done, for the log
    :param client: has the bounds, and waits
    :param attempt: sends the request for a batch; it gets the batch, how long it may wait at the gate, by
        :func:`time.monotonic`, and the seconds for the request, and returns what went wrong
    :param parallel: how many requests are under way at once
    """

    def __init__(self, action: str, client: Waiting, attempt: Attempt, parallel: int) -> None:
        self._action = action
        self._client = client
        self._attempt = attempt
        self._parallel = parallel
        self._gives_up_at = 0.0
        self._answered = False
        #: Why it was given up, if the server answered nothing; else empty.
        self.outage = ""

    def run(self, batch_ids: Collection[str], progress: Progress) -> None:
        """
        Do it for all batches; once more only if the server answered anything the first time.

        :param batch_ids: the batches
        :param progress: is told every few seconds how many are done, of how many, after how many seconds
        :raises ISalesStoppedError: if the client was stopped
        """
        if self._gives_up_at and not self._answered:
            return  # all rounds of an earlier call were in vain
        self._gives_up_at = self._gives_up_at or time.monotonic() + OUTAGE_SECONDS
        again = self._round(batch_ids, progress)
        ends = time.monotonic() + self._client.retry.total
        for number in range(1, self._client.retry.attempts):
            wait = self._client.retry.backoff(number)
            if not again or self.outage or time.monotonic() + wait > ends:
                return
            log.warning("%s: %s Trying again in %.1f s.", self._action, _told(again, len(batch_ids)), wait)
            self._client.sleep(wait)
            again = self._round(list(again), progress)

    def _round(self, batch_ids: Collection[str], progress: Progress) -> dict[str, ISalesError]:
        """Do it once for each batch; return what failed in passing."""
        queue, failed = Queue(batch_ids), dict[str, ISalesError]()
        began = time.monotonic()
        work_off(
            queue,
            lambda queue: self._work(queue, failed),
            self._parallel,
            lambda: progress(queue.taken, len(batch_ids), time.monotonic() - began),
            PROGRESS_SECONDS,
        )
        if stopped := next((error for error in failed.values() if isinstance(error, ISalesStoppedError)), None):
            raise stopped
        return {batch_id: error for batch_id, error in failed.items() if error.transient}

    def _work(self, queue: Queue[str], failed: dict[str, ISalesError]) -> None:
        for batch_id in queue:
            timeout = self._timeout(queue.left + 1, len(failed))
            if self.outage:
                return
            error = self._attempt(batch_id, float("inf") if self._answered else self._gives_up_at, timeout)
            if error:
                failed[batch_id] = error
            if isinstance(error, ISalesStoppedError):
                return
            # A refusal is an answer too: the service itself is there.
            if error is None or isinstance(error, (ISalesResultError, ISalesAuthenticationError)):
                self._answered = True

    def _timeout(self, left: int, failures: int) -> float | None:
        """Return the seconds for the next request: those of the client, unless no request at all was answered yet."""
        if self._answered or failures < self._parallel:
            return None
        seconds = self._gives_up_at - time.monotonic()
        if seconds <= 0:
            self.outage = f"No request was answered within {OUTAGE_SECONDS:.0f} s, so no more were sent"
        return max(LEAST_TIMEOUT, seconds * self._parallel / left)


def _told(failed: dict[str, ISalesError], total: int) -> str:
    """Say in one line how many requests failed, and why most of them did."""
    ((problem, count),) = Counter(error.problem for error in failed.values()).most_common(1)
    return f"{len(failed)} of {total} failed, {count} of them: {problem}."
