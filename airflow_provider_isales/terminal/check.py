"""``isales check``."""

from __future__ import annotations

import argparse
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_isales.client.text import after_the_end, first_few, in_words
from airflow_provider_isales.terminal import connections, options
from airflow_provider_isales.terminal.connections import UsageError
from airflow_provider_isales.terminal.output import counted, say, say_json
from airflow_provider_isales.terminal.status import FAILURE, INTERRUPTED, SUCCESS, UNUSABLE

if TYPE_CHECKING:
    from airflow_provider_isales.client import CampaignKey, ISalesClient
    from airflow_provider_isales.shifts import ShiftCalendar

SUMMARY = "Find out whether anything is started that must not be; changes nothing. For cron and Nagios."

#: What the exit statuses of this command mean.
STATUSES = {
    SUCCESS: "nothing is started that must not be",
    FAILURE: "something is; what, and how long after the end of the shift, was said",
    UNUSABLE: "it could not be found out, and nothing that was found out is wrong",
    INTERRUPTED: "interrupted",
}

PARALLEL = 8
# Somebody is called: that is worse than not to know.
_URGENCY = (FAILURE, UNUSABLE, SUCCESS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    options.add_campaigns(parser)
    parser.add_argument(
        "--shifts",
        metavar="FILE",
        help="a shift calendar, YAML or JSON: during a shift, batches may be started; without, never",
    )
    parser.add_argument(
        "--max-lateness",
        type=options.duration,
        metavar="TIME",
        help="how long after the end of a shift batches may still be started, such as 5m; needs --shifts",
    )
    options.add_excluded(parser)
    parser.add_argument(
        "--nagios", action="store_true", help="exit with Nagios' statuses: 2 instead of 1, and 3 instead of 2"
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing of campaigns that are as they must be")
    options.add_output(parser)
    connections.add_arguments(parser)
    options.add_examples(
        parser,
        """
        isales check 1001 1002   # must be silent now, whatever the hour
        isales check 1001 --shifts shifts.yaml --max-lateness 5m
        isales check 1001 --nagios --retry-for 20s --connection-file /etc/isales.json
        """,
        STATUSES,
    )


class Finding(NamedTuple):
    """What was found in a campaign: the exit status that it stands for, in words, and for scripts."""

    status: int
    told: str
    record: dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.terminal.at_once import each  # noqa: PLC0415

    shifts = _calendar(arguments)
    findings: dict[CampaignKey, Finding] = {}
    with connections.client_of(arguments, max_connections=PARALLEL) as client:
        campaigns = connections.campaigns_of(arguments, client)

        def look(campaign: CampaignKey) -> None:
            findings[campaign] = _look(client, campaign, shifts, arguments)

        each(look, campaigns, PARALLEL)
    # What is wrong comes first: Nagios shows the first line.
    found = sorted((findings[campaign] for campaign in campaigns), key=lambda finding: _URGENCY.index(finding.status))
    if arguments.output == "json":
        say_json([finding.record for finding in found])
    else:
        for finding in found:
            if finding.status or not arguments.quiet:
                say(finding.told)
    return found[0].status


def _calendar(arguments: argparse.Namespace) -> ShiftCalendar | None:
    if not arguments.shifts:
        if arguments.max_lateness is not None:
            raise UsageError("--max-lateness needs --shifts FILE: without, no shift has an end to be late after")
        return None
    # Imported here: without --shifts, it is not needed.
    from airflow_provider_isales.shifts import ShiftCalendar, ShiftCalendarError  # noqa: PLC0415

    try:
        return ShiftCalendar.from_file(os.path.abspath(arguments.shifts))
    except ShiftCalendarError as error:
        raise UsageError(str(error)) from None


def _look(
    client: ISalesClient, campaign: CampaignKey, shifts: ShiftCalendar | None, arguments: argparse.Namespace
) -> Finding:
    from airflow_provider_isales.client import BatchStatus, ISalesError  # noqa: PLC0415 - for the start-up

    record: dict[str, Any] = {**vars(campaign), "started": []}
    try:
        asked = client.now()
        # All are listed, since what leaves a selection meanwhile moves the rest of it from page to page.
        listed = list(client.batches_of(campaign))
        started = [batch.id for batch in listed if batch.status is BatchStatus.STARTED]
        record["started"] = [batch_id for batch_id in started if batch_id not in arguments.exclude]
        return _judge(campaign, record, shifts, (asked, client.now()), arguments.max_lateness or timedelta())
    except ISalesError as error:
        problem = str(error)
    except Exception as error:  # a bug must not keep the other campaigns from being looked at
        problem = f"unexpected {type(error).__name__}: {error}"
    return Finding(UNUSABLE, f"UNKNOWN {campaign}: {problem}", record | {"error": problem})


def _judge(
    campaign: CampaignKey,
    record: dict[str, Any],
    shifts: ShiftCalendar | None,
    listed: tuple[datetime, datetime],
    max_lateness: timedelta,
) -> Finding:
    """
    Tell whether what is started must not be.

    :param listed: when the listing began and ended: a batch may be started if a shift was on at either
    """
    started = record["started"]
    if not started:
        return Finding(SUCCESS, f"OK {campaign}: nothing is started", record)
    count = counted(len(started), "batch", "batches")
    named = first_few(started)
    if shifts is None:
        return Finding(FAILURE, f"STARTED {campaign}: {count}: {named}", record)
    if on := next((at for at in listed if shifts.is_on(at)), None):
        shift = shifts.shift_at(on) or "it never ends"
        return Finding(SUCCESS, f"OK {campaign}: {len(started)} started, a shift is on: {shift}", record)
    end = shifts.previous_end(listed[0])
    if end is None:
        return Finding(FAILURE, f"STARTED {campaign}: {count} before the first shift: {named}", record)
    late = listed[0] - end
    record |= {"shift_end": end.isoformat(), "seconds_after_shift_end": round(late.total_seconds(), 3)}
    after = after_the_end(late, end)
    if late <= max_lateness:
        allowed = f"{in_words(max_lateness)} are allowed"
        return Finding(SUCCESS, f"OK {campaign}: {len(started)} started {after}; {allowed}", record)
    return Finding(FAILURE, f"STARTED {campaign}: {count} {after}: {named}", record)
