"""``isales check``."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from airflow_provider_isales.cli.at_once import map_each
from airflow_provider_isales.cli.calendars import read_calendar
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.output import format_count, say, say_json
from airflow_provider_isales.cli.statuses import FAILURE, SUCCESS, UNUSABLE, UsageError
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.listing import list_agreed_batches
from airflow_provider_isales.client.models import BatchStatus, CampaignKey
from airflow_provider_isales.client.text import join_first
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.shifts.lateness import format_duration, format_lateness

PARALLEL = 8
# Somebody is called: that is worse than not to know.
_URGENCY = (FAILURE, UNUSABLE, SUCCESS)


class Verdict(NamedTuple):
    """What was found in a campaign: the exit status that it stands for, in words, and for scripts."""

    status: int
    text: str
    record: dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    if arguments.max_lateness is not None and not arguments.shifts:
        raise UsageError("--max-lateness needs --shifts CALENDAR: without, no shift has an end to be late after")
    shifts = read_calendar(arguments.shifts) if arguments.shifts else None
    with make_client(arguments, PARALLEL) as client:
        campaigns = make_campaign_keys(client, arguments.campaigns)
        look = partial(_look, client=client, shifts=shifts, arguments=arguments)
        verdicts = map_each(look, campaigns, PARALLEL).values()
    # What is wrong comes first: Nagios shows the first line.
    found = sorted(verdicts, key=lambda verdict: _URGENCY.index(verdict.status))
    if arguments.output == "json":
        say_json([verdict.record for verdict in found])
    else:
        for verdict in found:
            if verdict.status or not arguments.quiet:
                say(verdict.text)
    return found[0].status


def _look(
    campaign: CampaignKey, client: ISalesClient, shifts: ShiftCalendar | None, arguments: argparse.Namespace
) -> Verdict:
    record: dict[str, Any] = {**vars(campaign), "started": []}
    try:
        now = client.session.gate.now
        began = now()
        for batch in list_agreed_batches(client.session, campaign):
            if batch.status is BatchStatus.STARTED and batch.id not in arguments.exclude:
                record["started"].append(batch.id)
        max_lateness = arguments.max_lateness or timedelta()
        status, text, lateness = _judge(record["started"], shifts, (began, now()), max_lateness)
        return Verdict(status, f"{'STARTED' if status else 'OK'} {campaign}: {text}", record | lateness)
    except ISalesError as error:
        problem = str(error)
    except Exception as error:  # a bug must not keep the other campaigns from being looked at
        problem = f"unexpected {type(error).__name__}: {error}"
    return Verdict(UNUSABLE, f"UNKNOWN {campaign}: {problem}", record | {"error": problem})


def _judge(
    started: list[str], shifts: ShiftCalendar | None, listed: tuple[datetime, datetime], max_lateness: timedelta
) -> tuple[int, str, dict[str, Any]]:
    """
    Tell whether what is started must not be: the exit status, in words, and how late it is.

    :param listed: when the listing began and ended: a batch may be started if a shift was on at either
    """
    if not started:
        return SUCCESS, "nothing is started", {}
    count, named = format_count(len(started), "batch", "batches"), join_first(started)
    if shifts is None:
        return FAILURE, f"{count}: {named}", {}
    if on := next((at for at in listed if shifts.is_on(at)), None):
        return SUCCESS, f"{len(started)} started, a shift is on: {shifts.shift_at(on) or 'it never ends'}", {}
    end = shifts.previous_end(listed[0])
    if end is None:
        return FAILURE, f"{count} before the first shift: {named}", {}
    late = listed[0] - end
    lateness = {"shift_end": end.isoformat(), "seconds_after_shift_end": round(late.total_seconds(), 3)}
    after = format_lateness(late, end)
    if late <= max_lateness:
        return SUCCESS, f"{len(started)} started {after}; {format_duration(max_lateness)} are allowed", lateness
    return FAILURE, f"{count} {after}: {named}", lateness
