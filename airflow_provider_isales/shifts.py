"""
When people may be called: shifts in the contact centre's own wall-clock time.

A :class:`.ShiftCalendar` turns a week of shifts, closed days and special days into *edges*: the instants at
which a shift starts or ends. Everything it answers follows from four rules:

* A shift belongs to the date on which it starts. ``22:00-02:00`` runs on into the next date, also when that
  date is closed: closing a date closes the shifts that start on it.
* A shift is on from its start (included) to its end (excluded). Shifts that touch or overlap are one shift,
  across midnight too.
* A local time that a clock change skips means the first instant after the gap, so a shift that lies wholly
  inside a gap does not take place. A local time that occurs twice means its first occurrence.
* Whether shifts touch is decided on instants, after that, not on wall-clock times. Last call, if there is one,
  ends what became one shift that much earlier.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

import pendulum
from pendulum import DateTime, Timezone

__all__ = ["Shift", "ShiftCalendar", "ShiftCalendarError"]

#: What :meth:`ShiftCalendar.to_dict` writes and :meth:`ShiftCalendar.from_dict` reads; the first two are needed.
CALENDAR_KEYS = ("timezone", "week", "closed", "special", "last_call")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_RANGE_DAYS = 3660  # a year mistyped closes no centuries
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SHIFT = re.compile(rf"({_TIME})-({_TIME}|24:00)")
# Stricter than pendulum, which also reads "now", "PT" and numbers that it takes modulo 2 to the power of 32.
_DURATION = re.compile(r"PT(?=[0-9])([0-9]{1,5}H)?([0-9]{1,5}M)?([0-9]{1,5}S)?")
_NO_LAST_CALL, _LAST_CALL_LIMIT = timedelta(), timedelta(hours=12)

_YAML_TAG = "tag:yaml.org,2002:"
_YAML_KINDS = {"scalar": "str", "sequence": "seq", "mapping": "map"}
_YAML_DEPTH = 5  # more than a calendar has, and few enough that aliases of aliases stay small

# A shift as written, in minutes after the midnight that begins its date: an overnight end exceeds a day.
_Hours = tuple[int, int]
_ShiftTexts = list[str] | tuple[str, ...]
_NO_DAYS: Mapping[Any, _ShiftTexts] = MappingProxyType({})
_Edge = TypeVar("_Edge", datetime, int)


class ShiftCalendarError(ValueError):
    """A shift calendar is written wrongly; the message names the entry at fault and what is allowed there."""


class Shift(NamedTuple):
    """One shift, from its start (included) to its end (excluded), in the calendar's time zone."""

    start: DateTime
    end: DateTime

    def __str__(self) -> str:
        """Show the shift as its calendar has it: ``20:00-24:00 on Fri 2026-10-09 Asia/Shanghai``."""
        first, last = self.start.date(), self.end.date()
        start, end = f"{self.start:%H:%M}", f"{self.end:%H:%M}"
        if end == "00:00":
            last, end = last - timedelta(days=1), "24:00"
        if first == last:
            return f"{start}-{end} on {_named(first)} {self.start.timezone_name}"
        return f"{start} on {_named(first)} to {end} on {_named(last)} {self.start.timezone_name}"


class ShiftCalendar:
    """
    The hours in which people may be called: a week of shifts, closed days and special days, in one time zone.

    Immutable, hashable, and equal to every calendar that says the same in other words. Its methods take aware
    datetimes of any time zone (a naive one is a ``ValueError``, anything else a ``TypeError``) and answer in
    the calendar's zone. They search until there can be no more: ``None`` means none at all up to year 9999.
    The first day and the last three days that a ``datetime`` can express count as closed.

    :param timezone: an IANA name such as ``"Asia/Shanghai"``, or a pendulum or zoneinfo zone that has one.
    :param week: the shifts of a normal week. Keys are days (``"mon"``), ranges (``"mon-fri"``; ``"fri-mon"``
        goes over Sunday) or lists of them (``"mon-wed,fri"``); a day that no key names is closed. Values are
        lists of ``"HH:MM-HH:MM"`` in local time. ``24:00`` can be an end; an end before its start is on the
        next day.
    :param closed: dates without shifts, as ``datetime.date`` or ``"YYYY-MM-DD"``, and ranges of them as
        ``"YYYY-MM-DD/YYYY-MM-DD"``, both days included, in any iterable. A country object of the
        ``holidays`` package must have been given years, as in ``country_holidays("CN", years=[2026, 2027])``:
        without, it holds no dates and is refused. Only the dates it holds now are closed.
    :param special: dates with their own shifts in place of their week's entry; an empty list closes the date.
    :param last_call: how long before its end each shift ends in fact, since calls last: a ``timedelta`` or an
        ISO 8601 duration such as ``"PT5M"``, in whole seconds, less than 12 hours. Shifts that touch are one
        before that; one that is not longer does not take place.
    :raises ShiftCalendarError: an entry is wrong, two entries contradict each other, or there is no shift.
    """

    __slots__ = ("_blocks", "_dates", "_hash", "_key", "_last_call", "_week", "_zone")

    def __init__(
        self,
        timezone: str | ZoneInfo,
        week: Mapping[str, _ShiftTexts],
        closed: Iterable[date | str] = (),
        special: Mapping[Any, _ShiftTexts] = _NO_DAYS,
        *,
        last_call: timedelta | str = _NO_LAST_CALL,
    ) -> None:
        self._zone = _parse_zone(timezone)
        self._week = _parse_week(week)
        self._dates = _parse_dates(closed, special)
        if not any(self._week) and not any(self._dates.values()):
            raise ShiftCalendarError("week: there is no shift at all, in special neither: write at least one")
        self._last_call = _parse_last_call(last_call, self._week)
        blocks = {day.toordinal() // _BLOCK_DAYS for day in self._dates}
        self._blocks = sorted({number + near for number in blocks for near in (-1, 0, 1)})
        self._key = (self.timezone, self._week, tuple(self._dates.items()), self._last_call)
        self._hash = hash(self._key)

    def is_on(self, at: datetime) -> bool:
        """Whether a shift is on at an instant."""
        instant = _instant("at", at)
        block = _block(self, instant.toordinal() // _BLOCK_DAYS)
        return block.on + bisect_right(block.starts, instant) > bisect_right(block.ends, instant)

    def shift_at(self, at: datetime) -> Shift | None:
        """
        Return the shift that is on at an instant.

        None when no shift is on, and also when the one that is on never started or never ends, such as
        ``00:00-24:00`` every day; :meth:`is_on` is True then.
        """
        instant = _instant("at", at)
        end = self._next("ends", instant)
        start = end and self._previous("starts", end)
        return Shift(self._local(start), self._local(end)) if end and start and start <= instant else None

    def next_start(self, after: datetime) -> DateTime | None:
        """Return the first start of a shift strictly after an instant, or None."""
        edge = self._next("starts", _instant("after", after))
        return self._local(edge) if edge else None

    def next_end(self, after: datetime) -> DateTime | None:
        """Return the first end of a shift strictly after an instant, or None."""
        edge = self._next("ends", _instant("after", after))
        return self._local(edge) if edge else None

    def previous_start(self, before: datetime) -> DateTime | None:
        """Return the last start of a shift strictly before an instant, or None."""
        edge = self._previous("starts", _instant("before", before))
        return self._local(edge) if edge else None

    def previous_end(self, before: datetime) -> DateTime | None:
        """Return the last end of a shift strictly before an instant, or None."""
        edge = self._previous("ends", _instant("before", before))
        return self._local(edge) if edge else None

    def shifts_between(self, start: datetime, end: datetime) -> list[Shift]:
        """
        Return the shifts that are on at some instant from ``start`` (included) to ``end`` (excluded).

        They are whole, and in order: the first may have started before ``start``, the last may end after
        ``end``. A shift that never started or never ends is left out, as in :meth:`shift_at`.

        :raises ValueError: ``end`` is before ``start``, or one of them is naive.
        """
        edge, limit = _instant("start", start), _instant("end", end)
        if limit < edge:
            raise ValueError(f"end: {end.isoformat()} is before start: {start.isoformat()}")
        shifts: list[Shift] = []
        while edge < limit and (closing := self._next("ends", edge)):
            opening = self._previous("starts", closing)
            if opening and opening < limit:
                shifts.append(Shift(self._local(opening), self._local(closing)))
            edge = closing
        return shifts

    @property
    def timezone(self) -> str:
        """The IANA name of the calendar's time zone."""
        return self._zone.key

    @property
    def summary(self) -> str:
        """The calendar in one line: ``mon-fri 09:00-12:00 13:30-18:00, sat 09:00-12:00, Asia/Shanghai``."""
        parts = [f"{days} {' '.join(shifts)}" for days, shifts in self._week_texts().items()]
        parts.append(self.timezone)
        special = sum(map(bool, self._dates.values()))
        for count, kind in ((len(self._dates) - special, "closed"), (special, "special")):
            if count:
                parts.append(f"{count} {kind} {'day' if count == 1 else 'days'}")
        if self._last_call:
            parts.append(f"last call {' '.join(_units(self._last_call, ' h', ' min', ' s'))} before the end")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the calendar as constructor arguments in JSON types, for :meth:`from_dict`."""
        data = {
            "timezone": self.timezone,
            "week": self._week_texts(),
            "closed": [day.isoformat() for day, hours in self._dates.items() if not hours],
            "special": {day.isoformat(): _texts(hours) for day, hours in self._dates.items() if hours},
        }
        return {**data, "last_call": _duration(self._last_call)} if self._last_call else data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """
        Make a calendar from what :meth:`to_dict` returned; all but ``timezone`` and ``week`` may be missing.

        :raises ShiftCalendarError: a key is missing or unknown, or its value is wrong.
        """
        known = CALENDAR_KEYS
        if not isinstance(data, Mapping):
            raise ShiftCalendarError(f"{_shown(data)} is not a shift calendar: give a mapping of {', '.join(known)}")
        for key in (key for key in data if key not in known):
            raise ShiftCalendarError(f"{_shown(key)} is not a key of a shift calendar: write {', '.join(known)}")
        for key in (key for key in known[:2] if key not in data):
            raise ShiftCalendarError(f'"{key}" is missing: a shift calendar needs timezone and week')
        return cls(**data)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """
        Make a calendar from a file of YAML or JSON, written in the constructor's words.

        :param path: a file that ends in ``.yaml``, ``.yml`` or ``.json``. A relative path is relative to the
            file that calls this, such as the DAG file; without one, to the working directory.
        :raises ShiftCalendarError: the file cannot be read, holds something wrong, or anything but data; the
            message names the file.
        """
        caller = sys._getframe(1).f_globals.get("__file__") or ""
        file = Path(caller).parent / path
        try:
            return cls.from_dict(_read(file))
        except RecursionError:
            raise ShiftCalendarError(f"{file}: this is nested too deeply for a shift calendar") from None
        except ValueError as error:
            raise ShiftCalendarError(f"{file}: {error}") from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShiftCalendar):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items() if value or name == "week")
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def _week_texts(self) -> dict[str, list[str]]:
        """Return the open days of the week in the constructor's words, alike neighbours as one range."""
        week: dict[str, list[str]] = {}
        first = 0
        for day, hours in enumerate(self._week):
            if hours != self._week[first]:
                first = day
            if hours and (day == len(_DAYS) - 1 or hours != self._week[day + 1]):
                week[_DAYS[day] if first == day else f"{_DAYS[first]}-{_DAYS[day]}"] = _texts(hours)
        return week

    def _next(self, kind: Literal["starts", "ends"], after: datetime) -> datetime | None:
        for number in self._search(after, 1):
            edges: list[datetime] = getattr(_block(self, number), kind)
            index = bisect_right(edges, after)
            if index < len(edges):
                return edges[index]
        return None

    def _previous(self, kind: Literal["starts", "ends"], before: datetime) -> datetime | None:
        for number in self._search(before, -1):
            edges: list[datetime] = getattr(_block(self, number), kind)
            index = bisect_left(edges, before)
            if index:
                return edges[index - 1]
        return None

    def _search(self, origin: datetime, step: Literal[1, -1]) -> Iterator[int]:
        """
        Yield the blocks in which the edge nearest to an instant can be, nearest first.

        A block away from all closed and special days repeats the normal week: if one such has no edge, none
        has. So only the instant's block, the next one, and those near closed and special days need a look.
        """
        here = origin.toordinal() // _BLOCK_DAYS
        yield here
        yield here + step
        for number in self._blocks[::step]:
            if (number - here) * step > 1:
                yield number

    def _hours(self, day: date) -> tuple[_Hours, ...]:
        return self._dates.get(day, self._week[day.weekday()])

    def _resolve(self, day: date, minutes: int) -> datetime:
        """Return the UTC instant of a local time: the first occurrence, or the first instant after a gap."""
        wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
        instant = wall.replace(tzinfo=self._zone).astimezone(UTC)
        if self._wall(instant) == wall:
            return instant
        # Skipped: too late when read with the offset before the change, too early with the one after it.
        early = wall.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        seconds = range(int((instant - early).total_seconds()))
        past = bisect_left(seconds, True, key=lambda count: self._wall(early + timedelta(seconds=count)) > wall)
        return early + timedelta(seconds=past)

    def _wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self._zone).replace(tzinfo=None)

    def _local(self, instant: datetime) -> DateTime:
        at = instant.astimezone(self._zone)
        # pendulum.instance() does the same at several times the cost, and would dominate every call.
        return DateTime(at.year, at.month, at.day, at.hour, at.minute, at.second, tzinfo=self._zone, fold=at.fold)


def in_utc(moment: datetime) -> DateTime:
    """
    Return an instant in UTC, in which it compares and calculates as one.

    Pendulum's own UTC: in the standard library's, one of its datetimes loses its zone when something is subtracted.
    """
    return pendulum.instance(moment).in_timezone(pendulum.UTC)


_BLOCK_DAYS = 28
# Within these, offsets from UTC and overnight ends stay within what a datetime can express.
_FIRST_DAY, _LAST_DAY = date.min.toordinal() + 1, date.max.toordinal() - 3


class _Block(NamedTuple):
    """The edges whose UTC dates lie in the same four weeks, as UTC instants."""

    on: bool  # just before the block begins
    starts: list[datetime]
    ends: list[datetime]


@lru_cache(maxsize=4096)
def _block(calendar: ShiftCalendar, number: int) -> _Block:
    """
    Return one block of a calendar.

    A shift covers UTC dates from one before its own (zones far east) to two after it (overnight, zones far
    west). So the shifts of the block's dates and a few around them give exactly the block's edges, however
    long the merged shifts at its borders are. Equal calendars share their blocks.

    Last call changes nothing in that: the shifts of other dates end or start more than a day from the block,
    last call is less than 12 hours. So an end that it moves into the block is known, and a shift that is known
    in part only, and has an edge in the block, is longer than last call in that part already.
    """
    first, last = number * _BLOCK_DAYS, (number + 1) * _BLOCK_DAYS - 1
    days = map(date.fromordinal, range(max(first - 3, _FIRST_DAY), min(last + 2, _LAST_DAY) + 1))
    written = [(day, start, end) for day in days for start, end in calendar._hours(day)]
    whole = _merged((calendar._resolve(day, start), calendar._resolve(day, end)) for day, start, end in written)
    last_call = calendar._last_call
    shifts = [(start, end - last_call) for start, end in whole if end - start > last_call]
    return _Block(
        on=any(start.toordinal() < first <= end.toordinal() for start, end in shifts),
        starts=[start for start, _ in shifts if first <= start.toordinal() <= last],
        ends=[end for _, end in shifts if first <= end.toordinal() <= last],
    )


def _merged(spans: Iterable[tuple[_Edge, _Edge]]) -> list[tuple[_Edge, _Edge]]:
    """Return spans in order, those that touch or overlap as one."""
    merged: list[tuple[_Edge, _Edge]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _instant(name: str, value: datetime) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"{name}: {value!r} is not a datetime: give an aware datetime")
    if value.utcoffset() is None:
        raise ValueError(f"{name}: {value.isoformat()} has no time zone: give an aware datetime")
    try:
        return datetime.astimezone(value, UTC)
    except OverflowError:  # a day from year 1 or 9999, where there are no edges
        return (datetime.min if value.year == 1 else datetime.max).replace(tzinfo=UTC)


def _parse_zone(zone: str | ZoneInfo) -> Timezone:
    name = zone.key if isinstance(zone, ZoneInfo) else zone
    try:
        return Timezone(name)
    except (ValueError, TypeError, AttributeError, OSError):
        raise ShiftCalendarError(
            f'timezone: {_shown(name)} is not a time zone: write an IANA name such as "Asia/Shanghai"'
        ) from None


def _parse_week(week: Mapping[str, _ShiftTexts]) -> tuple[tuple[_Hours, ...], ...]:
    if not isinstance(week, Mapping):
        raise ShiftCalendarError(f'week: {_shown(week)} is not a mapping: write {{"mon-fri": ["09:00-18:00"]}}')
    named: dict[int, object] = {}
    hours: list[tuple[_Hours, ...]] = [()] * 7
    for key, texts in week.items():
        entry = f"week[{_shown(key)}]"
        shifts = _parse_shifts(entry, texts)
        for day in _parse_days(entry, key):
            if day in named:
                raise ShiftCalendarError(f"{entry}: {_DAYS[day]} is already named by week[{_shown(named[day])}]")
            named[day] = key
            hours[day] = shifts
    return tuple(hours)


def _parse_days(entry: str, key: object) -> Iterator[int]:
    for part in str(key).lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if first not in _DAYS or (dash and (last not in _DAYS or last == first)):
            raise ShiftCalendarError(
                f"{entry}: {_shown(part.strip())} is not a day: write {', '.join(_DAYS)},"
                ' a range such as "mon-fri" or a list such as "mon,wed,fri"'
            )
        start = _DAYS.index(first)
        days = (_DAYS.index(last) - start) % 7 if dash else 0
        yield from ((start + day) % 7 for day in range(days + 1))


def _parse_shifts(entry: str, texts: _ShiftTexts) -> tuple[_Hours, ...]:
    if not isinstance(texts, list | tuple):
        raise ShiftCalendarError(f'{entry}: {_shown(texts)} is not a list of shifts: write ["09:00-12:00"]')
    hours = set()
    for index, text in enumerate(texts):
        match = _SHIFT.fullmatch(text) if isinstance(text, str) else None
        if not match:
            raise ShiftCalendarError(
                f"{entry}[{index}]: {_shown(text)} is not a shift: write HH:MM-HH:MM, 00:00 to 24:00"
            )
        start, end = (int(time[:2]) * 60 + int(time[3:]) for time in match.groups())
        if start == end:
            raise ShiftCalendarError(
                f"{entry}[{index}]: {_shown(text)} ends as it starts: write 00:00-24:00 for a whole day"
            )
        hours.add((start, end if end > start else end + _DAY_MINUTES))
    return tuple(sorted(hours))


def _parse_dates(closed: Iterable[date | str], special: Mapping[Any, _ShiftTexts]) -> dict[date, tuple[_Hours, ...]]:
    """Return the shifts of every date that differs from its weekday: none on the closed ones."""
    if isinstance(closed, str) or not isinstance(closed, Iterable):
        raise ShiftCalendarError(f'closed: {_shown(closed)} is not a list of dates: write ["2026-10-01"]')
    if isinstance(closed, dict) and type(closed) is not dict and len(closed) == 0:
        raise ShiftCalendarError(
            f"closed: this {type(closed).__name__} object holds no dates: give it years, such as"
            ' holidays.country_holidays("CN", years=[2026, 2027])'
        )
    if not isinstance(special, Mapping):
        raise ShiftCalendarError(
            f'special: {_shown(special)} is not a mapping: write {{"2026-10-10": ["09:00-18:00"]}}'
        )
    dates: dict[date, tuple[_Hours, ...]] = {day: () for entry in closed for day in _parse_closed(entry)}
    specials: set[date] = set()
    for key, texts in special.items():
        entry = f"special[{_shown(key)}]"
        day = _parse_date("special", key)
        if day in specials:
            raise ShiftCalendarError(f"{entry}: special has this date twice: write it once, with all its shifts")
        if day in dates:
            raise ShiftCalendarError(f"{entry}: the date is in closed too: take it out of one of them")
        specials.add(day)
        dates[day] = _parse_shifts(entry, texts)
    return dict(sorted(dates.items()))


def _parse_closed(value: date | str) -> list[date]:
    """Return the dates that one entry of ``closed`` names."""
    if not isinstance(value, str) or "/" not in value:
        return [_parse_date("closed", value)]
    try:
        first, last = (_parse_date("closed", day).toordinal() for day in value.split("/"))
    except ValueError:  # also when there are more or fewer than two
        raise ShiftCalendarError(
            f"closed: {_shown(value)} is not a range of dates: write YYYY-MM-DD/YYYY-MM-DD, its first and last day"
        ) from None
    if last < first:
        raise ShiftCalendarError(f"closed: {_shown(value)} ends before it starts: write the first day first")
    if last - first >= _RANGE_DAYS:
        raise ShiftCalendarError(
            f"closed: {_shown(value)} has {last - first + 1} days: a range has {_RANGE_DAYS} at most, ten years"
        )
    return [date.fromordinal(day) for day in range(first, last + 1)]


def _parse_date(entry: str, value: date | str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return date(value.year, value.month, value.day)
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:  # Python reads other ISO forms as well, such as 2026-W41-4
        raise ShiftCalendarError(f"{entry}: {_shown(value)} is not a date: write YYYY-MM-DD or give a datetime.date")
    return day


def _parse_last_call(value: timedelta | str, week: tuple[tuple[_Hours, ...], ...]) -> timedelta:
    length: object = pendulum.parse(value) if isinstance(value, str) and _DURATION.fullmatch(value) else value
    if not isinstance(length, timedelta) or not _NO_LAST_CALL <= length < _LAST_CALL_LIMIT or length.microseconds:
        raise ShiftCalendarError(
            f'last_call: {_shown(value)} is not a last call: write a duration such as "PT5M" or give a'
            " datetime.timedelta, in whole seconds, at least 0 and less than 12 hours"
        )
    last_call = timedelta(seconds=length.total_seconds())
    # Else there would be shifts only where clocks are put back: a search could not tell when to give up.
    if last_call and any(week) and _longest(week) <= last_call:
        raise ShiftCalendarError(
            f"last_call: no shift of the week is longer than {_duration(last_call)}, so none would take place:"
            " write less"
        )
    return last_call


def _longest(week: tuple[tuple[_Hours, ...], ...]) -> timedelta:
    """Return the length of the longest shift of a week without clock changes, after merging."""
    midnights = range(0, 14 * _DAY_MINUTES, _DAY_MINUTES)  # of two weeks, for what goes on over Sunday
    days = zip(midnights, week * 2, strict=True)
    whole = _merged((midnight + start, midnight + end) for midnight, hours in days for start, end in hours)
    return timedelta(minutes=max(end - start for start, end in whole))


def _duration(length: timedelta) -> str:
    return "PT" + "".join(_units(length, "H", "M", "S"))


def _units(length: timedelta, *names: str) -> list[str]:
    """Return the hours, minutes and seconds of a length, each with its name, without those that are zero."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return [f"{count}{name}" for count, name in zip((*divmod(minutes, 60), seconds), names, strict=True) if count]


def _read(file: Path) -> Any:
    """Return what a file holds: mappings, lists and text, in JSON other values as well."""
    if file.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise ShiftCalendarError(
            f"{_shown(file.suffix)} is not a kind of file to read: name a .yaml, .yml or .json file"
        )
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ShiftCalendarError(f"the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ShiftCalendarError(f"line {line} is not UTF-8: save the file in UTF-8") from None
    return _read_json(text) if file.suffix.lower() == ".json" else _read_yaml(text)


def _read_json(text: str) -> Any:
    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in pairs:
            if key in data:
                raise ShiftCalendarError(f"{_shown(key)} is written twice: write it once")
            data[key] = value
        return data

    try:
        return json.loads(text, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        raise ShiftCalendarError(f"line {error.lineno} is not JSON: {error.msg}") from None


def _read_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - most calendars are written in Python

    try:
        # Composed, not loaded: nothing is constructed. The base loader leaves dates and times the text that they are;
        # YAML's own rules would make a number of 12:00 and a truth value of "no".
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ShiftCalendarError(f"line {line} is not YAML: {error.reason}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise ShiftCalendarError(f"line {line} is not YAML: {problem}") from None
    return _yaml_data(node) if node else None


def _yaml_data(node: Any, depth: int = 0) -> Any:
    line = node.start_mark.line + 1
    if node.tag != _YAML_TAG + _YAML_KINDS[node.id]:
        raise ShiftCalendarError(
            f"line {line}: {node.tag.replace(_YAML_TAG, '!!')} is not data: write mappings, lists and text without tags"
        )
    if depth > _YAML_DEPTH:
        raise RecursionError
    if node.id == "scalar":
        return node.value
    if node.id == "sequence":
        return [_yaml_data(child, depth + 1) for child in node.value]
    data: dict[str, Any] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if key_node.id != "scalar":
            raise ShiftCalendarError(f"line {line}: this key is a {key_node.id}: write text")
        key = _yaml_data(key_node)
        if key in data:
            raise ShiftCalendarError(f"line {line}: {_shown(key)} is written twice: write it once")
        data[key] = _yaml_data(value, depth + 1)
    return data


def _texts(hours: tuple[_Hours, ...]) -> list[str]:
    return [f"{_clock(start)}-{_clock(end if end <= _DAY_MINUTES else end - _DAY_MINUTES)}" for start, end in hours]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _named(day: date) -> str:
    return f"{_DAYS[day.weekday()].title()} {day.isoformat()}"


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
