"""When people may be called: shifts in the contact centre's own wall-clock time. Knows no Airflow."""

from __future__ import annotations

from airflow_provider_isales.shifts.calendar import CALENDAR_KEYS, TICK, Shift, ShiftCalendar, in_utc
from airflow_provider_isales.shifts.files import read_file
from airflow_provider_isales.shifts.parsing import ShiftCalendarError, ShiftCalendarWarning

__all__ = [
    "CALENDAR_KEYS",
    "TICK",
    "Shift",
    "ShiftCalendar",
    "ShiftCalendarError",
    "ShiftCalendarWarning",
    "in_utc",
    "read_file",
]
