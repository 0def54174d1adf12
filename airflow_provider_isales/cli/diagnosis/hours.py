"""The hours in which the platform lets a campaign dial, compared with a calendar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_isales import clock
from airflow_provider_isales.client.errors import ISalesProtocolError
from airflow_provider_isales.client.models import Campaign, SpecialDate
from airflow_provider_isales.client.text import format_value
from airflow_provider_isales.shifts import ShiftCalendar

#: How many days are compared.
DAYS = 14

_BY_WEEK, _BY_DATE = 1, 2
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")


def format_hours(hours: Iterable[tuple[str, str]]) -> str:
    """Return pairs of begin and end as text."""
    return " ".join(f"{begin}-{end}" for begin, end in hours) or "without hours"


def find_gap(campaign: Campaign, dates: list[SpecialDate], shifts: ShiftCalendar, zone: ZoneInfo | None) -> str:
    """
    Describe the first day on which the platform lets the campaign dial outside the shifts; empty if none.

    :param zone: the platform's time zone; the calendar's if None
    :raises ISalesProtocolError: for hours that can't be read
    """
    zone = zone or ZoneInfo(shifts.timezone)
    today = clock.utc_now().astimezone(zone).date()
    for day in (today + timedelta(days=number) for number in range(DAYS)):
        is_special = any(_is_special(each, day) for each in dates)
        hours = campaign.special_day_hours if is_special else campaign.workday_hours
        midnight = datetime.combine(day, time(), zone)
        if not all(_is_within_a_shift(midnight, *pair, shifts) for pair in hours):
            on = shifts.shifts_between(midnight, midnight + timedelta(days=1))
            calendar = format_hours(
                (f"{shift.start.astimezone(zone):%H:%M}", f"{shift.end.astimezone(zone):%H:%M}") for shift in on
            )
            return (
                f"On {day:%a %Y-%m-%d}, the platform lets it dial {format_hours(hours)}, "
                f"the calendar {calendar if on else 'not at all'} ({zone})"
            )
    return ""


def _is_within_a_shift(midnight: datetime, begin: str, end: str, shifts: ShiftCalendar) -> bool:
    start, stop = midnight + _read_time(begin), midnight + _read_time(end)
    if stop <= start:
        stop += timedelta(days=1)
    shift_end = shifts.next_end(start)
    return shifts.is_on(start) and (shift_end is None or shift_end >= stop)


def _is_special(special: SpecialDate, day: date) -> bool:
    if special.kind == _BY_WEEK:
        return str(day.isoweekday()) in special.week.split(",")
    text = f"{day:%Y-%m-%d}" if special.kind == _BY_DATE else f"{day:%m-%d}"
    begin, end = special.begin, special.end or special.begin
    if begin <= end:
        return begin <= text <= end
    return text >= begin or text <= end  # across the new year


def _read_time(text: str) -> timedelta:
    """Return the time since midnight; unlike ``time.fromisoformat`` also for 24:00, which the platform may write."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ISalesProtocolError(f"the campaign's hours have {format_value(text)}, not a time such as 09:00")
    return timedelta(hours=int(found[1]), minutes=int(found[2]))
