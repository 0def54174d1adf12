"""The shift calendar, and the search for the edges of its shifts. Knows no Airflow."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

import pendulum
from pendulum import DateTime

from airflow_provider_isales.shifts import files, parsing
from airflow_provider_isales.shifts.parsing import DAYS, ShiftCalendarError, ShiftTexts, quote

#: The keys that :meth:`ShiftCalendar.to_dict` writes and :meth:`ShiftCalendar.from_dict` reads; two are required.
CALENDAR_KEYS = ("timezone", "week", "closed", "special", "last_call")

_BLOCK_DAYS = 28
# A date of every year falls on the same weekday again within 40 years, as on Thursday 29 February 2080 and 2120.
_RECURRING_BLOCKS = 41 * 366 // _BLOCK_DAYS
# Within these days, offsets from UTC and overnight ends do not overflow a datetime.
_FIRST_DAY, _LAST_DAY = date.min.toordinal() + 1, date.max.toordinal() - 3


class Shift(NamedTuple):
    """One shift, from its start (included) to its end (excluded), in the calendar's time zone."""

    start: DateTime
    end: DateTime

    def __str__(self) -> str:
        """Format the shift as its calendar does: ``20:00-24:00 on Fri 2026-10-09 Asia/Shanghai``."""
        first, last = self.start.date(), self.end.date()
        start, end = f"{self.start:%H:%M}", f"{self.end:%H:%M}"
        if end == "00:00":
            last, end = last - timedelta(days=1), "24:00"
        if first == last:
            return f"{start}-{end} on {parsing.format_day(first)} {self.start.timezone_name}"
        days = parsing.format_day(first), parsing.format_day(last)
        return f"{start} on {days[0]} to {end} on {days[1]} {self.start.timezone_name}"


class _Block(NamedTuple):
    """The edges whose UTC dates lie in the same four weeks, as UTC instants."""

    on: bool  # just before the block begins
    starts: list[datetime]
    ends: list[datetime]


class ShiftCalendar:
    """
    The hours in which people may be called: a week of shifts, closed days and special days, in one time zone.

    Immutable, hashable, and equal to calendars that say the same in other words. Its methods take aware datetimes of
    any zone and return times in the calendar's zone; they raise ``ValueError`` for naive datetimes, and ``TypeError``
    for other types. The first day and the last three days that a ``datetime`` can express count as closed.

    :param timezone: an IANA name such as ``"Asia/Shanghai"``, or a pendulum or zoneinfo zone that has one
    :param week: the shifts of a normal week. Keys are days (``"mon"``), ranges (``"mon-fri"``; ``"fri-mon"``
        goes over Sunday) or lists of them (``"mon-wed,fri"``); other days are closed. Values are lists of
        ``"HH:MM-HH:MM"`` in local time. ``24:00`` can be an end; an end before its start is on the next day.
    :param closed: dates without shifts, as ``datetime.date``, ``"YYYY-MM-DD"``, or ``"MM-DD"`` for every year, and
        ranges of them including both days, ``"2026-10-01/2026-10-07"`` or ``"12-24/01-01"``, in any iterable. A date
        with a year wins over one of every year, in ``special`` too. A country object of the ``holidays`` package
        needs years; with shifts at weekends it is a warning, because it lists weekdays off only.
    :param special: dates and ranges with their own shifts in place of their week's entry; an empty list closes them
    :param last_call: how much earlier each shift ends, because calls take time: a ``timedelta`` or an ISO 8601
        duration such as ``"PT5M"``, in whole seconds, less than 12 hours. Touching shifts are merged first; a shift
        that is not longer than this does not take place.
    :raises ShiftCalendarError: an entry is wrong, two entries contradict each other, or there is no shift
    """

    __slots__ = ("_blocks", "_dates", "_hash", "_key", "_last_call", "_reach", "_week", "_zone")

    def __init__(
        self,
        timezone: str | ZoneInfo,
        week: Mapping[str, ShiftTexts],
        closed: Iterable[date | str] = (),
        special: Mapping[Any, ShiftTexts] = MappingProxyType({}),
        *,
        last_call: timedelta | str = timedelta(),
    ) -> None:
        self._zone = parsing.parse_zone(timezone)
        self._week = parsing.parse_week(week)
        self._dates = parsing.parse_dates(closed, special)
        parsing.warn_about_open_weekends(closed, self._week)
        parsing.warn_about_lost_minutes(self._week, self._dates)
        if not any(self._week) and not any(self._dates.values()):
            raise ShiftCalendarError("week and special have no shift: write at least one")
        self._last_call = parsing.parse_last_call(last_call, self._week, self._dates)
        days = [date.fromisoformat(day).toordinal() for day in self._dates if not parsing.is_recurring(day)]
        self._blocks = sorted({day // _BLOCK_DAYS + near for day in days for near in (-1, 0, 1)})
        self._reach = _RECURRING_BLOCKS if len(days) < len(self._dates) else 1
        self._key = (self.timezone, self._week, tuple(self._dates.items()), self._last_call)
        self._hash = hash(self._key)

    def is_on(self, at: datetime) -> bool:
        """Whether a shift is on at an instant."""
        instant = _to_utc("at", at)
        block = self._find_block(instant.toordinal() // _BLOCK_DAYS)
        return block.on + bisect_right(block.starts, instant) > bisect_right(block.ends, instant)

    def shift_at(self, at: datetime) -> Shift | None:
        """Return the shift that is on at an instant; None for one without start or end (``00:00-24:00`` daily)."""
        instant = _to_utc("at", at)
        end = self._find_edge("ends", instant, 1)
        start = end and self._find_edge("starts", end, -1)
        return Shift(self._to_local(start), self._to_local(end)) if end and start and start <= instant else None

    def next_start(self, after: datetime) -> DateTime | None:
        """Return the first start of a shift strictly after an instant, or None."""
        edge = self._find_edge("starts", _to_utc("after", after), 1)
        return self._to_local(edge) if edge else None

    def next_end(self, after: datetime) -> DateTime | None:
        """Return the first end of a shift strictly after an instant, or None."""
        edge = self._find_edge("ends", _to_utc("after", after), 1)
        return self._to_local(edge) if edge else None

    def previous_start(self, before: datetime) -> DateTime | None:
        """Return the last start of a shift strictly before an instant, or None."""
        edge = self._find_edge("starts", _to_utc("before", before), -1)
        return self._to_local(edge) if edge else None

    def previous_end(self, before: datetime) -> DateTime | None:
        """Return the last end of a shift strictly before an instant, or None."""
        edge = self._find_edge("ends", _to_utc("before", before), -1)
        return self._to_local(edge) if edge else None

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """
        Return in order, and whole, the shifts that are on at any time from ``start`` until before ``end``.

        :raises ValueError: ``end`` is before ``start``, or one of them is naive
        """
        edge, limit = _to_utc("start", start), _to_utc("end", end)
        if limit < edge:
            raise ValueError(f"end: {end.isoformat()} is before start: {start.isoformat()}")
        shifts: list[Shift] = []
        while edge < limit and (closing := self._find_edge("ends", edge, 1)):
            opening = self._find_edge("starts", closing, -1)
            if opening and opening < limit:
                shifts.append(Shift(self._to_local(opening), self._to_local(closing)))
            edge = closing
        return shifts

    def get_day_kind(self, day: date) -> Literal["closed", "special"] | None:
        """Return which of ``closed`` and ``special`` names a date; None if its shifts are those of the week."""
        hours = self._find_entry(day)
        if hours is None:
            return None
        return "special" if hours else "closed"

    @property
    def timezone(self) -> str:
        """The IANA name of the calendar's time zone."""
        return self._zone.key

    @property
    def summary(self) -> str:
        """The calendar in one line: ``mon-fri 09:00-12:00 13:30-18:00, sat 09:00-12:00, Asia/Shanghai``."""
        parts = [*(f"{days} {' '.join(shifts)}" for days, shifts in self._format_week().items()), self.timezone]
        for recurring, suffix in ((False, ""), (True, " every year")):
            days = [bool(hours) for day, hours in self._dates.items() if parsing.is_recurring(day) is recurring]
            for count, kind in ((days.count(False), "closed"), (days.count(True), "special")):
                if count:
                    parts.append(f"{count} {kind} {'day' if count == 1 else 'days'}{suffix}")
        if self._last_call:
            length = " ".join(parsing.list_units(self._last_call, " h", " min", " s"))
            parts.append(f"last call {length} before the end")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the calendar as constructor arguments in JSON types, for :meth:`from_dict`."""
        dates = parsing.join_recurring(self._dates)
        data = {
            "timezone": self.timezone,
            "week": self._format_week(),
            "closed": [day for day, hours in dates.items() if not hours],
            "special": {day: parsing.format_shifts(hours) for day, hours in dates.items() if hours},
        }
        return {**data, "last_call": parsing.format_iso_duration(self._last_call)} if self._last_call else data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """
        Make a calendar from what :meth:`to_dict` returned. Only ``timezone`` and ``week`` are required.

        :raises ShiftCalendarError: a key is missing or unknown, or its value is wrong
        """
        known = CALENDAR_KEYS
        if not isinstance(data, Mapping):
            raise ShiftCalendarError(f"{quote(data)} is not a shift calendar: give a mapping of {', '.join(known)}")
        for key in (key for key in data if key not in known):
            raise ShiftCalendarError(f"{quote(key)} is not a key of a shift calendar: write {', '.join(known)}")
        for key in (key for key in known[:2] if key not in data):
            raise ShiftCalendarError(f'"{key}" is missing: a shift calendar needs timezone and week')
        return cls(**data)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """
        Make a calendar from a file of YAML or JSON, written in the constructor's words.

        :param path: a file that ends in ``.yaml``, ``.yml`` or ``.json``, also inside a zip of DAGs. As with
            ``open()``, a relative path starts at the working directory, which in Airflow is not the DAGs folder:
            in a DAG file, write ``Path(__file__).with_name("shifts.yaml")``.
        :raises ShiftCalendarError: the file cannot be read, or has an invalid entry; the message names the file
        """
        try:
            return cls.from_dict(files.read_data(Path(path)))
        except ValueError as error:
            raise ShiftCalendarError(f"{path}: {error}") from None

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, ShiftCalendar) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items() if value or name == "week")
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def _format_week(self) -> dict[str, list[str]]:
        """Return the open days of the week in the constructor's words, with equal neighbours as one range."""
        week: dict[str, list[str]] = {}
        for hours, days in groupby(range(len(DAYS)), key=self._week.__getitem__):
            first, *others = (DAYS[day] for day in days)
            if hours:
                week["-".join([first, *others[-1:]])] = parsing.format_shifts(hours)
        return week

    def _find_edge(self, kind: Literal["starts", "ends"], origin: datetime, step: Literal[1, -1]) -> datetime | None:
        """Return the nearest edge strictly after an instant, or strictly before it when ``step`` is -1."""
        for number in self._list_blocks(origin, step):
            edges: list[datetime] = getattr(self._find_block(number), kind)
            index = bisect_right(edges, origin) if step > 0 else bisect_left(edges, origin) - 1
            if 0 <= index < len(edges):
                return edges[index]
        return None

    def _list_blocks(self, origin: datetime, step: Literal[1, -1]) -> Iterator[int]:
        """
        Yield the blocks in which the edge nearest to an instant can be, nearest first.

        Blocks away from closed and special days repeat the normal week: if one has no edge, none has. So only the
        instant's block, the next one, and those near closed and special days matter. With dates of every year, the
        next block becomes the next forty years.
        """
        here = origin.toordinal() // _BLOCK_DAYS
        for distance in range(self._reach + 1):
            yield here + distance * step
        for number in self._blocks[::step]:
            if (number - here) * step > self._reach:
                yield number

    def _find_entry(self, day: date) -> tuple[parsing.Hours, ...] | None:
        """Return the shifts that ``closed`` or ``special`` give a date; None if they do not name it."""
        text = day.isoformat()[:10]
        return self._dates.get(text, self._dates.get(text[5:]))

    def _list_hours(self, day: date) -> tuple[parsing.Hours, ...]:
        """Return the shifts of a date."""
        hours = self._find_entry(day)
        return self._week[day.weekday()] if hours is None else hours

    @lru_cache(maxsize=4096)  # noqa: B019 - equal calendars share their blocks, so instances may outlive their use
    def _find_block(self, number: int) -> _Block:
        """
        Return one block, made of the shifts of its dates and a few around them.

        These give exactly its edges, however long merged shifts are: a shift covers UTC dates from one before its own
        (zones far east) to two after it (overnight, zones far west). Last call does not change that: it is less than
        12 hours, and shifts of other dates start or end more than a day from the block.
        """
        first, last = number * _BLOCK_DAYS, (number + 1) * _BLOCK_DAYS - 1
        days = map(date.fromordinal, range(max(first - 3, _FIRST_DAY), min(last + 2, _LAST_DAY) + 1))
        spans = ((day, hours) for day in days for hours in self._list_hours(day))
        instants = ((self._resolve(day, start), self._resolve(day, end)) for day, (start, end) in spans)
        merged = _merge_spans(instants)
        shifts = [(start, end - self._last_call) for start, end in merged if end - start > self._last_call]
        return _Block(
            on=any(start.toordinal() < first <= end.toordinal() for start, end in shifts),
            starts=[start for start, _ in shifts if first <= start.toordinal() <= last],
            ends=[end for _, end in shifts if first <= end.toordinal() <= last],
        )

    def _resolve(self, day: date, minutes: int) -> datetime:
        """Return the UTC instant of a local time: the first occurrence, or the first instant after a gap."""
        wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
        instant = wall.replace(tzinfo=self._zone).astimezone(UTC)
        if self._to_wall_time(instant) == wall:
            return instant
        # Skipped: too late when read with the offset before the change, too early with the one after it.
        early = wall.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        seconds = range(int((instant - early).total_seconds()))
        past = bisect_left(seconds, True, key=lambda count: self._to_wall_time(early + timedelta(seconds=count)) > wall)
        return early + timedelta(seconds=past)

    def _to_wall_time(self, instant: datetime) -> datetime:
        return instant.astimezone(self._zone).replace(tzinfo=None)

    def _to_local(self, instant: datetime) -> DateTime:
        at = instant.astimezone(self._zone)
        # pendulum.instance() does the same at several times the cost, and would dominate every call.
        return DateTime(at.year, at.month, at.day, at.hour, at.minute, at.second, tzinfo=self._zone, fold=at.fold)


#: The resolution of time, here and in Airflow: "at or before now" is "before now + TICK".
TICK = timedelta(microseconds=1)


def in_utc(moment: datetime) -> DateTime:
    """Return an instant in pendulum's UTC: with the standard library's UTC, a subtraction loses the zone."""
    return pendulum.instance(moment).in_timezone(pendulum.UTC)


def _merge_spans(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Return spans in order, with touching and overlapping ones merged."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _to_utc(name: str, value: datetime) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"{name}: {value!r} is not a datetime: give an aware datetime")
    if value.utcoffset() is None:
        raise ValueError(f"{name}: {value.isoformat()} has no time zone: give an aware datetime")
    try:
        return datetime.astimezone(value, UTC)
    except OverflowError:  # a day from year 1 or 9999, where there are no edges
        return (datetime.min if value.year == 1 else datetime.max).replace(tzinfo=UTC)
