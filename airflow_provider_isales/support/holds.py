"""Holds: during overtime, pause tasks leave campaigns alone until a given time."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pendulum import DateTime

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import check_campaign_id, make_argument_error
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.text import clean_text, format_value, join_first
from airflow_provider_isales.shifts import TICK, ShiftCalendar, in_utc
from airflow_provider_isales.support.templates import is_templated, read_rendered

MAX_HOLD = timedelta(hours=24)
_FIELDS = ("until", "campaign_ids", "reason")
_EXAMPLE = '{"until": "2026-11-29T20:00+08:00", "campaign_ids": [1001], "reason": "..."}'
_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Hold:
    """
    Which campaigns to leave alone, and until when.

    :param until: its end, in the calendar's time zone; in UTC without a calendar
    :param campaign_ids: the campaigns that it covers; None for all
    :param reason: for messages
    :param is_daily: whether it names no date, so that it applies again after the next shift
    """

    until: DateTime
    campaign_ids: frozenset[int] | None = None
    reason: str = ""
    is_daily: bool = False

    def covers(self, campaign_id: int) -> bool:
        """Return whether it covers this campaign."""
        return self.campaign_ids is None or campaign_id in self.campaign_ids

    def describe(self, held: Collection[int]) -> str:
        """
        Say what is not paused, until when and why.

        :param held: the campaigns that it leaves alone; empty for all
        """
        what = f"Not paused: {join_first(held)}" if held else "Not paused"
        why = f": {clean_text(self.reason)}" if self.reason else ""
        text = f"{what}, because of a hold until {format_until(self.until)}{why}. The first run after that pauses what "
        text += "is still started."
        if self.is_daily:
            text += ' "until" names no date, so the hold applies every day until somebody removes it.'
        return text


def format_until(until: DateTime) -> str:
    """Format the end of a hold with its date and time zone."""
    return f"{until:%H:%M} on {until:%a %Y-%m-%d} {until.timezone_name}"


def check_hold(value: object, shifts: ShiftCalendar | None) -> None:
    """
    Check a hold when the DAG is parsed: all that is not templated, without regard to the present time.

    :raises ISalesArgumentError: it is not a valid hold; the message says what is allowed
    """
    if isinstance(value, Mapping) or not is_templated(value):
        fields = _read_fields(value, is_left_out=is_templated)
        if fields and not is_templated(fields["until"]):
            read_until(fields["until"], shifts.timezone if shifts else None, clock.utc_now())


def read_hold(value: object, shifts: ShiftCalendar | None, now: DateTime) -> Hold | None:
    """
    Return the hold that prolongs the last shift; None if there is none. With shifts, even if it is over by now.

    A hold prolongs the last shift that ends before the hold does: one until 20:00 does not affect the lunch break.
    Without a date, it is for the day on which the shift began: after a night shift, "20:00" must not hold all day.

    :param value: as it was given or as a template rendered it
    :param now: in UTC
    :raises ISalesArgumentError: it is not a valid hold, or ends more than 24 hours ahead
    """
    fields = _read_fields(value)
    if fields is None:
        return None
    zone: str | None = None
    last_end: DateTime | None = now
    next_end: DateTime | None = None
    day = now
    if shifts is not None:
        zone, last_end, next_end = shifts.timezone, shifts.previous_end(now + TICK), shifts.next_end(now)
        shift = shifts.shift_at(last_end - TICK) if last_end else None
        day = shift.start if shift else last_end or now
    until = read_until(fields["until"], zone, day)
    local_until = until.in_timezone(zone or "UTC")
    if until - now > MAX_HOLD:
        raise ISalesArgumentError(f"hold: until must be at most 24 hours ahead, not {format_until(local_until)}")
    if (last_end and until <= last_end) or (next_end and next_end <= until):
        return None
    return Hold(local_until, fields.get("campaign_ids"), fields.get("reason", ""), is_time_of_day(fields["until"]))


def find_first_run(hold: Hold, shifts: ShiftCalendar, shift_end: DateTime, timetable: object) -> DateTime:
    """Return when the first run after a hold is due; the end of the hold unless the timetable is known to repeat."""
    repeat: timedelta | None = getattr(timetable, "repeat", None)
    if repeat is None or getattr(timetable, "shifts", None) != shifts:
        return hold.until
    number = math.ceil((in_utc(hold.until) - in_utc(shift_end)).total_seconds() / repeat.total_seconds())
    return in_utc(shift_end) + max(1, number) * repeat


def _read_fields(value: object, is_left_out: Callable[[object], bool] = lambda each: False) -> dict[str, Any] | None:
    """
    Return the fields of a hold, or None for no hold.

    :param is_left_out: which fields not to check; ``until`` is not checked either
    """
    fields = read_rendered(value)
    if fields is None:
        return None
    if not isinstance(fields, Mapping):
        raise make_argument_error("hold", f"None or a mapping such as {_EXAMPLE}", value)
    for key in (key for key in fields if key not in _FIELDS):
        raise ISalesArgumentError(f"hold has the unknown key {format_value(key)}; {', '.join(_FIELDS)} are allowed")
    if "until" not in fields:
        raise ISalesArgumentError('hold needs "until": when it ends, at most 24 hours ahead')
    checked = {key: each for key, each in fields.items() if not is_left_out(each)}
    if not isinstance(checked.get("reason", ""), str):
        raise make_argument_error("hold: reason", "text", checked["reason"])
    ids = {"campaign_ids": _read_campaign_ids(checked["campaign_ids"])} if "campaign_ids" in checked else {}
    return {**fields, **ids}


def is_time_of_day(value: object) -> bool:
    """Return whether the end of a hold is written as ``HH:MM``."""
    return isinstance(value, str) and _TIME_OF_DAY.fullmatch(value.strip()) is not None


def read_until(value: object, zone: str | ZoneInfo | None, day: datetime) -> DateTime:
    """
    Return the end of a hold, in UTC.

    :param value: an ISO time with a time zone, or ``HH:MM``
    :param zone: the time zone of ``HH:MM``
    :param day: any instant on the date of ``HH:MM``
    :raises ISalesArgumentError: for anything else, or ``HH:MM`` without a zone
    """
    text = value.strip() if isinstance(value, str) else ""
    if is_time_of_day(text):
        if zone is None:
            raise ISalesArgumentError(f"hold: until {text} has no time zone: give a calendar, or write date and offset")
        zone = ZoneInfo(str(zone))
        return in_utc(datetime.combine(day.astimezone(zone).date(), time.fromisoformat(text), zone))
    try:
        until = value if isinstance(value, datetime) else datetime.fromisoformat(text)
        if until.utcoffset() is not None:
            return in_utc(until.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    allowed = 'an ISO time with a time zone, such as "2026-11-29T20:00+08:00", or "HH:MM"'
    raise make_argument_error("hold: until", allowed, value)


def _read_campaign_ids(value: object) -> frozenset[int]:
    ids = read_rendered(value)
    if not isinstance(ids, list | tuple) or not ids:
        raise make_argument_error("hold: campaign_ids", "a list of campaign ids; leave it out for all", value)
    return frozenset(check_campaign_id(each, "hold: campaign_ids") for each in ids)
