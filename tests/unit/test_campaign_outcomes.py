"""The outcome of pausing or resuming a campaign, for every status: the details decide, then the last listing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_isales.client import Campaign, CampaignStatus, ISalesError, Outcome
from airflow_provider_isales.client.errors import ISalesTimeoutError, ISalesUnchangedError, make_result_error
from airflow_provider_isales.client.models import BulkResult, VdnKey
from airflow_provider_isales.client.responses import Success
from airflow_provider_isales.client.result_codes import CAMPAIGN_RESULT_CODES
from airflow_provider_isales.client.switching import judge_details
from airflow_provider_isales.client.target_state import Reply, TargetState, settle
from airflow_provider_isales.client.verbs import PAUSE_CAMPAIGN, RESUME_CAMPAIGN, Switch

DRAFT, STARTED, SUSPENDED, COMPLETED = CampaignStatus
UNKNOWN = 7
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)  # 18:00 in Shanghai
BEGUN, TO_BEGIN = datetime(2026, 11, 28, 17, 59), datetime(2026, 11, 28, 18, 1)

ACCEPTED = Success("0200000", "", {})
NOT_ALLOWED = make_result_error("0200011", "", CAMPAIGN_RESULT_CODES)
DATABASE_ERROR = make_result_error("0200006", "", CAMPAIGN_RESULT_CODES)
UNDOCUMENTED = make_result_error("0999999", "", CAMPAIGN_RESULT_CODES)
RESPONSES: dict[str, Reply] = {
    "accepted": ACCEPTED,
    "not allowed": NOT_ALLOWED,
    "database": DATABASE_ERROR,
    "new": UNDOCUMENTED,
}


def judge(
    switch: Switch,
    response: Reply,
    status: CampaignStatus | int,
    begin: datetime | None = BEGUN,
    zone: ZoneInfo | None = SHANGHAI,
) -> str:
    """Return the outcome, or how it failed."""
    try:
        outcome, _ = judge_details(switch, response, Campaign(7, "a", status, begin), zone, NOW)
        return outcome.value
    except ISalesError as error:
        return "retry" if error.retryable else "failed for good"


# The oracle: by hand, from the specification.
PAUSED = {"accepted": "paused", "not allowed": "already_paused", "database": "already_paused", "new": "already_paused"}
PAUSES = {
    DRAFT: dict.fromkeys(RESPONSES, "not_running"),
    STARTED: dict.fromkeys(RESPONSES, "retry"),
    SUSPENDED: PAUSED,
    COMPLETED: dict.fromkeys(RESPONSES, "not_running"),
    UNKNOWN: dict.fromkeys(RESPONSES, "retry"),
}
GIVEN_UP = {"accepted": "retry", "not allowed": "failed for good", "database": "retry", "new": "retry"}
RESUMES = {
    DRAFT: GIVEN_UP,
    STARTED: {**dict.fromkeys(RESPONSES, "already_started"), "accepted": "resumed"},
    SUSPENDED: dict.fromkeys(RESPONSES, "retry"),
    COMPLETED: GIVEN_UP,
    UNKNOWN: dict.fromkeys(RESPONSES, "retry"),
}


@pytest.mark.parametrize(("status", "response"), [*product(PAUSES, RESPONSES)])
def test_the_outcome_of_a_pause_is_what_the_details_say(status: int, response: str) -> None:
    assert judge(PAUSE_CAMPAIGN, RESPONSES[response], status) == PAUSES[status][response]


@pytest.mark.parametrize(("status", "response"), [*product(RESUMES, RESPONSES)])
def test_the_outcome_of_a_resume_is_what_the_details_say(status: int, response: str) -> None:
    assert judge(RESUME_CAMPAIGN, RESPONSES[response], status) == RESUMES[status][response]


def test_a_started_campaign_that_refuses_and_begins_later_is_not_running() -> None:
    assert judge(PAUSE_CAMPAIGN, NOT_ALLOWED, STARTED, TO_BEGIN) == "not_running"


def test_the_begin_of_a_campaign_that_begins_later_is_an_instant() -> None:
    details = Campaign(7, "a", STARTED, TO_BEGIN)
    assert judge_details(PAUSE_CAMPAIGN, NOT_ALLOWED, details, SHANGHAI, NOW) == (
        Outcome.NOT_RUNNING,
        NOW + timedelta(minutes=1),
    )


@pytest.mark.parametrize("begin", [None, BEGUN, datetime(2026, 11, 28, 18)])
def test_a_started_campaign_that_refuses_and_has_begun_is_worth_a_retry(begin: datetime | None) -> None:
    assert judge(PAUSE_CAMPAIGN, NOT_ALLOWED, STARTED, begin) == "retry"


def test_an_accepted_pause_that_left_the_campaign_started_failed_even_if_it_begins_later() -> None:
    assert judge(PAUSE_CAMPAIGN, ACCEPTED, STARTED, TO_BEGIN) == "retry"


@pytest.mark.parametrize("begin", [BEGUN, TO_BEGIN])
def test_without_a_time_zone_nobody_knows_whether_it_has_begun(begin: datetime) -> None:
    assert judge(PAUSE_CAMPAIGN, NOT_ALLOWED, STARTED, begin, None) == "retry"


def test_without_a_time_zone_a_campaign_that_begins_days_later_is_not_running() -> None:
    begin = datetime(2026, 11, 29, 18)
    assert judge(PAUSE_CAMPAIGN, NOT_ALLOWED, STARTED, begin, None) == "not_running"


def test_without_a_time_zone_the_error_names_the_setting() -> None:
    with pytest.raises(ISalesError, match="extra 'timezone'"):
        judge_details(PAUSE_CAMPAIGN, NOT_ALLOWED, Campaign(7, "a", STARTED, TO_BEGIN), None, NOW)


def test_an_unknown_status_is_named_as_its_number() -> None:
    with pytest.raises(ISalesError, match="its details show it as 7, a status that is not documented"):
        judge_details(PAUSE_CAMPAIGN, NOT_ALLOWED, Campaign(7, "a", UNKNOWN), SHANGHAI, NOW)


def test_a_started_campaign_after_a_database_error_is_tried_again_within_the_call() -> None:
    with pytest.raises(ISalesError) as caught:
        judge_details(PAUSE_CAMPAIGN, DATABASE_ERROR, Campaign(7, "a", STARTED), SHANGHAI, NOW)
    assert caught.value.transient


def test_0200011_means_not_allowed_for_campaigns_alone() -> None:
    assert "not allowed in the campaign's present state" in NOT_ALLOWED.problem
    assert "not documented" in make_result_error("0200011", "").problem


SOON = NOW + timedelta(hours=1)
LOST = ISalesTimeoutError("no response in time")
ASKED = TargetState().after_listing(STARTED).after_sending(NOW, STARTED)
LOST_AFTER_REFUSAL = ISalesTimeoutError("its details can't be read")
LOST_AFTER_REFUSAL.sent = False
ACCEPTED_ONLY = ASKED.after_reply(ACCEPTED)


def found(outcome: Outcome, begins_at: datetime | None = None) -> TargetState:
    """Return the state after the details said what came of an accepted request, or of a refused one."""
    return ASKED.after_reply(ACCEPTED if outcome is Outcome.PAUSED else NOT_ALLOWED).after_success(outcome, begins_at)


def refuse() -> TargetState:
    """Return the state after a refusal for good, when the details had the campaign as started and begun."""
    try:
        judge_details(PAUSE_CAMPAIGN, NOT_ALLOWED, Campaign(7, "a", STARTED, BEGUN), SHANGHAI, NOW)
    except ISalesError as error:
        return ASKED.after_reply(NOT_ALLOWED).after_error(error)
    raise AssertionError("the refusal counts as success")


STATES = {
    "paused": found(Outcome.PAUSED),
    "already_paused": found(Outcome.ALREADY_PAUSED),
    "not_running": found(Outcome.NOT_RUNNING),
    "begins later": found(Outcome.NOT_RUNNING, SOON),
    "refused": refuse(),
    "lost": ASKED.after_error(LOST),
    "details lost": ACCEPTED_ONLY.after_error(LOST),
    "stopped in between": ACCEPTED_ONLY,
}
# By the last listing: started, started but to begin, draft, suspended, completed, an unknown status.
SETTLED = {
    "paused": ("failed", "failed", "not_running", "paused", "not_running", "failed"),
    "already_paused": ("failed", "failed", "not_running", "already_paused", "not_running", "failed"),
    "not_running": ("failed", "not_running", "not_running", "already_paused", "not_running", "failed"),
    "begins later": ("failed", "not_running", "not_running", "already_paused", "not_running", "failed"),
    "refused": ("failed", "failed", "not_running", "already_paused", "not_running", "failed"),
    "lost": ("failed", "failed", "not_running", "paused", "not_running", "failed"),
    "details lost": ("failed", "failed", "not_running", "paused", "not_running", "failed"),
    "stopped in between": ("failed", "failed", "not_running", "paused", "not_running", "failed"),
}
LISTED = [(STARTED, None), (STARTED, SOON), (DRAFT, None), (SUSPENDED, None), (COMPLETED, None), (UNKNOWN, None)]


@pytest.mark.parametrize(("name", "number"), [*product(SETTLED, range(len(LISTED)))])
def test_the_last_listing_decides_whatever_the_details_said(name: str, number: int) -> None:
    outcome, _ = settle(STATES[name].after_listing(*LISTED[number]), PAUSE_CAMPAIGN, missing_is_gone=True)
    assert outcome.value == SETTLED[name][number]


@pytest.mark.parametrize(("name", "number"), [*product(SETTLED, range(len(LISTED)))])
def test_a_campaign_that_failed_by_its_listing_must_change(name: str, number: int) -> None:
    must_change = STATES[name].after_listing(*LISTED[number]).must_change(PAUSE_CAMPAIGN)
    assert must_change == (SETTLED[name][number] == "failed")


def test_a_listing_that_names_an_unknown_status_is_the_reason() -> None:
    _, error = settle(STATES["paused"].after_listing(UNKNOWN), PAUSE_CAMPAIGN, missing_is_gone=True)
    assert str(error).startswith("the list still shows it as 7, a status that is not documented")


def test_a_pause_that_was_refused_is_not_ours_though_it_is_suspended_later() -> None:
    refused = ASKED.after_reply(NOT_ALLOWED).after_error(LOST_AFTER_REFUSAL)
    assert settle(refused.after_listing(SUSPENDED), PAUSE_CAMPAIGN, missing_is_gone=True)[0] is Outcome.ALREADY_PAUSED


@pytest.mark.parametrize(("missing_is_gone", "outcome"), [(True, Outcome.NOT_RUNNING), (False, Outcome.FAILED)])
def test_a_completed_campaign_that_was_to_be_resumed_failed_only_where_it_was_asked_for(
    missing_is_gone: bool, outcome: Outcome
) -> None:
    state = (
        TargetState()
        .after_listing(COMPLETED)
        .after_sending(NOW, SUSPENDED)
        .after_error(ISalesUnchangedError("completed"))
    )
    assert settle(state.after_listing(COMPLETED), RESUME_CAMPAIGN, missing_is_gone=missing_is_gone)[0] is outcome


def test_the_result_holds_what_any_json_can_hold() -> None:
    """A name that ends with half an emoji, or has a NUL, would keep Airflow from storing the result of the task."""
    result = BulkResult(
        scope=VdnKey(25),
        done=Outcome.PAUSED,
        already=Outcome.ALREADY_PAUSED,
        changed=[7],
        unchanged=[],
        failed={},
        names={7: "half \ud83d", 8: "a\0b"},
        begins_at={7: datetime(9999, 12, 31, 23, 59, 59, tzinfo=ZoneInfo("America/Mexico_City"))},
    ).to_dict()
    assert result["names"] == {"7": "half  ", "8": "a b"}
    assert result["begins_at"] == {"7": "9999-12-31T23:59:59.000-06:00"}
