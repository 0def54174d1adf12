"""How much of an attack to make, and the table of what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figures:
    """The measurements, for the table at the end of the run."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    worst: dict[str, dict[str, tuple[float, str]]] = field(default_factory=dict)

    def add(self, what: str, tried: object, found: object, allowed: object = "") -> None:
        """
        Add a row.

        :param what: what was attacked, and how
        :param tried: how often
        :param found: what came of it
        :param allowed: what it may be at the most
        """
        self.rows.append((what, str(tried), str(found), str(allowed)))

    def add_to(self, group: str, what: str, amount: float, unit: str, allowed: object) -> None:
        """
        Add one of many of which the largest is told first, and each below.

        :param group: what they have in common
        :param what: which one it is
        :param amount: what was measured
        :param unit: its unit
        :param allowed: what it may be at the most
        """
        self.worst.setdefault(f"{group} (allowed: {allowed})", {})[what] = amount, unit

    def lines(self) -> Iterator[str]:
        """The table, the largest of each group in a row."""
        rows = list(self.rows)
        for group, amounts in self.worst.items():
            what, (amount, unit) = max(amounts.items(), key=lambda entry: entry[1])
            name, _, allowed = group.removesuffix(")").partition(" (allowed: ")
            rows.append((name, str(len(amounts)), f"at most {_amount(amount, unit)}: {what}", allowed))
        yield from _table(("attack", "tried", "found", "allowed"), sorted(rows))

    def details(self) -> Iterator[str]:
        """The tables of the groups."""
        for group, amounts in sorted(self.worst.items()):
            yield from ("", f"## {group}", "")
            yield from _table(
                ("which", "found"), [(what, _amount(amount, unit)) for what, (amount, unit) in sorted(amounts.items())]
            )


def _amount(amount: float, unit: str) -> str:
    return f"{amount:.2f} {unit}" if unit else f"{amount:g}"


def _table(head: tuple[str, ...], rows: list[Any]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


@dataclass(frozen=True)
class Size:
    """How much of an attack to make: as much as ``make test`` has time for, or all of it."""

    large: bool

    def of(self, small: int, large: int) -> int:
        return large if self.large else small

    @property
    def slack(self) -> float:
        """How many seconds later than promised a call may end: more in ``make test``, whose machine is busy."""
        return 1.0 if self.large else 20.0
