"""Read the data of responses about campaigns."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_isales.client.arguments import MAX_DIGITS
from airflow_provider_isales.client.errors import ISalesProtocolError
from airflow_provider_isales.client.models import Campaign, CampaignStatus, SpecialDate
from airflow_provider_isales.client.responses import Page, Success, read_entries, read_text
from airflow_provider_isales.client.text import format_value

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?")


def read_campaign_page(success: Success) -> Page[Campaign]:
    """Return one page of campaigns; raise ``ISalesProtocolError`` if it is not as documented."""
    total, data = _read_number(success.payload, "totalSize"), success.payload.get("data")
    if total is None:
        raise ISalesProtocolError(f"totalSize is {format_value(success.payload.get('totalSize'))}, not a count")
    campaigns, problem = read_entries(data, "campaigns", _read_entry)
    return Page(campaigns, total, _read_number(success.payload, "rowsPerPage"), problem)


def read_campaign(success: Success) -> Campaign:
    """Return a campaign with its details; raise ``ISalesProtocolError`` if they are not as documented."""
    return _read_entry(success.payload.get("returnObject"))


def read_special_dates(success: Success) -> list[SpecialDate]:
    """Return a campaign's special dates; raise ``ISalesProtocolError`` if they are not as documented."""
    data = success.payload.get("data")
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise ISalesProtocolError(f"data is {format_value(data)}, not a list of special dates")
    return [
        SpecialDate(
            name=read_text(entry, "name"),
            kind=_read_number(entry, "type") or 0,
            week=read_text(entry, "week"),
            begin=read_text(entry, "beginTime"),
            end=read_text(entry, "endTime"),
        )
        for entry in data
    ]


def _read_entry(entry: object) -> Campaign:
    fields = entry if isinstance(entry, dict) else {}
    campaign_id, status = _read_number(fields, "id"), _read_number(fields, "status")
    if not campaign_id or status is None:
        raise ISalesProtocolError(f"{format_value(entry)} is not a campaign with id and status")
    return Campaign(
        id=campaign_id,
        name=read_text(fields, "name"),
        status=CampaignStatus(status) if status in tuple(CampaignStatus) else status,
        begin=_read_time(fields, "strBeginTime", timedelta()),
        end=_read_time(fields, "strEndTime", timedelta(days=1)),
        workday_hours=_read_hours(fields.get("scheduleParam"), "workday"),
        special_day_hours=_read_hours(fields.get("scheduleParam"), "holiday"),
    )


def _read_number(fields: dict[str, Any], name: str) -> int | None:
    """Return a non-negative integer. The reference does not say whether it is a number or text."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _read_time(fields: dict[str, Any], name: str, date_alone: timedelta) -> datetime | None:
    """Return a time without a zone; ``date_alone`` is added to a bare date, the form of older reference revisions."""
    text = read_text(fields, name)
    match = _TIME.fullmatch(text)  # and fromisoformat(): together ten times as fast as strptime()
    try:
        return datetime.fromisoformat(text) + (timedelta() if match[1] else date_alone) if match else None
    except (ValueError, OverflowError):
        return None


def _read_hours(schedule: object, days: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(schedule, dict):
        return ()
    pairs = [
        (read_text(schedule, f"{days}BeginTime{number}"), read_text(schedule, f"{days}EndTime{number}"))
        for number in (1, 2, 3)
    ]
    return tuple((begin, end) for begin, end in pairs if begin and end)
