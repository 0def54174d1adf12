"""How late a pause was: the batches that were still started long after the end of the shift, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pendulum import DateTime

from airflow_provider_isales.client.text import after_the_end, first_few
from airflow_provider_isales.shifts import ShiftCalendar, in_utc
from airflow_provider_isales.support.runs import is_retry, last_success, own_shift_end

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


def describe_late(late: Mapping[str, datetime], campaign: object, shift_end: DateTime, zone: str, reason: str) -> str:
    """
    Say which batches were late, and since when they are paused.

    :param late: when each was asked to be paused: until then it was started
    :param campaign: whose they are
    :param shift_end: the end of the shift, in the calendar's time zone
    :param zone: the name of that zone
    :param reason: why, in sentences
    """
    were, they = ("batch", "was"), "it is"
    if len(late) > 1:
        were, they = ("batches", "were"), "they are"
    until = in_utc(max(late.values())).in_timezone(zone)
    return (
        f"{len(late)} {were[0]} of {campaign} {were[1]} dialled until {until:%H:%M} {zone}, "
        f"{after_the_end(until - shift_end, shift_end)}; {they} paused now. {reason} Batches: {first_few(late)}."
    )


def explain_lateness(shifts: ShiftCalendar, context: Context, shift_end: DateTime, max_lateness: timedelta) -> str:
    """Say why batches were still started after the end of a shift: what Airflow knows of it, else what may be."""

    def tell(moment: datetime) -> str:
        return f"{in_utc(moment).in_timezone(shifts.timezone):%H:%M:%S on %a %Y-%m-%d}"

    success = last_success(context)
    if is_retry(context):
        return "Earlier tries of this run failed."
    if success and success[0] >= in_utc(shift_end):
        return (
            f"The run before, of {tell(success[1])}, succeeded. So they, or the campaign, were started since: by "
            "somebody, by another DAG, or in a shift that the calendar has no longer."
        )
    started = own_shift_end(shifts, context) and context["dag_run"].start_date
    if started:
        in_time = in_utc(started) - shift_end <= max_lateness
        why = (
            "no worker was free, or this one's clock is ahead"
            if in_time
            else "the DAG or the scheduler was off or busy"
        )
        return f"Airflow started the run for that end at {tell(started)}: {why}."
    known = "No run of this DAG has succeeded since. " if "prev_data_interval_end_success" in context else ""
    return (
        f"{known}The pause at the end failed or did not run, somebody restarted them, the calendar was changed, or "
        "this worker's clock is ahead."
    )
