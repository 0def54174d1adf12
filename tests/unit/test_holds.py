"""Holds: which overtime a value means, after which shift, and which values are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as some

from airflow_provider_isales.client import ISalesArgumentError
from airflow_provider_isales.shifts import ShiftCalendar, in_utc
from airflow_provider_isales.support.holds import Hold, check_hold, find_first_run, read_hold
from airflow_provider_isales.support.templates import is_templated, read_rendered

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})


def shanghai(text: str) -> pendulum.DateTime:
    """Return a time of November 2026; the 25th is a Wednesday."""
    return pendulum.from_format(f"2026-11-{text}", "YYYY-MM-DD HH:mm", tz="Asia/Shanghai")


def read(value: Any, now: str, shifts: ShiftCalendar | None = SHIFTS) -> Hold | None:
    """Return the hold that a pause finds in the closed time around ``now``."""
    moment = shanghai(now).in_timezone("UTC")
    return read_hold(value, shifts, moment)


def until(value: Any, now: str, shifts: ShiftCalendar | None = SHIFTS) -> str | None:
    hold = read({"until": value}, now, shifts)
    return f"{hold.until.in_timezone('Asia/Shanghai'):%d %H:%M}" if hold else None


@pytest.mark.parametrize(
    "value",
    [
        {"until": "2026-11-25T20:00+08:00", "campaign_ids": [1001, "1002"], "reason": "sale"},
        '{"until": "2026-11-25T12:00:00Z", "campaign_ids": [1001, 1002], "reason": "sale"}',
        "{'until': '2026-11-25 20:00:00+0800', 'campaign_ids': ('1001', 1002), 'reason': 'sale'}",
        {"until": datetime(2026, 11, 25, 12, tzinfo=UTC), "campaign_ids": (1001, 1002), "reason": "sale"},
        {"until": "2026-11-25T20:00+08:00", "campaign_ids": '[1001, "1002"]', "reason": "sale"},
    ],
    ids=["mapping", "JSON", "Python", "datetime", "rendered campaigns"],
)
def test_a_hold_is_a_mapping_or_the_text_of_one(value: Any) -> None:
    hold = read(value, "25 18:30")
    assert hold == Hold(shanghai("25 20:00"), frozenset({1001, 1002}), "sale")
    assert hold.until.timezone_name == "Asia/Shanghai"


@pytest.mark.parametrize("value", [None, "", " ", "None", "null"])
def test_no_hold_may_have_any_form_that_a_template_renders(value: Any) -> None:
    assert read(value, "25 18:30") is None


def test_a_hold_without_campaigns_covers_all() -> None:
    hold = read({"until": "20:00"}, "25 18:30")
    assert hold
    assert hold.campaign_ids is None
    assert hold.covers(7)


class TestATimeWithoutADate:
    @pytest.mark.parametrize("now", ["25 18:00", "25 21:00", "26 02:00", "26 08:59"])
    def test_a_time_without_a_date_is_on_the_day_of_the_shift_end(self, now: str) -> None:
        assert until("20:00", now) == "25 20:00"

    def test_a_time_without_a_date_does_not_apply_on_days_without_a_shift(self) -> None:
        assert until("20:00", "29 10:00") == "27 20:00"

    def test_a_time_before_the_end_of_the_shift_is_no_hold(self) -> None:
        assert until("01:00", "25 18:30") is None

    def test_a_time_without_a_date_is_in_the_zone_of_the_calendar(self) -> None:
        berlin = ShiftCalendar("Europe/Berlin", {"mon-fri": ["09:00-12:00"]})
        assert until("20:00", "25 23:00", berlin) == "26 03:00"

    @pytest.mark.parametrize("hours", ["18:00-24:00", "22:00-02:00", "19:00-24:00"])
    @pytest.mark.parametrize("value", ["17:00", "20:00", "23:59"])
    def test_a_time_without_a_date_does_not_hold_all_day_after_a_night_shift(self, hours: str, value: str) -> None:
        night = ShiftCalendar("Asia/Shanghai", {"mon-fri": [hours]})
        assert until(value, "26 02:30", night) is None

    def test_a_time_that_occurs_twice_is_its_first_occurrence(self) -> None:
        berlin = ShiftCalendar("Europe/Berlin", {"sun": ["00:30-01:00"]})
        now = datetime(2026, 10, 24, 23, tzinfo=UTC)
        hold = read_hold({"until": "02:30"}, berlin, pendulum.instance(now))
        assert hold
        assert in_utc(hold.until) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    def test_a_time_without_a_date_is_an_error_without_a_calendar(self) -> None:
        with pytest.raises(ISalesArgumentError, match="until 20:00 has no time zone"):
            read({"until": "20:00"}, "25 18:30", None)


class TestAHoldProlongsTheLastShiftThatEndsBeforeIt:
    def test_a_hold_of_tonight_does_not_affect_the_lunch_break(self) -> None:
        assert until("2026-11-25T20:00+08:00", "25 12:10") is None

    @pytest.mark.parametrize("value", ["13:30", "2026-11-25T13:00+08:00", "2026-11-25T14:00+08:00"])
    def test_a_hold_may_prolong_the_shift_before_the_lunch_break(self, value: str) -> None:
        assert until(value, "25 12:10")

    def test_a_hold_may_be_for_a_day_without_shifts(self) -> None:
        assert until("2026-11-28T15:00+08:00", "28 10:00") == "28 15:00"

    @pytest.mark.parametrize("value", ["2026-11-25T18:00+08:00", "18:00", "17:00", "2026-11-24T20:00+08:00"])
    def test_a_hold_that_ended_before_the_shift_is_none(self, value: str) -> None:
        assert until(value, "25 18:30") is None

    def test_a_hold_is_returned_after_its_end(self) -> None:
        assert until("2026-11-25T20:00+08:00", "25 23:00") == "25 20:00"


def test_without_a_calendar_a_hold_lasts_until_its_time() -> None:
    assert until("2026-11-25T20:00+08:00", "25 12:10", None) == "25 20:00"
    assert until("2026-11-25T20:00+08:00", "25 20:00", None) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "hold must be None or a mapping such as "),
        ("20:00", "hold must be None or a mapping such as "),
        ('{"until": ', "hold must be None or a mapping such as "),
        ([], "hold must be None or a mapping such as "),
        ({}, 'hold needs "until"'),
        ({"reason": "sale"}, 'hold needs "until"'),
        ({"until": "20:00", "campaigns": [1]}, "hold has the unknown key 'campaigns'; until, campaign_ids, reason are"),
        ({"until": "20:00", 1: 2}, "hold has the unknown key 1"),
        ({"until": None}, "hold: until must be an ISO time with a time zone"),
        ({"until": "2026-11-25T20:00"}, "hold: until must be an ISO time with a time zone"),
        ({"until": datetime(2026, 11, 25)}, "hold: until must be an ISO time with a time zone"),
        ({"until": "24:00"}, "hold: until must be an ISO time with a time zone"),
        ({"until": "tonight"}, "hold: until must be an ISO time with a time zone"),
        ({"until": "0001-01-01T00:00+08:00"}, "hold: until must be an ISO time with a time zone"),
        ({"until": "20:00", "campaign_ids": []}, "hold: campaign_ids must be a list of campaign ids; leave it out"),
        ({"until": "20:00", "campaign_ids": "1001"}, "hold: campaign_ids must be a list of campaign ids"),
        ({"until": "20:00", "campaign_ids": None}, "hold: campaign_ids must be a list of campaign ids"),
        ({"until": "20:00", "campaign_ids": ["x"]}, "hold: campaign_ids must be a positive integer, not 'x'"),
        ({"until": "20:00", "reason": 7}, "hold: reason must be text, not 7"),
    ],
)
def test_an_invalid_hold_is_an_error_that_says_what_is_allowed(value: Any, message: str) -> None:
    with pytest.raises(ISalesArgumentError) as at_parse_time:
        check_hold(value, SHIFTS)
    with pytest.raises(ISalesArgumentError) as in_the_run:
        read(value, "25 18:30")
    assert str(at_parse_time.value) == str(in_the_run.value)
    assert str(in_the_run.value).startswith(message)


def test_a_hold_that_ends_more_than_a_day_ahead_is_an_error() -> None:
    assert until("2026-11-28T09:00+08:00", "27 18:00") is not None
    assert until("2026-11-28T18:00+08:00", "27 18:00") is not None
    with pytest.raises(ISalesArgumentError, match=r"at most 24 hours ahead, not 18:01 on Sat 2026-11-28 Asia/Shanghai"):
        until("2026-11-28T18:01+08:00", "27 18:00")


@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.datetimes(),
        lambda inner: (
            some.lists(inner, max_size=3)
            | some.dictionaries(some.sampled_from(["until", "campaign_ids", "reason", "x"]), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_any_value_is_a_hold_or_none_or_an_error(value: Any) -> None:
    for written in (value, repr(value), json.dumps(value, default=str)):
        try:
            hold = read(written, "25 18:30")
        except ISalesArgumentError:
            continue
        assert hold is None or hold.until > shanghai("25 18:00")


@given(some.integers(0, 24 * 60 - 1), some.integers(0, 13 * 24 * 60))
def test_a_time_without_a_date_does_not_apply_after_a_shift_end_of_another_day(minute: int, later: int) -> None:
    now = shanghai("16 00:00").add(minutes=later).in_timezone("UTC")
    end = SHIFTS.previous_end(now + timedelta(microseconds=1))
    hold = read_hold({"until": f"{minute // 60:02}:{minute % 60:02}"}, SHIFTS, now)
    assert end
    assert hold is None or hold.until.date() == end.date()


@pytest.mark.parametrize(
    "value",
    [
        "{{ x }}",
        {"until": "{{ x }}"},
        {"until": "20:00", "campaign_ids": ["{{ x }}"]},
        {"until": "20:00", "reason": ["{{ x }}"]},
    ],
)
def test_a_template_that_was_not_rendered_is_an_error(value: Any) -> None:
    with pytest.raises(ISalesArgumentError):
        read(value, "25 18:30")


class TestCheckingAHoldWhenTheDagIsParsed:
    @pytest.mark.parametrize(
        "value",
        [
            "{{ var.value.get('isales_hold', '') }}",
            {"until": "{{ params.until }}", "campaign_ids": "{{ params.ids }}", "reason": "{{ params.reason }}"},
            {"until": "20:00", "campaign_ids": [1001, "{{ params.id }}"]},
        ],
    )
    def test_templates_of_a_hold_are_left_to_the_run(self, value: Any) -> None:
        check_hold(value, SHIFTS)

    def test_errors_beside_templates_of_a_hold_are_found(self) -> None:
        with pytest.raises(ISalesArgumentError, match="unknown key 'ids'"):
            check_hold({"until": "{{ params.until }}", "ids": [1]}, SHIFTS)

    def test_checking_a_hold_does_not_depend_on_the_time(self) -> None:
        check_hold({"until": "2199-01-01T00:00+08:00"}, SHIFTS)


TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("value", "shifts", "repeat", "due"),
    [
        ("20:00", SHIFTS, TEN_MINUTES, "20:00"),
        ("20:01", SHIFTS, TEN_MINUTES, "20:10"),
        ("18:03", SHIFTS, TEN_MINUTES, "18:10"),
        ("20:01", SHIFTS, None, "20:01"),
        ("20:01", None, TEN_MINUTES, "20:01"),
    ],
    ids=["at a repeat", "before one", "before the first", "no repeats", "other shifts"],
)
def test_the_first_run_after_a_hold_is_the_first_repeat_not_before_its_end(
    value: str, shifts: ShiftCalendar | None, repeat: timedelta | None, due: str
) -> None:
    hold = read({"until": value}, "27 18:00")
    assert hold
    timetable = SimpleNamespace(shifts=shifts, repeat=repeat)
    assert find_first_run(hold, SHIFTS, shanghai("27 18:00"), timetable) == shanghai(f"27 {due}")


def test_held_campaigns_are_described_with_the_end_and_the_reason() -> None:
    hold = read({"until": "20:00", "campaign_ids": [2, 1], "reason": "end of month"}, "25 18:30")
    assert hold
    assert hold.describe([1, 2]) == (
        "Not paused: 1, 2, because of a hold until 20:00 on Wed 2026-11-25 Asia/Shanghai: end of month. "
        'The first run after that pauses what is still started. "until" names no date, so the hold applies every day '
        "until somebody removes it."
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["1", 2]', ["1", 2]),
        ("['1', 2]", ["1", 2]),
        ("(1, 2)", (1, 2)),
        (' {"a": null} ', {"a": None}),
        ("{'a': None}", {"a": None}),
        ("", None),
        ("None", None),
        ("all", "all"),
        ("[1", "[1"),
        ("0012", "0012"),
    ],
)
def test_rendered_text_is_read_as_json_or_as_a_python_literal(text: str, value: Any) -> None:
    assert read_rendered(text) == value


@pytest.mark.parametrize("value", ["{{ x }}", "{% x %}", ["1", "{{ x }}"], {"a": ["{{ x }}"]}, ({"a": "{# x #}"},)])
def test_a_value_is_templated_if_a_part_of_it_is(value: Any) -> None:
    assert is_templated(value)


@pytest.mark.parametrize("value", ["x", ["1"], {"{{ a }}": 1}, None, 7])
def test_a_value_without_a_template_is_not_templated(value: Any) -> None:
    assert not is_templated(value)
