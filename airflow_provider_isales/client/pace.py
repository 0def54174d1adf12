"""How fast requests follow one another, learned from a server that refuses what is too fast for it."""

from __future__ import annotations

import math
from collections import deque

# One refusal among so many requests says nothing about how fast the server takes them.
_BY_CHANCE = 10
# What is asked of the server after a refusal: this part of what it had accepted in a second.
_EASE = 0.95
# Each second without a refusal makes it faster: the first by 2 %, the second by 4 %, and so on.
_GROWTH = 0.02
# Slower would help nobody, and keep people on the phone: a second that began with a refusal tells too little.
_LEAST_RATE = 30.0
# After so many seconds without a refusal nothing is remembered of the last one.
_FORGET_SECONDS = 30


class Pace:
    """
    As fast as can be, until requests are refused; then a little slower than what was accepted, and slowly faster again.

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
