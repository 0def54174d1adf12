"""Limit the rate of requests to what the server accepts."""

from __future__ import annotations

import math
from collections import deque

# A single 429 among this many requests says nothing about the rate that the server accepts.
_ISOLATED_REQUESTS = 10
# The rate after a 429, as a part of the requests accepted in the last second.
_REDUCTION = 0.95
# The rate doubles after this many seconds without a 429.
_DOUBLING_SECONDS = 5.0
# Lower bound of the rate: one bad second is too small a sample to justify going slower.
_MIN_RATE = 30.0


class Pace:
    """
    Unlimited until the server returns 429; then just below the accepted rate, which doubles every few seconds.

    All times are on the ``time.monotonic()`` clock. For one thread at a time.
    """

    def __init__(self) -> None:
        self._rate = math.inf
        self._turns = deque[float]()  # of the last second
        self._refusals = deque[float]()  # likewise
        self._turn = 0.0
        self._since_refusal = _ISOLATED_REQUESTS
        self._changed_at = 0.0

    def next_turn(self, now: float) -> float:
        """Return when the next request may be sent."""
        while self._rate < math.inf and now - self._changed_at >= _DOUBLING_SECONDS:
            self._rate *= 2
            self._changed_at += _DOUBLING_SECONDS
        self._turn = max(now, self._turn + 1 / self._rate)
        _keep_last_second(self._turns, now)
        self._turns.append(self._turn)
        self._since_refusal += 1
        return self._turn

    def slow_down(self, now: float) -> None:
        """Take note of a 429; lower the rate unless it is isolated."""
        self._refusals.append(now)
        _keep_last_second(self._refusals, now)
        _keep_last_second(self._turns, now)
        if self._since_refusal < _ISOLATED_REQUESTS:
            accepted = sum(turn <= now for turn in self._turns) - len(self._refusals)
            self._rate = max(_MIN_RATE, _REDUCTION * accepted)
            self._changed_at = now
        self._since_refusal = 0


def _keep_last_second(times: deque[float], now: float) -> None:
    while times and times[0] <= now - 1:
        times.popleft()
