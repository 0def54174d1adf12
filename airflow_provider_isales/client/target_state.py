"""What is known about one batch or campaign that is to be switched, and what that amounts to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesStoppedError,
    ISalesTransportError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.models import CampaignStatus, Outcome
from airflow_provider_isales.client.responses import Success
from airflow_provider_isales.client.verbs import Switch

_DONE = (Outcome.PAUSED, Outcome.RESUMED)


#: How a request was answered: accepted, or refused.
Reply = Success | ISalesResultError


@dataclass(frozen=True)
class TargetState:
    """
    The facts about one batch or campaign. Each event returns the next state; :func:`settle` says what they amount to.

    :param listed: its status in the last listing since our last request; None if there is none
    :param begins_at: when it begins, if that was in the future when it was listed or looked at
    :param is_missing: whether the listing that counts does not have it
    :param listed_before: its status in the last listing before our first request; None if there is none
    :param reply: how our last request was answered, until its effect is known
    :param outcome: what our last request came to, by its response alone
    :param error: why our last request failed
    :param may_be_ours: whether a request of ours may have taken effect without a response that says so
    :param sent_at: when the last request was sent
    :param asked_at: when the request was sent that changed it, or may have
    """

    listed: int | None = None
    begins_at: datetime | None = None
    is_missing: bool = False
    listed_before: int | None = None
    reply: Reply | None = None
    outcome: Outcome = Outcome.NOT_TRIED
    error: ISalesError | None = None
    may_be_ours: bool = False
    sent_at: datetime | None = None
    asked_at: datetime | None = None

    def seen(self, status: int, begins_at: datetime | None = None) -> TargetState:
        """Return the state after a listing had it; ``begins_at`` is given if that is in the future."""
        before = status if self.asked_at is None else self.listed_before
        return replace(self, listed=status, begins_at=begins_at, is_missing=False, listed_before=before, reply=None)

    def missed(self) -> TargetState:
        """Return the state after the listing that counts did not have it."""
        return replace(self, listed=None, is_missing=True)

    def asked(self, now: datetime, opposite: int) -> TargetState:
        """Return the state when a request is sent: nothing is known until there is a response."""
        # An earlier request may have taken effect, unless a listing has said since that it did not.
        took_effect = self.may_be_ours and self.listed is not opposite
        return replace(
            self,
            reply=None,
            outcome=Outcome.UNKNOWN,
            error=None,
            listed=None,
            begins_at=None,
            is_missing=False,
            # The listing that has it as it was may be stale.
            may_be_ours=self.may_be_ours or self.outcome in _DONE,
            sent_at=now,
            asked_at=self.asked_at if took_effect else now,
        )

    def answered(self, reply: Reply) -> TargetState:
        """Return the state after a response whose effect is to be looked up."""
        return replace(self, reply=reply, may_be_ours=self.may_be_ours or may_have_effect(reply))

    def switched(self, outcome: Outcome, begins_at: datetime | None = None) -> TargetState:
        """Return the state after a try that did not fail; ``begins_at`` is given if that is in the future."""
        # If this request changed it, no earlier one had taken effect.
        return replace(
            self,
            reply=None,
            outcome=outcome,
            begins_at=begins_at,
            asked_at=self.sent_at if outcome in _DONE else self.asked_at,
        )

    def failed(self, error: ISalesError) -> TargetState:
        """Return the state after a try failed."""
        unanswered = error.sent and isinstance(error, (ISalesTransportError, ISalesProtocolError, ISalesStoppedError))
        return replace(
            self,
            reply=None,
            outcome=Outcome.UNKNOWN if unanswered else Outcome.FAILED,
            error=error,
            # A permanent refusal changed nothing. Nobody knows that of any other failure.
            may_be_ours=self.may_be_ours or (error.sent and error.retryable),
        )

    def must_change(self, switch: Switch) -> bool:
        """Whether the last listing has it with a status that is to be changed: the opposite, or an unknown one."""
        if self.listed is switch.opposite:
            is_waiting = self.outcome is Outcome.NOT_RUNNING and self.begins_at is not None  # it has not begun
            return not is_waiting
        return self.listed is not None and not isinstance(self.listed, IntEnum)


def settle(state: TargetState, switch: Switch, *, missing_is_gone: bool) -> tuple[Outcome, ISalesError | None]:
    """
    Return the outcome, and the reason if it failed. The last listing decides; without one, the responses.

    :param missing_is_gone: whether one that is not listed was deleted, or failed; so for a campaign that is completed,
        and can't be resumed
    """
    error = state.error
    if state.must_change(switch) and state.asked_at is not None:
        return Outcome.FAILED, error or ISalesUnchangedError(f"list still has it as {describe_status(state.listed)}")
    # Of one that the service has said nothing about, a listing that lacks it is too little to be sure.
    is_unanswered = isinstance(error, (ISalesTransportError, ISalesProtocolError, ISalesArgumentError))
    if state.is_missing and missing_is_gone and not is_unanswered:
        return Outcome.GONE, None
    if state.is_missing and state.outcome is not Outcome.NOT_TRIED:
        # Retryable: it was there when it answered.
        return Outcome.FAILED, error or switch.not_found("list does not have it", retryable=True)
    if state.listed in switch.not_running or (missing_is_gone and state.listed is CampaignStatus.COMPLETED):
        return Outcome.NOT_RUNNING, None
    if state.listed is switch.wanted or state.outcome in (switch.done, switch.already):
        is_ours = state.may_be_ours and state.listed_before is not switch.wanted
        return (switch.done if state.outcome is switch.done or is_ours else switch.already), None
    return state.outcome, error


def may_have_effect(reply: Reply) -> bool:
    """Return whether a request may have changed something: not after a permanent refusal."""
    return isinstance(reply, Success) or reply.retryable


def describe_status(status: int | None) -> str:
    """Return a status in words; one that the reference does not explain as its number."""
    return status.name.lower() if isinstance(status, IntEnum) else f"{status}, a status that is not documented"
