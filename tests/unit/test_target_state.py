"""The outcome for a batch: the last listing decides, whatever was found before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_isales.client import BatchStatus, ISalesError, ISalesNotAllowedError, Outcome
from airflow_provider_isales.client.errors import ISalesConnectError, ISalesTimeoutError, ISalesUnchangedError
from airflow_provider_isales.client.target_state import TargetState, settle
from airflow_provider_isales.client.verbs import PAUSE

STARTED, SUSPENDED = BatchStatus.STARTED, BatchStatus.SUSPENDED
EVENING = datetime(2026, 11, 24, 18, tzinfo=UTC)
LATER = EVENING + timedelta(minutes=1)
LOST = ISalesTimeoutError("no response in time")
REFUSED = ISalesNotAllowedError("")
NEVER_SENT = ISalesConnectError("refused")


LISTED = TargetState().after_listing(STARTED)


def asked(state: TargetState = LISTED, now: datetime = EVENING) -> TargetState:
    return state.after_sending(now, STARTED)


def outcome_of(state: TargetState, *, missing_is_gone: bool = True) -> Outcome:
    return settle(state, PAUSE, missing_is_gone=missing_is_gone)[0]


@pytest.mark.parametrize(
    "found",
    [
        asked().after_success(Outcome.PAUSED),
        asked().after_success(Outcome.ALREADY_PAUSED),
        asked().after_success(Outcome.PAUSED).after_missing(),
        asked().after_success(Outcome.PAUSED).after_listing(SUSPENDED),
        asked().after_error(REFUSED),
        asked().after_error(LOST).after_missing(),
        asked(),
    ],
)
def test_a_batch_that_the_last_listing_has_as_started_failed_whatever_was_found_before(found: TargetState) -> None:
    assert outcome_of(found.after_listing(STARTED)) is Outcome.FAILED


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (asked().after_success(Outcome.PAUSED), Outcome.PAUSED),
        (asked().after_success(Outcome.ALREADY_PAUSED), Outcome.ALREADY_PAUSED),
        (asked().after_error(LOST), Outcome.PAUSED),
        (asked().after_error(REFUSED), Outcome.ALREADY_PAUSED),
        (TargetState(), Outcome.ALREADY_PAUSED),
    ],
)
def test_a_batch_that_the_last_listing_has_as_suspended_is_as_wanted(found: TargetState, outcome: Outcome) -> None:
    assert outcome_of(found.after_listing(SUSPENDED)) is outcome


@pytest.mark.parametrize("then", [LOST, REFUSED, NEVER_SENT])
def test_already_suspended_after_a_lost_response_is_our_own_work_whatever_failed_in_between(then: ISalesError) -> None:
    found = asked(asked(asked().after_error(LOST)).after_error(then)).after_success(Outcome.ALREADY_PAUSED)
    assert outcome_of(found) is Outcome.PAUSED


def test_already_suspended_after_a_lost_response_is_ours_if_nobody_listed_the_batch_before() -> None:
    found = asked(asked(TargetState()).after_error(LOST)).after_success(Outcome.ALREADY_PAUSED)
    assert outcome_of(found) is Outcome.PAUSED


def test_already_suspended_after_a_lost_response_is_not_ours_if_the_batch_was_listed_so_before() -> None:
    found = asked(asked(TargetState().after_listing(SUSPENDED)).after_error(LOST)).after_success(Outcome.ALREADY_PAUSED)
    assert outcome_of(found) is Outcome.ALREADY_PAUSED


def test_already_suspended_after_a_listing_that_came_too_early_is_ours() -> None:
    found = asked(asked().after_success(Outcome.PAUSED).after_listing(STARTED)).after_success(Outcome.ALREADY_PAUSED)
    assert outcome_of(found.after_listing(SUSPENDED)) is Outcome.PAUSED


def test_already_suspended_after_a_request_that_was_never_sent_is_not_ours() -> None:
    found = asked(asked().after_error(NEVER_SENT)).after_success(Outcome.ALREADY_PAUSED)
    assert outcome_of(found) is Outcome.ALREADY_PAUSED


def test_without_a_listing_a_lost_response_leaves_the_outcome_unknown() -> None:
    assert outcome_of(asked().after_error(LOST)) is Outcome.UNKNOWN


def test_without_a_listing_a_request_under_way_leaves_the_outcome_unknown() -> None:
    assert outcome_of(asked()) is Outcome.UNKNOWN


def test_a_batch_for_which_nothing_was_sent_is_not_tried() -> None:
    assert outcome_of(TargetState().after_listing(STARTED)) is Outcome.NOT_TRIED


def test_a_missing_batch_is_gone_where_that_is_no_failure() -> None:
    assert outcome_of(asked().after_error(REFUSED).after_missing()) is Outcome.GONE


@pytest.mark.parametrize("error", [LOST, NEVER_SENT])
def test_a_missing_batch_is_not_gone_if_the_service_never_answered_for_it(error: ISalesError) -> None:
    assert outcome_of(asked().after_error(error).after_missing()) is Outcome.FAILED


def test_a_missing_campaign_is_not_gone_if_its_details_showed_it_as_started() -> None:
    error = ISalesUnchangedError("accepted, but its details show it as started")
    assert outcome_of(asked().after_error(error).after_missing()) is Outcome.FAILED


def test_a_missing_batch_failed_where_it_was_asked_for() -> None:
    assert outcome_of(asked().after_success(Outcome.PAUSED).after_missing(), missing_is_gone=False) is Outcome.FAILED


def test_the_first_request_that_may_have_taken_effect_is_when_it_was_asked() -> None:
    assert asked(asked().after_error(LOST), LATER).asked_at == EVENING


@pytest.mark.parametrize("error", [REFUSED, NEVER_SENT])
def test_a_request_that_changed_nothing_is_not_when_it_was_asked(error: ISalesError) -> None:
    assert asked(asked().after_error(error), LATER).asked_at == LATER


def test_a_batch_that_was_restarted_meanwhile_was_asked_again_later() -> None:
    assert asked(asked().after_error(LOST).after_listing(STARTED), LATER).asked_at == LATER


def reason_for(state: TargetState, *, missing_is_gone: bool = True) -> ISalesError | None:
    return settle(state, PAUSE, missing_is_gone=missing_is_gone)[1]


def test_a_request_that_was_never_sent_failed_even_without_a_listing() -> None:
    assert outcome_of(asked().after_error(NEVER_SENT)) is Outcome.FAILED


def test_a_batch_that_nothing_is_known_of_is_not_tried() -> None:
    assert outcome_of(TargetState()) is Outcome.NOT_TRIED


def test_the_reason_of_a_started_batch_is_the_refusal_of_the_last_request() -> None:
    assert reason_for(asked().after_error(REFUSED).after_listing(STARTED)) is REFUSED


def test_the_reason_of_a_batch_that_is_started_after_all_is_the_listing() -> None:
    reason = reason_for(asked().after_success(Outcome.PAUSED).after_listing(STARTED))
    assert str(reason).startswith("the list still shows it as started")


def test_the_reason_of_a_given_batch_that_answered_and_is_missing_is_worth_a_retry() -> None:
    reason = reason_for(asked().after_success(Outcome.PAUSED).after_missing(), missing_is_gone=False)
    assert reason
    assert reason.retryable


def test_the_reason_of_a_given_batch_that_is_missing_is_its_refusal() -> None:
    assert reason_for(asked().after_error(REFUSED).after_missing(), missing_is_gone=False) is REFUSED
