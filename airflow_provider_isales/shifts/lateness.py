"""Format how late something is after the end of a shift."""

from __future__ import annotations

from datetime import datetime, timedelta


def format_duration(duration: timedelta) -> str:
    """Format a duration as ``4 h 10 min``, ``10 min`` or ``50 s``."""
    seconds = int(duration.total_seconds())
    minutes, hours = seconds // 60 % 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def format_lateness(late: timedelta, since: datetime, event: str = "the end of the shift at") -> str:
    """Format a lateness after the end of the shift, or after another event, in the time zone of ``since``."""
    return f"{format_duration(late)} after {event} {since:%H:%M} on {since:%a %Y-%m-%d}"
