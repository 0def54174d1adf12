"""
Draws weeks of a shift calendar: ``make picture`` installs what it needs.

What is drawn is what the calendar answers, so the picture can't say anything else than the code.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from airflow_provider_isales.shifts import ShiftCalendar

WRITTEN = ShiftCalendar(
    timezone="Asia/Shanghai",
    week={"mon-thu": ["09:00-12:00", "13:30-18:00"], "fri": ["09:00-12:00", "22:00-02:00"], "sat": ["09:00-12:00"]},
    closed=["2026-10-01"],
    special={"2026-10-11": ["09:00-18:00"]},
)
SHIFTS = ShiftCalendar.from_dict({**WRITTEN.to_dict(), "last_call": "PT30M"})
FIRST, DAYS = date(2026, 9, 28), 14
REMARKS = {date(2026, 10, 1): "holiday: closed", date(2026, 10, 11): "make-up day: special"}
TARGET = Path(__file__).with_name("shift-weeks.svg")

HOURS = 24
OPEN, START, END = "#9ecae1", "#238b45", "#cb181d"
AFTER_LAST_CALL: dict[str, Any] = {"facecolor": "white", "edgecolor": OPEN, "hatch": "//////"}


def main() -> None:
    """Draw the picture."""
    mpl.rcParams["svg.hashsalt"] = "shift-weeks"  # the same picture each time
    figure, axes = plt.subplots(figsize=(9, 5.2), layout="constrained")
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    for row, day in enumerate(days):
        draw_day(axes, row, day)
    axes.set_yticks(range(DAYS), [f"{day:%a %d %b}" for day in days])
    axes.set_ylim(DAYS - 0.4, -0.6)
    axes.set_xticks(range(0, HOURS + 1, 3), [f"{hour:02}:00" for hour in range(0, HOURS + 1, 3)])
    axes.set_xlim(-0.3, HOURS + 0.3)
    axes.grid(axis="x", alpha=0.3)
    axes.plot([], [], "|", color=START, markersize=12, markeredgewidth=3, label="start")
    axes.plot([], [], "|", color=END, markersize=12, markeredgewidth=3, label="end")
    axes.fill_between([], [], label="after last call", **AFTER_LAST_CALL)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    axes.set_xlabel(f"local time, {SHIFTS.timezone}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(TARGET, metadata={"Date": None})
    print(f"wrote {TARGET.name}")


def draw_day(axes: Axes, row: int, day: date) -> None:
    """Draw the open hours of one date as bars, with the edges that fall on it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(SHIFTS.timezone))
    next_midnight = midnight + timedelta(days=1)
    for calendar, style in ((WRITTEN, AFTER_LAST_CALL), (SHIFTS, {"color": OPEN})):
        for shift in calendar.shifts_between(midnight, next_midnight):
            first = hours_from(midnight, max(shift.start, midnight))
            last = hours_from(midnight, min(shift.end, next_midnight))
            axes.barh(row, last - first, left=first, height=0.55, **style)
    for shift in SHIFTS.shifts_between(midnight, next_midnight):
        for edge, color in ((shift.start, START), (shift.end, END)):
            if midnight <= edge < next_midnight:
                at = hours_from(midnight, edge)
                axes.plot([at, at], [row - 0.34, row + 0.34], color=color, linewidth=3)
    if remark := REMARKS.get(day):
        axes.text(HOURS, row, remark, ha="right", va="center", fontsize=9, style="italic")


def hours_from(midnight: datetime, at: datetime) -> float:
    """Give the hours since a midnight."""
    return (at - midnight).total_seconds() / 3600


if __name__ == "__main__":
    main()
