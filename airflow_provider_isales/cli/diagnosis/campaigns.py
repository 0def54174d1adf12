"""The reading steps about campaigns as a whole: their list, and the details and hours of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from airflow_provider_isales import clock
from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Visit, make_failure
from airflow_provider_isales.cli.output import format_count
from airflow_provider_isales.client.diagnosis import observe_call
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.listing import list_items
from airflow_provider_isales.client.models import Campaign, CampaignStatus, SpecialDate, VdnKey
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.target_state import describe_status
from airflow_provider_isales.client.verbs import LIST_CAMPAIGNS, LIST_SPECIAL_DATES
from airflow_provider_isales.shifts import ShiftCalendar

_NO_NET = "If Airflow is down, nothing stops this campaign: set its hours in the console."
# How many days the platform's hours are compared with the calendar.
_DAYS = 14
_BY_WEEK, _BY_DATE = 1, 2


def list_vdn(visit: Visit) -> Finding:
    """List all campaigns: a GET without a body."""
    try:
        vdn = VdnKey(visit.campaign.vdn_id)
        statuses = Counter(each.status for each in list_items(visit.client.session, LIST_CAMPAIGNS, vdn, retry=ONCE))
    except ISalesError as error:
        return make_failure(error)
    counts = ", ".join(f"{count} {describe_status(status)}" for status, count in sorted(statuses.items()))
    found = f"{format_count(statuses.total(), 'campaign', 'campaigns')}{': ' if counts else ''}{counts}"
    if all(isinstance(status, IntEnum) for status in statuses):
        return Finding(State.OK, found)
    return Finding(State.WARN, found, f"The client assumes that such a campaign may be dialling. {REPORT}")


def read_details(visit: Visit) -> Finding:
    """Read the details of the campaign: a GET without a body."""
    campaign = visit.details.value
    if not campaign:
        return make_failure(visit.details)
    found = f"{describe_status(campaign.status)}, from {campaign.begin} to {campaign.end}"
    if campaign.id != visit.campaign.campaign_id:
        return Finding(State.FAIL, f"the platform sent another campaign's details: {found}", REPORT)
    if not (campaign.begin and campaign.end and isinstance(campaign.status, CampaignStatus)):
        return Finding(State.WARN, f"{found}; some of it can't be read", REPORT)
    advice = "Set the connection's extra 'timezone' to the platform's: these times do not name one."
    return Finding(State.OK, found, "" if visit.client.timezone else advice)


def compare_hours(visit: Visit) -> Finding:
    """Compare the hours in which the platform itself lets the campaign dial with the calendar."""
    campaign, dates = visit.details.value, observe_call(visit.client, LIST_SPECIAL_DATES, visit.campaign)
    if campaign is None or dates.value is None:
        return make_failure(dates, state=State.WARN)
    found = f"working days {_format_hours(campaign.workday_hours)}"
    if dates.value:
        count = format_count(len(dates.value), "special date", "special dates")
        found += f", {count} {_format_hours(campaign.special_day_hours)}"
    if not campaign.workday_hours:
        return Finding(State.WARN, f"{found}: the platform lets this campaign dial all day", _NO_NET)
    if visit.shifts is None:
        return Finding(State.OK, found, "To compare them with your calendar, add --shifts FILE.")
    if gap := _find_gap(campaign, dates.value, visit.shifts):
        return Finding(State.WARN, f"{found}. {gap}", _NO_NET)
    if dates.value and not campaign.special_day_hours:
        advice = "The reference does not say whether it dials on these dates: look in the console."
        return Finding(State.WARN, found, advice)
    return Finding(State.OK, f"{found}; within the calendar for the next {_DAYS} days")


def _format_hours(hours: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{begin}-{end}" for begin, end in hours) or "without hours"


def _find_gap(campaign: Campaign, dates: list[SpecialDate], shifts: ShiftCalendar) -> str:
    """Describe the first day on which the platform lets the campaign dial outside the shifts; empty if none."""
    zone = ZoneInfo(shifts.timezone)
    today = clock.utc_now().astimezone(zone).date()
    for day in (today + timedelta(days=number) for number in range(_DAYS)):
        is_special = any(_is_special(each, day) for each in dates)
        hours = campaign.special_day_hours if is_special else campaign.workday_hours
        midnight = datetime.combine(day, time(), zone)
        if not all(_is_within_a_shift(midnight, *pair, shifts) for pair in hours):
            on = shifts.shifts_between(midnight, midnight + timedelta(days=1))
            calendar = " ".join(f"{shift.start:%H:%M}-{shift.end:%H:%M}" for shift in on) or "not at all"
            return f"On {day:%a %Y-%m-%d}, the platform lets it dial {_format_hours(hours)}, the calendar {calendar}"
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
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
