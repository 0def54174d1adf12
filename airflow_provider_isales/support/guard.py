"""
The shift guard: no pause while a shift is on, no resume while none is.

Late runs cause both: a scheduler outage, or a run cleared the next day. If a run's own edge is still in the future, the
scheduler made it in time: then this worker's clock is slow.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from airflow_provider_isales.shifts import TICK, ShiftCalendar, in_utc
from airflow_provider_isales.support.runs import find_last_success, find_own_shift_end, is_retry

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pendulum import DateTime

log = logging.getLogger(__name__)

# How far a worker's clock may be behind the scheduler's: beyond it, CC-iSales refuses the signatures anyway.
CLOCK_TOLERANCE = timedelta(minutes=15)
# The same for a run whose data interval names no edge, so that only the worker's clock says whether it is on time.
CLOCK_TOLERANCE_WITHOUT_EDGE = timedelta(seconds=30)

_STILL_EFFECTIVE = "the request could still take effect then"


class Window(NamedTuple):
    """When a task may act: between two edges of a calendar, which are None if there is no edge."""

    since: DateTime | None
    until: DateTime | None


def find_pause_window(
    shifts: ShiftCalendar, context: Context, margin: timedelta, now: DateTime, *, fail_if_missed: bool = False
) -> Window:
    """
    Return the window for a pause: from the end of the shift until the next start.

    The end is the one for which the scheduler created the run, or else the last one. If the run's own end is still
    ahead by this worker's clock, the window begins at once. In the last 30 seconds of another shift, wait for its end.

    :param margin: how long a request may take effect after it was sent
    :param now: this worker's time, in UTC
    :param fail_if_missed: whether to fail, instead of skipping, when nothing was paused after the run's own end
    :raises AirflowSkipException: while a shift is on, or when the next one is about to start
    :raises AirflowFailException: the same after an earlier try, which a skip would hide
    """
    if own := _find_own_edge_ahead(context, shifts.previous_end, now):
        _check_clock("Not paused: this run is for the end of a shift", own, now, shifts.timezone)
        now = own
    elif shifts.is_on(now):
        end = shifts.next_end(now)
        if end is None or end - now > CLOCK_TOLERANCE_WITHOUT_EDGE:
            shift = shifts.shift_at(now) or "one that never starts or never ends"
            ending = f"It ends at {end.isoformat()}" if end else "It never ends"
            reason = f"Not paused, because a shift is on: {shift}. A pause now would stop its work. {ending}."
            _skip_or_fail_pause(shifts, context, reason, fail_if_missed)
        now = _wait_until(end, now)
    start = shifts.next_start(now)
    if start is not None and (left := start - now) <= margin:
        reason = f"Not paused, because the next shift starts in {left.total_seconds():.0f} s: {_STILL_EFFECTIVE}."
        _skip_or_fail_pause(shifts, context, reason, fail_if_missed)
    return Window(find_own_shift_end(shifts, context) or shifts.previous_end(now + TICK), start)


def find_resume_window(shifts: ShiftCalendar, context: Context, margin: timedelta, now: DateTime) -> Window:
    """
    Return the window for a resume: until the end of the shift.

    Before the start for which the run was created, and in the last 30 seconds before another one, wait for it.

    :param margin: how long a request may take effect after it was sent: a resume that overtakes the pause at the end
        would start calls for the whole night
    :param now: this worker's time, in UTC
    :raises AirflowSkipException: while no shift is on, or the one that is on is about to end
    :raises AirflowFailException: the same after an earlier try, which a skip would hide
    """
    if own := _find_own_edge_ahead(context, shifts.previous_start, now):
        _check_clock("Not resumed: this run is for the start of a shift", own, now, shifts.timezone)
        now = _wait_until(own, now)
    elif not shifts.is_on(now):
        start = shifts.next_start(now)
        if start is None or start - now > CLOCK_TOLERANCE_WITHOUT_EDGE:
            reason = "Not resumed, because no shift is on: people would be called outside the shifts."
            skip_or_fail(context, f"{reason} {_format_next_start(shifts, now)}")
        now = _wait_until(start, now)
    end = shifts.next_end(now)
    if end is not None and (left := end - now) <= margin:
        reason = f"Not resumed, because the shift ends in {left.total_seconds():.0f} s: {_STILL_EFFECTIVE}."
        skip_or_fail(context, f"{reason} {_format_next_start(shifts, now)}")
    return Window(None, end)


def _find_own_edge_ahead(
    context: Context, previous: Callable[[datetime], DateTime | None], now: DateTime
) -> DateTime | None:
    """
    Return the edge for which a run was created, if it is still ahead by this worker's clock.

    The edge is a bound of the run's data interval, also with a cron schedule, if the calendar still has it.
    """
    for bound in (context.get("data_interval_start"), context.get("data_interval_end")):
        if bound is not None and now < (edge := in_utc(bound)):
            found = previous(edge + TICK)
            if found is not None and in_utc(found) == edge:
                return edge
    return None


def _check_clock(not_done: str, edge: DateTime, now: DateTime, timezone: str) -> None:
    if edge - now > CLOCK_TOLERANCE:
        due, here = (moment.in_timezone(timezone).isoformat(timespec="seconds") for moment in (edge, now))
        raise AirflowException(
            f"{not_done} at {due}, but this worker's clock says {here}. Correct the clock; if it is right, "
            "clear this task after that time."
        )


def _skip_or_fail_pause(shifts: ShiftCalendar, context: Context, reason: str, fail_if_missed: bool) -> NoReturn:
    own = find_own_shift_end(shifts, context)
    if own is None or not fail_if_missed or is_retry(context):
        skip_or_fail(context, reason)
    end = f"{own:%H:%M} on {own:%a %Y-%m-%d} {shifts.timezone}"
    success = find_last_success(context)
    # A DAG that was just switched on, or that catches up, has missed nothing.
    if success is None or success[1] > in_utc(own):
        raise AirflowSkipException(
            f"{reason} It is unknown whether anything was paused at {end}: no run of this DAG had succeeded by then. "
            "If calls had to stop then, look in the console."
        )
    raise AirflowFailException(
        f"Nothing was paused after the end of the shift at {end}: the run for it started only now, so people may have "
        "been called until the next shift. The DAG was paused in Airflow, or the scheduler or the workers were down or "
        f"busy. {reason}"
    )


def skip_or_fail(context: Context, reason: str) -> NoReturn:
    """
    Skip the task.

    :param reason: why, in sentences
    :raises AirflowSkipException: on the first try
    :raises AirflowFailException: after an earlier try, which a skip would hide
    """
    if is_retry(context):
        raise AirflowFailException(
            f"{reason} Earlier tries of this run failed, but one of them may have taken effect: check in the console "
            "what is being dialled."
        )
    raise AirflowSkipException(reason)


def _format_next_start(shifts: ShiftCalendar, now: DateTime) -> str:
    start = shifts.next_start(now)
    return f"The next shift starts at {start.isoformat()}." if start else "There is no next shift."


def _wait_until(edge: DateTime, now: DateTime) -> DateTime:
    """Wait for an edge; return it in UTC."""
    seconds = (edge - now).total_seconds()
    log.info("Waiting %.1f s until the shift starts or ends at %s.", seconds, edge.isoformat())
    time.sleep(seconds)
    return in_utc(edge)
