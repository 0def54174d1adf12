"""The rows of the benchmarks' table."""

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
    :param measure: the figure that the goal is about, mostly a ratio
    :param goal: the upper bound, or the lower bound if ``at_least``; None for no goal
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


def format_markdown(rows: list[Row]) -> str:
    """Return the rows as a table."""
    lines = ["| what | ours | beside it | measure | goal |", "|---|---|---|---|---|"]
    lines += [f"| {row.what} | {row.ours} | {row.rival} | {row.measure:.2f} | {row.verdict} |" for row in rows]
    return "\n".join(lines)


def measure_medians(contenders: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, float]:
    """Time contenders in turns, so that they run under the same conditions; return the median seconds per call."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            for _ in range(calls):
                began = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}
