"""
The guard against the wrong hour: a pause during a shift stops the day's work, a resume outside one rings at night.

Both happen to late runs: the scheduler was down overnight, or someone cleared last night's run at noon.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_isales.shifts import ShiftCalendar

log = logging.getLogger(__name__)

# A worker's clock may be behind the scheduler's. A run that is only this early is on time, and must not be skipped.
CLOCK_TOLERANCE_SECONDS = 30


def skip_pause_during_shift(shifts: ShiftCalendar) -> datetime | None:
    """
    Return until when it is right to pause: the next start of a shift, None if there is none.

    In the last 30 seconds of a shift, wait for its end.

    :param shifts: when people may be called
    :raises AirflowSkipException: while a shift is on
    """
    now = _utc_now()
    if shifts.is_on(now):
        end = shifts.next_end(now)
        if end is None or _seconds_between(now, end) > CLOCK_TOLERANCE_SECONDS:
            raise AirflowSkipException(
                f"Not paused, because a shift is on: {shifts.shift_at(now) or 'one that never starts or never ends'}. "
                f"A pause now would stop its work. {f'It ends at {end.isoformat()}' if end else 'It never ends'}."
            )
        now = _wait_until(end, now)
    return shifts.next_start(now)


def skip_resume_outside_shifts(shifts: ShiftCalendar) -> datetime | None:
    """
    Return until when it is right to resume: the shift's end, None if it has none.

    In the last 30 seconds before a shift, wait for its start. In the last 30 seconds of one, it is too late: a resume
    that overtakes the pause at the end would have people called all night.

    :param shifts: when people may be called
    :raises AirflowSkipException: while no shift is on, or the one that is on is about to end
    """
    now = _utc_now()
    if not shifts.is_on(now):
        start = shifts.next_start(now)
        if start is None or _seconds_between(now, start) > CLOCK_TOLERANCE_SECONDS:
            raise AirflowSkipException(
                "Not resumed, because no shift is on: people would be called outside the shifts. "
                f"{_next_start(shifts, now)}."
            )
        now = _wait_until(start, now)
    end = shifts.next_end(now)
    if end is None:
        return None
    left = _seconds_between(now, end)
    if left <= CLOCK_TOLERANCE_SECONDS:
        raise AirflowSkipException(f"Not resumed, because the shift ends in {left:.0f} s. {_next_start(shifts, now)}.")
    return end


def _next_start(shifts: ShiftCalendar, now: datetime) -> str:
    start = shifts.next_start(now)
    return f"The next shift starts at {start.isoformat()}" if start else "There is no next shift"


def _seconds_between(earlier: datetime, later: datetime) -> float:
    return later.timestamp() - earlier.timestamp()


def _wait_until(edge: datetime, now: datetime) -> datetime:
    """Wait for an edge, and return it in UTC."""
    seconds = _seconds_between(now, edge)
    log.info("Waiting %.1f s for the edge of the shift at %s.", seconds, edge.isoformat())
    time.sleep(seconds)
    return edge.astimezone(UTC)


def _utc_now() -> datetime:
    return datetime.now(UTC)
