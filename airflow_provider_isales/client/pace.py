"""How fast requests follow one another, learned from a server that refuses what is too fast for it."""

from __future__ import annotations

import math
from collections import deque

# What is asked of the server after a refusal: this part of what it had accepted in a second.
_EASE = 0.95
# Each second without a refusal makes it faster: the first by 2 %, the second by 4 %, and so on.
_GROWTH = 0.02
# Fewer requests a second would help nobody: a server that refuses even these refuses for another reason.
_LEAST_RATE = 10.0


class Pace:
    """
    As fast as can be, until a request is refused; then a little slower than what was accepted, and slowly faster again.

    All times are in seconds, by :func:`time.monotonic`. It is for one thread at a time.
    """

    def __init__(self) -> None:
        self._rate = math.inf
        self._turns = deque[float]()  # those of the last second that were not refused
        self._turn = 0.0
        self._raised_at = 0.0
        self._raised = 0

    def next_turn(self, now: float) -> float:
        """Return when the next request may be sent."""
        if now - self._raised_at >= 1:
            self._raised += 1
            self._raised_at = now
            self._rate *= 1 + _GROWTH * self._raised
        self._turn = max(now, self._turn + 1 / self._rate)
        self._forget(now)
        self._turns.append(self._turn)
        return self._turn

    def slow_down(self, now: float) -> None:
        """Learn that a request was refused."""
        self._forget(now)
        if self._turns:
            self._turns.popleft()
        accepted = sum(turn <= now for turn in self._turns)
        self._rate = max(_LEAST_RATE, _EASE * accepted)
        self._raised_at, self._raised = now, 0

    def _forget(self, now: float) -> None:
        while self._turns and self._turns[0] <= now - 1:
            self._turns.popleft()
