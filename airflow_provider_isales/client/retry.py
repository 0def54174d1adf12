"""When the client retries within one call, and how long it waits."""

from __future__ import annotations

import random
from dataclasses import dataclass

from airflow_provider_isales.client.arguments import MAX_ATTEMPTS, check_integer, check_seconds
from airflow_provider_isales.client.errors import ISalesError, ISalesHTTPStatusError

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

    def draw_backoff(self, attempt: int) -> float:
        """Return the back-off after an attempt, counted from 1: full jitter, doubling, at most ``max_wait``."""
        return random.uniform(0, min(self.max_wait, self.first_wait * 2 ** min(attempt - 1, 32)))  # noqa: S311

    def draw_wait(self, error: ISalesError, attempt: int) -> float:
        """Return the wait after an attempt: the back-off, or a longer Retry-After up to ``max_retry_after``."""
        asked = error.retry_after if isinstance(error, ISalesHTTPStatusError) else None
        return max(self.draw_backoff(attempt), min(asked or 0.0, self.max_retry_after))


#: No retries.
ONCE = RetryPolicy(attempts=1)
