"""Pause or resume one batch or campaign; a campaign's details decide the outcome."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

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
    CallBatchResult,
    Campaign,
    CampaignKey,
    CampaignResult,
    CampaignStatus,
    Outcome,
)
from airflow_provider_isales.client.responses import Success
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.target_state import (
    Reply,
    TargetState,
    describe_status,
    may_have_effect,
    settle,
)
from airflow_provider_isales.client.verbs import GET_CAMPAIGN, Switch

log = logging.getLogger(__name__)

#: No time zone differs more from UTC.
ANY_ZONE = timedelta(days=1)


def switch_batch(session: Session, switch: Switch, batch: BatchKey) -> CallBatchResult:
    """
    Pause or resume one batch, with retries.

    :raises ISalesError: unless a response says that the batch has the wanted status
    """
    asked_at, attempts = clock.utc_now(), 0

    def attempt() -> Success:
        nonlocal asked_at, attempts
        asked_at, attempts = clock.utc_now(), attempts + 1
        return session.send(switch, batch)

    success = session.try_repeatedly(f"{switch.doing} {batch}", attempt)
    outcome = switch.find_outcome(success.code)
    return CallBatchResult(batch, outcome, success.code, success.description, attempts, asked_at, clock.utc_now())


def switch_campaign(session: Session, switch: Switch, campaign: CampaignKey, zone: tzinfo | None) -> CampaignResult:
    """
    Pause or resume one campaign, with retries; one more if the service accepted the request without effect.

    :param zone: the platform's time zone, None if it is not known
    :raises ISalesError: unless the details show the wanted status
    """
    state, ends = TargetState(), time.monotonic() + session.retry.total

    def attempt() -> tuple[Reply, Campaign]:
        nonlocal state
        state = state.after_sending(clock.utc_now(), switch.opposite)
        try:
            reply = send_request(session, switch, campaign)
            state = state.after_reply(reply)
            details = read_details(session, campaign, reply, deadline=ends)
            outcome, begins_at = judge_details(switch, reply, details, zone, clock.utc_now())
        except ISalesError as error:
            state = state.after_error(error)
            raise
        state = state.after_success(outcome, begins_at)
        return reply, details

    action = f"{switch.doing} {campaign}"
    try:
        reply, details = session.try_repeatedly(action, attempt)
    except ISalesUnchangedError as error:
        left = ends - time.monotonic()
        if error.transient or not error.retryable or left <= 0:
            raise
        log.warning("%s: %s. Trying once more.", action, error.problem)
        reply, details = session.try_repeatedly(action, attempt, replace(session.retry, total=left))
    outcome, _ = settle(state, switch, missing_is_gone=False)
    now = clock.utc_now()
    asked_at = state.asked_at or now
    return CampaignResult(
        campaign, details.name, outcome, reply.code, reply.description, state.begins_at, asked_at, now
    )


def send_request(session: Session, switch: Switch, campaign: CampaignKey, timeout: float | None = None) -> Reply:
    """
    Send one request to pause or resume a campaign; return the response, which may be a refusal.

    :param timeout: in seconds, if shorter than the transport's
    :raises ISalesError: if the campaign does not exist, or no response came that can be read
    """
    try:
        return session.send(switch, campaign, timeout)
    except ISalesCampaignNotFoundError:
        raise
    except ISalesResultError as refusal:
        return refusal


def read_details(
    session: Session, campaign: CampaignKey, reply: Reply, *, deadline: float, timeout: float | None = None
) -> Campaign:
    """
    Read a campaign's details once, for :func:`judge_details`.

    :param reply: the reply to the request whose effect they show
    :param deadline: when to give up at the gate, on the ``time.monotonic()`` clock
    :param timeout: in seconds, if shorter than the transport's
    :raises ISalesError: if they can't be read
    """
    try:
        session.gate.pass_through(deadline)
        return _check_campaign(campaign, session.send(GET_CAMPAIGN, campaign, timeout))
    except ISalesError as error:
        said = reply.problem if isinstance(reply, ISalesResultError) else "accepted"
        error.problem = f"{said}, but the campaign's details can't be read: {error.problem}"
        error.sent, error.retryable = may_have_effect(reply), True
        raise


def judge_details(
    switch: Switch, reply: Reply, details: Campaign, zone: tzinfo | None, now: datetime
) -> tuple[Outcome, datetime | None]:
    """
    Return the outcome of a request, and the campaign's begin if it is not running because it has not begun.

    :param reply: the reply to the request
    :param details: the campaign's details, read afterwards
    :param zone: the platform's time zone, None if it is not known
    :raises ISalesError: if the campaign does not have the wanted status
    """
    status = details.status
    if status is switch.wanted:
        return (switch.done if isinstance(reply, Success) else switch.already), None
    if status in switch.not_running:
        return Outcome.NOT_RUNNING, None
    found = f"its details show it as {describe_status(status)}"
    if isinstance(reply, Success):
        raise ISalesUnchangedError(f"accepted, but {found}")
    advice = None
    if status is CampaignStatus.STARTED and details.begin:
        if begins_at := find_later_begin(details, zone, now):
            return Outcome.NOT_RUNNING, begins_at
        ahead = details.begin.replace(tzinfo=UTC) - now
        if zone is None and ahead > ANY_ZONE:
            return Outcome.NOT_RUNNING, None
        if zone is None and ahead > -ANY_ZONE:
            found += f" with its begin at {details.begin}, in a time zone that is not known"
            advice = "Set the connection's extra 'timezone' to that of the platform, such as 'Asia/Shanghai'."
    error = ISalesUnchangedError(f"{reply.problem}; {found}", advice=advice)
    if status in (CampaignStatus.DRAFT, CampaignStatus.COMPLETED):
        error.retryable = reply.retryable  # nothing to wait for: it can't be resumed
    error.transient = reply.transient
    error.sent = may_have_effect(reply)
    raise error


def get_campaign(session: Session, campaign: CampaignKey) -> Campaign:
    """Read the details of a campaign, with retries; raises ``ISalesError`` if they can't be read."""
    return _check_campaign(campaign, session.call(GET_CAMPAIGN, campaign))


def _check_campaign(asked: CampaignKey, details: Campaign) -> Campaign:
    if details.id != asked.campaign_id:
        raise ISalesProtocolError(f"the details of campaign {details.id} came instead of those of {asked}")
    return details


def is_out_of_time(campaign: Campaign, first: datetime, last: datetime, zone: tzinfo | None = None) -> bool:
    """
    Return whether a campaign begins after ``last`` or has ended by ``first``.

    :param zone: the platform's time zone; if None, it must be so in every zone
    """
    begin, end = (at and at.replace(tzinfo=zone or UTC) for at in (campaign.begin, campaign.end))
    slack = timedelta() if zone else ANY_ZONE
    # Not added to the campaign's times, which may be at the end of the year 9999.
    return bool((begin and begin > last + slack) or (end and end <= first - slack))


def find_later_begin(campaign: Campaign, zone: tzinfo | None, now: datetime) -> datetime | None:
    """Return when a campaign begins, if that is later than ``now``; None without a time zone."""
    begins_at = campaign.begin.replace(tzinfo=zone) if campaign.begin and zone else None
    return begins_at if begins_at and begins_at > now else None
