"""
``ShiftCalendar`` against an oracle that walks over the minutes of UTC and looks at the clock on the wall.

The oracle has one idea: the furthest reading that the wall clock has shown so far. A shift is on while that
reading has reached its start and not yet its end. When the clock jumps ahead, the reading passes everything
in the gap at once: a skipped time means the first instant after the gap. When the clock is put back, the
reading stands still until the clock catches up: a time that occurs twice means its first occurrence. With
last call, a minute is on when all minutes are open from it until last call after it. The oracle knows nothing of
offsets or ``fold``, and shares no code with the calendar.

``SHIFTS_ORACLE_EXAMPLES`` sets the number of calendars; with more than the usual 100, every run tries other ones. With
fewer, some zones stand for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from airflow_provider_isales.shifts import ShiftCalendar

pytestmark = pytest.mark.filterwarnings(
    "ignore::airflow_provider_isales.shifts.ShiftCalendarWarning"
)  # minutes of chance

USUAL = 100
EXAMPLES = int(os.environ.get("SHIFTS_ORACLE_EXAMPLES", USUAL))

ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Juba",
    "Africa/Tripoli",
    "Africa/Windhoek",
    "America/Adak",
    "America/Asuncion",
    "America/Caracas",
    "America/Havana",
    "America/Los_Angeles",
    "America/Miquelon",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Colombo",
    "Asia/Damascus",
    "Asia/Dhaka",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Karachi",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Shanghai",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Asia/Ulaanbaatar",
    "Asia/Yangon",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
    "Etc/GMT-14",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Fakaofo",
    "Pacific/Kiritimati",
    "Pacific/Norfolk",
    "Pacific/Pago_Pago",
    "Pacific/Tongatapu",
    "UTC",
]

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTE, DAY, TICK = timedelta(minutes=1), timedelta(days=1), timedelta(microseconds=1)
FIRST, LAST = date(2000, 1, 8), date(2037, 12, 20)

# Where clocks change, and the borders of a day.
MINUTES_OF_INTEREST = [
    0,
    1,
    29,
    30,
    59,
    60,
    90,
    119,
    120,
    121,
    150,
    179,
    180,
    210,
    240,
    1320,
    1380,
    1410,
    1439,
]

Hours = tuple[int, int]
Yearly = tuple[int, int]  # month and day


@cache
def days_with_a_clock_change(zone: str) -> list[date]:
    offsets = {
        day: datetime(day.year, day.month, day.day, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
        for day in (FIRST + n * DAY for n in range((LAST - FIRST).days))
    }
    return [day for day in offsets if offsets[day] != offsets.get(day - DAY, offsets[day])]


@lru_cache(maxsize=2)  # a zone has two clock changes that its tests look at
def furthest_readings(zone: str, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """Return the minutes of a UTC window, and before it, with the furthest reading of the wall clock so far."""
    there = ZoneInfo(zone)
    readings = []
    furthest = datetime.min
    minute = first - 2 * DAY  # the furthest reading is right once the clock has caught up with it
    while minute < last:
        furthest = max(furthest, minute.astimezone(there).replace(tzinfo=None))
        readings.append((minute, furthest))
        minute += MINUTE
    return readings


@dataclass
class Case:
    """
    A calendar in numbers, with the window of UTC in which it is examined.

    ``ranges`` are closed, ``special_ranges`` have shifts; ``yearly`` has what recurs in every year, as the month and
    day of its first and last date: closed, or with shifts.
    """

    zone: str
    week: list[list[Hours]]
    dates: dict[date, list[Hours]]
    middle: date
    span: int = 4
    ranges: list[tuple[date, date]] = field(default_factory=list)
    last_call: int = 0
    special_ranges: dict[tuple[date, date], list[Hours]] = field(default_factory=dict)
    yearly: dict[tuple[Yearly, Yearly], list[Hours]] = field(default_factory=dict)

    def calendar(self) -> ShiftCalendar:
        def texts(hours: list[Hours]) -> list[str]:
            return [f"{s // 60:02}:{s % 60:02}-{e // 60:02}:{e % 60:02}" for s, e in hours]

        return ShiftCalendar(
            self.zone,
            week={name: texts(hours) for name, hours in zip(DAYS, self.week, strict=True)},
            closed=[
                *(f"{first}/{last}" for first, last in self.ranges),
                *(day for day, hours in self.dates.items() if not hours),
                *(yearly_text(*days) for days, hours in self.yearly.items() if not hours),
            ],
            special={
                **{day.isoformat(): texts(hours) for day, hours in self.dates.items() if hours},
                **{f"{first}/{last}": texts(hours) for (first, last), hours in self.special_ranges.items()},
                **{yearly_text(*days): texts(hours) for days, hours in self.yearly.items() if hours},
            },
            last_call=self.last_call * MINUTE,
        )

    def wall_shifts(self, day: date) -> list[tuple[datetime, datetime]]:
        midnight = datetime.combine(day, time())
        return [
            (midnight + s * MINUTE, midnight + e * MINUTE + (DAY if e < s else timedelta())) for s, e in self.hours(day)
        ]

    def hours(self, day: date) -> list[Hours]:
        """Return the entry of the date, or of its day in every year, or of its weekday."""
        if in_a_range(day, self.ranges):
            return []
        for days, hours in self.special_ranges.items():
            if in_a_range(day, [days]):
                return hours
        if day in self.dates:
            return self.dates[day]
        for (first, last), hours in self.yearly.items():
            if in_a_yearly_range(day, first, last):
                return hours
        return self.week[day.weekday()]


@dataclass
class Oracle:
    """Whether a shift is on in each minute of a UTC window."""

    case: Case
    on: dict[datetime, bool] = field(default_factory=dict)
    starts: list[datetime] = field(default_factory=list)
    ends: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        middle = datetime.combine(self.case.middle, time(), UTC)
        self.first, self.last = middle - self.case.span * DAY, middle + self.case.span * DAY
        open_minutes = self.open_minutes()
        following = 0
        for minute in reversed(open_minutes):
            following = following + 1 if open_minutes[minute] else 0
            self.on[minute] = following > self.case.last_call
        self.on = {minute: now for minute, now in reversed(self.on.items()) if self.first <= minute < self.last}
        for (_, before), (minute, now) in pairwise(self.on.items()):
            if now is not before:
                (self.starts if now else self.ends).append(minute)

    def open_minutes(self) -> dict[datetime, bool]:
        """Whether some shift is on without last call, from the first minute until last call after the last one."""
        spans: dict[date, list[tuple[datetime, datetime]]] = {}
        minutes: dict[datetime, bool] = {}
        end = self.last + self.case.last_call * MINUTE
        for minute, furthest in furthest_readings(self.case.zone, self.first, self.last + DAY):
            if minute >= end:
                break
            today = furthest.date()
            if today not in spans:
                spans[today] = [span for n in range(2) for span in self.case.wall_shifts(today - n * DAY)]
            minutes[minute] = any(start <= furthest < end for start, end in spans[today])
        return minutes

    def is_on(self, at: datetime) -> bool:
        return self.on[at.replace(second=0, microsecond=0)]

    def points(self) -> Iterator[datetime]:
        """Every edge, the instants on either side of it, and every border of a day."""
        for edge in self.starts + self.ends:
            yield from (edge - MINUTE, edge - TICK, edge, edge + TICK)
        for day in range(1, 2 * self.case.span):
            yield self.first + day * DAY


def shifts() -> st.SearchStrategy[list[Hours]]:
    minute = st.one_of(st.sampled_from(MINUTES_OF_INTEREST), st.integers(0, 1439))
    end = st.one_of(st.just(1440), minute)
    return st.lists(st.tuples(minute, end).filter(lambda hours: hours[0] != hours[1]), max_size=3)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone = draw(st.sampled_from(ZONES))
    changes = days_with_a_clock_change(zone)
    middle = draw(st.dates(FIRST, LAST))
    if draw(st.integers(0, 3)) and changes:
        middle = draw(st.sampled_from([day + n * DAY for day in changes for n in range(-3, 4)]))
    elif draw(st.booleans()):
        # Where dates of every year have their borders.
        middle = date(middle.year, *draw(st.sampled_from([(1, 1), (2, 27), (3, 2), (12, 30)])))
    kinds = draw(st.lists(st.one_of(shifts(), shifts(), st.just([(0, 1440)])), min_size=1, max_size=3))
    week = draw(st.lists(st.sampled_from(kinds), min_size=7, max_size=7))
    near = st.integers(-5, 5).map(lambda n: middle + n * DAY)
    ranges = draw(st.lists(st.tuples(near, near).map(lambda pair: (min(pair), max(pair))), max_size=1))
    dates = draw(st.dictionaries(near, st.one_of(st.just([]), shifts()), max_size=4))
    # A closed date may be in a range too, a special one may not.
    dates = {day: hours for day, hours in dates.items() if not (hours and in_a_range(day, ranges))}
    special_ranges = {}
    if draw(st.booleans()):
        first, last = sorted((draw(near), draw(near)))
        special_ranges[first, last] = draw(shifts().filter(bool))
        ranges = [days for days in ranges if days[1] < first or days[0] > last]
        dates = {day: hours for day, hours in dates.items() if not first <= day <= last}
    yearly = {}
    if draw(st.booleans()):
        start, end = sorted((draw(near), draw(near)))
        days = (start.month, start.day), (end.month, end.day)
        if (2, 29) not in days:
            yearly[days] = draw(st.one_of(st.just([]), shifts()))
    if not any(week) and not any(dates.values()):
        week[middle.weekday()] = [(540, 720)]
    last_call = draw(st.one_of(st.just(0), st.sampled_from(MINUTES_OF_INTEREST[1:14]), st.integers(0, 719)))
    if any(week) and not any(((end - start) % 1440 or 1440) > last_call for hours in week for start, end in hours):
        week[draw(st.integers(0, 6))] = [(420, 1140)]  # a week of nothing but shorter shifts is refused
    for hours in filter(None, yearly.values()):
        if not any(((end - start) % 1440 or 1440) > last_call for start, end in hours):
            hours[:] = [(420, 1140)]  # likewise
    return Case(
        zone, week, dates, middle, ranges=ranges, last_call=last_call, special_ranges=special_ranges, yearly=yearly
    )


def in_a_range(day: date, ranges: list[tuple[date, date]]) -> bool:
    return any(first <= day <= last for first, last in ranges)


def in_a_yearly_range(day: date, first: Yearly, last: Yearly) -> bool:
    today = (day.month, day.day)
    return first <= today <= last if first <= last else today >= first or today <= last


def yearly_text(first: Yearly, last: Yearly) -> str:
    texts = ["{:02}-{:02}".format(*day) for day in (first, last)]
    return texts[0] if first == last else "/".join(texts)


def utc(edge: datetime) -> datetime:
    # Aware datetimes of two zones never compare equal when one is at a local time that occurs twice.
    return edge.astimezone(UTC)


def check(calendar: ShiftCalendar, oracle: Oracle, at: datetime) -> None:
    """Compare every answer at an instant. Outside its window the oracle knows nothing."""
    instant = utc(at)
    assert calendar.is_on(at) is oracle.is_on(instant)
    for kind, edges in (("start", oracle.starts), ("end", oracle.ends)):
        following = getattr(calendar, f"next_{kind}")(at)
        expected = min((edge for edge in edges if edge > instant), default=None)
        if expected:
            assert following is not None
            assert utc(following) == expected
        else:
            assert following is None or following >= oracle.last
        preceding = getattr(calendar, f"previous_{kind}")(at)
        expected = max((edge for edge in edges if edge < instant), default=None)
        if expected:
            assert preceding is not None
            assert utc(preceding) == expected
        else:
            assert preceding is None or preceding <= oracle.first
    check_shift(calendar, oracle, at)


def check_shift(calendar: ShiftCalendar, oracle: Oracle, at: datetime) -> None:
    instant, shift = utc(at), calendar.shift_at(at)
    start = max((edge for edge in oracle.starts if edge <= instant), default=None)
    end = min((edge for edge in oracle.ends if edge > instant), default=None)
    if not oracle.is_on(instant):
        assert shift is None
    elif start and end:
        assert shift is not None
        assert utc(shift.start) == start
        assert utc(shift.end) == end


@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES <= USUAL,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases(), in_utc=st.booleans(), seconds=st.lists(st.integers(0, 7 * 86400), max_size=20))
def test_the_calendar_agrees_with_the_oracle(case: Case, in_utc: bool, seconds: list[int]) -> None:
    calendar, oracle = case.calendar(), Oracle(case)
    note(repr(calendar))
    zone = UTC if in_utc else pendulum.timezone(case.zone)
    for point in [*oracle.points(), *(oracle.first + timedelta(seconds=n) for n in seconds)]:
        if oracle.first <= point < oracle.last:
            check(calendar, oracle, point.astimezone(zone))


@settings(
    max_examples=max(1, EXAMPLES // 5),
    derandomize=EXAMPLES <= USUAL,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases(), days=st.tuples(st.integers(2, 6), st.integers(2, 6)))
def test_the_shifts_between_two_instants_agree_with_the_oracle(case: Case, days: tuple[int, int]) -> None:
    calendar, oracle = case.calendar(), Oracle(case)
    start, end = (oracle.first + day * DAY for day in sorted(days))
    found = [(utc(shift.start), utc(shift.end)) for shift in calendar.shifts_between(start, end)]
    # A shift that never started or never ends is left out, so the oracle expects only what it sees whole.
    whole = [(edge, min((e for e in oracle.ends if e > edge), default=None)) for edge in oracle.starts]
    expected = [(first, last) for first, last in whole if last and max(first, start) < min(last, end)]
    inside = [span for span in found if span[0] > oracle.first and span[1] < oracle.last]
    assert inside == expected
    assert all(span[0] < end and span[1] > start for span in found)
    assert found == sorted(found)


# Shifts that lie within the usual gaps, and shifts that touch or overlap at their borders.
WITHIN_GAPS = [(10, 50), (70, 110), (125, 145), (155, 175), (190, 230), (1390, 1430)]
ACROSS_GAPS = [(0, 90), (120, 150), (150, 180), (1410, 60)]


@pytest.mark.parametrize(
    ("hours", "last_call"),
    [
        pytest.param(WITHIN_GAPS, 0, id="within gaps"),
        pytest.param(ACROSS_GAPS, 0, id="across gaps"),
        pytest.param(ACROSS_GAPS, 45, id="across gaps with last call"),
    ],
)
@pytest.mark.parametrize("zone", ZONES if EXAMPLES >= USUAL else ZONES[::6])
def test_every_zone_agrees_with_the_oracle_at_its_last_two_clock_changes(
    zone: str, hours: list[Hours], last_call: int
) -> None:
    for change in (days_with_a_clock_change(zone) or [date(2026, 7, 1)])[-2:]:
        case = Case(zone, [hours] * 7, {}, middle=change, span=2, last_call=last_call)
        calendar, oracle = case.calendar(), Oracle(case)
        for point in oracle.points():
            check(calendar, oracle, point)


def test_at_least_forty_zones_are_examined() -> None:
    assert len(set(ZONES)) >= 40
