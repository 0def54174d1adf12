"""Pause or resume a batch or a campaign with one try; the details of a campaign decide what came of it."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo

from airflow_provider_isales import clock
from airflow_provider_isales.client.errors import (
    ISalesCampaignNotFoundError,
    ISalesError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.models import (
    BatchKey,
    Campaign,
    CampaignKey,
    CampaignResult,
    CampaignStatus,
    Outcome,
)
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.target_state import Sent, Switched, TargetState, describe_status, settle
from airflow_provider_isales.client.verbs import GET_CAMPAIGN, Switch

log = logging.getLogger(__name__)


def switch_campaign(
    session: Session, switch: Switch, campaign: CampaignKey, zone: tzinfo | None, next_start: datetime | None = None
) -> CampaignResult:
    """
    Pause or resume one campaign, with retries; once more if the service accepted that without effect.

    :param zone: the platform's time zone, None if it is not known
    :param next_start: when people may be called again: a campaign that begins earlier is a warning
    :raises ISalesError: unless the details say that the campaign is as wanted
    """
    state = TargetState()

    def attempt(deadline: float) -> Switched:
        nonlocal state
        state = state.asked(clock.utc_now(), switch.opposite)
        try:
            switched = send_request(session, switch, campaign)
            if isinstance(switched, Sent):
                state = state.answered(switched)
                switched = look_up_effect(session, switch, campaign, switched, zone, deadline=deadline)
        except ISalesError as error:
            state = state.failed(error)
            raise
        state = state.switched(switched)
        return switched

    action, ends = f"{switch.doing} {campaign}", time.monotonic() + session.retry.total
    try:
        switched, _ = session.try_repeatedly(action, attempt, session.retry)
    except ISalesUnchangedError as error:
        left = ends - time.monotonic()
        if error.transient or not error.retryable or left <= 0:
            raise
        log.warning("%s: %s. Trying once more.", action, error.problem)
        switched, _ = session.try_repeatedly(action, attempt, replace(session.retry, total=left))
    if switched.begins_at:
        warn_of_begins({campaign.campaign_id: switched.begins_at}, next_start)
    outcome, _ = settle(state, switch, missing_is_gone=False)
    now = clock.utc_now()
    return CampaignResult(
        campaign,
        switched.name,
        outcome,
        switched.code,
        switched.description,
        switched.begins_at,
        state.asked_at or now,
        now,
    )


def send_request(
    session: Session, switch: Switch, target: CampaignKey, timeout: float | None = None
) -> Switched | Sent:
    """
    Send the request once; return what came of it, for a batch, or how it was answered, for :func:`look_up_effect`.

    :param timeout: the timeout in seconds, where this is less than the transport's
    :raises ISalesError: if it does not exist, or no response came that can be read; for a batch, if it is not as wanted
    """
    try:
        answer, _ = session.call_once(switch, target, timeout)
    except ISalesResultError as refusal:
        if isinstance(target, BatchKey) or isinstance(refusal, ISalesCampaignNotFoundError):
            raise
        return Sent(refusal.code, refusal.description, refusal)
    if isinstance(target, BatchKey):
        return Switched(switch.find_outcome(answer.code), answer.code, answer.description)
    return Sent(answer.code, answer.description)


def look_up_effect(
    session: Session,
    switch: Switch,
    campaign: CampaignKey,
    sent: Sent,
    zone: tzinfo | None,
    *,
    deadline: float,
    timeout: float | None = None,
) -> Switched:
    """
    Read the details once, and return what came of a request.

    :param zone: the platform's time zone, None if it is not known
    :param deadline: when to give up at the gate, on the ``time.monotonic()`` clock
    :param timeout: the timeout in seconds, where this is less than the transport's
    :raises ISalesError: if the campaign is not as wanted, or that is not known
    """
    try:
        session.gate.pass_through(deadline)
        details = check_campaign(campaign, session.call_once(GET_CAMPAIGN, campaign, timeout)[1])
    except ISalesError as error:
        unread = copy.copy(error)
        said = sent.refusal.problem if sent.refusal else "accepted"
        unread.problem = f"{said}, but the campaign's details can't be read: {error.problem}"
        unread.sent, unread.retryable = sent.may_have_effect, True
        raise unread from None
    outcome, begins_at = judge_details(switch, sent.refusal, details, zone, clock.utc_now())
    return Switched(outcome, sent.code, sent.description, begins_at, details.name)


def judge_details(
    switch: Switch, refusal: ISalesResultError | None, details: Campaign, zone: tzinfo | None, now: datetime
) -> tuple[Outcome, datetime | None]:
    """
    Return what came of a request, and when the campaign begins if it is not running because it has not begun.

    :param refusal: the failure code that the request was answered with; None if it was accepted
    :param details: the campaign's details, read afterwards
    :param zone: the platform's time zone, None if it is not known
    :raises ISalesError: if the campaign is not as wanted
    """
    status = details.status
    if status is switch.wanted:
        return (switch.already if refusal else switch.done), None
    if status in switch.not_running:
        return Outcome.NOT_RUNNING, None
    found = f"its details have it as {describe_status(status)}"
    if refusal is None:
        raise ISalesUnchangedError(f"accepted, but {found}")
    advice = None
    if status is CampaignStatus.STARTED and details.begin:
        if begins_at := find_later_begin(details, zone, now):
            return Outcome.NOT_RUNNING, begins_at
        if zone is None:
            found += f" with its begin at {details.begin}, in a time zone that is not known"
            advice = "Set the connection's extra 'timezone' to that of the platform, such as 'Asia/Shanghai'."
    error = ISalesUnchangedError(f"{refusal.problem}; {found}", advice=advice)
    if status in (CampaignStatus.DRAFT, CampaignStatus.COMPLETED):
        error.retryable = refusal.retryable  # nothing to wait for: it can't be resumed
    error.transient = refusal.transient
    error.sent = refusal.retryable  # a refusal for good changed nothing
    raise error


def check_campaign(asked: CampaignKey, details: Campaign) -> Campaign:
    """Return the details if they are those of the campaign that was asked for; else ``ISalesProtocolError``."""
    if details.id != asked.campaign_id:
        raise ISalesProtocolError(f"the details of campaign {details.id} came instead of those of {asked}")
    return details


def find_later_begin(campaign: Campaign, zone: tzinfo | None, now: datetime) -> datetime | None:
    """Return when a campaign begins, if that is later than ``now``; without a time zone that is not known."""
    begins_at = campaign.begin.replace(tzinfo=zone) if campaign.begin and zone else None
    return begins_at if begins_at and begins_at > now else None


def warn_of_begins(begins_at: Mapping[int, datetime], next_start: datetime | None) -> None:
    """Log a warning for each campaign that begins before people may be called again."""
    for campaign_id, begin in begins_at.items():
        if next_start is not None and begin < next_start:
            log.warning(
                "Campaign %d begins at %s, before the next shift starts at %s: it will call people then. Suspend it in "
                "the console, or change its begin.",
                campaign_id,
                begin.isoformat(),
                next_start.isoformat(),
            )
