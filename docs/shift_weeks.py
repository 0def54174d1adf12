"""Draws weeks of a shift calendar, as ``isales shifts --svg`` does: ``make picture``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.terminal.picture import drawn

SHIFTS = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-thu": ["09:00-12:00", "13:30-18:00"], "fri": ["09:00-12:00", "22:00-02:00"], "sat": ["09:00-12:00"]},
    closed=["2026-10-01"],
    special={"2026-10-11": ["09:00-18:00"]},
    last_call="PT30M",
)
FIRST, DAYS = date(2026, 9, 28), 14
TARGET = Path(__file__).with_name("shift-weeks.svg")


def main() -> None:
    """Draw the picture."""
    TARGET.write_text(drawn(SHIFTS, FIRST, DAYS), encoding="utf-8")
    print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
