"""A calendar for the tests of scheduling, and the two timetables of it."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
# Lunch breaks, a shift over midnight and over the clock changes of Berlin, holidays, and a make-up day.
SHIFTS = ShiftCalendar(
    "Europe/Berlin",
    {"mon-thu": ["09:00-12:00", "13:00-17:30"], "fri": ["08:00-12:00"], "sat": ["22:00-02:30"]},
    closed=["2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2027-01-01", "2027-03-26"],
    special={"2026-04-11": ["09:00-18:00"], "2026-12-24": ["09:00-11:00"]},
)
ShiftTimetable = ShiftEndTimetable | ShiftStartTimetable
TIMETABLES: list[ShiftTimetable] = [ShiftEndTimetable(SHIFTS), ShiftStartTimetable(SHIFTS)]
