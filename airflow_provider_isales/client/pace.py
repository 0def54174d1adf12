"""Limit the rate of requests to what the server accepts."""

from __future__ import annotations

import math
from collections import deque

# A single 429 among this many requests says nothing about the rate that the server accepts.
_BY_CHANCE = 10
# The rate after a 429, as a part of what was accepted in the last second.
_EASE = 0.95
# The rate increases by 2 % after the first second without a 429, by 4 % after the second, and so on.
_GROWTH = 0.02
# Lower bound of the rate: one bad second is too small a sample to justify going slower.
_LEAST_RATE = 30.0
# After this many seconds without a 429 the rate is unlimited again.
_FORGET_SECONDS = 30


class Pace:
    """
    Unlimited until the server answers 429; then just below the accepted rate, increasing slowly.

    All times are in seconds, by :func:`time.monotonic`. It is for one thread at a time.
    """

    def __init__(self) -> None:
        self._rate = math.inf
        self._turns = deque[float]()  # those of the last second
        self._refusals = deque[float]()  # likewise
        self._turn = 0.0
        self._since_refusal = _BY_CHANCE
        self._slowed_at = -math.inf
        self._raised = 0

    def next_turn(self, now: float) -> float:
        """Return when the next request may be sent."""
        if now - self._slowed_at > _FORGET_SECONDS:
            self._rate = math.inf
        while self._rate < math.inf and now - self._slowed_at >= self._raised + 1:
            self._raised += 1
            self._rate *= 1 + _GROWTH * self._raised
        self._turn = max(now, self._turn + 1 / self._rate)
        _leave_the_last_second(self._turns, now)
        self._turns.append(self._turn)
        self._since_refusal += 1
        return self._turn

    def slow_down(self, now: float) -> None:
        """Learn that a request was refused for being too fast."""
        self._refusals.append(now)
        _leave_the_last_second(self._refusals, now)
        _leave_the_last_second(self._turns, now)
        if self._since_refusal < _BY_CHANCE:
            accepted = sum(turn <= now for turn in self._turns) - len(self._refusals)
            self._rate = max(_LEAST_RATE, _EASE * accepted)
            self._slowed_at, self._raised = now, 0
        self._since_refusal = 0


def _leave_the_last_second(times: deque[float], now: float) -> None:
    while times and times[0] <= now - 1:
        times.popleft()
