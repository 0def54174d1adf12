"""Reads from Airflow's task context which shift end a run is for, and why it found batches started late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pendulum import DateTime

from airflow_provider_isales.client.models import CampaignKey, VdnKey
from airflow_provider_isales.client.text import join_named
from airflow_provider_isales.shifts import TICK, ShiftCalendar, in_utc
from airflow_provider_isales.shifts.lateness import format_lateness

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_POSSIBLE_REASONS = (
    "Possible reasons: the pause at the end failed or did not run, somebody restarted calls, a campaign began, the "
    "calendar was changed, or this worker's clock is ahead."
)


class Deadline(NamedTuple):
    """
    When something had to be paused.

    :param since: the end of the shift, or of a hold, in the calendar's time zone
    :param due: when the first run after it is due: lateness counts from there
    :param event: what ended, for messages
    """

    since: DateTime
    due: DateTime
    event: str = "the end of the shift at"


def find_due_time(context: Context) -> DateTime | None:
    """Return when a run that the scheduler created was due; None for a run that somebody triggered or cleared."""
    run, end = context.get("dag_run"), context.get("data_interval_end")
    if run is None or run.run_type != "scheduled" or run.clear_number or not end:
        return None
    return in_utc(end)


def find_own_shift_end(shifts: ShiftCalendar, context: Context) -> DateTime | None:
    """
    Return the shift end for which the scheduler created a run: the one in its data interval.

    None for a repeat, and for a run that somebody triggered or cleared: that is for the time of this action.
    """
    start, end = context.get("data_interval_start"), find_due_time(context)
    if not (start and end):
        return None
    last = shifts.previous_end(end + TICK)
    if last is None:
        return None
    # The timetable may move the bounds of an overdue run by microseconds, to give it a unique logical date.
    is_at_end = end - in_utc(last) < timedelta(seconds=1)
    return last if is_at_end or in_utc(start) < in_utc(last) else None


def is_retry(context: Context) -> bool:
    """Return whether an earlier try failed or was lost since the run was created or last cleared."""
    ti, run = context["ti"], context.get("dag_run")
    if ti.try_number > 1 and run is not None and not run.clear_number:
        return True
    # Clearing sets max_tries to the number of the last try plus the task's retries.
    return ti.try_number > max(1, ti.max_tries - (context["task"].retries or 0) + 1)


def find_last_success(context: Context) -> tuple[DateTime, DateTime] | None:
    """Return the end of the data interval of the last successful run before this one, and when it was started."""
    interval_end, started = context.get("prev_data_interval_end_success"), context.get("prev_start_date_success")
    return (in_utc(interval_end), in_utc(started)) if interval_end and started else None


def explain_lateness(shifts: ShiftCalendar, context: Context, since: DateTime, max_lateness: timedelta) -> str:
    """
    Say why something was still started: as far as Airflow knows, or else possible reasons.

    :param since: when it had to be paused: the end of the shift, or of a hold, during which earlier runs skipped
    """

    def format_time(moment: datetime) -> str:
        return f"{in_utc(moment).in_timezone(shifts.timezone):%H:%M:%S on %a %Y-%m-%d}"

    if is_retry(context):
        return "Earlier tries of this run failed."
    try:
        success = find_last_success(context)
    except Exception:  # naming the late batches matters more
        return _POSSIBLE_REASONS
    if success and max(success) >= in_utc(since):
        return (
            f"The last successful run was that of {format_time(success[1])}, so a person, another DAG or a campaign's "
            "own begin started calls since, or the calendar or a hold was changed."
        )
    if started := find_own_shift_end(shifts, context) and context["dag_run"].start_date:
        why = "the DAG was paused in Airflow, or the scheduler was down or busy"
        if in_utc(started) - since <= max_lateness:
            why = "no worker was free, or this one's clock is ahead"
        return f"Airflow started the run for that end at {format_time(started)}: {why}."
    known = "No run of this DAG has succeeded since. " if "prev_data_interval_end_success" in context else ""
    return known + _POSSIBLE_REASONS


def describe_late(late: Mapping[Any, datetime], deadline: Deadline, record: Mapping[str, Any], reason: str) -> str:
    """
    Say what was late, and that it is paused now.

    :param late: when each was asked to be paused, by id: until then it was started
    :param record: the result of the task
    :param reason: why, in sentences
    """
    scope, kind, noun = VdnKey(record["vdn_id"]), "campaigns", "campaign"
    if "campaign_id" in record:
        scope, kind, noun = CampaignKey(scope.vdn_id, record["campaign_id"]), "batches", "batch"
    nouns, were, they = (noun, "was", "it is") if len(late) == 1 else (kind, "were", "they are")
    zone = str(deadline.since.timezone_name)
    until = in_utc(max(late.values())).in_timezone(zone)
    return (
        f"{len(late)} {nouns} of {scope} {were} still started at {until:%H:%M} {zone}, "
        f"{format_lateness(until - deadline.since, deadline.since, deadline.event)}; {they} paused now. {reason} "
        f"{kind.capitalize()}: {join_named(late, record.get('names', {}))}."
    )
