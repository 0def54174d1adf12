"""``isales check``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from airflow_provider_isales import clock
from airflow_provider_isales.cli.commands.shifts import read_calendar
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client, make_vdn_key
from airflow_provider_isales.cli.output import (
    FAILURE,
    SUCCESS,
    UNUSABLE,
    UsageError,
    format_count,
    print_error,
    print_json,
    print_line,
)
from airflow_provider_isales.cli.parallel import format_error, map_each
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.listing import list_agreed
from airflow_provider_isales.client.models import BatchStatus, Campaign, CampaignKey, CampaignStatus, VdnKey
from airflow_provider_isales.client.switching import ANY_ZONE, is_out_of_time
from airflow_provider_isales.client.target_state import describe_status
from airflow_provider_isales.client.text import clean_text, describe_unlisted, join_first
from airflow_provider_isales.client.verbs import LIST, LIST_CAMPAIGNS
from airflow_provider_isales.shifts import ShiftCalendar, in_utc
from airflow_provider_isales.shifts.lateness import format_duration, format_lateness
from airflow_provider_isales.support.holds import Hold, format_until, read_hold

# The worst first: calls are worse than not knowing.
_WORDS = {FAILURE: "STARTED", UNUSABLE: "UNKNOWN", SUCCESS: "OK"}

#: When a listing began, and when it ended.
Listed = tuple[datetime, datetime]


class Verdict(NamedTuple):
    """The result for one campaign: exit status, text, and more fields for scripts."""

    status: int
    text: str
    fields: Mapping[str, Any] = {}


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if arguments.max_lateness is not None and not arguments.shifts:
        raise UsageError("--max-lateness requires --shifts CALENDAR")
    shifts = read_calendar(arguments.shifts) if arguments.shifts else None
    hold, now = None, in_utc(clock.utc_now())
    if arguments.hold_until:
        hold = read_hold({"until": arguments.hold_until}, shifts, now)
    with make_client(arguments) as client:
        check = Check(client, shifts, arguments.max_lateness or timedelta(), arguments.exclude, hold)
        verdicts = check.check_campaigns(arguments.campaigns) if arguments.campaigns else check.check_vdn()
    unlisted = [each for each in arguments.exclude if each not in check.listed]
    if unlisted and FAILURE in (verdict.status for verdict in verdicts.values()):  # without an alarm, nothing follows
        print_error(f"isales: {describe_unlisted(unlisted)}")
    # The worst first: Nagios shows the first line.
    found = sorted(verdicts.items(), key=lambda item: [*_WORDS].index(item[1].status))
    if arguments.output == "json":
        print_json([_make_record(scope, verdict) for scope, verdict in found])
    else:
        for scope, verdict in found:
            if verdict.status or not arguments.quiet:
                print_line(f"{_WORDS[verdict.status]} {scope}: {verdict.text}")
    return found[0][1].status


def _make_record(scope: VdnKey, verdict: Verdict) -> dict[str, Any]:
    return {**vars(scope), "verdict": _WORDS[verdict.status].lower(), "started": [], **verdict.fields}


@dataclass(frozen=True)
class Check:
    """
    Checks campaigns.

    :param shifts: when people may be called; None for never
    :param exclude: the ids of batches and campaigns to leave alone
    :param hold: overtime, during which started batches are allowed
    :param listed: the ids of all campaigns and batches that were listed
    """

    client: ISalesClient
    shifts: ShiftCalendar | None
    max_lateness: timedelta
    exclude: list[str]
    hold: Hold | None
    listed: set[str] = field(default_factory=set)

    def check_campaigns(self, campaign_ids: list[int]) -> dict[CampaignKey, Verdict]:
        """Return the verdicts on these campaigns."""
        return map_each(lambda key: self._check(key, clock.utc_now()), make_campaign_keys(self.client, campaign_ids))

    def check_vdn(self) -> Mapping[Any, Verdict]:
        """Return the verdicts on the started campaigns of the VDN; if there is none, one on the VDN."""
        vdn, began = make_vdn_key(self.client), clock.utc_now()
        try:
            campaigns = list_agreed(self.client.session, LIST_CAMPAIGNS, vdn)
        except Exception as error:
            return {vdn: _make_unknown(error)}
        self.listed.update(str(each.id) for each in campaigns)
        if not campaigns:
            return {vdn: Verdict(SUCCESS, "the VDN has no campaigns. Check vdn_id")}
        excluded = {int(each) for each in self.exclude}
        started = {
            self.client.campaign(each.id): each
            for each in campaigns
            if each.id not in excluded and each.may_be_dialling
        }
        if not started:
            return {vdn: Verdict(SUCCESS, f"no {'other ' if excluded else ''}campaign is started")}

        def check(key: CampaignKey) -> Verdict:
            name, verdict = started[key].name, self._check(key, began, started[key])
            return Verdict(verdict.status, f"{clean_text(name)}: {verdict.text}", {**verdict.fields, "name": name})

        return map_each(check, started)

    def _check(self, key: CampaignKey, began: datetime, campaign: Campaign | None = None) -> Verdict:
        """
        Return the verdict on a campaign.

        :param began: when the first listing began
        :param campaign: from the listing of the VDN; if None, its details are read when they are needed
        """
        try:
            batches = list_agreed(self.client.session, LIST, key)
        except Exception as error:
            return _make_unknown(error)
        self.listed.update(each.id for each in batches)
        started = [each.id for each in batches if each.status is BatchStatus.STARTED and each.id not in self.exclude]
        if batches and not started:
            return Verdict(SUCCESS, "nothing is started")
        if campaign is None:
            try:
                campaign = self.client.get_campaign(key.campaign_id)
            except Exception as error:
                if not started:
                    return _make_unknown(error)
        listed = (began, clock.utc_now())
        verdict = self._judge_time(started, listed)
        excuse = self._find_excuse(campaign, listed) if campaign and verdict.status == FAILURE else None
        return verdict._replace(status=excuse[0], text=excuse[1]) if excuse else verdict

    def _judge_time(self, started: list[str], listed: Listed) -> Verdict:
        """Decide by the calendar whether the batches, or the campaign if it has none, may be started."""
        what = format_count(len(started), "batch", "batches") if started else "the whole campaign"
        named = join_first(started) if started else "it has no batches"
        fields: dict[str, Any] = {"started": started}
        if self.hold:
            fields["held_until"] = self.hold.until.isoformat()
        if self.hold and listed[0] < self.hold.until:
            return Verdict(SUCCESS, f"{what} started; a hold lasts until {format_until(self.hold.until)}", fields)
        if self.shifts is None:
            return Verdict(FAILURE, f"{what} started: {named}", fields)
        if on := next((at for at in listed if self.shifts.is_on(at)), None):
            shift = self.shifts.shift_at(on) or "it never ends"
            return Verdict(SUCCESS, f"{what} started, a shift is on: {shift}", fields)
        end = self.shifts.previous_end(listed[0])
        if end is None:
            return Verdict(FAILURE, f"{what} started before the first shift: {named}", fields)
        seconds = (listed[0] - end).total_seconds()
        fields |= {"shift_end": end.isoformat(), "seconds_after_shift_end": round(seconds, 3)}
        since, event = (self.hold.until, "the hold until") if self.hold else (end, "the end of the shift at")
        late = listed[0] - since
        after = f"{what} still started {format_lateness(late, since, event)}"
        if late <= self.max_lateness:
            return Verdict(SUCCESS, f"{after}; {format_duration(self.max_lateness)} are allowed", fields)
        return Verdict(FAILURE, f"{after}: {named}", fields)

    def _find_excuse(self, campaign: Campaign, listed: Listed) -> tuple[int, str] | None:
        """Return status and text if a campaign calls nobody or that is unknown; None if it may be dialling."""
        if not campaign.may_be_dialling:
            return SUCCESS, f"the campaign is {describe_status(campaign.status)}, so nobody is called"
        zone = self.client.timezone or (ZoneInfo(self.shifts.timezone) if self.shifts else None)
        runs = f"the campaign runs from {campaign.begin} to {campaign.end}"
        if is_out_of_time(campaign, *listed, zone):
            return SUCCESS, f"{runs}, not now"
        if not isinstance(campaign.status, CampaignStatus):
            text = f"its status {campaign.status} is not documented. Check in the console whether it is dialling"
            return UNUSABLE, text
        first, last = listed[0] - ANY_ZONE, listed[1] + ANY_ZONE
        bounds = [at.replace(tzinfo=UTC) for at in (campaign.begin, campaign.end) if at]
        if zone is None and any(first < at <= last for at in bounds):
            advice = "Set the connection's extra 'timezone' to that of the platform, such as 'Asia/Shanghai'"
            return UNUSABLE, f"{runs}, in an unknown time zone. {advice}"
        return None


def _make_unknown(error: Exception) -> Verdict:
    return Verdict(UNUSABLE, format_error(error), {"error": format_error(error)})
