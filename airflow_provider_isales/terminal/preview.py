"""The next days of a shift calendar, as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pendulum import DateTime

from airflow_provider_isales.shifts import ShiftCalendar

COLUMNS = ("day", "starts", "ends", "pause at", "note")
_DAYS_OF_WEEK = 7
_TICK = timedelta(microseconds=1)


class Entry(NamedTuple):
    """
    A shift as it is written.

    :param start: None for one that never started
    :param end: its end before last call; None for one that never ends
    :param pause: when it ends in fact; None if it never does, or does not take place because of last call
    """

    start: DateTime | None
    end: DateTime | None
    pause: DateTime | None


class Day(NamedTuple):
    """A date with the shifts that start on it, and what is worth saying of it."""

    date: date
    entries: list[Entry]
    note: str


def without_last_call(calendar: ShiftCalendar) -> ShiftCalendar:
    """Return the calendar whose shifts end as they are written."""
    data = calendar.to_dict()
    data.pop("last_call", None)
    return ShiftCalendar.from_dict(data)


def days_of(calendar: ShiftCalendar, first: date, count: int) -> list[Day]:
    """
    Return so many days.

    :raises OverflowError: for days that no ``datetime`` can express
    """
    data, written = calendar.to_dict(), without_last_call(calendar)
    return [
        Day(day, entries, _note(calendar, day, entries, data))
        for day in (first + timedelta(days=number) for number in range(count))
        for entries in [list(_entries(calendar, written, day))]
    ]


def midnights(calendar: ShiftCalendar, day: date) -> tuple[datetime, datetime]:
    """Return when a date begins and when the next one does, in the calendar's time zone."""
    zone = ZoneInfo(calendar.timezone)
    first, second = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (day, day + timedelta(days=1)))
    return first, second


def edges(next_edge: Callable[[datetime], DateTime | None], since: datetime, until: datetime) -> Iterator[DateTime]:
    """
    Yield the edges from an instant (included) to another (excluded).

    :param next_edge: ``next_start`` or ``next_end`` of a calendar
    """
    edge = next_edge(since - _TICK)
    while edge and edge < until:
        yield edge
        edge = next_edge(edge)


def cells(day: Day) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a day, under ``COLUMNS``."""
    label, note = f"{day.date:%a %Y-%m-%d}", day.note
    if not day.entries:
        yield label, "", "", "", note
    for entry in day.entries:
        skipped = entry.end and not entry.pause
        yield (
            label,
            _clock(entry.start, day.date),
            _clock(entry.end, day.date),
            "none: no longer than last call" if skipped else _clock(entry.pause, day.date),
            note,
        )
        label = note = ""


def _entries(calendar: ShiftCalendar, written: ShiftCalendar, day: date) -> Iterator[Entry]:
    midnight, next_midnight = midnights(calendar, day)
    for end in edges(written.next_end, midnight, next_midnight):
        if not written.previous_start(end):
            yield Entry(None, end, calendar.next_end(written.previous_end(end) or midnight - timedelta(days=1)))
    for start in edges(written.next_start, midnight, next_midnight):
        takes_place = calendar.is_on(start)
        yield Entry(start, written.next_end(start), calendar.next_end(start) if takes_place else None)


def _note(calendar: ShiftCalendar, day: date, entries: list[Entry], data: dict[str, list[str]]) -> str:
    midnight, next_midnight = midnights(calendar, day)
    notes = [kind for kind in ("closed", "special") if day.isoformat() in data[kind]]
    if calendar.is_on(midnight) and (not entries or entries[0].start != midnight):
        end = calendar.next_end(midnight)
        notes.append(f"on until {end:%H:%M}" if end and end < next_midnight else "on all day")
    elif not entries and not notes:
        notes.append("no shift")
    if midnight.utcoffset() != next_midnight.utcoffset():
        notes.append("clock change")
    return ", ".join(notes)


def _clock(at: DateTime | None, day: date) -> str:
    """Write a time of day as a calendar has it, with the weekday where that is another."""
    if at is None:
        return "never"
    days_later = at.toordinal() - day.toordinal()
    if days_later == 0:
        return f"{at:%H:%M}"
    if days_later == 1 and at.time() == time():
        return "24:00"
    return f"{at:%H:%M %a}" if days_later < _DAYS_OF_WEEK else f"{at:%H:%M %Y-%m-%d}"
