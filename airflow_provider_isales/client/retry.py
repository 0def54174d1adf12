"""When the client retries within one call, and how long it waits."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

from airflow_provider_isales.client.arguments import MAX_ATTEMPTS, check_integer, check_seconds
from airflow_provider_isales.client.errors import ISalesError, ISalesHTTPStatusError
from airflow_provider_isales.client.gate import Gate

log = logging.getLogger(__name__)

MAX_RETRY_SECONDS = 86_400


@dataclass(frozen=True)
class RetryPolicy:
    """
    The bounds of retries within one call. All times are in seconds.

    Whatever the server does, a call ends at most ``total`` plus one client ``timeout`` after it began.

    :param attempts: the most requests
    :param total: how long after the call began attempts may be sent
    :param first_wait: the longest back-off before the second attempt; it doubles with each attempt (full jitter)
    :param max_wait: the longest wait between attempts
    :param max_retry_after: the longest wait that a server may ask for with ``Retry-After``
    :raises ISalesArgumentError: a value is not allowed
    """

    attempts: int = 8
    total: float = 60.0
    first_wait: float = 0.5
    max_wait: float = 10.0
    max_retry_after: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "attempts", check_integer("attempts", self.attempts, 1, MAX_ATTEMPTS))
        for name in ("total", "first_wait", "max_wait", "max_retry_after"):
            object.__setattr__(self, name, check_seconds(name, getattr(self, name), MAX_RETRY_SECONDS))

    def make_retrying(self, action: str, gate: Gate, *, repeatable: bool) -> Retrying:
        """
        Return a tenacity object for one call.

        :param repeatable: whether a request that may have reached the server may be sent again
        """

        def is_worth_another_attempt(error: BaseException) -> bool:
            return isinstance(error, ISalesError) and error.transient and (repeatable or not error.sent)

        def prepare_wait(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            gate.hold_after(error, state.upcoming_sleep)
            log.warning(
                "%s: attempt %d of at most %d failed: %s. Trying again in %.1f s.",
                action,
                state.attempt_number,
                self.attempts,
                error.problem if isinstance(error, ISalesError) else error,
                state.upcoming_sleep,
            )

        return Retrying(
            retry=retry_if_exception(is_worth_another_attempt),
            stop=stop_after_attempt(self.attempts) | stop_before_delay(self.total),
            wait=self._wait,
            before_sleep=prepare_wait,
            sleep=gate.sleep,
            reraise=True,
        )

    def draw_backoff(self, attempt: int) -> float:
        """Return the back-off after an attempt, counted from 1: full jitter, doubling, at most ``max_wait``."""
        return random.uniform(0, min(self.max_wait, self.first_wait * 2 ** min(attempt - 1, 32)))  # noqa: S311

    def draw_wait(self, error: BaseException | None, attempt: int) -> float:
        """Return the wait after an attempt: the back-off, or a longer Retry-After up to ``max_retry_after``."""
        asked = error.retry_after if isinstance(error, ISalesHTTPStatusError) else None
        return max(self.draw_backoff(attempt), min(asked or 0.0, self.max_retry_after))

    def _wait(self, state: RetryCallState) -> float:
        return self.draw_wait(state.outcome.exception() if state.outcome else None, state.attempt_number)


#: No retries.
ONCE = RetryPolicy(attempts=1)
