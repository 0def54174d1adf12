"""What a run knows about one batch or campaign, and the outcome that follows from it."""

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

#: The response to a request: accepted, or refused.
Reply = Success | ISalesResultError


@dataclass(frozen=True)
class TargetState:
    """
    The facts about one batch or campaign. Each method returns the state after an event; see :func:`settle`.

    :param listed: its status in the last listing since our last request; None if there is none
    :param begins_at: when it begins, if that was in the future when it was last read
    :param is_missing: whether the confirming listing lacks it
    :param listed_before: its status in the last listing before our first request; None if there is none
    :param reply: the reply to our last request, until its effect is known
    :param outcome: the outcome of our last request, by its response alone
    :param error: why our last request failed
    :param may_be_ours: whether a request of ours may have taken effect without a response that says so
    :param sent_at: when our last request was sent
    :param asked_at: when the request that changed it, or may have changed it, was sent
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

    def after_listing(self, status: int, begins_at: datetime | None = None) -> TargetState:
        """A listing contained it; ``begins_at`` is given if it is in the future."""
        before = status if self.asked_at is None else self.listed_before
        return replace(self, listed=status, begins_at=begins_at, is_missing=False, listed_before=before, reply=None)

    def after_missing(self) -> TargetState:
        """The confirming listing lacked it."""
        return replace(self, listed=None, is_missing=True)

    def after_sending(self, now: datetime, opposite: int) -> TargetState:
        """A request is sent: nothing is known until there is a response."""
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
            # A listing that shows the old status may be stale.
            may_be_ours=self.may_be_ours or self.outcome in _DONE,
            sent_at=now,
            asked_at=self.asked_at if took_effect else now,
        )

    def after_reply(self, reply: Reply) -> TargetState:
        """A reply came; its effect is still to be read."""
        return replace(self, reply=reply, may_be_ours=self.may_be_ours or may_have_effect(reply))

    def after_success(self, outcome: Outcome, begins_at: datetime | None = None) -> TargetState:
        """The outcome is known; ``begins_at`` is given if it is in the future."""
        # If this request changed it, no earlier one had taken effect.
        return replace(
            self,
            reply=None,
            outcome=outcome,
            begins_at=begins_at,
            asked_at=self.sent_at if outcome in _DONE else self.asked_at,
        )

    def after_error(self, error: ISalesError) -> TargetState:
        """A request failed."""
        no_response = error.sent and isinstance(error, (ISalesTransportError, ISalesProtocolError, ISalesStoppedError))
        return replace(
            self,
            reply=None,
            outcome=Outcome.UNKNOWN if no_response else Outcome.FAILED,
            error=error,
            # A permanent refusal changed nothing; any other failure may have.
            may_be_ours=self.may_be_ours or (error.sent and error.retryable),
        )

    def must_change(self, switch: Switch) -> bool:
        """Whether the last listing shows a status that is to be changed: the opposite, or an unknown one."""
        if self.listed is switch.opposite:
            is_waiting = self.outcome is Outcome.NOT_RUNNING and self.begins_at is not None  # it has not begun
            return not is_waiting
        return self.listed is not None and not isinstance(self.listed, IntEnum)


def settle(state: TargetState, switch: Switch, *, missing_is_gone: bool) -> tuple[Outcome, ISalesError | None]:
    """
    Return the outcome, and the reason if it failed. The last listing decides; without one, the responses.

    :param missing_is_gone: whether a target that is not listed is gone, not failed, and a completed campaign, which
        can't be resumed, is not running, not failed
    """
    error = state.error
    if state.must_change(switch) and state.asked_at is not None:
        return Outcome.FAILED, error or ISalesUnchangedError(
            f"the list still shows it as {describe_status(state.listed)}"
        )
    # If the service never responded for it, or its details showed the old status, one listing is not enough.
    is_open = isinstance(error, (ISalesTransportError, ISalesProtocolError, ISalesArgumentError, ISalesUnchangedError))
    if state.is_missing and missing_is_gone and not is_open:
        return Outcome.GONE, None
    if state.is_missing and state.outcome is not Outcome.NOT_TRIED:
        # Retryable, because the service had it when it responded.
        return Outcome.FAILED, error or switch.not_found("it is not listed", retryable=True)
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
