"""The steps about the campaigns of a VDN, and about one of them: its batches, its details and its hours."""

from __future__ import annotations

from collections import Counter
from enum import IntEnum
from functools import cached_property, partial

from airflow_provider_isales.cli.diagnosis.hours import DAYS, find_gap, format_hours
from airflow_provider_isales.cli.diagnosis.pages import PageChecks
from airflow_provider_isales.cli.diagnosis.steps import REPORT, Finding, State, Step, make_failure
from airflow_provider_isales.cli.output import format_count
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import Observation, observe_call
from airflow_provider_isales.client.listing import list_items
from airflow_provider_isales.client.models import BatchStatus, Campaign, CampaignKey, CampaignStatus, VdnKey
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.target_state import describe_status
from airflow_provider_isales.client.verbs import GET_CAMPAIGN, LIST, LIST_CAMPAIGNS, LIST_SPECIAL_DATES
from airflow_provider_isales.shifts import ShiftCalendar

_NO_NET = "If Airflow is down, nothing stops this campaign: set its hours in the console."
_KINDS: dict[type, str] = {int: "a number", str: "text"}


class CampaignChecks:
    """Tells how the platform describes a campaign, and whether its hours are within a calendar."""

    def __init__(self, client: ISalesClient, campaign: CampaignKey, shifts: ShiftCalendar | None = None) -> None:
        self.client = client
        self.campaign = campaign
        self.shifts = shifts
        self.pages = PageChecks(client, LIST, campaign)

    @cached_property
    def details(self) -> Observation[Campaign]:
        """The details of the campaign."""
        return observe_call(self.client, GET_CAMPAIGN, self.campaign)

    def make_steps(self) -> list[Step]:
        """Return the steps in order: each comes after the one that it needs."""
        return [
            Step("campaign", self._list_batches, "signature"),
            Step("status", self._check_status, "signature"),
            Step("page size", self.pages.check_size, "signature"),
            Step("total count", self.pages.check_total, "signature"),
            Step("details", self._read_details, "campaign"),
            Step("hours", self._compare_hours, "details"),
        ]

    def _list_batches(self) -> Finding:
        batches = list(list_items(self.client.session, LIST, self.campaign, retry=ONCE))
        started = sum(batch.status is BatchStatus.STARTED for batch in batches)
        return Finding(State.OK, f"{format_count(len(batches), 'batch', 'batches')}, {started} of them started")

    def _check_status(self) -> Finding:
        success = self.pages.first.success
        data = success.payload.get("data") if success else None
        found = [batch.get("status") for batch in data if isinstance(batch, dict)] if isinstance(data, list) else []
        if not found:
            return Finding(State.SKIPPED, "no batch is listed", "Name a campaign with batches.")
        kinds = " and ".join(sorted({_KINDS.get(type(value), "something else") for value in found}))
        unknown = {str(value) for value in found} - {str(known.value) for known in BatchStatus}
        if unknown or "something else" in kinds:
            return Finding(State.FAIL, f"{kinds}, with values other than 1 and 2", REPORT, ", ".join(sorted(unknown)))
        return Finding(State.OK, f"{kinds}; the client reads numbers and text")

    def _read_details(self) -> Finding:
        campaign = self.details.value
        if not campaign:
            return make_failure(self.details)
        found = f"{describe_status(campaign.status)}, from {campaign.begin} to {campaign.end}"
        if campaign.id != self.campaign.campaign_id:
            return Finding(State.FAIL, f"the platform sent another campaign's details: {found}", REPORT)
        if not (campaign.begin and campaign.end and isinstance(campaign.status, CampaignStatus)):
            return Finding(State.WARN, f"{found}; some of it can't be read", REPORT)
        advice = "Set the connection's extra 'timezone' to the platform's: these times do not name one."
        return Finding(State.OK, found, "" if self.client.timezone else advice)

    def _compare_hours(self) -> Finding:
        """Compare the hours in which the platform itself lets the campaign dial with the calendar."""
        campaign, dates = self.details.value, observe_call(self.client, LIST_SPECIAL_DATES, self.campaign)
        if campaign is None or dates.value is None:
            return make_failure(dates, state=State.WARN)
        found = f"working days {format_hours(campaign.workday_hours)}"
        if dates.value:
            count = format_count(len(dates.value), "special date", "special dates")
            found += f", {count} {format_hours(campaign.special_day_hours)}"
        if not campaign.workday_hours:
            return Finding(State.WARN, f"{found}: the platform lets this campaign dial all day", _NO_NET)
        if self.shifts is None:
            return Finding(State.OK, found, "To compare them with your calendar, add --shifts FILE.")
        if gap := find_gap(campaign, dates.value, self.shifts, self.client.timezone):
            return Finding(State.WARN, f"{found}. {gap}", _NO_NET)
        if dates.value and not campaign.special_day_hours:
            advice = "The reference does not say whether it dials on these dates: look in the console."
            return Finding(State.WARN, found, advice)
        return Finding(State.OK, f"{found}; within the calendar for the next {DAYS} days")


def make_vdn_steps(client: ISalesClient, vdn: VdnKey) -> list[Step]:
    """Return the steps about the list of campaigns."""
    pages = PageChecks(client, LIST_CAMPAIGNS, vdn)
    return [
        Step("vdn", partial(_list_campaigns, client, vdn), "signature"),
        Step("vdn page size", pages.check_size, "signature"),
        Step("vdn total count", pages.check_total, "signature"),
    ]


def _list_campaigns(client: ISalesClient, vdn: VdnKey) -> Finding:
    statuses = Counter(campaign.status for campaign in list_items(client.session, LIST_CAMPAIGNS, vdn, retry=ONCE))
    counts = ", ".join(f"{count} {describe_status(status)}" for status, count in sorted(statuses.items()))
    found = f"{format_count(statuses.total(), 'campaign', 'campaigns')}{': ' if counts else ''}{counts}"
    if all(isinstance(status, IntEnum) for status in statuses):
        return Finding(State.OK, found)
    return Finding(State.WARN, found, f"The client assumes that such a campaign may be dialling. {REPORT}")
