"""Campaigns as a whole: the client against the simulator over HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from patience import try_longer_timeouts

from airflow_provider_isales.client import (
    CampaignStatus,
    ISalesCampaignNotFoundError,
    ISalesClient,
    ISalesError,
    ISalesProtocolError,
    ISalesStoppedError,
    Outcome,
    RetryPolicy,
    SpecialDate,
)
from airflow_provider_isales.client.errors import ISalesTimeoutError, ISalesUnchangedError
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.simulator import CampaignState, Simulator
from airflow_provider_isales.simulator.campaign import Campaign

DRAFT, EXECUTING, SUSPENDED, COMPLETED = CampaignState
SOON = timedelta(hours=1)


@pytest.fixture
def client(simulator: Simulator, no_waiting: list[float]) -> Iterator[ISalesClient]:
    with simulator.client(timezone="Asia/Shanghai", retry=RetryPolicy(attempts=3)) as client:
        yield client


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(7, name="evening", batches=2)


@pytest.fixture
def slow_to_show(simulator: Simulator) -> Iterator[Simulator]:
    """A simulator whose details show a change only when they are read the second time."""
    simulator.service.details_lag = 1
    yield simulator
    simulator.service.details_lag = 0


def failure_of(client: ISalesClient, campaign_id: int = 7, **settings: Any) -> ISalesError:
    with pytest.raises(ISalesError) as caught:
        client.pause_campaign(campaign_id, **settings)
    return caught.value


class TestList:
    def test_all_campaigns_of_the_vdn_are_listed_with_what_the_platform_says_of_them(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, state=DRAFT)
        simulator.add_campaign(2, begin="2026-11-01 09:00:00", end="2026-11-30 18:00:00", name="november")
        draft, november = client.list_campaigns()
        assert (draft.id, draft.status) == (1, CampaignStatus.DRAFT)
        assert (november.name, november.status) == ("november", CampaignStatus.STARTED)
        assert (november.begin, november.end) == (datetime(2026, 11, 1, 9), datetime(2026, 11, 30, 18))

    def test_a_vdn_of_several_pages_is_listed_as_a_whole(self, client: ISalesClient, simulator: Simulator) -> None:
        for number in range(1, 251):
            simulator.add_campaign(number)
        assert [campaign.id for campaign in client.list_campaigns()] == [*range(1, 251)]
        assert simulator.requests == {"list_campaigns": 3}

    @pytest.mark.parametrize("total_counts_page", [False, True])
    def test_a_full_page_is_not_taken_for_the_last(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, total_counts_page: bool
    ) -> None:
        monkeypatch.setattr(simulator.service, "total_counts_page", total_counts_page)
        for number in range(1, 202):
            simulator.add_campaign(number)
        assert len([*client.list_campaigns()]) == 201

    def test_smaller_pages_than_asked_for_are_read_one_after_the_other(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(simulator.service, "max_page_size", 20)
        for number in range(1, 51):
            simulator.add_campaign(number)
        assert [campaign.id for campaign in client.list_campaigns()] == [*range(1, 51)]

    def test_only_campaigns_with_a_status_are_listed_if_it_is_given(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, state=SUSPENDED)
        simulator.add_campaign(2)
        assert [campaign.id for campaign in client.list_campaigns(CampaignStatus.STARTED)] == [2]

    def test_only_campaigns_with_a_name_are_listed_if_it_is_given(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, name="外呼 1/a&b=c")
        simulator.add_campaign(2)
        assert [campaign.id for campaign in client.list_campaigns(name="外呼 1/a&b")] == [1]

    def test_the_older_signing_profile_is_accepted_too(self, simulator: Simulator) -> None:
        simulator.add_campaign(1, name="a b")
        with simulator.client(signing_profile="legacy") as client:
            assert [campaign.id for campaign in client.list_campaigns(name="a b")] == [1]


class TestDetails:
    def test_details_have_the_hours_of_the_platform(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(7, hours={"workdayBeginTime1": "09:00", "workdayEndTime1": "21:00"})
        assert client.get_campaign(7).workday_hours == (("09:00", "21:00"),)

    def test_special_dates_have_their_own_list(self, client: ISalesClient, simulator: Simulator) -> None:
        date = {"name": "new year", "type": 3, "beginTime": "01-01", "endTime": "01-02"}
        simulator.add_campaign(7, special_dates=[date])
        assert client.list_special_dates(7) == [SpecialDate("new year", 3, "", "01-01", "01-02")]

    def test_details_of_a_missing_campaign_are_an_error(self, client: ISalesClient, simulator: Simulator) -> None:
        with pytest.raises(ISalesCampaignNotFoundError, match=r"Reading the details of campaign 7 \(VDN 25\) failed"):
            client.get_campaign(7)

    def test_details_of_another_campaign_are_an_error(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        campaign.id = 8
        with pytest.raises(ISalesProtocolError, match="the details of campaign 8 came"):
            client.get_campaign(7)


class TestPause:
    def test_a_started_campaign_is_paused(self, client: ISalesClient, campaign: Campaign) -> None:
        result = client.pause_campaign(7)
        assert (result.outcome, campaign.state) == (Outcome.PAUSED, SUSPENDED)

    def test_the_batches_keep_their_status(self, client: ISalesClient, campaign: Campaign) -> None:
        before = dict(campaign.batches)
        client.pause_campaign(7)
        assert campaign.batches == before

    def test_a_suspended_campaign_is_already_paused(self, client: ISalesClient, campaign: Campaign) -> None:
        campaign.state = SUSPENDED
        assert client.pause_campaign(7).outcome is Outcome.ALREADY_PAUSED

    @pytest.mark.parametrize("state", [DRAFT, COMPLETED])
    def test_a_campaign_that_calls_nobody_is_not_running(
        self, client: ISalesClient, campaign: Campaign, state: CampaignState
    ) -> None:
        campaign.state = state
        assert client.pause_campaign(7).outcome is Outcome.NOT_RUNNING

    def test_a_campaign_that_has_not_begun_is_not_running_and_says_when_it_begins(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        begin = datetime.now(UTC).replace(microsecond=0) + SOON
        simulator.add_campaign(7, begin=begin)
        result = client.pause_campaign(7)
        assert (result.outcome, result.begins_at) == (Outcome.NOT_RUNNING, begin)

    def test_without_a_time_zone_a_campaign_that_may_have_begun_is_a_failure_that_names_the_setting(
        self, simulator: Simulator
    ) -> None:
        simulator.add_campaign(7, begin=datetime.now(UTC) + SOON)
        with simulator.client() as client:
            error = failure_of(client)
        assert error.retryable
        assert "Set the connection's extra 'timezone'" in str(error)

    def test_without_a_time_zone_a_campaign_that_begins_at_the_end_of_time_is_not_running(
        self, simulator: Simulator
    ) -> None:
        simulator.add_campaign(7, begin="9999-12-31 23:59:59")
        with simulator.client() as client:
            assert client.pause_campaign(7).outcome is Outcome.NOT_RUNNING

    def test_without_a_time_zone_a_campaign_that_began_long_ago_is_a_failure_that_names_no_setting(
        self, simulator: Simulator
    ) -> None:
        simulator.add_campaign(7, begin=datetime(2020, 1, 1, tzinfo=UTC))
        simulator.inject("result", verb="pause_campaign", code="0200011", times=99)
        with simulator.client() as client:
            assert "timezone" not in str(failure_of(client))

    def test_a_pause_that_was_accepted_without_effect_is_tried_once_more(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("result", verb="pause_campaign", code="0200000")
        assert client.pause_campaign(7).outcome is Outcome.PAUSED

    def test_a_pause_that_was_accepted_without_effect_twice_is_a_failure(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("result", verb="pause_campaign", code="0200000", times=9)
        error = failure_of(client)
        assert isinstance(error, ISalesUnchangedError)
        assert error.retryable
        assert simulator.requests["pause_campaign"] == 2

    def test_a_pause_that_shows_late_is_ours(
        self, client: ISalesClient, slow_to_show: Simulator, campaign: Campaign
    ) -> None:
        assert client.pause_campaign(7).outcome is Outcome.PAUSED

    def test_a_started_campaign_that_refuses_its_pause_is_worth_a_retry(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("result", verb="pause_campaign", code="0200011", times=9)
        error = failure_of(client)
        assert error.retryable
        assert "[0200011] not allowed in the campaign's present state" in error.problem
        assert "its details show it as started" in error.problem

    def test_a_pause_whose_response_is_lost_is_ours(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("close_after", verb="pause_campaign")
        assert client.pause_campaign(7).outcome is Outcome.PAUSED

    def test_a_pause_that_was_refused_is_not_ours_though_the_details_were_lost(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        campaign.state = SUSPENDED
        simulator.inject("answer", status=503, verb="get_campaign")
        assert client.pause_campaign(7).outcome is Outcome.ALREADY_PAUSED

    def test_a_429_holds_requests_back_once(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held: list[float] = []
        monkeypatch.setattr(Gate, "hold", lambda self, seconds, **_: held.append(seconds))
        simulator.inject("answer", status=429, verb="pause_campaign")
        client.pause_campaign(7)
        assert len(held) == 1

    def test_details_wait_while_requests_are_held_back(self, simulator: Simulator) -> None:
        simulator.add_campaign(7)
        with simulator.client() as client:
            simulator.on_request = lambda interface, parameters: (
                client.session.gate.hold(0.2) if interface == "pause_campaign" else None
            )
            assert client.pause_campaign(7).outcome is Outcome.PAUSED

    def test_details_that_fail_transiently_are_read_again(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=503, verb="get_campaign")
        assert client.pause_campaign(7).outcome is Outcome.PAUSED

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "answer", "status": 503},
            {"kind": "answer", "status": 404},
            {"kind": "result", "code": "0200001"},
            {"kind": "result", "code": "0200007"},
        ],
    )
    def test_details_that_cannot_be_read_are_worth_a_retry(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, fault: dict[str, Any]
    ) -> None:
        simulator.inject(**fault, verb="get_campaign", times=99)
        error = failure_of(client)
        assert error.retryable
        assert "the campaign's details can't be read" in str(error)

    def test_a_campaign_that_does_not_exist_fails_for_good(self, client: ISalesClient, simulator: Simulator) -> None:
        error = failure_of(client, 404)
        assert isinstance(error, ISalesCampaignNotFoundError)
        assert not error.retryable

    def test_a_stopped_client_leaves_the_details_unread(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.on_request = lambda verb, parameters: client.stop() if verb == "pause_campaign" else None
        error = failure_of(client)
        assert isinstance(error, ISalesStoppedError)
        assert error.sent
        assert "get_campaign" not in simulator.requests

    def test_a_server_that_does_not_answer_ends_within_the_bounds_of_a_call(
        self, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("delay", seconds=60, times=99)

        def check(timeout: float) -> None:
            with simulator.client(timeout=timeout, retry=RetryPolicy(attempts=2)) as client:
                error = failure_of(client)
            assert isinstance(error, ISalesTimeoutError)

        try_longer_timeouts(check)

    def test_the_result_is_plain_values_for_xcom(
        self, client: ISalesClient, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = datetime(2026, 11, 24, 10, 0, 3, 250_000, tzinfo=UTC)
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: now)
        assert client.pause_campaign("7").to_dict() == {
            "vdn_id": 25,
            "campaign_id": 7,
            "name": "evening",
            "outcome": "paused",
            "result_code": "0200000",
            "result_desc": "success",
            "begins_at": None,
            "confirmed_at": "2026-11-24T10:00:03.250+00:00",
        }


class TestResume:
    def test_a_suspended_campaign_is_resumed(self, client: ISalesClient, campaign: Campaign) -> None:
        campaign.state = SUSPENDED
        result = client.resume_campaign(7)
        assert (result.outcome, campaign.state) == (Outcome.RESUMED, EXECUTING)

    def test_a_started_campaign_is_already_started(self, client: ISalesClient, campaign: Campaign) -> None:
        assert client.resume_campaign(7).outcome is Outcome.ALREADY_STARTED

    @pytest.mark.parametrize("state", [DRAFT, COMPLETED])
    def test_a_campaign_that_cannot_be_resumed_fails_for_good(
        self, client: ISalesClient, campaign: Campaign, state: CampaignState
    ) -> None:
        campaign.state = state
        with pytest.raises(ISalesUnchangedError) as caught:
            client.resume_campaign(7)
        assert not caught.value.retryable
        assert f"its details show it as {state}" in str(caught.value)
