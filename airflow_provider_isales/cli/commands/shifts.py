"""``isales shifts``: reads a calendar, in a file of data or of Python, and prints its next days as a table."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pendulum

from airflow_provider_isales.cli.output import SUCCESS, UsageError, say, silence
from airflow_provider_isales.shifts import TICK, ShiftCalendar, ShiftCalendarError

COLUMNS = ("day", "starts", "ends", "pause at", "note")
_DAYS_OF_WEEK = 7


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    calendar = read_calendar(arguments.calendar)
    first = getattr(arguments, "from") or pendulum.now(calendar.timezone).date()
    try:
        rows = list(make_rows(calendar, first, arguments.days))
    except OverflowError:
        raise UsageError(f"no calendar reaches {arguments.days} days from {first} on") from None
    say(calendar.summary)
    lines = [COLUMNS, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        say("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
    return SUCCESS


def read_calendar(name: str) -> ShiftCalendar:
    """Return the calendar of a file of YAML or JSON, or of ``FILE.py:NAME``, which is run; else a ``UsageError``."""
    file, _, variable = name.rpartition(":")
    if name.endswith(".py"):
        raise UsageError(f"{name} is Python: say which name in it is the calendar, such as {name}:SHIFTS")
    if not file.endswith(".py"):
        try:
            return ShiftCalendar.from_file(name)
        except ShiftCalendarError as error:
            raise UsageError(str(error)) from None
    sys.path[:0] = [os.path.dirname(os.path.abspath(file)), os.getcwd()]  # for what it imports
    try:
        with silence():
            found = runpy.run_path(file)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{file} can't be run: {type(error).__name__}: {error}") from None
    if isinstance(calendar := found.get(variable), ShiftCalendar):
        return calendar
    others = [name for name, value in found.items() if isinstance(value, ShiftCalendar)]
    raise UsageError(f"{variable} is no ShiftCalendar in {file}, which has {', '.join(others) or 'none'}")


def make_rows(calendar: ShiftCalendar, first: date, count: int) -> Iterator[tuple[str, ...]]:
    """
    Yield a row for each shift, by the date on which it starts, and for each date without one.

    ``ends`` is as the calendar is written, ``pause at`` after last call was taken off.

    :raises OverflowError: for days that no ``datetime`` can express
    """
    data = calendar.to_dict()
    written = ShiftCalendar.from_dict({key: value for key, value in data.items() if key != "last_call"})
    zone = ZoneInfo(calendar.timezone)
    for day in (first + timedelta(days=number) for number in range(count)):
        midnight, next_midnight = (datetime.combine(date_, time(), zone) for date_ in (day, day + timedelta(days=1)))
        rows: list[tuple[str, ...]] = []
        for end in _find_edges(written.next_end, midnight, next_midnight):
            if not written.previous_start(end):  # of a shift that never started
                pause = calendar.next_end(written.previous_end(end) or midnight - timedelta(days=1))
                rows.append(("never", _format_clock(end, day), _format_clock(pause, day)))
        for start in _find_edges(written.next_start, midnight, next_midnight):
            clocks = [_format_clock(at, day) for at in (start, written.next_end(start), calendar.next_end(start))]
            rows.append((*clocks[:2], clocks[2] if calendar.is_on(start) else "none: no longer than last call"))
        notes = [kind for kind in ("closed", "special") if day.isoformat() in data[kind]]
        if calendar.is_on(midnight) and (not rows or rows[0][0] != "00:00"):
            end_ = calendar.next_end(midnight)
            notes.append(f"on until {end_:%H:%M}" if end_ and end_ < next_midnight else "on all day")
        elif not rows and not notes:
            notes.append("no shift")
        if midnight.utcoffset() != next_midnight.utcoffset():
            notes.append("clock change")
        label, note = f"{day:%a %Y-%m-%d}", ", ".join(notes)
        for row in rows or [("", "", "")]:
            yield label, *row, note
            label = note = ""


def _find_edges(
    next_edge: Callable[[datetime], datetime | None], since: datetime, until: datetime
) -> Iterator[datetime]:
    """Yield the edges from an instant (included) to another (excluded)."""
    edge = next_edge(since - TICK)
    while edge and edge < until:
        yield edge
        edge = next_edge(edge)


def _format_clock(at: datetime | None, day: date) -> str:
    """Write a time of day as a calendar has it, with the weekday where that is another."""
    if at is None:
        return "never"
    days_later = at.toordinal() - day.toordinal()
    if days_later == 0:
        return f"{at:%H:%M}"
    if days_later == 1 and at.time() == time():
        return "24:00"
    return f"{at:%H:%M %a}" if days_later < _DAYS_OF_WEEK else f"{at:%H:%M %Y-%m-%d}"
