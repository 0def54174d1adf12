"""Parse the entries of a shift calendar; each error names the entry at fault and what is allowed there."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
from pendulum import Timezone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_RANGE_DAYS = 3660  # a mistyped year must not close centuries
_OVER_NEW_YEAR_DAYS = 275  # nine months: "12-31/12-24" must not mean almost the whole year
_LEAP_YEAR = 2000
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SHIFT = re.compile(rf"({_TIME})-({_TIME}|24:00)")
# Stricter than pendulum, which also accepts "now" and "PT" and overflows large numbers.
_DURATION = re.compile(r"PT(?=[0-9])([0-9]{1,5}H)?([0-9]{1,5}M)?([0-9]{1,5}S)?")

# Start and end in minutes after the midnight that begins the shift's date; an overnight end exceeds a day.
Hours = tuple[int, int]
Week = tuple[tuple[Hours, ...], ...]  # of each day from Monday to Sunday
Dates = dict[str, tuple[Hours, ...]]  # by "YYYY-MM-DD", or "MM-DD" for a date of every year
ShiftTexts = list[str] | tuple[str, ...]


class ShiftCalendarError(ValueError):
    """A shift calendar has an invalid entry; the message names it and says what is allowed there."""


class ShiftCalendarWarning(UserWarning):
    """A shift calendar is valid, but may not say what is meant; the message names the entry."""


def parse_zone(zone: str | ZoneInfo) -> Timezone:
    name = zone.key if isinstance(zone, ZoneInfo) else zone
    try:
        return Timezone(name)
    except (ValueError, TypeError, AttributeError, OSError):
        raise _error("timezone", name, 'is not a time zone: write an IANA name such as "Asia/Shanghai"') from None


def parse_week(week: Mapping[str, ShiftTexts]) -> Week:
    if not isinstance(week, Mapping):
        raise _error("week", week, 'is not a mapping: write {"mon-fri": ["09:00-18:00"]}')
    named: dict[int, object] = {}
    hours: list[tuple[Hours, ...]] = [()] * 7
    for key, texts in week.items():
        entry = f"week[{quote(key)}]"
        shifts = _parse_shifts(entry, texts)
        for day in _parse_days(entry, key):
            if day in named:
                raise ShiftCalendarError(f"{entry}: {DAYS[day]} is already named by week[{quote(named[day])}]")
            named[day] = key
            hours[day] = shifts
    return tuple(hours)


def _parse_days(entry: str, key: object) -> Iterator[int]:
    for part in str(key).lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if first not in DAYS or (dash and (last not in DAYS or last == first)):
            known = f'write {", ".join(DAYS)}, a range such as "mon-fri" or a list such as "mon,wed,fri"'
            raise _error(entry, part.strip(), f"is not a day: {known}")
        start = DAYS.index(first)
        days = (DAYS.index(last) - start) % 7 if dash else 0
        yield from ((start + day) % 7 for day in range(days + 1))


def _parse_shifts(entry: str, texts: ShiftTexts) -> tuple[Hours, ...]:
    if not isinstance(texts, list | tuple):
        raise _error(entry, texts, 'is not a list of shifts: write ["09:00-12:00"]')
    hours = set()
    for index, text in enumerate(texts):
        match = _SHIFT.fullmatch(text) if isinstance(text, str) else None
        if not match:
            raise _error(f"{entry}[{index}]", text, "is not a shift: write HH:MM-HH:MM, 00:00 to 24:00")
        start, end = (int(time[:2]) * 60 + int(time[3:]) for time in match.groups())
        if start == end:
            raise _error(f"{entry}[{index}]", text, "ends as it starts: write 00:00-24:00 for a whole day")
        hours.add((start, end if end > start else end + _DAY_MINUTES))
    return tuple(sorted(hours))


def parse_dates(closed: Iterable[date | str], special: Mapping[Any, ShiftTexts]) -> Dates:
    """Return the shifts of every date that differs from its weekday; closed dates have none."""
    if isinstance(closed, str) or not isinstance(closed, Iterable):
        raise _error("closed", closed, 'is not a list of dates: write ["2026-10-01"]')
    if isinstance(closed, dict) and type(closed) is not dict and len(closed) == 0:
        advice = 'give it years, such as holidays.country_holidays("CN", years=[2026, 2027])'
        raise ShiftCalendarError(f"closed: this {type(closed).__name__} object holds no dates: {advice}")
    if not isinstance(special, Mapping):
        raise _error("special", special, 'is not a mapping: write {"2026-10-10": ["09:00-18:00"]}')
    closed_by = {day: entry for entry in closed for day in _parse_range("closed", entry)}
    dates: Dates = dict.fromkeys(closed_by, ())
    special_by: dict[str, object] = {}
    for key, texts in special.items():
        entry = f"special[{quote(key)}]"
        hours = _parse_shifts(entry, texts)
        for day in _parse_range("special", key):
            if day in closed_by:
                other = f"{day} is in closed too, as {quote(closed_by[day])}"
                raise ShiftCalendarError(f"{entry}: {other}: take it out of one of them")
            if day in special_by and dates[day] != hours:
                other = f"special[{quote(special_by[day])}] has other shifts for {day}"
                raise ShiftCalendarError(f"{entry}: {other}: write each date once, with all its shifts")
            dates[day], special_by[day] = hours, key
    return dict(sorted(dates.items()))


def is_recurring(day: str) -> bool:
    """Tell whether a key of ``Dates`` is a date of every year."""
    return len(day) == len("MM-DD")


def join_recurring(dates: Dates) -> Dates:
    """Return the dates with those of every year as ranges, because 29 February can only be written within one."""
    joined = {day: hours for day, hours in dates.items() if not is_recurring(day)}
    recurring = [(_to_date(day).toordinal(), hours) for day, hours in dates.items() if is_recurring(day)]
    # Within a range, a day's number minus its index is constant.
    for (_, hours), items in groupby(enumerate(recurring), lambda item: (item[1][0] - item[0], item[1][1])):
        first, *others = (date.fromordinal(number).isoformat()[5:] for _, (number, _) in items)
        joined["/".join([first, *others[-1:]])] = hours
    return joined


def warn_about_open_weekends(closed: object, week: Week) -> None:
    """Warn if a country object of ``holidays``, which lists weekdays off only, meets a week with weekend shifts."""
    if days := [DAYS[day].title() for day in sorted(getattr(closed, "weekend", ())) if week[day]]:
        warnings.warn(
            f"closed: people may be called on a {' or '.join(days)} beside a public holiday, because "
            f"{type(closed).__name__} of the holidays package lists no weekend days. To close these days too, write "
            "closed=[*country, ...]; to leave them open, write closed=list(country)",
            ShiftCalendarWarning,
            stacklevel=3,
        )


def warn_about_lost_minutes(week: Week, dates: Dates) -> None:
    """Warn of each shift that ends one minute before the next one or before midnight: an end is no part of a shift."""
    days = [(f'week["{name}"]', week[day], week[(day + 1) % 7]) for day, name in enumerate(DAYS)]
    days += [(f'special["{day}"]', hours, ()) for day, hours in join_recurring(dates).items()]
    found: dict[str, str] = {}
    for entry, hours, hours_of_next_day in days:
        shifts = [*hours, *((start + _DAY_MINUTES, end + _DAY_MINUTES) for start, end in hours_of_next_day)]
        for first, last in hours:
            covered = any(start <= last < end for start, end in shifts)
            if not covered and (last + 1 == _DAY_MINUTES or any(start == last + 1 for start, _ in shifts)):
                written, meant = format_shifts(((first, last), (first, last + 1)))
                problem = f"leaves out the minute until {meant[-5:]}: write {meant} if no break is meant"
                found.setdefault(f"{written} {problem}", entry)
    for problem, entry in found.items():
        warnings.warn(f"{entry}: {problem}", ShiftCalendarWarning, stacklevel=3)


def _parse_range(entry: str, value: date | str) -> list[str]:
    """Return the dates, as keys of ``Dates``, that one entry of ``closed`` or ``special`` names."""
    words = value.split("/") if isinstance(value, str) else [value]
    if "02-29" in words:
        advice = 'write a range over it, such as "02-28/03-01", or its date with the year, such as "2028-02-29"'
        raise _error(entry, value, f"names 29 February, which most years lack: {advice}")
    if len(words) == 1:
        return [_parse_date(entry, value)]
    try:
        start, end = (_parse_date(entry, word) for word in words)
        if is_recurring(start) != is_recurring(end):
            raise ValueError
    except ValueError:  # also when there are more or fewer than two
        forms = "YYYY-MM-DD/YYYY-MM-DD, or MM-DD/MM-DD for every year"
        raise _error(entry, value, f"is not a range of dates: write {forms}, its first and last day") from None
    first, last, most = _to_date(start), _to_date(end), _RANGE_DAYS
    if is_recurring(start) and last < first:  # over New Year
        first, most = first.replace(year=_LEAP_YEAR - 1), _OVER_NEW_YEAR_DAYS
    count = (last - first).days + 1
    if count < 1:
        raise _error(entry, value, "ends before it starts: write the first day first")
    if count > most:
        raise _error(entry, value, f"has {count} days: write ranges of at most {most} days, the first day first")
    days = [(first + timedelta(days=number)).isoformat() for number in range(count)]
    return [day[5:] for day in days] if is_recurring(start) else days


def _parse_date(entry: str, value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return date(value.year, value.month, value.day).isoformat()
    try:
        # Python reads other ISO forms as well, such as 2026-W41-4.
        if isinstance(value, str) and _to_date(value).isoformat().endswith(value):
            return value
    except ValueError:
        pass
    raise _error(entry, value, "is not a date: write YYYY-MM-DD, or MM-DD for every year, or give a datetime.date")


def _to_date(day: str) -> date:
    """Return the date of a key of ``Dates``; one of every year as it is in a leap year."""
    return date.fromisoformat(f"{_LEAP_YEAR}-{day}" if is_recurring(day) else day)


def parse_last_call(value: timedelta | str, week: Week, dates: Dates) -> timedelta:
    length: object = pendulum.parse(value) if isinstance(value, str) and _DURATION.fullmatch(value) else value
    if not isinstance(length, timedelta) or not timedelta() <= length < timedelta(hours=12) or length.microseconds:
        advice = (
            'write a duration such as "PT5M" or give a datetime.timedelta, in whole seconds, at least 0 and less than'
        )
        raise _error("last_call", value, f"is not a last call: {advice} 12 hours")
    last_call = timedelta(seconds=length.total_seconds())
    # Otherwise only shifts in which clocks are put back would remain, and a search could not know when to stop.
    every_year = [hours for day, hours in dates.items() if is_recurring(day)]
    for name, days in (("the week", week), ("the special days of every year", every_year)):
        lengths = [timedelta(minutes=end - start) for hours in days for start, end in hours]
        if last_call and lengths and max(lengths) <= last_call:
            problem = f"no shift of {name} is longer than {format_iso_duration(last_call)}"
            raise ShiftCalendarError(f"last_call: {problem}, so every shift would be empty: write less")
    return last_call


def format_iso_duration(length: timedelta) -> str:
    return "PT" + "".join(list_units(length, "H", "M", "S"))


def list_units(length: timedelta, *names: str) -> list[str]:
    """Return the hours, minutes and seconds of a length that are not zero, each followed by its name."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return [f"{count}{name}" for count, name in zip((*divmod(minutes, 60), seconds), names, strict=True) if count]


def format_shifts(hours: tuple[Hours, ...]) -> list[str]:
    times = (
        (*divmod(start, 60), *divmod(end if end <= _DAY_MINUTES else end - _DAY_MINUTES, 60)) for start, end in hours
    )
    return ["{:02d}:{:02d}-{:02d}:{:02d}".format(*time) for time in times]


def format_day(day: date) -> str:
    return f"{DAYS[day.weekday()].title()} {day.isoformat()}"


def quote(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _error(entry: str, value: object, problem: str) -> ShiftCalendarError:
    return ShiftCalendarError(f"{entry}: {quote(value)} {problem}")
