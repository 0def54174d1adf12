"""The rules of :class:`ShiftCalendar`, one test each, in October 2026 where the date does not matter."""

from __future__ import annotations

import copy
import json
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest

from airflow_provider_isales.shifts import Shift, ShiftCalendar, ShiftCalendarError, ShiftCalendarWarning

WEEK = {"mon-fri": ["09:00-12:00", "13:30-18:00"], "sat": ["09:00-12:00"]}
OFFICE = {"mon-fri": ["09:00-18:00"]}
ALWAYS = {"mon-sun": ["00:00-24:00"]}
MONDAY = {"mon": ["09:00-12:00"]}
TICK = timedelta(microseconds=1)


def shanghai(text: str) -> pendulum.DateTime:
    """Return an instant of October 2026 from its day and local time, such as ``"09 18:00"`` (a Friday)."""
    return pendulum.from_format(f"2026-10-{text}", "YYYY-MM-DD HH:mm", tz="Asia/Shanghai")


def at(text: str) -> datetime:
    """Return an instant from ISO 8601 with an offset."""
    return datetime.fromisoformat(text)


def utc(edge: datetime | None) -> str:
    assert edge is not None
    return edge.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def spans(calendar: ShiftCalendar, day: str, days: int = 1) -> list[str]:
    """Return the shifts in the UTC days from one on, in UTC, as ``"09:00-12:00"``."""
    start = at(f"{day}T00:00+00:00")
    shifts = calendar.shifts_between(start, start + timedelta(days=days))
    return [f"{utc(shift.start)[11:]}-{utc(shift.end)[11:]}" for shift in shifts]


def lasting(calendar: ShiftCalendar, start: datetime, days: float = 1) -> list[str]:
    return [
        f"{shift.start:%a %H:%M} - {shift.end:%a %H:%M}"
        for shift in calendar.shifts_between(start, start + timedelta(days=days))
    ]


@pytest.fixture
def calendar() -> ShiftCalendar:
    return ShiftCalendar("Asia/Shanghai", WEEK)


class TestOnAndOff:
    def test_a_shift_is_on_at_its_start(self, calendar: ShiftCalendar) -> None:
        assert calendar.is_on(shanghai("09 09:00"))

    def test_a_shift_is_off_just_before_its_start(self, calendar: ShiftCalendar) -> None:
        assert not calendar.is_on(shanghai("09 09:00") - TICK)

    def test_a_shift_is_on_just_before_its_end(self, calendar: ShiftCalendar) -> None:
        assert calendar.is_on(shanghai("09 18:00") - TICK)

    def test_a_shift_is_off_at_its_end(self, calendar: ShiftCalendar) -> None:
        assert not calendar.is_on(shanghai("09 18:00"))

    def test_a_break_between_two_shifts_is_off(self, calendar: ShiftCalendar) -> None:
        assert not calendar.is_on(shanghai("09 12:45"))

    def test_a_day_that_no_key_names_is_off(self, calendar: ShiftCalendar) -> None:
        assert not calendar.is_on(shanghai("11 10:00"))

    def test_an_instant_may_come_in_any_time_zone(self, calendar: ShiftCalendar) -> None:
        assert calendar.is_on(at("2026-10-08T21:00-04:00"))

    def test_a_utc_date_that_is_not_the_local_date_counts_as_the_local_one(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"sat": ["00:00-08:00"]})
        assert calendar.is_on(at("2026-10-09T17:00Z"))


class TestEdges:
    def test_next_start_is_strictly_after(self, calendar: ShiftCalendar) -> None:
        assert calendar.next_start(shanghai("09 09:00")) == shanghai("09 13:30")

    def test_next_start_sees_a_start_one_microsecond_ahead(self, calendar: ShiftCalendar) -> None:
        assert calendar.next_start(shanghai("09 09:00") - TICK) == shanghai("09 09:00")

    def test_next_end_is_strictly_after(self, calendar: ShiftCalendar) -> None:
        assert calendar.next_end(shanghai("09 12:00")) == shanghai("09 18:00")

    def test_next_end_sees_an_end_one_microsecond_ahead(self, calendar: ShiftCalendar) -> None:
        assert calendar.next_end(shanghai("09 12:00") - TICK) == shanghai("09 12:00")

    def test_previous_start_is_strictly_before(self, calendar: ShiftCalendar) -> None:
        assert calendar.previous_start(shanghai("09 13:30")) == shanghai("09 09:00")

    def test_previous_start_sees_a_start_one_microsecond_back(self, calendar: ShiftCalendar) -> None:
        assert calendar.previous_start(shanghai("09 13:30") + TICK) == shanghai("09 13:30")

    def test_previous_end_is_strictly_before(self, calendar: ShiftCalendar) -> None:
        assert calendar.previous_end(shanghai("09 18:00")) == shanghai("09 12:00")

    def test_previous_end_sees_an_end_one_microsecond_back(self, calendar: ShiftCalendar) -> None:
        assert calendar.previous_end(shanghai("09 18:00") + TICK) == shanghai("09 18:00")

    def test_edges_are_found_across_days_off(self, calendar: ShiftCalendar) -> None:
        assert calendar.next_end(shanghai("10 12:00")) == shanghai("12 12:00")

    @pytest.mark.parametrize(
        "question", ["is_on", "shift_at", "next_start", "next_end", "previous_start", "previous_end"]
    )
    def test_a_pendulum_datetime_in_the_standard_librarys_utc_is_an_instant_like_any(
        self, calendar: ShiftCalendar, question: str
    ) -> None:
        moment = pendulum.datetime(2026, 10, 9, 1).astimezone(UTC)
        assert getattr(calendar, question)(moment) == getattr(calendar, question)(at("2026-10-09T01:00Z"))

    def test_shifts_are_found_between_datetimes_in_the_standard_librarys_utc(self, calendar: ShiftCalendar) -> None:
        start, end = pendulum.datetime(2026, 10, 9).astimezone(UTC), pendulum.datetime(2026, 10, 10).astimezone(UTC)
        assert calendar.shifts_between(start, end) == calendar.shifts_between(
            at("2026-10-09T00:00Z"), at("2026-10-10T00:00Z")
        )

    def test_edges_are_pendulum_datetimes(self, calendar: ShiftCalendar) -> None:
        assert type(calendar.next_end(at("2026-10-09T01:00Z"))) is pendulum.DateTime

    def test_edges_are_in_the_zone_of_the_calendar(self, calendar: ShiftCalendar) -> None:
        edge = calendar.next_end(at("2026-10-09T01:00Z"))
        assert edge is not None
        assert edge.timezone_name == "Asia/Shanghai"

    def test_an_edge_survives_arithmetic_over_a_clock_change(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sat": ["18:00-20:00"]})
        edge = calendar.next_end(at("2026-10-24T12:00Z"))
        assert edge is not None
        assert edge.add(days=1).isoformat() == "2026-10-25T20:00:00+01:00"

    def test_walking_the_ends_forward_and_back_gives_the_same_ends(self, calendar: ShiftCalendar) -> None:
        first, last = shanghai("01 12:00"), shanghai("01 12:00").add(years=2)
        forward, back = [first], [last]
        while (edge := calendar.next_end(forward[-1])) and edge < last:
            forward.append(edge)
        while (edge := calendar.previous_end(back[-1])) and edge > first:
            back.append(edge)
        assert forward[1:] == back[:0:-1]


class TestShiftAt:
    def test_shift_at_is_the_shift_in_progress(self, calendar: ShiftCalendar) -> None:
        assert calendar.shift_at(shanghai("09 10:00")) == Shift(shanghai("09 09:00"), shanghai("09 12:00"))

    def test_shift_at_a_start_is_the_shift_that_starts(self, calendar: ShiftCalendar) -> None:
        assert calendar.shift_at(shanghai("09 13:30")) == Shift(shanghai("09 13:30"), shanghai("09 18:00"))

    def test_shift_at_an_end_is_none(self, calendar: ShiftCalendar) -> None:
        assert calendar.shift_at(shanghai("09 18:00")) is None

    def test_shift_at_knows_the_second_of_two_equal_hours(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["02:15-05:00"]})
        second = calendar.shift_at(at("2026-10-25T01:05Z").astimezone(pendulum.timezone("Europe/Berlin")))
        assert second is not None
        assert utc(second.start) == "2026-10-25 00:15"
        assert utc(second.end) == "2026-10-25 04:00"

    @pytest.mark.parametrize(
        ("day", "hours", "text"),
        [
            ("fri", "09:00-12:00", "09:00-12:00 on Fri 2026-10-09 Asia/Shanghai"),
            ("fri", "20:00-24:00", "20:00-24:00 on Fri 2026-10-09 Asia/Shanghai"),
            ("fri", "22:00-02:00", "22:00 on Fri 2026-10-09 to 02:00 on Sat 2026-10-10 Asia/Shanghai"),
            ("fri-sat", "00:00-24:00", "00:00 on Fri 2026-10-09 to 24:00 on Sat 2026-10-10 Asia/Shanghai"),
        ],
    )
    def test_a_shift_as_text_can_be_read(self, day: str, hours: str, text: str) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {day: [hours]})
        assert [str(s) for s in calendar.shifts_between(shanghai("09 00:00"), shanghai("10 00:00"))] == [text]

    def test_a_shift_cannot_be_changed(self, calendar: ShiftCalendar) -> None:
        shift = calendar.shift_at(shanghai("09 10:00"))
        with pytest.raises(AttributeError):
            shift.end = shanghai("09 13:00")  # type: ignore[union-attr, misc]


class TestShiftsBetween:
    def test_shifts_between_are_in_order(self, calendar: ShiftCalendar) -> None:
        assert lasting(calendar, shanghai("09 00:00"), days=2) == [
            "Fri 09:00 - Fri 12:00",
            "Fri 13:30 - Fri 18:00",
            "Sat 09:00 - Sat 12:00",
        ]

    def test_shifts_between_has_the_first_shift_whole(self, calendar: ShiftCalendar) -> None:
        shifts = calendar.shifts_between(shanghai("09 11:00"), shanghai("09 13:00"))
        assert shifts == [Shift(shanghai("09 09:00"), shanghai("09 12:00"))]

    def test_shifts_between_has_the_last_shift_whole(self, calendar: ShiftCalendar) -> None:
        shifts = calendar.shifts_between(shanghai("09 12:30"), shanghai("09 14:00"))
        assert shifts == [Shift(shanghai("09 13:30"), shanghai("09 18:00"))]

    def test_shifts_between_lacks_a_shift_that_ends_as_it_starts(self, calendar: ShiftCalendar) -> None:
        assert calendar.shifts_between(shanghai("09 12:00"), shanghai("09 13:00")) == []

    def test_shifts_between_lacks_a_shift_that_starts_as_it_ends(self, calendar: ShiftCalendar) -> None:
        assert calendar.shifts_between(shanghai("09 12:00"), shanghai("09 13:30")) == []

    def test_no_shifts_are_between_an_instant_and_itself(self, calendar: ShiftCalendar) -> None:
        assert calendar.shifts_between(shanghai("09 10:00"), shanghai("09 10:00")) == []

    def test_shifts_between_refuses_an_end_before_its_start(self, calendar: ShiftCalendar) -> None:
        with pytest.raises(ValueError, match=r"end: 2026-10-08T\S+ is before start: 2026-10-09T"):
            calendar.shifts_between(shanghai("09 10:00"), shanghai("08 10:00"))

    def test_two_years_of_shifts_are_those_that_the_dates_say(self, calendar: ShiftCalendar) -> None:
        start, end = (
            pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
            pendulum.datetime(2028, 1, 1, tz="Asia/Shanghai"),
        )
        days = [start.date().add(days=n) for n in range((end - start).days)]
        expected = sum({5: 1, 6: 0}.get(day.weekday(), 2) for day in days)
        assert len(calendar.shifts_between(start, end)) == expected


class TestWeek:
    @pytest.mark.parametrize(
        ("key", "days"),
        [
            ("mon", "mon"),
            ("mon-fri", "mon tue wed thu fri"),
            ("fri-mon", "fri sat sun mon"),
            ("sun-mon", "sun mon"),
            ("mon-sun", "mon tue wed thu fri sat sun"),
            ("wed-tue", "mon tue wed thu fri sat sun"),
            ("mon,wed,fri", "mon wed fri"),
            ("mon-wed,fri", "mon tue wed fri"),
            ("sat-sun,tue", "sat sun tue"),
            ("MON-Fri", "mon tue wed thu fri"),
            ("mon, wed - fri", "mon wed thu fri"),
        ],
    )
    def test_a_key_of_the_week_names_days(self, key: str, days: str) -> None:
        by_day = {day: ["09:00-12:00"] for day in days.split()}
        assert ShiftCalendar("UTC", {key: ["09:00-12:00"]}) == ShiftCalendar("UTC", by_day)

    def test_an_empty_list_leaves_a_day_closed(self) -> None:
        assert ShiftCalendar("UTC", {"mon": ["09:00-12:00"], "tue": []}) == ShiftCalendar(
            "UTC", {"mon": ["09:00-12:00"]}
        )

    def test_the_order_of_shifts_does_not_matter(self) -> None:
        assert spans(ShiftCalendar("UTC", {"fri": ["13:30-18:00", "09:00-12:00"]}), "2026-10-09") == [
            "09:00-12:00",
            "13:30-18:00",
        ]

    def test_shifts_may_be_a_tuple(self) -> None:
        assert spans(ShiftCalendar("UTC", {"fri": ("09:00-12:00",)}), "2026-10-09") == ["09:00-12:00"]


class TestMidnight:
    def test_an_end_of_24_00_is_the_next_midnight(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["20:00-24:00"]})
        assert calendar.next_end(shanghai("09 20:00")) == shanghai("10 00:00")

    def test_an_end_of_00_00_is_the_next_midnight_too(self) -> None:
        assert ShiftCalendar("UTC", {"fri": ["20:00-00:00"]}) == ShiftCalendar("UTC", {"fri": ["20:00-24:00"]})

    def test_an_end_before_its_start_is_on_the_next_day(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["22:00-02:00"]})
        assert calendar.next_end(shanghai("09 22:00")) == shanghai("10 02:00")

    def test_an_overnight_shift_belongs_to_the_date_on_which_it_starts(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["22:00-02:00"]})
        assert not calendar.is_on(shanghai("09 01:00"))

    def test_an_overnight_shift_runs_on_into_a_closed_day(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri-sat": ["22:00-02:00"]}, closed=["2026-10-10"])
        assert lasting(calendar, shanghai("09 00:00"), days=3) == ["Fri 22:00 - Sat 02:00"]

    def test_an_overnight_shift_runs_on_into_a_special_day(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["22:00-02:00"]}, special={"2026-10-10": ["09:00-10:00"]})
        assert lasting(calendar, shanghai("10 00:00")) == ["Fri 22:00 - Sat 02:00", "Sat 09:00 - Sat 10:00"]

    def test_an_overnight_shift_that_starts_on_a_closed_day_does_not_take_place(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"thu-fri": ["22:00-02:00"]}, closed=["2026-10-09"])
        assert lasting(calendar, shanghai("08 00:00"), days=3) == ["Thu 22:00 - Fri 02:00"]

    def test_a_shift_of_sunday_runs_on_into_monday(self) -> None:
        assert ShiftCalendar("Asia/Shanghai", {"sun": ["22:00-02:00"]}).is_on(shanghai("12 01:00"))

    def test_a_shift_may_last_almost_two_days_of_dates(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["10:00-09:59"]})
        assert lasting(calendar, shanghai("10 09:00")) == ["Fri 10:00 - Sat 09:59"]


class TestMerging:
    @pytest.mark.parametrize(
        ("week", "merged"),
        [
            pytest.param({"fri": ["09:00-12:00", "12:00-15:00"]}, "Fri 09:00 - Fri 15:00", id="touching"),
            pytest.param({"fri": ["09:00-13:00", "12:00-15:00"]}, "Fri 09:00 - Fri 15:00", id="overlapping"),
            pytest.param({"fri": ["09:00-15:00", "10:00-11:00"]}, "Fri 09:00 - Fri 15:00", id="one in the other"),
            pytest.param({"fri": ["09:00-15:00", "09:00-15:00"]}, "Fri 09:00 - Fri 15:00", id="twice"),
            pytest.param(
                {"fri": ["20:00-24:00"], "sat": ["00:00-02:00"]},
                "Fri 20:00 - Sat 02:00",
                id="touching at midnight",
            ),
            pytest.param(
                {"fri": ["22:00-02:00"], "sat": ["01:00-05:00"]},
                "Fri 22:00 - Sat 05:00",
                id="overlapping over midnight",
            ),
            pytest.param({"fri-sun": ["00:00-24:00"]}, "Fri 00:00 - Mon 00:00", id="whole days"),
        ],
    )
    def test_touching_and_overlapping_shifts_are_one(self, week: dict[str, list[str]], merged: str) -> None:
        assert lasting(ShiftCalendar("Asia/Shanghai", week), shanghai("09 00:00"), days=3) == [merged]

    def test_where_two_shifts_touch_there_is_no_end(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["09:00-12:00", "12:00-15:00"]})
        assert calendar.next_end(shanghai("09 10:00")) == shanghai("09 15:00")

    @pytest.mark.filterwarnings("ignore:.*leaves out the minute")
    def test_a_minute_between_two_shifts_keeps_them_apart(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["09:00-12:00", "12:01-15:00"]})
        assert calendar.next_end(shanghai("09 10:00")) == shanghai("09 12:00")

    def test_a_shift_of_many_weeks_is_one(self) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, closed=["2026-01-01", "2026-12-01"])
        shift = calendar.shift_at(at("2026-06-01T00:00Z"))
        assert shift == Shift(pendulum.datetime(2026, 1, 2), pendulum.datetime(2026, 12, 1))

    def test_special_days_of_open_hours_merge_with_their_neighbours(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["20:00-24:00"]}, special={"2026-10-10": ["00:00-03:00"]})
        assert lasting(calendar, shanghai("09 12:00")) == ["Fri 20:00 - Sat 03:00"]


class TestClosedAndSpecial:
    @pytest.mark.parametrize(
        "closed",
        [
            ["2026-10-09"],
            [date(2026, 10, 9)],
            [pendulum.date(2026, 10, 9)],
            {"2026-10-09"},
            {date(2026, 10, 9): "a holiday"},
            (day for day in ["2026-10-09"]),
            ["2026-10-09", date(2026, 10, 9)],
            ["2026-10-01/2026-10-09"],
            ["2026-10-09/2026-10-31"],
            ["2026-10-09/2026-10-09"],
        ],
        ids=[
            *("text", "date", "pendulum date", "set", "dict", "generator", "twice"),
            *("last of a range", "first of a range", "range of one"),
        ],
    )
    def test_a_closed_date_has_no_shifts(self, closed: Any) -> None:
        assert lasting(ShiftCalendar("Asia/Shanghai", WEEK, closed=closed), shanghai("09 00:00")) == []

    def test_a_range_closes_its_first_day_its_last_and_all_between(self) -> None:
        by_range = ShiftCalendar("Asia/Shanghai", WEEK, closed=["2026-09-29/2026-10-02"])
        dates = ["2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02"]
        assert by_range == ShiftCalendar("Asia/Shanghai", WEEK, closed=dates)

    def test_ranges_and_dates_may_overlap(self) -> None:
        closed: list[date | str] = ["2026-10-01/2026-10-03", date(2026, 10, 2), "2026-10-02/2026-10-04"]
        dates = [f"2026-10-0{day}" for day in range(1, 5)]
        assert ShiftCalendar("UTC", WEEK, closed=closed) == ShiftCalendar("UTC", WEEK, closed=dates)

    def test_a_range_may_stand_beside_the_dates_of_the_holidays_package(self) -> None:
        holidays = pytest.importorskip("holidays")
        country = holidays.country_holidays("CN", years=[2026])
        calendar = ShiftCalendar("Asia/Shanghai", WEEK, closed=[*country, "2026-10-08/2026-10-09"])
        assert calendar.to_dict()["closed"] == sorted({*map(str, country), "2026-10-08", "2026-10-09"})

    def test_a_range_has_ten_years_at_most(self) -> None:
        first = date(2026, 1, 1)
        longest = ShiftCalendar("UTC", WEEK, closed=[f"{first}/{first + timedelta(days=3659)}"])
        assert len(longest.to_dict()["closed"]) == 3660

    def test_special_shifts_replace_those_of_the_week(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", WEEK, special={"2026-10-09": ["10:00-11:00"]})
        assert lasting(calendar, shanghai("09 00:00")) == ["Fri 10:00 - Fri 11:00"]

    def test_a_make_up_day_opens_a_day_off(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", WEEK, special={date(2026, 10, 11): ["09:00-18:00"]})
        assert lasting(calendar, shanghai("11 00:00")) == ["Sun 09:00 - Sun 18:00"]

    def test_an_empty_special_day_is_a_closed_day(self) -> None:
        by_special = ShiftCalendar("Asia/Shanghai", WEEK, special={"2026-10-09": []})
        assert by_special == ShiftCalendar("Asia/Shanghai", WEEK, closed=["2026-10-09"])

    def test_special_days_alone_make_a_calendar(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {}, special={"2026-10-09": ["10:00-11:00"]})
        assert calendar.next_start(shanghai("01 00:00")) == shanghai("09 10:00")

    def test_a_country_of_the_holidays_package_works_as_it_is(self) -> None:
        holidays = pytest.importorskip("holidays")
        calendar = ShiftCalendar("Asia/Shanghai", OFFICE, closed=holidays.country_holidays("CN", years=[2026]))
        assert not calendar.is_on(shanghai("01 10:00"))

    def test_a_country_without_years_is_an_error_as_it_would_close_nothing(self) -> None:
        holidays = pytest.importorskip("holidays")
        with pytest.raises(ShiftCalendarError, match="closed: this CN object holds no dates: give it years"):
            ShiftCalendar("Asia/Shanghai", WEEK, closed=holidays.country_holidays("CN"))

    def test_a_country_that_learns_dates_later_does_not_change_the_calendar(self) -> None:
        holidays = pytest.importorskip("holidays")
        country = holidays.country_holidays("CN", years=[2026])
        calendar = ShiftCalendar("Asia/Shanghai", OFFICE, closed=country)
        before = calendar.to_dict()
        assert date(2027, 10, 1) in country
        assert calendar.to_dict() == before


class TestSpecialRanges:
    def test_a_special_range_has_its_shifts_on_its_first_day_its_last_and_all_between(self) -> None:
        by_range = ShiftCalendar("UTC", WEEK, special={"2026-12-24/2026-12-26": ["09:00-12:00"]})
        dates = {f"2026-12-{day}": ["09:00-12:00"] for day in (24, 25, 26)}
        assert by_range == ShiftCalendar("UTC", WEEK, special=dates)

    def test_special_ranges_with_the_same_shifts_may_overlap(self) -> None:
        special = {"2026-12-24/2026-12-26": ["09:00-12:00"], "2026-12-26/2026-12-31": ["09:00-12:00"]}
        by_range = ShiftCalendar("UTC", WEEK, special={"2026-12-24/2026-12-31": ["09:00-12:00"]})
        assert ShiftCalendar("UTC", WEEK, special=special) == by_range

    def test_an_empty_special_range_is_a_closed_range(self) -> None:
        by_special = ShiftCalendar("UTC", WEEK, special={"2026-12-24/2026-12-26": []})
        assert by_special == ShiftCalendar("UTC", WEEK, closed=["2026-12-24/2026-12-26"])


class TestDatesOfEveryYear:
    """A date without a year recurs; in a range too, which may go over New Year."""

    @staticmethod
    def closed_days(calendar: ShiftCalendar, first: date, last: date) -> list[str]:
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [str(day) for day in days if not calendar.is_on(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))]

    @pytest.mark.parametrize("year", [1950, 2026, 2027, 2028, 2100, 2500])
    def test_a_closed_date_without_a_year_is_closed_in_every_year(self, year: int) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, closed=["12-24"])
        assert self.closed_days(calendar, date(year, 1, 1), date(year, 12, 31)) == [f"{year}-12-24"]

    def test_a_special_date_without_a_year_has_its_shifts_in_every_year(self) -> None:
        calendar = ShiftCalendar("UTC", WEEK, special={"12-24": ["09:00-14:00"]})
        assert [spans(calendar, f"{year}-12-24") for year in (2026, 2027, 2033)] == [["09:00-14:00"]] * 3

    def test_a_range_without_a_year_closes_its_first_day_its_last_and_all_between(self) -> None:
        by_range = ShiftCalendar("UTC", WEEK, closed=["12-24/12-26"])
        assert by_range == ShiftCalendar("UTC", WEEK, closed=["12-24", "12-25", "12-26"])

    def test_a_range_of_every_year_may_go_over_new_year(self) -> None:
        over = ShiftCalendar("UTC", WEEK, special={"12-30/01-02": ["09:00-12:00"]})
        two = ShiftCalendar("UTC", WEEK, special={"12-30/12-31": ["09:00-12:00"], "01-01/01-02": ["09:00-12:00"]})
        assert over == two
        assert [spans(over, day) for day in ("2026-12-31", "2027-01-01")] == [["09:00-12:00"]] * 2

    def test_a_range_over_new_year_has_nine_months_at_most(self) -> None:
        longest = ShiftCalendar("UTC", ALWAYS, closed=["07-01/03-31"])
        assert len(self.closed_days(longest, date(2027, 1, 1), date(2027, 12, 31))) == 275 - 1

    @pytest.mark.parametrize("closed", ["02-28/03-01", "12-01/03-15", "02-01/03-31"])
    def test_a_range_of_every_year_over_the_end_of_february_has_its_29th(self, closed: str) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, closed=[closed])
        assert self.closed_days(calendar, date(2028, 2, 28), date(2028, 3, 1)) == [
            *("2028-02-28", "2028-02-29", "2028-03-01")
        ]

    def test_dates_on_either_side_of_29_february_leave_it_open(self) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, closed=["02-28", "03-01"])
        assert self.closed_days(calendar, date(2028, 2, 27), date(2028, 3, 2)) == ["2028-02-28", "2028-03-01"]

    @pytest.mark.parametrize(
        ("arguments", "shifts"),
        [
            ({"closed": ["12-24"], "special": {"2026-12-24": ["09:00-14:00"]}}, ["09:00-14:00"]),
            ({"closed": ["2026-12-24"], "special": {"12-24": ["09:00-14:00"]}}, []),
            ({"special": {"12-24": ["09:00-14:00"], "2026-12-20/2026-12-31": ["10:00-11:00"]}}, ["10:00-11:00"]),
            ({"closed": ["2026-12-20/2026-12-31"], "special": {"12-20/01-05": ["09:00-14:00"]}}, []),
        ],
        ids=["special over closed", "closed over special", "special over special", "a range over a range"],
    )
    def test_a_date_with_a_year_wins_over_one_of_every_year(self, arguments: dict[str, Any], shifts: list[str]) -> None:
        assert spans(ShiftCalendar("UTC", WEEK, **arguments), "2026-12-24") == shifts

    def test_a_date_of_every_year_still_holds_in_the_other_years(self) -> None:
        calendar = ShiftCalendar("UTC", WEEK, closed=["2026-12-24"], special={"12-24": ["09:00-14:00"]})
        assert spans(calendar, "2027-12-24") == ["09:00-14:00"]

    def test_the_dates_of_every_year_alone_make_a_calendar(self) -> None:
        calendar = ShiftCalendar("UTC", {}, special={"12-24": ["09:00-14:00"]})
        assert utc(calendar.next_start(at("2026-12-24T09:00Z"))) == "2027-12-24 09:00"
        assert utc(calendar.previous_end(at("2026-12-24T09:00Z"))) == "2025-12-24 14:00"

    @pytest.mark.parametrize(("origin", "expected"), [("2088-03-01", "2120-02-29"), ("2080-03-01", "2120-02-29")])
    def test_the_rarest_shift_of_all_is_found(self, origin: str, expected: str) -> None:
        special: dict[str, list[str]] = {"01-01/02-28": [], "03-01/12-31": []}
        thursdays = ShiftCalendar("UTC", {"thu": ["09:00-12:00"]}, special=special)
        assert utc(thursdays.next_start(at(f"{origin}T00:00Z"))) == f"{expected} 09:00"
        assert utc(thursdays.previous_end(at("2120-02-29T00:00Z"))) == "2080-02-29 12:00"

    def test_a_calendar_that_is_closed_all_year_has_no_edges(self) -> None:
        calendar = ShiftCalendar("UTC", WEEK, closed=["01-01/12-31"])
        assert calendar.next_start(at("2026-01-01T00:00Z")) is None
        assert calendar.previous_end(at("2026-01-01T00:00Z")) is None

    def test_a_date_with_a_year_is_found_beyond_all_that_recur(self) -> None:
        calendar = ShiftCalendar("UTC", {}, ["01-01"], {"2400-02-29": ["09:00-12:00"]})
        assert utc(calendar.next_end(at("2026-01-01T00:00Z"))) == "2400-02-29 12:00"
        assert utc(calendar.previous_end(at("2800-01-01T00:00Z"))) == "2400-02-29 12:00"

    @pytest.mark.parametrize("year", [1, 9999])
    def test_dates_of_every_year_reach_to_the_borders_of_datetime(self, year: int) -> None:
        calendar = ShiftCalendar("UTC", WEEK, closed=["06-01"], special={"07-01": ["10:00-11:00"]})
        days = [datetime(year, month, 1, 10, tzinfo=UTC) for month in (6, 7)]
        assert [calendar.is_on(day) for day in days] == [False, True]
        assert calendar.next_end(days[1]) == datetime(year, 7, 1, 11, tzinfo=UTC)
        assert calendar.next_start(at("9999-12-31T00:00Z")) is None
        assert calendar.previous_end(at("0001-01-01T00:00Z")) is None

    def test_to_dict_has_dates_of_every_year_as_ranges_without_one(self) -> None:
        closed: list[date | str] = ["12-31/01-02", "2026-10-01", "12-24", "12-25", "02-28/03-01"]
        calendar = ShiftCalendar("UTC", WEEK, closed, {"12-26": ["09:00-10:00"]})
        data = calendar.to_dict()
        assert data["closed"] == ["2026-10-01", "01-01/01-02", "02-28/03-01", "12-24/12-25", "12-31"]
        assert data["special"] == {"12-26": ["09:00-10:00"]}
        assert ShiftCalendar.from_dict(json.loads(json.dumps(data))) == calendar

    def test_ranges_of_every_year_with_other_shifts_stay_apart_in_json(self) -> None:
        calendar = ShiftCalendar("UTC", WEEK, special={"12-24/12-25": ["09:00-10:00"], "12-26/12-27": ["09:00-11:00"]})
        assert list(calendar.to_dict()["special"]) == ["12-24/12-25", "12-26/12-27"]

    def test_the_same_date_with_and_without_a_year_is_not_equal(self) -> None:
        assert ShiftCalendar("UTC", WEEK, closed=["12-24"]) != ShiftCalendar("UTC", WEEK, closed=["2026-12-24"])

    @pytest.mark.parametrize(
        ("day", "kind"),
        [("2026-12-24", "closed"), ("2027-12-26", "special"), ("2026-12-26", "closed"), ("2026-12-27", None)],
    )
    def test_a_calendar_says_which_entry_a_date_has_its_shifts_from(self, day: str, kind: str | None) -> None:
        calendar = ShiftCalendar("UTC", WEEK, ["12-24", "2026-12-26"], {"12-26": ["09:00-10:00"]})
        assert calendar.get_day_kind(date.fromisoformat(day)) == kind


class TestLostMinutes:
    """A shift until 23:59 lacks the last minute of the day; one until 11:59 is apart from that at 12:00."""

    @staticmethod
    def warnings_of(recwarn: pytest.WarningsRecorder, **arguments: Any) -> list[str]:
        ShiftCalendar("UTC", **arguments)
        return [str(warning.message) for warning in recwarn]

    @pytest.mark.parametrize(
        ("arguments", "warned"),
        [
            (
                {"week": {"mon-fri": ["18:00-23:59"]}},
                'week["mon"]: 18:00-23:59 leaves out the minute until 24:00: write 18:00-24:00 if no break is meant',
            ),
            (
                {"week": {"fri": ["09:00-11:59", "12:00-18:00"]}},
                'week["fri"]: 09:00-11:59 leaves out the minute until 12:00: write 09:00-12:00 if no break is meant',
            ),
            (
                {"week": {"sun": ["18:00-24:00"], "mon": ["00:01-06:00"]}},
                'week["sun"]: 18:00-24:00 leaves out the minute until 00:01: write 18:00-00:01 if no break is meant',
            ),
            (
                {"week": MONDAY, "special": {"12-24/12-31": ["09:00-23:59"]}},
                'special["12-24/12-31"]: 09:00-23:59 leaves out the minute until 24:00: write 09:00-24:00 if no break'
                " is meant",
            ),
        ],
        ids=["midnight", "noon", "across midnight", "special"],
    )
    def test_a_minute_that_is_lost_is_warned_of_once(
        self, arguments: dict[str, Any], warned: str, recwarn: pytest.WarningsRecorder
    ) -> None:
        assert self.warnings_of(recwarn, **arguments) == [warned]

    @pytest.mark.parametrize(
        "hours",
        [
            ["18:00-24:00"],
            ["09:00-12:00", "12:02-18:00"],
            ["09:00-12:00", "12:00-18:00"],
            ["18:00-23:59", "23:30-02:00"],
            ["00:01-24:00"],
        ],
        ids=["midnight", "two minutes", "touching", "covered by another shift", "the start of the same day"],
    )
    def test_other_breaks_are_not_warned_of(self, hours: list[str], recwarn: pytest.WarningsRecorder) -> None:
        assert self.warnings_of(recwarn, week={"mon": hours}) == []

    def test_the_warning_of_a_lost_minute_points_at_the_line_that_makes_the_calendar(self) -> None:
        with pytest.warns(ShiftCalendarWarning, match="leaves out the minute until 24:00") as caught:
            ShiftCalendar("UTC", {"mon": ["18:00-23:59"]})
        assert [warning.filename for warning in caught] == [__file__]


class TestWeekendDaysBesidePublicHolidays:
    """A country object lists weekdays off: in China, not the Saturday of a holiday from Thursday to Saturday."""

    @pytest.fixture
    def china(self) -> Any:
        return pytest.importorskip("holidays").country_holidays("CN", years=[2026])

    @pytest.fixture
    def warned(self, recwarn: pytest.WarningsRecorder) -> Callable[..., list[str]]:
        def construct(**arguments: Any) -> list[str]:
            ShiftCalendar("Asia/Shanghai", **arguments)
            return [str(warning.message) for warning in recwarn]

        return construct

    def test_open_saturdays_beside_holidays_are_warned_of(self, china: Any, warned: Callable[..., list[str]]) -> None:
        assert warned(week=WEEK, closed=china) == [
            "closed: people may be called on a Sat beside a public holiday, because CN of the holidays package lists"
            " no weekend days. To close these days too, write closed=[*country, ...]; to leave them open, write"
            " closed=list(country)"
        ]

    def test_the_warning_of_open_days_points_at_the_line_that_makes_the_calendar(self, china: Any) -> None:
        with pytest.warns(UserWarning, match="beside a public holiday") as caught:
            ShiftCalendar("Asia/Shanghai", WEEK, closed=china)
        assert [warning.filename for warning in caught] == [__file__]

    def test_a_week_without_weekend_shifts_is_not_warned_of(self, china: Any, warned: Callable[..., list[str]]) -> None:
        assert warned(week=OFFICE, closed=china) == []

    @pytest.mark.parametrize("end_the_warning", [list, lambda country: [*country, "2026-10-08"]])
    def test_a_list_of_holidays_is_not_warned_of(
        self, china: Any, warned: Callable[..., list[str]], end_the_warning: Callable[[Any], list[Any]]
    ) -> None:
        assert warned(week=WEEK, closed=end_the_warning(china)) == []

    def test_open_fridays_are_warned_of_where_they_are_the_weekend(self, warned: Callable[..., list[str]]) -> None:
        egypt = pytest.importorskip("holidays").country_holidays("EG", years=[2026])
        assert "may be called on a Fri beside" in warned(week={"thu-fri": ["14:00-18:00"]}, closed=egypt)[0]

    def test_plain_dates_are_not_warned_of(self, warned: Callable[..., list[str]]) -> None:
        assert warned(week=WEEK, closed=[date(2026, 1, 1), date(2026, 1, 2)]) == []


class TestLastCall:
    def test_last_call_ends_a_shift_earlier(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", WEEK, last_call=timedelta(minutes=5))
        assert lasting(calendar, shanghai("09 00:00")) == ["Fri 09:00 - Fri 11:55", "Fri 13:30 - Fri 17:55"]

    def test_every_question_has_the_end_of_last_call(self) -> None:
        calendar, end = ShiftCalendar("Asia/Shanghai", WEEK, last_call="PT5M"), shanghai("09 17:55")
        assert [calendar.is_on(end - TICK), calendar.is_on(end)] == [True, False]
        assert calendar.shift_at(end - TICK) == Shift(shanghai("09 13:30"), end)
        assert calendar.shift_at(end) is None
        assert calendar.next_end(end - TICK) == end
        assert calendar.previous_end(end + TICK) == end

    def test_shifts_that_touch_have_one_last_call(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["09:00-12:00", "12:00-18:00"]}, last_call="PT30M")
        assert lasting(calendar, shanghai("09 00:00")) == ["Fri 09:00 - Fri 17:30"]

    def test_shifts_that_touch_at_midnight_have_one_last_call(self) -> None:
        week = {"fri": ["20:00-24:00"], "sat": ["00:00-00:10"]}
        calendar = ShiftCalendar("Asia/Shanghai", week, last_call="PT30M")
        assert lasting(calendar, shanghai("09 00:00"), days=3) == ["Fri 20:00 - Fri 23:40"]

    @pytest.mark.parametrize(("hours", "kept"), [("09:00-09:29", 0), ("09:00-09:30", 0), ("09:00-09:31", 1)])
    def test_a_shift_not_longer_than_last_call_does_not_take_place(self, hours: str, kept: int) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": [hours], **MONDAY}, last_call="PT30M")
        assert len(lasting(calendar, shanghai("09 00:00"))) == kept

    def test_short_shifts_that_touch_may_be_long_enough_together(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["09:00-09:20", "09:20-09:40"], **MONDAY}, last_call="PT30M")
        assert lasting(calendar, shanghai("09 00:00")) == ["Fri 09:00 - Fri 09:10"]

    def test_last_call_is_elapsed_time_not_time_on_the_clock(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["00:00-03:00"]}, last_call="PT30M")
        assert spans(calendar, "2026-10-24", days=2) == ["22:00-01:30"]

    def test_a_shift_that_a_clock_change_makes_too_short_does_not_take_place(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["01:30-03:30"]}, last_call="PT1H")
        assert spans(calendar, "2026-03-29") == []
        assert spans(calendar, "2026-04-05") == ["23:30-00:30"]

    def test_last_call_leaves_a_calendar_that_never_closes_on(self) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, last_call="PT11H59M59S")
        assert calendar.is_on(at("2026-10-09T00:00Z"))
        assert calendar.next_end(at("2026-10-09T00:00Z")) is None

    def test_the_longest_last_call_moves_an_end_to_the_date_before(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"fri": ["18:00-07:00"]}, last_call="PT11H")
        assert lasting(calendar, shanghai("09 00:00"), days=3) == ["Fri 18:00 - Fri 20:00"]

    def test_the_first_shift_of_all_may_be_shorter_than_last_call(self) -> None:
        calendar = ShiftCalendar("Etc/GMT-14", ALWAYS, special={"0001-01-02": ["00:00-02:00"]}, last_call="PT11H")
        assert calendar.next_start(datetime.min.replace(tzinfo=UTC)) == pendulum.datetime(1, 1, 3, tz="Etc/GMT-14")

    @pytest.mark.parametrize(
        "last_call",
        ["PT90M", "PT1H30M", "PT5400S", timedelta(minutes=90), pendulum.duration(minutes=90)],
    )
    def test_the_same_last_call_in_other_words_is_equal(self, last_call: timedelta | str) -> None:
        calendar = ShiftCalendar("UTC", WEEK, last_call=last_call)
        assert calendar == ShiftCalendar("UTC", WEEK, last_call="PT1H30M")
        assert hash(calendar) == hash(ShiftCalendar("UTC", WEEK, last_call="PT1H30M"))

    @pytest.mark.parametrize("last_call", ["PT0S", "PT0M", timedelta()])
    def test_a_last_call_of_zero_is_none(self, calendar: ShiftCalendar, last_call: timedelta | str) -> None:
        assert ShiftCalendar("Asia/Shanghai", WEEK, last_call=last_call) == calendar

    def test_calendars_with_and_without_last_call_are_not_equal(self, calendar: ShiftCalendar) -> None:
        assert ShiftCalendar("Asia/Shanghai", WEEK, last_call="PT5M") != calendar

    def test_a_calendar_with_last_call_shares_no_edges_with_one_without(self, calendar: ShiftCalendar) -> None:
        assert calendar.next_end(shanghai("09 10:00")) == shanghai("09 12:00")
        earlier = ShiftCalendar("Asia/Shanghai", WEEK, last_call="PT5M")
        assert earlier.next_end(shanghai("09 10:00")) == shanghai("09 11:55")


class TestClockChanges:
    """Berlin skips 02:00-03:00 on 2026-03-29, at 01:00 UTC, and repeats it on 2026-10-25, from 01:00 UTC."""

    @pytest.mark.parametrize(
        ("zone", "hours", "day", "expected"),
        [
            ("Europe/Berlin", "02:30-05:00", "2026-03-29", "01:00-03:00"),
            ("Europe/Berlin", "01:00-02:30", "2026-03-29", "00:00-01:00"),
            ("Europe/Berlin", "02:00-03:00", "2026-03-29", None),
            ("Europe/Berlin", "02:15-02:45", "2026-03-29", None),
            ("Europe/Berlin", "02:15-03:15", "2026-03-29", "01:00-01:15"),
            ("Europe/Berlin", "02:30-05:00", "2026-10-25", "00:30-04:00"),
            ("Europe/Berlin", "01:00-02:30", "2026-10-25", "23:00-00:30"),
            ("Europe/Berlin", "02:30-03:00", "2026-10-25", "00:30-02:00"),
            ("Australia/Lord_Howe", "02:10-02:20", "2026-10-04", None),
            ("Australia/Lord_Howe", "02:15-03:00", "2026-10-04", "15:30-16:00"),
            ("Australia/Lord_Howe", "01:45-02:00", "2026-04-05", "14:45-15:30"),
            ("Europe/Dublin", "01:30-03:00", "2026-03-29", "01:00-02:00"),
            ("Europe/Dublin", "01:30-03:00", "2026-10-25", "00:30-03:00"),
            ("America/Sao_Paulo", "00:30-02:00", "2018-11-04", "03:00-04:00"),
            ("Africa/Casablanca", "02:30-04:00", "2026-03-22", "02:00-03:00"),
            ("Antarctica/Troll", "01:30-02:30", "2026-03-29", None),
        ],
    )
    def test_skipped_and_repeated_local_times(self, zone: str, hours: str, day: str, expected: str | None) -> None:
        calendar = ShiftCalendar(zone, {}, special={day: [hours]})
        start = at(f"{day}T00:00Z") - timedelta(days=1)
        shifts = calendar.shifts_between(start, start + timedelta(days=3))
        assert [f"{utc(s.start)[11:]}-{utc(s.end)[11:]}" for s in shifts] == ([expected] if expected else [])

    def test_two_shifts_on_either_side_of_a_gap_touch(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["00:00-02:00", "03:00-05:00"]})
        assert spans(calendar, "2026-03-29") == ["23:00-03:00"]

    def test_shifts_on_either_side_of_a_gap_are_apart_on_other_days(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["00:00-02:00", "03:00-05:00"]})
        assert spans(calendar, "2026-03-22") == ["23:00-01:00", "02:00-04:00"]

    def test_an_end_and_a_start_at_the_same_repeated_time_touch(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["01:00-02:30", "02:30-04:00"]})
        assert spans(calendar, "2026-10-25") == ["23:00-03:00"]

    def test_a_shift_that_ended_in_the_first_of_two_equal_hours_is_off_in_the_second(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["01:00-02:30"]})
        second = at("2026-10-25T01:15Z").astimezone(pendulum.timezone("Europe/Berlin"))
        assert second.hour == 2
        assert second.minute == 15
        assert not calendar.is_on(second)

    def test_the_fold_of_an_argument_is_respected(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["01:00-02:30"]})
        first = datetime(2026, 10, 25, 2, 15, tzinfo=ZoneInfo("Europe/Berlin"))
        assert [calendar.is_on(first), calendar.is_on(first.replace(fold=1))] == [True, False]

    def test_a_whole_day_with_a_gap_has_23_hours(self) -> None:
        shift = ShiftCalendar("Europe/Berlin", {"sun": ["00:00-24:00"]}).shift_at(at("2026-03-29T12:00Z"))
        assert shift is not None
        assert shift.end.timestamp() - shift.start.timestamp() == 23 * 3600

    @pytest.mark.parametrize(("zone", "skipped"), [("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21")])
    def test_the_shifts_of_a_skipped_date_do_not_take_place(self, zone: str, skipped: str) -> None:
        calendar = ShiftCalendar(zone, {}, special={skipped: ["00:00-24:00"], "2030-01-01": ["09:00-10:00"]})
        edge = calendar.next_start(at("1990-01-01T00:00Z"))
        assert edge is not None
        assert edge.year == 2030

    def test_an_overnight_shift_into_a_skipped_date_ends_as_the_date_after_begins(self) -> None:
        calendar = ShiftCalendar("Pacific/Apia", {}, special={"2011-12-29": ["22:00-02:00"]})
        assert calendar.next_end(at("2011-12-29T00:00Z")) == pendulum.datetime(2011, 12, 31, tz="Pacific/Apia")

    def test_a_gap_that_ends_off_the_minute_is_met_to_the_second(self) -> None:
        # Kolkata went from 5:21:10 to 5:30:00 ahead of UTC at this midnight.
        calendar = ShiftCalendar("Asia/Kolkata", {}, special={"1906-01-01": ["00:00-06:00"]})
        start = calendar.next_start(at("1905-01-01T00:00Z"))
        assert start is not None
        assert start == pendulum.datetime(1906, 1, 1, 0, 8, 50, tz="Asia/Kolkata")


class TestWithoutEdges:
    def test_a_calendar_that_never_closes_is_on(self) -> None:
        assert ShiftCalendar("Europe/Berlin", ALWAYS).is_on(at("2026-03-29T01:00Z"))

    @pytest.mark.parametrize("method", ["next_start", "next_end", "previous_start", "previous_end", "shift_at"])
    def test_a_calendar_that_never_closes_has_no_edges_and_no_shift(self, method: str) -> None:
        assert getattr(ShiftCalendar("Europe/Berlin", ALWAYS), method)(at("2026-03-29T01:00Z")) is None

    def test_a_calendar_that_never_closes_has_no_shifts_between(self) -> None:
        assert ShiftCalendar("UTC", ALWAYS).shifts_between(at("2000-01-01T00:00Z"), at("2030-01-01T00:00Z")) == []

    def test_shifts_between_goes_on_after_a_shift_that_never_started(self) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, closed=["2026-10-09", "2026-10-11"])
        shifts = calendar.shifts_between(at("2026-10-08T00:00Z"), at("2026-10-13T00:00Z"))
        assert shifts == [Shift(pendulum.datetime(2026, 10, 10), pendulum.datetime(2026, 10, 11))]

    def test_whole_days_written_in_pieces_never_close_either(self) -> None:
        calendar = ShiftCalendar("UTC", {"mon-sun": ["12:00-11:59", "11:30-12:30"]})
        assert calendar.next_end(at("2026-10-09T00:00Z")) is None

    def test_a_shift_that_never_started_has_an_end_but_is_no_shift(self) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, closed=["2026-10-09"])
        morning = at("2026-10-08T09:00Z")
        assert calendar.is_on(morning)
        assert calendar.shift_at(morning) is None
        assert calendar.next_end(morning) == pendulum.datetime(2026, 10, 9)

    def test_after_the_last_special_day_there_is_no_edge(self) -> None:
        calendar = ShiftCalendar("UTC", {}, special={"2026-10-09": ["09:00-12:00"]})
        assert calendar.next_end(at("2026-10-09T12:00Z")) is None

    def test_before_the_first_special_day_there_is_no_edge(self) -> None:
        calendar = ShiftCalendar("UTC", {}, special={"2026-10-09": ["09:00-12:00"]})
        assert calendar.previous_start(at("2026-10-09T09:00Z")) is None

    def test_a_special_day_centuries_away_is_found(self) -> None:
        calendar = ShiftCalendar("UTC", {}, special={"2526-10-09": ["09:00-12:00"]})
        assert calendar.next_end(at("2026-01-01T00:00Z")) == pendulum.datetime(2526, 10, 9, 12)

    def test_a_special_day_centuries_ago_is_found(self) -> None:
        calendar = ShiftCalendar("UTC", {}, special={"1526-10-09": ["09:00-12:00"]})
        assert calendar.previous_end(at("2026-01-01T00:00Z")) == pendulum.datetime(1526, 10, 9, 12)

    def test_the_week_resumes_after_years_of_closed_days(self) -> None:
        days = [date(2026, 1, 1) + timedelta(days=n) for n in range(4000)]
        calendar = ShiftCalendar("UTC", {"mon": ["09:00-12:00"]}, closed=days)
        after = calendar.next_start(at("2026-01-01T00:00Z"))
        assert after is not None
        assert timedelta(0) < after - pendulum.datetime(2026, 1, 1).add(days=4000) < timedelta(days=7)

    def test_a_search_for_nothing_takes_no_time(self) -> None:
        days = {(date(2026, 1, 1) + timedelta(days=n)).isoformat(): ["00:00-24:00"] for n in range(3650)}
        calendar = ShiftCalendar("Europe/Berlin", ALWAYS, special=days)
        begin = time.process_time()
        assert calendar.next_end(at("2026-01-01T00:00Z")) is None
        assert time.process_time() - begin < 2

    @pytest.mark.parametrize("zone", ["Etc/GMT-14", "Etc/GMT+12", "America/New_York", "UTC"])
    @pytest.mark.parametrize(
        ("edge", "offset", "beyond"),
        [
            (datetime.min, 0, "previous_start"),
            (datetime.min, 23, "previous_end"),
            (datetime.max, 0, "next_start"),
            (datetime.max, -23, "next_end"),
        ],
    )
    def test_the_borders_of_datetime_are_closed(self, zone: str, edge: datetime, offset: int, beyond: str) -> None:
        calendar = ShiftCalendar(zone, WEEK, special={date.min: ["22:00-12:00"], date.max: ["22:00-12:00"]})
        instant = edge.replace(tzinfo=timezone(timedelta(hours=offset)))
        assert getattr(calendar, beyond)(instant) is None
        assert not calendar.is_on(instant)
        assert calendar.shift_at(instant) is None

    def test_the_whole_of_time_has_a_first_and_a_last_shift(self) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", {"mon": ["09:00-12:00"]})
        first = calendar.next_start(datetime.min.replace(tzinfo=UTC))
        last = calendar.previous_end(datetime.max.replace(tzinfo=UTC))
        assert first is not None
        assert last is not None
        assert first.date().isoformat() == "0001-01-08"
        assert last.date().isoformat() == "9999-12-27"


METHODS = ["is_on", "shift_at", "next_start", "next_end", "previous_start", "previous_end"]


class TestArguments:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_naive_datetime_is_an_error_that_shows_it(self, calendar: ShiftCalendar, method: str) -> None:
        with pytest.raises(ValueError, match="2026-10-09T18:00:00 has no time zone: give an aware datetime"):
            getattr(calendar, method)(datetime(2026, 10, 9, 18))

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("value", [date(2026, 10, 9), "2026-10-09T18:00:00Z", 1791540000, None])
    def test_anything_but_a_datetime_is_an_error(self, calendar: ShiftCalendar, method: str, value: Any) -> None:
        with pytest.raises(TypeError, match=r"^(at|after|before): .+ is not a datetime: give an aware datetime$"):
            getattr(calendar, method)(value)

    @pytest.mark.parametrize("name", ["start", "end"])
    def test_shifts_between_names_the_naive_one_of_its_arguments(self, calendar: ShiftCalendar, name: str) -> None:
        arguments = {"start": shanghai("09 00:00"), "end": shanghai("10 00:00")}
        with pytest.raises(ValueError, match=f"^{name}: 2026-10-"):
            calendar.shifts_between(**{**arguments, name: arguments[name].naive()})


class TestTimeZone:
    @pytest.mark.parametrize(
        "zone", [pendulum.timezone("Asia/Shanghai"), ZoneInfo("Asia/Shanghai")], ids=["pendulum", "zoneinfo"]
    )
    def test_a_time_zone_may_be_an_object_with_a_name(self, zone: Any, calendar: ShiftCalendar) -> None:
        assert ShiftCalendar(zone, WEEK) == calendar

    def test_a_time_zone_is_known_by_its_name(self, calendar: ShiftCalendar) -> None:
        assert calendar.timezone == "Asia/Shanghai"


NOT_A_DAY = (
    ' is not a day: write mon, tue, wed, thu, fri, sat, sun, a range such as "mon-fri" or a list such as "mon,wed,fri"'
)
NOT_A_SHIFT = " is not a shift: write HH:MM-HH:MM, 00:00 to 24:00"
NOT_A_ZONE = ' is not a time zone: write an IANA name such as "Asia/Shanghai"'
NOT_A_DATE = " is not a date: write YYYY-MM-DD, or MM-DD for every year, or give a datetime.date"
NOT_A_RANGE = (
    " is not a range of dates: write YYYY-MM-DD/YYYY-MM-DD, or MM-DD/MM-DD for every year, its first and last day"
)
LEAP_DAY = (
    ' names 29 February, which most years lack: write a range over it, such as "02-28/03-01", or its date with the'
    ' year, such as "2028-02-29"'
)
NO_SHIFT = "week and special have no shift: write at least one"
TWICE = "write each date once, with all its shifts"
NOT_A_LAST_CALL = (
    ' is not a last call: write a duration such as "PT5M" or give a datetime.timedelta, in whole seconds, at least 0'
    " and less than 12 hours"
)
REVERSED = " ends before it starts: write the first day first"
ONE = {"mon": ["09:00-12:00"]}

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"timezone": "Asia/Peking"}, f'timezone: "Asia/Peking"{NOT_A_ZONE}'),
    ({"timezone": "Asia"}, f'timezone: "Asia"{NOT_A_ZONE}'),
    ({"timezone": ""}, f'timezone: ""{NOT_A_ZONE}'),
    ({"timezone": "../UTC"}, f'timezone: "../UTC"{NOT_A_ZONE}'),
    ({"timezone": "+08:00"}, f'timezone: "+08:00"{NOT_A_ZONE}'),
    ({"timezone": None}, f"timezone: None{NOT_A_ZONE}"),
    ({"timezone": 8}, f"timezone: 8{NOT_A_ZONE}"),
    ({"timezone": ["UTC"]}, f"timezone: ['UTC']{NOT_A_ZONE}"),
    ({"timezone": UTC}, f"timezone: datetime.timezone.utc{NOT_A_ZONE}"),
    (
        {"week": ["09:00-12:00"]},
        'week: [\'09:00-12:00\'] is not a mapping: write {"mon-fri": ["09:00-18:00"]}',
    ),
    ({"week": None}, 'week: None is not a mapping: write {"mon-fri": ["09:00-18:00"]}'),
    ({"week": {}}, NO_SHIFT),
    ({"week": {"mon": []}, "special": {"2026-10-09": []}}, NO_SHIFT),
    ({"week": {"monday": ["09:00-12:00"]}}, f'week["monday"]: "monday"{NOT_A_DAY}'),
    ({"week": {"mon-fry": ["09:00-12:00"]}}, f'week["mon-fry"]: "mon-fry"{NOT_A_DAY}'),
    ({"week": {"mon-": ["09:00-12:00"]}}, f'week["mon-"]: "mon-"{NOT_A_DAY}'),
    ({"week": {"mon-mon": ["09:00-12:00"]}}, f'week["mon-mon"]: "mon-mon"{NOT_A_DAY}'),
    ({"week": {"mon-wed-fri": ["09:00-12:00"]}}, f'week["mon-wed-fri"]: "mon-wed-fri"{NOT_A_DAY}'),
    ({"week": {"mon,wde": ["09:00-12:00"]}}, f'week["mon,wde"]: "wde"{NOT_A_DAY}'),
    ({"week": {"mon,": ["09:00-12:00"]}}, f'week["mon,"]: ""{NOT_A_DAY}'),
    ({"week": {"": ["09:00-12:00"]}}, f'week[""]: ""{NOT_A_DAY}'),
    ({"week": {1: ["09:00-12:00"]}}, f'week[1]: "1"{NOT_A_DAY}'),
    (
        {"week": {"mon-sat": ["09:00-12:00"], "sat": ["09:00-11:00"]}},
        'week["sat"]: sat is already named by week["mon-sat"]',
    ),
    ({"week": {"Mon": ["09:00-12:00"], "mon": []}}, 'week["mon"]: mon is already named by week["Mon"]'),
    (
        {"week": {"mon-wed,tue": ["09:00-12:00"]}},
        'week["mon-wed,tue"]: tue is already named by week["mon-wed,tue"]',
    ),
    (
        {"week": {"mon": "09:00-12:00"}},
        'week["mon"]: "09:00-12:00" is not a list of shifts: write ["09:00-12:00"]',
    ),
    ({"week": {"mon": None}}, 'week["mon"]: None is not a list of shifts: write ["09:00-12:00"]'),
    (
        {"week": {"mon-fri": ["09:00-12:00", "13:30-25:00"]}},
        f'week["mon-fri"][1]: "13:30-25:00"{NOT_A_SHIFT}',
    ),
    ({"week": {"mon": ["9:00-12:00"]}}, f'week["mon"][0]: "9:00-12:00"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["09:00 - 12:00"]}}, f'week["mon"][0]: "09:00 - 12:00"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["09:60-12:00"]}}, f'week["mon"][0]: "09:60-12:00"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["24:00-12:00"]}}, f'week["mon"][0]: "24:00-12:00"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["09:00-24:01"]}}, f'week["mon"][0]: "09:00-24:01"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["09:00-12:00\n"]}}, f'week["mon"][0]: "09:00-12:00\n"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["\u0660\u0669:00-12:00"]}}, f'week["mon"][0]: "\u0660\u0669:00-12:00"{NOT_A_SHIFT}'),
    ({"week": {"mon": ["09:00"]}}, f'week["mon"][0]: "09:00"{NOT_A_SHIFT}'),
    ({"week": {"mon": [("09:00", "12:00")]}}, f"week[\"mon\"][0]: ('09:00', '12:00'){NOT_A_SHIFT}"),
    (
        {"week": {"mon": ["09:00-09:00"]}},
        'week["mon"][0]: "09:00-09:00" ends as it starts: write 00:00-24:00 for a whole day',
    ),
    (
        {"week": {"mon": ["00:00-00:00"]}},
        'week["mon"][0]: "00:00-00:00" ends as it starts: write 00:00-24:00 for a whole day',
    ),
    ({"closed": "2026-10-01"}, 'closed: "2026-10-01" is not a list of dates: write ["2026-10-01"]'),
    ({"closed": None}, 'closed: None is not a list of dates: write ["2026-10-01"]'),
    (
        {"closed": date(2026, 10, 1)},
        'closed: datetime.date(2026, 10, 1) is not a list of dates: write ["2026-10-01"]',
    ),
    ({"closed": ["2026-13-01"]}, f'closed: "2026-13-01"{NOT_A_DATE}'),
    ({"closed": ["20261001"]}, f'closed: "20261001"{NOT_A_DATE}'),
    ({"closed": ["2026-W40-4"]}, f'closed: "2026-W40-4"{NOT_A_DATE}'),
    ({"closed": ["2026-10-01T00:00"]}, f'closed: "2026-10-01T00:00"{NOT_A_DATE}'),
    ({"closed": [20261001]}, f"closed: 20261001{NOT_A_DATE}"),
    ({"closed": [datetime(2026, 10, 1)]}, f"closed: datetime.datetime(2026, 10, 1, 0, 0){NOT_A_DATE}"),
    ({"closed": ["2026-10-07/2026-10-01"]}, f'closed: "2026-10-07/2026-10-01"{REVERSED}'),
    ({"closed": ["2026-10-01/"]}, f'closed: "2026-10-01/"{NOT_A_RANGE}'),
    ({"closed": ["/2026-10-07"]}, f'closed: "/2026-10-07"{NOT_A_RANGE}'),
    ({"closed": ["2026-10-01/.."]}, f'closed: "2026-10-01/.."{NOT_A_RANGE}'),
    ({"closed": ["2026-10-01/P7D"]}, f'closed: "2026-10-01/P7D"{NOT_A_RANGE}'),
    ({"closed": ["2026-10-01/07"]}, f'closed: "2026-10-01/07"{NOT_A_RANGE}'),
    ({"closed": ["2026-10-01 / 2026-10-07"]}, f'closed: "2026-10-01 / 2026-10-07"{NOT_A_RANGE}'),
    ({"closed": ["2026-10-01/2026-10-32"]}, f'closed: "2026-10-01/2026-10-32"{NOT_A_RANGE}'),
    ({"closed": ["2026-10-01/2026-10-02/2026-10-03"]}, f'closed: "2026-10-01/2026-10-02/2026-10-03"{NOT_A_RANGE}'),
    (
        {"closed": ["2026-01-01/2036-01-09"]},
        'closed: "2026-01-01/2036-01-09" has 3661 days: write ranges of at most 3660 days, the first day first',
    ),
    (
        {"closed": ["0001-01-01/9999-12-31"]},
        'closed: "0001-01-01/9999-12-31" has 3652059 days: write ranges of at most 3660 days, the first day first',
    ),
    (
        {"closed": ["2026-10-01/2026-10-07"], "special": {"2026-10-03": ["09:00-12:00"]}},
        'special["2026-10-03"]: 2026-10-03 is in closed too, as "2026-10-01/2026-10-07": take it out of one of them',
    ),
    *(
        ({"closed": [text]}, f'closed: "{text}"{NOT_A_DATE}')
        for text in ["13-01", "12-32", "02-30", "00-01", "1-5", "12-1", "12.24", "--12-24", "W41-4", "12-24 ", "24-12"]
    ),
    ({"closed": ["12/24"]}, f'closed: "12/24"{NOT_A_RANGE}'),
    ({"closed": ["12-24/"]}, f'closed: "12-24/"{NOT_A_RANGE}'),
    ({"closed": ["12-24/31"]}, f'closed: "12-24/31"{NOT_A_RANGE}'),
    ({"closed": ["2026-12-24/12-31"]}, f'closed: "2026-12-24/12-31"{NOT_A_RANGE}'),
    ({"closed": ["12-24/2026-12-31"]}, f'closed: "12-24/2026-12-31"{NOT_A_RANGE}'),
    ({"closed": ["02-29"]}, f'closed: "02-29"{LEAP_DAY}'),
    ({"closed": ["02-01/02-29"]}, f'closed: "02-01/02-29"{LEAP_DAY}'),
    ({"special": {"02-29": ["09:00-12:00"]}}, f'special: "02-29"{LEAP_DAY}'),
    ({"closed": ["2026-02-29"]}, f'closed: "2026-02-29"{NOT_A_DATE}'),
    (
        {"closed": ["12-31/12-24"]},
        'closed: "12-31/12-24" has 360 days: write ranges of at most 275 days, the first day first',
    ),
    (
        {"special": {"2026-12-31/2026-12-24": ["09:00-12:00"]}},
        f'special: "2026-12-31/2026-12-24"{REVERSED}',
    ),
    (
        {"special": {"2026-12-20/2026-12-24": ["09:00-12:00"], "2026-12-24/2026-12-31": ["09:00-14:00"]}},
        f'special["2026-12-24/2026-12-31"]: special["2026-12-20/2026-12-24"] has other shifts for 2026-12-24: {TWICE}',
    ),
    (
        {"special": {"12-29/01-03": ["09:00-12:00"], "01-02": ["09:00-14:00"]}},
        f'special["01-02"]: special["12-29/01-03"] has other shifts for 01-02: {TWICE}',
    ),
    (
        {"closed": ["12-24/12-26"], "special": {"12-26": ["09:00-12:00"]}},
        'special["12-26"]: 12-26 is in closed too, as "12-24/12-26": take it out of one of them',
    ),
    (
        {"special": ["2026-10-10"]},
        'special: [\'2026-10-10\'] is not a mapping: write {"2026-10-10": ["09:00-18:00"]}',
    ),
    ({"special": {"10.10.2026": ["09:00-12:00"]}}, f'special: "10.10.2026"{NOT_A_DATE}'),
    (
        {"special": {datetime(2026, 10, 1): ["09:00-12:00"]}},
        f"special: datetime.datetime(2026, 10, 1, 0, 0){NOT_A_DATE}",
    ),
    (
        {"special": {"2026-10-10": "09:00-12:00"}},
        'special["2026-10-10"]: "09:00-12:00" is not a list of shifts: write ["09:00-12:00"]',
    ),
    ({"special": {"2026-10-10": ["09:00-25:00"]}}, f'special["2026-10-10"][0]: "09:00-25:00"{NOT_A_SHIFT}'),
    (
        {"special": {date(2026, 10, 10): ["09:00-25:00"]}},
        f'special[datetime.date(2026, 10, 10)][0]: "09:00-25:00"{NOT_A_SHIFT}',
    ),
    (
        {"closed": ["2026-10-10"], "special": {"2026-10-10": ["09:00-12:00"]}},
        'special["2026-10-10"]: 2026-10-10 is in closed too, as "2026-10-10": take it out of one of them',
    ),
    (
        {"closed": ["2026-10-10"], "special": {"2026-10-10": []}},
        'special["2026-10-10"]: 2026-10-10 is in closed too, as "2026-10-10": take it out of one of them',
    ),
    (
        {"special": {date(2026, 10, 10): ["09:00-12:00"], "2026-10-10": []}},
        f'special["2026-10-10"]: special[datetime.date(2026, 10, 10)] has other shifts for 2026-10-10: {TWICE}',
    ),
    *(
        ({"last_call": text}, f'last_call: "{text}"{NOT_A_LAST_CALL}')
        for text in [
            *("", "P", "PT", "P5M", "P1D", "P1W", "P1M", "P1Y", "PT12H", "PT720M", "PT43200S", "-PT5M", "PT-5M"),
            *("PT5", "PT5M ", "pt5m", "PT5.5M", "PT0.5S", "PT5M3H", "PT5M/2026-10-01", "2026-10-01/PT5M"),
            *("5", "5 min", "12:00", "00:05", "now", "PT4294967596S", "PT\u0665M", "PT5M\n"),
        ]
    ),
    ({"last_call": None}, f"last_call: None{NOT_A_LAST_CALL}"),
    ({"last_call": 5}, f"last_call: 5{NOT_A_LAST_CALL}"),
    ({"last_call": timedelta(hours=12)}, f"last_call: datetime.timedelta(seconds=43200){NOT_A_LAST_CALL}"),
    ({"last_call": timedelta(microseconds=1)}, f"last_call: datetime.timedelta(microseconds=1){NOT_A_LAST_CALL}"),
    ({"last_call": -timedelta(seconds=1)}, f"last_call: datetime.timedelta(days=-1, seconds=86399){NOT_A_LAST_CALL}"),
    (
        {"week": {"mon": ["09:00-12:00"]}, "last_call": "PT180M"},
        "last_call: no shift of the week is longer than PT3H, so every shift would be empty: write less",
    ),
    (
        {"special": {"12-24": ["09:00-10:00"]}, "last_call": "PT1H"},
        "last_call: no shift of the special days of every year is longer than PT1H, so every shift would be empty:"
        " write less",
    ),
]


class TestMistakes:
    @pytest.mark.parametrize(("wrong", "message"), MISTAKES, ids=[message[:60] for _, message in MISTAKES])
    def test_a_mistake_in_a_calendar_is_named_with_what_is_allowed(self, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(ShiftCalendarError) as caught:
            ShiftCalendar(**{"timezone": "UTC", "week": ONE, **wrong})
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                {"timezone": "UTC", "weeks": ONE},
                '"weeks" is not a key of a shift calendar: write timezone, week, closed, special, last_call',
            ),
            ({"week": ONE}, '"timezone" is missing: a shift calendar needs timezone and week'),
            ({"timezone": "UTC"}, '"week" is missing: a shift calendar needs timezone and week'),
            (None, "None is not a shift calendar: give a mapping of timezone, week, closed, special, last_call"),
        ],
    )
    def test_a_mistake_in_a_dict_is_named(self, data: Any, message: str) -> None:
        with pytest.raises(ShiftCalendarError) as caught:
            ShiftCalendar.from_dict(data)
        assert str(caught.value) == message

    def test_a_mistake_in_a_calendar_is_a_value_error(self) -> None:
        assert issubclass(ShiftCalendarError, ValueError)


FULL = ShiftCalendar(
    "Asia/Shanghai",
    WEEK,
    closed=["2026-10-01", "2026-10-02"],
    special={"2026-10-10": ["09:00-18:00"], "2026-10-11": ["22:00-02:00"]},
)


class TestIdentity:
    def test_equal_calendars_may_be_written_differently(self) -> None:
        days = {day: ["13:30-18:00", "09:00-12:00"] for day in ("fri", "mon", "thu", "tue", "wed")}
        other = ShiftCalendar(
            "Asia/Shanghai",
            {"SAT": ("09:00-12:00",), **days},
            closed=[date(2026, 10, 2), "2026-10-01"],
            special={"2026-10-11": ["22:00-02:00"], date(2026, 10, 10): ["09:00-18:00"]},
        )
        assert other == FULL
        assert hash(other) == hash(FULL)

    @pytest.mark.parametrize(
        "other",
        [
            ShiftCalendar("Asia/Tokyo", WEEK),
            ShiftCalendar("Asia/Shanghai", {**WEEK, "sun": ["09:00-10:00"]}),
            ShiftCalendar("Asia/Shanghai", WEEK, closed=["2026-10-01"]),
            ShiftCalendar("Asia/Shanghai", WEEK, special={"2026-10-01": ["09:00-10:00"]}),
            "Asia/Shanghai",
        ],
    )
    def test_calendars_that_differ_are_not_equal(self, calendar: ShiftCalendar, other: object) -> None:
        assert calendar != other

    @pytest.mark.parametrize("name", ["timezone", "summary", "week"])
    def test_a_calendar_cannot_be_changed(self, name: str) -> None:
        with pytest.raises(AttributeError):
            setattr(FULL, name, "UTC")

    def test_a_calendar_does_not_change_with_its_arguments(self) -> None:
        week, closed = {"fri": ["09:00-12:00"]}, ["2026-10-01"]
        calendar = ShiftCalendar("UTC", week, closed)
        before = repr(calendar)
        week["fri"].append("13:00-14:00")
        closed.append("2026-10-09")
        assert repr(calendar) == before

    @pytest.mark.parametrize(
        "calendar",
        [
            FULL,
            ShiftCalendar("UTC", {}, special={"2026-10-10": ["09:00-18:00"]}),
            ShiftCalendar("UTC", WEEK, last_call="PT1H5M30S"),
            ShiftCalendar("UTC", WEEK, ["12-24/12-26", "02-28/03-01"], {"12-31": ["09:00-12:00"]}),
        ],
    )
    def test_a_calendars_repr_makes_an_equal_one(self, calendar: ShiftCalendar) -> None:
        assert eval(repr(calendar)) == calendar  # noqa: S307 - its own repr

    def test_a_calendars_repr_can_be_read(self, calendar: ShiftCalendar) -> None:
        assert repr(calendar) == (
            "ShiftCalendar(timezone='Asia/Shanghai',"
            " week={'mon-fri': ['09:00-12:00', '13:30-18:00'], 'sat': ['09:00-12:00']})"
        )

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_a_calendar_can_be_pickled(self, protocol: int) -> None:
        assert pickle.loads(pickle.dumps(FULL, protocol)) == FULL  # noqa: S301 - its own pickle

    def test_a_calendar_can_be_copied_deeply(self) -> None:
        FULL.next_end(shanghai("09 10:00"))
        assert copy.deepcopy(FULL) == FULL

    def test_a_copied_calendar_answers_like_the_original(self) -> None:
        assert copy.deepcopy(FULL).next_end(shanghai("09 10:00")) == shanghai("09 12:00")

    def test_threads_may_share_a_calendar(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", WEEK, closed=["2026-12-25"])
        instants = [at("2026-01-01T00:00Z") + timedelta(hours=n) for n in range(0, 24 * 730, 7)] * 4
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(calendar.next_end, instants))
        assert together == [calendar.next_end(instant) for instant in instants]


class TestDict:
    def test_to_dict_is_the_arguments_in_json(self) -> None:
        assert FULL.to_dict() == {
            "timezone": "Asia/Shanghai",
            "week": {"mon-fri": ["09:00-12:00", "13:30-18:00"], "sat": ["09:00-12:00"]},
            "closed": ["2026-10-01", "2026-10-02"],
            "special": {"2026-10-10": ["09:00-18:00"], "2026-10-11": ["22:00-02:00"]},
        }

    @pytest.mark.parametrize(
        "week",
        [
            WEEK,
            ALWAYS,
            {"mon,wed,fri": ["22:00-02:00"]},
            {"fri-mon": ["20:00-24:00", "00:00-01:00"]},
            {"sun": ["23:59-23:58"]},
        ],
    )
    def test_to_dict_survives_json(self, week: dict[str, list[str]]) -> None:
        calendar = ShiftCalendar("Asia/Shanghai", week, ["2026-10-01"], {"2026-10-10": ["09:00-18:00"]})
        assert ShiftCalendar.from_dict(json.loads(json.dumps(calendar.to_dict()))) == calendar

    @pytest.mark.parametrize("last_call", ["PT5M", "PT1H", "PT1S", "PT2H30S", "PT11H59M59S"])
    def test_to_dict_has_last_call_as_text(self, last_call: str) -> None:
        calendar = ShiftCalendar("UTC", ALWAYS, last_call=last_call)
        assert calendar.to_dict()["last_call"] == last_call
        assert ShiftCalendar.from_dict(json.loads(json.dumps(calendar.to_dict()))) == calendar

    def test_to_dict_has_ranges_as_their_dates(self) -> None:
        calendar = ShiftCalendar("UTC", WEEK, closed=["2026-10-01/2026-10-02"])
        assert calendar.to_dict()["closed"] == ["2026-10-01", "2026-10-02"]
        assert ShiftCalendar.from_dict(calendar.to_dict()) == calendar

    def test_from_dict_needs_neither_closed_nor_special(self, calendar: ShiftCalendar) -> None:
        assert ShiftCalendar.from_dict({"timezone": "Asia/Shanghai", "week": WEEK}) == calendar

    def test_equal_calendars_have_the_same_json(self) -> None:
        one = ShiftCalendar("UTC", {"mon": ["09:00-12:00"], "tue": ["09:00-12:00"]}, ["2026-10-02", "2026-10-01"])
        two = ShiftCalendar("UTC", {"mon-tue": ["09:00-12:00"]}, ["2026-10-01", "2026-10-02"])
        assert json.dumps(one.to_dict()) == json.dumps(two.to_dict())

    def test_from_dict_of_a_subclass_makes_the_subclass(self) -> None:
        class Calendar(ShiftCalendar):
            pass

        assert type(Calendar.from_dict(FULL.to_dict())) is Calendar


class TestSummary:
    @pytest.mark.parametrize(
        ("arguments", "summary"),
        [
            ({}, "mon-fri 09:00-12:00 13:30-18:00, sat 09:00-12:00, Asia/Shanghai"),
            (
                {"closed": ["2026-10-01"]},
                "mon-fri 09:00-12:00 13:30-18:00, sat 09:00-12:00, Asia/Shanghai, 1 closed day",
            ),
            (
                {"week": ONE, "closed": ["2026-10-01", "2026-10-02"]},
                "mon 09:00-12:00, Asia/Shanghai, 2 closed days",
            ),
            (
                {
                    "week": ONE,
                    "closed": ["2026-10-01"],
                    "special": {"2026-10-10": ["09:00-18:00"], "2026-10-11": []},
                },
                "mon 09:00-12:00, Asia/Shanghai, 2 closed days, 1 special day",
            ),
            ({"week": {}, "special": {"2026-10-10": ["09:00-18:00"]}}, "Asia/Shanghai, 1 special day"),
            (
                {"week": ONE, "closed": ["2026-10-01", "12-24/12-26"], "special": {"12-31": ["09:00-12:00"]}},
                "mon 09:00-12:00, Asia/Shanghai, 1 closed day, 3 closed days every year, 1 special day every year",
            ),
            (
                {"week": {"mon,wed,fri": ["22:00-02:00"]}},
                "mon 22:00-02:00, wed 22:00-02:00, fri 22:00-02:00, Asia/Shanghai",
            ),
            ({"week": {"sat-mon": ["20:00-00:00"]}}, "mon 20:00-24:00, sat-sun 20:00-24:00, Asia/Shanghai"),
            ({"week": ALWAYS}, "mon-sun 00:00-24:00, Asia/Shanghai"),
            (
                {"week": ONE, "last_call": timedelta(minutes=5)},
                "mon 09:00-12:00, Asia/Shanghai, last call 5 min before the end",
            ),
            (
                {"week": ONE, "closed": ["2026-10-01"], "last_call": "PT1H10M30S"},
                "mon 09:00-12:00, Asia/Shanghai, 1 closed day, last call 1 h 10 min 30 s before the end",
            ),
        ],
    )
    def test_the_summary_is_one_line(self, arguments: dict[str, Any], summary: str) -> None:
        assert ShiftCalendar(**{"timezone": "Asia/Shanghai", "week": WEEK, **arguments}).summary == summary


class TestBlocks:
    """The calendar keeps its edges in blocks of four weeks: nothing may show at their borders."""

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
    @pytest.mark.parametrize("hours", ["00:00-24:00", "12:00-11:59", "23:00-22:59", "23:00-01:00", "09:00-12:00"])
    @pytest.mark.parametrize("first", [date(2026, 1, 1), date(2026, 1, 2)])
    def test_a_year_of_single_shifts_is_a_year_of_dates(self, zone: str, hours: str, first: date) -> None:
        every_other = {(first + timedelta(days=2 * n)).isoformat(): [hours] for n in range(183)}
        calendar = ShiftCalendar(zone, {}, special=every_other)
        shifts = calendar.shifts_between(at("2025-12-01T00:00Z"), at("2027-02-01T00:00Z"))
        assert [shift.start.date().isoformat() for shift in shifts] == list(every_other)
        assert all(one.end < two.start for one, two in pairwise(shifts))

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
    @pytest.mark.parametrize("first", [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)])
    def test_a_long_last_call_counts_from_what_the_next_date_adds(self, zone: str, first: date) -> None:
        days = [first + timedelta(days=3 * n) for n in range(120)]
        special = {day: ["00:00-24:00"] for day in days}
        special |= {day + timedelta(days=1): ["00:00-06:00"] for day in days}
        calendar = ShiftCalendar(zone, {}, special=special, last_call="PT11H")
        shifts = calendar.shifts_between(at("2025-12-01T00:00Z"), at("2027-02-01T00:00Z"))
        assert list(map(str, shifts)) == [f"00:00-19:00 on {day:%a} {day} {zone}" for day in days]

    @pytest.mark.parametrize(
        ("zone", "hours"),
        [("UTC", "22:00-02:00"), ("Pacific/Kiritimati", "00:30-09:00"), ("Etc/GMT+12", "20:00-22:00")],
    )
    def test_a_single_shift_is_found_from_decades_away_on_whatever_date(self, zone: str, hours: str) -> None:
        long_ago, far_off = at("1996-01-01T00:00Z"), at("2056-01-01T00:00Z")
        for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(60)):
            calendar = ShiftCalendar(zone, {}, special={day: [hours]})
            start, end = calendar.next_start(long_ago), calendar.next_end(long_ago)
            assert start is not None
            assert start.date() == day
            assert end is not None
            assert f"{start:%H:%M}-{end:%H:%M}" == hours
            assert calendar.previous_start(far_off) == start
            assert calendar.previous_end(far_off) == end
