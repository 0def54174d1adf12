"""``isales shifts``: reads a calendar from a data or Python file, and prints its next days as a table."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pendulum

from airflow_provider_isales.cli.output import SUCCESS, UsageError, discard_output, print_error, print_line
from airflow_provider_isales.shifts import ShiftCalendar, ShiftCalendarError, ShiftCalendarWarning

COLUMNS = ("day", "starts", "pause at", "note")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    calendar = read_calendar(arguments.calendar)
    first = getattr(arguments, "from") or pendulum.now(calendar.timezone).date()
    try:
        rows = list(make_rows(calendar, first, arguments.days))
    except OverflowError:
        raise UsageError(f"--days {arguments.days} from {first} goes beyond the year 9999") from None
    print_line(calendar.summary)
    lines = [COLUMNS, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print_line("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
    return SUCCESS


def read_calendar(name: str) -> ShiftCalendar:
    """
    Return the calendar of a YAML or JSON file, or of ``FILE.py:NAME``, which is run; print its warnings.

    :raises UsageError: if it can't be read
    """
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ShiftCalendarWarning)
        calendar = _load_calendar(name)
    for warning in found:
        print_error(f"isales: {warning.message}")
    return calendar


def _load_calendar(name: str) -> ShiftCalendar:
    file, _, variable = name.rpartition(":")
    if name.endswith(".py"):
        raise UsageError(f"{name} is Python: say which name in it is the calendar, such as {name}:SHIFTS")
    if not file.endswith(".py"):
        try:
            return ShiftCalendar.from_file(name)
        except ShiftCalendarError as error:
            raise UsageError(str(error)) from None
    sys.path[:0] = [os.path.dirname(os.path.abspath(file)), os.getcwd()]  # for its imports
    try:
        with discard_output():
            found = runpy.run_path(file)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{file} can't be run: {type(error).__name__}: {error}") from None
    if isinstance(calendar := found.get(variable), ShiftCalendar):
        return calendar
    others = [name for name, value in found.items() if isinstance(value, ShiftCalendar)]
    raise UsageError(f"{file} has no ShiftCalendar named {variable}; it has {', '.join(others) or 'none'}")


def make_rows(calendar: ShiftCalendar, first: date, count: int) -> Iterator[tuple[str, ...]]:
    """
    Yield a row for each shift, by the date on which it starts, and for each date without one.

    :raises OverflowError: for days that no ``datetime`` can express
    """
    zone = ZoneInfo(calendar.timezone)
    for day in (first + timedelta(days=number) for number in range(count)):
        midnight, next_midnight = (datetime.combine(date_, time(), zone) for date_ in (day, day + timedelta(days=1)))
        shifts = [shift for shift in calendar.shifts_between(midnight, next_midnight) if shift.start >= midnight]
        kind = calendar.get_day_kind(day)
        notes: list[str] = [kind] if kind else []
        if calendar.is_on(midnight) and not (shifts and shifts[0].start == midnight):
            notes.append(f"on at midnight, pause at {_format_clock(calendar.next_end(midnight), day)}")
        elif not shifts and not notes:
            notes.append("no shift")
        if midnight.utcoffset() != next_midnight.utcoffset():
            notes.append("clock change")
        label, note = f"{day:%a %Y-%m-%d}", ", ".join(notes)
        if not shifts:
            yield label, "", "", note
        for shift in shifts:
            yield label, _format_clock(shift.start, day), _format_clock(shift.end, day), note
            label = note = ""


def _format_clock(at: datetime | None, day: date) -> str:
    """Format a time of day as a calendar writes it, with its date unless that is ``day``."""
    if at is None:
        return "never"
    if at.date() == day:
        return f"{at:%H:%M}"
    if at.date() == day + timedelta(days=1) and at.time() == time():
        return "24:00"
    return f"{at:%H:%M %a %Y-%m-%d}"
