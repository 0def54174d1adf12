"""The comparison in the README has the figures of the benchmarks."""

from __future__ import annotations

import re

from pages import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
PROBLEMS = (REPOSITORY / "benchmarks/PROBLEMS.md").read_text()
RESULTS = (REPOSITORY / "benchmarks/RESULTS.md").read_text()


def cells(table: str, first: str) -> list[str]:
    """Return the cells of a table's row but for its first one, which has a text in it."""
    (row,) = re.findall(rf"^\| [^|]*{re.escape(first)}[^|]*\|(.*)\|$", table, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def test_how_often_each_is_right() -> None:
    assert cells(README, "right when something goes wrong") == cells(PROBLEMS, "**right**")


def test_how_often_each_is_green_although_calls_go_on() -> None:
    rows = [row.split("|")[2:5] for row in PROBLEMS.splitlines() if row.startswith("|")]
    counts = [sum("green, and calls go on" in row[number] for row in rows) for number in range(3)]
    assert cells(README, "green although calls go on") == [str(count) for count in counts]


def test_how_long_each_is() -> None:
    lines = [int(cell.partition(" ")[0]) for cell in cells(README, "lines of a DAG")]
    assert lines == [int(cell) for cell in cells(PROBLEMS, "lines of code")]


def test_how_fast_each_is() -> None:
    rows = cells(README, "answered at once") + cells(README, "20 campaigns of 1000")
    figures = [figure for row in rows for figure in re.findall(r"[0-9.]+ (?:s|min)\b", row)]
    assert len(figures) == 4
    assert [figure for figure in figures if figure not in RESULTS] == []
