"""
The guard against the wrong hour: a pause during a shift stops the day's work, a resume outside one rings at night.

Both happen to late runs: the scheduler was down overnight, or someone cleared last night's run at noon.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_isales.shifts import ShiftCalendar

log = logging.getLogger(__name__)

# A worker's clock may be behind the scheduler's. A run that is only this early is on time, and must not be skipped.
CLOCK_TOLERANCE = timedelta(seconds=30)


def skip_pause_during_shift(shifts: ShiftCalendar) -> None:
    """
    Return if it is right to pause now.

    In the last 30 seconds of a shift, wait for its end.

    :param shifts: when people may be called
    :raises AirflowSkipException: while a shift is on
    """
    now = _utc_now()
    if not shifts.is_on(now):
        return
    end = shifts.next_end(now)
    if _wait_if_near(end, now):
        return
    shift = shifts.shift_at(now)
    raise AirflowSkipException(
        f"Not paused, because a shift is on: {shift or 'one that never starts or never ends'}. A pause now would stop "
        f"its work. {f'It ends at {end.isoformat()}' if end else 'It never ends'}."
    )


def skip_resume_outside_shifts(shifts: ShiftCalendar) -> None:
    """
    Return if it is right to resume now.

    In the last 30 seconds before a shift, wait for its start.

    :param shifts: when people may be called
    :raises AirflowSkipException: while no shift is on
    """
    now = _utc_now()
    if shifts.is_on(now):
        return
    start = shifts.next_start(now)
    if _wait_if_near(start, now):
        return
    raise AirflowSkipException(
        "Not resumed, because no shift is on: people would be called outside the shifts. "
        f"{f'The next shift starts at {start.isoformat()}' if start else 'There is no next shift'}."
    )


def _wait_if_near(edge: datetime | None, now: datetime) -> bool:
    if edge is None or edge - now > CLOCK_TOLERANCE:
        return False
    seconds = (edge - now).total_seconds()
    log.info("Waiting %.1f s for the edge of the shift at %s.", seconds, edge.isoformat())
    time.sleep(seconds)
    return True


def _utc_now() -> datetime:
    return datetime.now(UTC)
