"""What Airflow's task context says about a run: whom it is for, and what came of those before it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pendulum import DateTime

from airflow_provider_isales.shifts import ShiftCalendar, in_utc

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

# The resolution of time in Airflow: "at or before now" is "before now and this".
TICK = timedelta(microseconds=1)


def own_shift_end(shifts: ShiftCalendar, context: Context) -> DateTime | None:
    """
    Return the end of a shift for which the scheduler made a run: the one in its data interval.

    None for a repeat, and for a run that somebody triggered or cleared: it is for the hour at which that was done.
    """
    run, start, end = context.get("dag_run"), context.get("data_interval_start"), context.get("data_interval_end")
    if run is None or run.run_type != "scheduled" or run.clear_number or not (start and end):
        return None
    last = shifts.previous_end(in_utc(end) + TICK)
    return last if last and (in_utc(start) < in_utc(last) or in_utc(last) == in_utc(end)) else None


def is_retry(context: Context) -> bool:
    """Tell whether an earlier try failed or was lost since the run was made or last cleared."""
    ti, run = context["ti"], context.get("dag_run")
    if ti.try_number > 1 and run is not None and not run.clear_number:
        return True
    # Clearing sets max_tries to the number of the last try plus the task's retries.
    return ti.try_number > max(1, ti.max_tries - (context["task"].retries or 0) + 1)


def last_success(context: Context) -> tuple[DateTime, DateTime] | None:
    """Return the end of the data interval of the last successful run before this one, and when it was started."""
    interval_end, started = context.get("prev_data_interval_end_success"), context.get("prev_start_date_success")
    return (in_utc(interval_end), in_utc(started)) if interval_end and started else None
