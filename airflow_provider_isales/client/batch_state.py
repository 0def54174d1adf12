"""What one bulk run knows about one batch, and what that amounts to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBatchNotFoundError,
    ISalesError,
    ISalesProtocolError,
    ISalesTransportError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.models import BatchStatus, Outcome
from airflow_provider_isales.client.verbs import Switch


@dataclass(frozen=True)
class BatchState:
    """
    The facts about one batch. Each event returns the next state; :func:`settle` says what the facts amount to.

    :param listed: its status in the last listing since our last request; None if there is none
    :param is_missing: whether the listing that counts does not have it
    :param listed_before: its status in the last listing before our first request; None if there is none
    :param outcome: what our last request came to, by its response alone
    :param error: why our last request failed
    :param may_be_ours: whether a request of ours may have taken effect without a response that says so
    :param asked_at: when the request was sent that changed it, or may have
    """

    listed: BatchStatus | None = None
    is_missing: bool = False
    listed_before: BatchStatus | None = None
    outcome: Outcome = Outcome.NOT_TRIED
    error: ISalesError | None = None
    may_be_ours: bool = False
    asked_at: datetime | None = None

    def seen(self, status: BatchStatus) -> BatchState:
        """Return the state after a listing had the batch."""
        before = status if self.asked_at is None else self.listed_before
        return replace(self, listed=status, is_missing=False, listed_before=before)

    def missed(self) -> BatchState:
        """Return the state after the listing that counts did not have the batch."""
        return replace(self, listed=None, is_missing=True)

    def asked(self, now: datetime, opposite: BatchStatus) -> BatchState:
        """Return the state when a request is sent: nothing is known until there is a response."""
        # An earlier request may have taken effect, unless a listing has said since that it did not.
        took_effect = self.may_be_ours and self.listed is not opposite
        asked_at = self.asked_at if took_effect else now
        return replace(self, outcome=Outcome.UNKNOWN, error=None, listed=None, is_missing=False, asked_at=asked_at)

    def switched(self, outcome: Outcome, changed_at: datetime | None = None) -> BatchState:
        """Return the state after a response said that the batch is as wanted, since ``changed_at`` if that is known."""
        return replace(self, outcome=outcome, asked_at=changed_at or self.asked_at)

    def failed(self, error: ISalesError) -> BatchState:
        """Return the state after a request failed."""
        unanswered = error.sent and isinstance(error, (ISalesTransportError, ISalesProtocolError))
        return replace(
            self,
            outcome=Outcome.UNKNOWN if unanswered else Outcome.FAILED,
            error=error,
            # A permanent refusal changed nothing. Nobody knows that of any other failure.
            may_be_ours=self.may_be_ours or (error.sent and error.retryable),
        )


def settle(state: BatchState, switch: Switch, *, missing_is_gone: bool) -> tuple[Outcome, ISalesError | None]:
    """
    Return the outcome of a batch, and the reason if it failed. The last listing decides; without one, the responses.

    :param missing_is_gone: whether a batch that is not listed was deleted, or failed
    """
    error = state.error
    if isinstance(error, ISalesArgumentError):
        return Outcome.FAILED, error
    if state.listed is switch.opposite and state.asked_at is not None:
        return Outcome.FAILED, error or ISalesUnchangedError(f"list still has it as {switch.opposite.name.lower()}")
    # Of a batch that the service has said nothing about, a listing that lacks it is too little to be sure.
    is_unanswered = isinstance(error, (ISalesTransportError, ISalesProtocolError))
    if state.is_missing and missing_is_gone and not is_unanswered:
        return Outcome.GONE, None
    if state.is_missing and state.outcome is not Outcome.NOT_TRIED:
        # Retryable: it was there when it answered.
        return Outcome.FAILED, error or ISalesBatchNotFoundError("list does not have it", retryable=True)
    if state.listed is switch.wanted or state.outcome in (switch.done, switch.already):
        is_ours = state.may_be_ours and state.listed_before is not switch.wanted
        return (switch.done if state.outcome is switch.done or is_ours else switch.already), None
    return state.outcome, error
