"""Rows of the benchmarks' one table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """
    One comparison.

    :param what: what was measured
    :param ours: our figure, with its unit
    :param rival: the other figure, with its name and unit
    :param measure: what the goal is about, a ratio mostly
    :param goal: at the most this much, or at the least if ``at_least``; None for a figure without a goal
    """

    what: str
    ours: str
    rival: str
    measure: float
    goal: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Whether the goal was reached."""
        if self.goal is None:
            return ""
        reached = self.measure >= self.goal if self.at_least else self.measure <= self.goal
        bound = f"{'>=' if self.at_least else '<='} {self.goal:g}"
        return f"{bound}: {'reached' if reached else 'MISSED'}"


def markdown(rows: list[Row]) -> str:
    """Return the rows as a table."""
    lines = ["| what | ours | beside it | measure | goal |", "|---|---|---|---|---|"]
    lines += [f"| {row.what} | {row.ours} | {row.rival} | {row.measure:.2f} | {row.verdict} |" for row in rows]
    return "\n".join(lines)


def medians(contenders: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, float]:
    """Time contenders in turns, so that they meet the same weather; return the median seconds of one call."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            for _ in range(calls):
                began = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}
