"""``isales check``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from airflow_provider_isales import clock
from airflow_provider_isales.cli.at_once import format_error, map_each
from airflow_provider_isales.cli.commands.shifts import read_calendar
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UNUSABLE, UsageError, format_count, say, say_json
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.listing import list_agreed_batches
from airflow_provider_isales.client.models import BatchStatus, CampaignKey
from airflow_provider_isales.client.text import join_first
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.shifts.lateness import format_duration, format_lateness

PARALLEL = 8
# The worst first: that somebody is called is worse than not to know.
_WORDS = {FAILURE: "STARTED", UNUSABLE: "UNKNOWN", SUCCESS: "OK"}


class Verdict(NamedTuple):
    """What was found in a campaign: its exit status, in words, and more fields for scripts."""

    status: int
    text: str
    fields: Mapping[str, Any] = {}


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    if arguments.max_lateness is not None and not arguments.shifts:
        raise UsageError("--max-lateness needs --shifts CALENDAR: without, no shift has an end to be late after")
    shifts = read_calendar(arguments.shifts) if arguments.shifts else None
    with make_client(arguments, PARALLEL) as client:
        campaigns = make_campaign_keys(client, arguments.campaigns)
        look = partial(_look, client=client, shifts=shifts, arguments=arguments)
        verdicts = map_each(look, campaigns, PARALLEL)
    # What is wrong comes first: Nagios shows the first line.
    found = sorted(verdicts.items(), key=lambda item: [*_WORDS].index(item[1].status))
    if arguments.output == "json":
        say_json([{**vars(campaign), "started": [], **verdict.fields} for campaign, verdict in found])
    else:
        for campaign, verdict in found:
            if verdict.status or not arguments.quiet:
                say(f"{_WORDS[verdict.status]} {campaign}: {verdict.text}")
    return found[0][1].status


def _look(
    campaign: CampaignKey, client: ISalesClient, shifts: ShiftCalendar | None, arguments: argparse.Namespace
) -> Verdict:
    try:
        began = clock.utc_now()
        batches = list_agreed_batches(client.session, campaign)
        started = [
            batch.id for batch in batches if batch.status is BatchStatus.STARTED and batch.id not in arguments.exclude
        ]
        return _judge(started, shifts, (began, clock.utc_now()), arguments.max_lateness or timedelta())
    except Exception as error:
        return Verdict(UNUSABLE, format_error(error), {"error": format_error(error)})


def _judge(
    started: list[str], shifts: ShiftCalendar | None, listed: tuple[datetime, datetime], max_lateness: timedelta
) -> Verdict:
    """
    Decide whether the batches may be started.

    :param listed: when the listing began and ended: a batch may be started if a shift was on at either
    """
    if not started:
        return Verdict(SUCCESS, "nothing is started")
    fields = {"started": started}
    count, named = format_count(len(started), "batch", "batches"), join_first(started)
    if shifts is None:
        return Verdict(FAILURE, f"{count}: {named}", fields)
    if on := next((at for at in listed if shifts.is_on(at)), None):
        text = f"{len(started)} started, a shift is on: {shifts.shift_at(on) or 'it never ends'}"
        return Verdict(SUCCESS, text, fields)
    end = shifts.previous_end(listed[0])
    if end is None:
        return Verdict(FAILURE, f"{count} before the first shift: {named}", fields)
    late = listed[0] - end
    lateness = {"shift_end": end.isoformat(), "seconds_after_shift_end": round(late.total_seconds(), 3)}
    after = format_lateness(late, end)
    if late <= max_lateness:
        allowed = f"{len(started)} started {after}; {format_duration(max_lateness)} are allowed"
        return Verdict(SUCCESS, allowed, fields | lateness)
    return Verdict(FAILURE, f"{count} {after}: {named}", fields | lateness)
