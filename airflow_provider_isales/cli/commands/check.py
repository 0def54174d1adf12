"""``isales check``."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from airflow_provider_isales.cli.at_once import run_each
from airflow_provider_isales.cli.calendars import read_calendar
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.output import format_count, say, say_json
from airflow_provider_isales.cli.statuses import FAILURE, SUCCESS, UNUSABLE, UsageError
from airflow_provider_isales.client import BatchStatus, CampaignKey, ISalesClient, ISalesError
from airflow_provider_isales.client.listing import list_agreed_batches
from airflow_provider_isales.client.text import after_the_end, first_few, in_words
from airflow_provider_isales.shifts import ShiftCalendar

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
    verdicts: dict[CampaignKey, Verdict] = {}
    with make_client(arguments, PARALLEL) as client:
        campaigns = make_campaign_keys(client, arguments.campaigns)

        def look(campaign: CampaignKey) -> None:
            verdicts[campaign] = _look(client, campaign, shifts, arguments)

        run_each(look, campaigns, PARALLEL)
    # What is wrong comes first: Nagios shows the first line.
    found = sorted((verdicts[campaign] for campaign in campaigns), key=lambda verdict: _URGENCY.index(verdict.status))
    if arguments.output == "json":
        say_json([verdict.record for verdict in found])
    else:
        for verdict in found:
            if verdict.status or not arguments.quiet:
                say(verdict.text)
    return found[0].status


def _look(
    client: ISalesClient, campaign: CampaignKey, shifts: ShiftCalendar | None, arguments: argparse.Namespace
) -> Verdict:
    record: dict[str, Any] = {**vars(campaign), "started": []}
    try:
        now = client.session.gate.now
        began = now()
        listed = list_agreed_batches(client.session, campaign)
        started = [batch.id for batch in listed if batch.status is BatchStatus.STARTED]
        record["started"] = [batch_id for batch_id in started if batch_id not in arguments.exclude]
        return _judge(campaign, record, shifts, (began, now()), arguments.max_lateness or timedelta())
    except ISalesError as error:
        problem = str(error)
    except Exception as error:  # a bug must not keep the other campaigns from being looked at
        problem = f"unexpected {type(error).__name__}: {error}"
    return Verdict(UNUSABLE, f"UNKNOWN {campaign}: {problem}", record | {"error": problem})


def _judge(
    campaign: CampaignKey,
    record: dict[str, Any],
    shifts: ShiftCalendar | None,
    listed: tuple[datetime, datetime],
    max_lateness: timedelta,
) -> Verdict:
    """
    Tell whether what is started must not be.

    :param listed: when the listing began and ended: a batch may be started if a shift was on at either
    """
    started = record["started"]
    if not started:
        return Verdict(SUCCESS, f"OK {campaign}: nothing is started", record)
    count, named = format_count(len(started), "batch", "batches"), first_few(started)
    if shifts is None:
        return Verdict(FAILURE, f"STARTED {campaign}: {count}: {named}", record)
    if on := next((at for at in listed if shifts.is_on(at)), None):
        shift = shifts.shift_at(on) or "it never ends"
        return Verdict(SUCCESS, f"OK {campaign}: {len(started)} started, a shift is on: {shift}", record)
    end = shifts.previous_end(listed[0])
    if end is None:
        return Verdict(FAILURE, f"STARTED {campaign}: {count} before the first shift: {named}", record)
    late = listed[0] - end
    record |= {"shift_end": end.isoformat(), "seconds_after_shift_end": round(late.total_seconds(), 3)}
    after = after_the_end(late, end)
    if late <= max_lateness:
        allowed = f"{in_words(max_lateness)} are allowed"
        return Verdict(SUCCESS, f"OK {campaign}: {len(started)} started {after}; {allowed}", record)
    return Verdict(FAILURE, f"STARTED {campaign}: {count} {after}: {named}", record)
