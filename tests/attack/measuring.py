"""How much of an attack to make, and the table of what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Figures:
    """What was measured, for the table at the end of the run."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, tried: object, found: object, bound: object = "") -> None:
        """
        Add a row.

        :param what: what was attacked, and how
        :param tried: how often
        :param found: what came of it
        :param bound: what it may be at the most
        """
        self.rows.append((what, str(tried), str(found), str(bound)))

    def lines(self) -> Iterator[str]:
        yield "| attack | tried | found | allowed |"
        yield "| --- | --- | --- | --- |"
        for row in sorted(self.rows):
            yield f"| {' | '.join(row)} |"


@dataclass(frozen=True)
class Size:
    """How much of an attack to make: as much as ``make test`` has time for, or all of it."""

    large: bool

    def of(self, small: int, large: int) -> int:
        return large if self.large else small
