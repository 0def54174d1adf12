"""All campaigns of a VDN at once: the client against the simulator over HTTPS."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_isales.client import (
    ISalesArgumentError,
    ISalesBulkError,
    ISalesClient,
    ISalesError,
    RetryPolicy,
)
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.verbs import PAUSE_CAMPAIGN, RESUME_CAMPAIGN
from airflow_provider_isales.simulator import CampaignState, Simulator
from airflow_provider_isales.simulator.service import STATUS_NUMBERS

DRAFT, EXECUTING, SUSPENDED, COMPLETED = CampaignState
SOON = timedelta(hours=1)


@pytest.fixture
def client(simulator: Simulator, no_waiting: list[float]) -> Iterator[ISalesClient]:
    with simulator.client(timezone="Asia/Shanghai", retry=RetryPolicy(attempts=3)) as client:
        yield client


@pytest.fixture(autouse=True)
def restore_settings(server: Simulator) -> Iterator[None]:
    yield
    server.service.details_lag = server.service.list_lag = 0


def states(simulator: Simulator) -> dict[int, CampaignState]:
    return {campaign.id: campaign.state for campaign in simulator.service.campaigns.values()}


def failure_of(client: ISalesClient, campaign_ids: Any = "all", **settings: Any) -> ISalesBulkError:
    with pytest.raises(ISalesBulkError) as caught:
        client.pause_campaigns(campaign_ids, **settings)
    return caught.value


class TestAll:
    def test_every_started_campaign_is_paused(self, client: ISalesClient, simulator: Simulator) -> None:
        for number in range(1, 21):
            simulator.add_campaign(number)
        assert sorted(client.pause_campaigns("all").changed) == [*range(1, 21)]
        assert set(states(simulator).values()) == {SUSPENDED}

    def test_twenty_campaigns_take_two_listings_and_two_requests_each(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        for number in range(1, 21):
            simulator.add_campaign(number)
        client.pause_campaigns("all")
        assert simulator.requests == {"list_campaigns": 2, "pause_campaign": 20, "get_campaign": 20}

    def test_every_pause_is_sent_before_the_first_details_are_read(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        for number in range(1, 4):
            simulator.add_campaign(number)
        verbs: list[str] = []
        simulator.on_request = lambda verb, parameters: verbs.append(verb)
        client.pause_campaigns("all", max_parallel_requests=1)
        pauses, details = ["pause_campaign"] * 3, ["get_campaign"] * 3
        assert verbs == ["list_campaigns", *pauses, *details, "list_campaigns"]

    def test_campaigns_that_are_not_started_are_left_alone(self, client: ISalesClient, simulator: Simulator) -> None:
        for number, state in enumerate(CampaignState, 1):
            simulator.add_campaign(number, state=state)
        result = client.pause_campaigns("all")
        assert (result.changed, result.unchanged, result.not_running) == ([2], [], [])
        assert states(simulator) == {1: DRAFT, 2: SUSPENDED, 3: SUSPENDED, 4: COMPLETED}

    def test_a_vdn_without_campaigns_is_confirmed(self, client: ISalesClient, simulator: Simulator) -> None:
        result = client.pause_campaigns("all")
        assert (result.changed, result.confirmed_at is not None) == ([], True)

    def test_a_campaign_that_is_excluded_stays_started(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1, name="hotline")
        simulator.add_campaign(2)
        result = client.pause_campaigns("all", exclude=["1"])
        assert (result.changed, result.excluded, states(simulator)[1]) == ([2], [1], EXECUTING)
        assert result.unlisted == []
        assert result.names == {1: "hotline", 2: "campaign-2"}

    def test_an_excluded_campaign_that_does_not_exist_is_a_warning(
        self, client: ISalesClient, simulator: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        simulator.add_campaign(1)
        assert client.pause_campaigns("all", exclude=[2]).unlisted == [2]
        assert "exclude or a hold: 2 is not listed, so it excludes nothing." in caplog.text

    def test_an_excluded_campaign_is_not_reported_as_missing_if_the_listings_fail(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("result", code="0200001", verb="list_campaigns", times=10)
        assert failure_of(client, [1], exclude=[2]).result.unlisted == []

    def test_a_campaign_that_is_created_meanwhile_is_paused_too(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)

        def create(verb: str, parameters: Any) -> None:
            if verb == "pause_campaign" and len(states(simulator)) < 4:
                simulator.add_campaign(len(states(simulator)) + 1)

        simulator.on_request = create
        assert sorted(client.pause_campaigns("all").changed) == [1, 2, 3, 4]
        assert set(states(simulator).values()) == {SUSPENDED}

    def test_a_campaign_that_is_started_meanwhile_is_paused_too(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        draft = simulator.add_campaign(2, state=DRAFT)
        simulator.on_request = lambda verb, parameters: (
            setattr(draft, "state", EXECUTING) if draft.state is DRAFT and verb == "pause_campaign" else None
        )
        assert sorted(client.pause_campaigns("all").changed) == [1, 2]

    def test_a_campaign_that_is_resumed_meanwhile_is_paused_once_more(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        campaign = simulator.add_campaign(1)
        listings = []

        def resume(verb: str, parameters: Any) -> None:
            if verb == "list_campaigns":
                listings.append(verb)
                if len(listings) == 2:
                    campaign.state = EXECUTING

        simulator.on_request = resume
        assert client.pause_campaigns("all").changed == [1]
        assert campaign.state is SUSPENDED

    def test_a_vdn_in_which_somebody_goes_on_creating_campaigns_is_a_failure_within_a_bound(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)

        def create(verb: str, parameters: Any) -> None:
            if verb == "get_campaign":
                simulator.add_campaign(len(states(simulator)) + 1)

        simulator.on_request = create
        error = failure_of(client)
        assert error.retryable
        assert error.result.not_tried
        assert simulator.requests["list_campaigns"] < 20

    def test_a_campaign_that_is_deleted_meanwhile_is_gone(self, client: ISalesClient, simulator: Simulator) -> None:
        for number in (1, 2):
            simulator.add_campaign(number)

        def delete(verb: str, parameters: Any) -> None:
            if verb == "pause_campaign":
                simulator.service.campaigns.pop(2, None)

        simulator.on_request = delete
        result = client.pause_campaigns("all", max_parallel_requests=1)
        assert (result.changed, result.gone) == ([1], [2])

    @pytest.mark.parametrize("pages_of", [100, 7])
    def test_campaigns_on_several_pages_are_paused(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, pages_of: int
    ) -> None:
        monkeypatch.setattr(simulator.service, "max_page_size", pages_of)
        for number in range(1, 121):
            simulator.add_campaign(number, state=EXECUTING if number % 10 == 0 else COMPLETED)
        assert sorted(client.pause_campaigns("all").changed) == [*range(10, 121, 10)]

    @pytest.mark.parametrize("odd", [{"id": 2, "status": None}, {"id": None, "status": 2}, None], ids=str)
    def test_an_unreadable_entry_is_a_failure_and_the_others_are_paused(
        self, client: ISalesClient, simulator: Simulator, odd: Any
    ) -> None:
        simulator.add_campaign(1)
        page = {"resultCode": "0200000", "totalSize": 2, "data": [{"id": 1, "status": 2}, odd]}
        simulator.inject("answer", verb="list_campaigns", status=200, body=json.dumps(page), times=99)
        assert failure_of(client).retryable
        assert states(simulator) == {1: SUSPENDED}


def test_a_failure_names_the_campaigns_as_the_console_does(client: ISalesClient, simulator: Simulator) -> None:
    simulator.add_campaign(1, name="renewals")
    simulator.inject("result", verb="pause_campaign", code="0200000", times=9)
    assert "1 of them, 1 (renewals): accepted, but" in str(failure_of(client))


def test_a_pause_that_could_list_nothing_says_that_calls_may_go_on(client: ISalesClient, simulator: Simulator) -> None:
    simulator.inject("answer", verb="list_campaigns", status=403, times=9)
    with pytest.raises(ISalesError, match=r"Nothing was paused, so calls may go on\."):
        client.pause_campaigns("all")


class TestNotRunning:
    def test_a_campaign_that_has_not_begun_counts_as_success_with_its_begin(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        begin = datetime.now(UTC).replace(microsecond=0) + SOON
        simulator.add_campaign(1, begin=begin)
        simulator.add_campaign(2)
        result = client.pause_campaigns("all")
        assert (result.changed, result.not_running, result.begins_at) == ([2], [1], {1: begin})
        assert simulator.requests == {"list_campaigns": 2, "pause_campaign": 2, "get_campaign": 2}

    @pytest.mark.parametrize(("next_start", "levels"), [(2 * SOON, [logging.WARNING]), (SOON / 2, [])])
    def test_a_campaign_that_begins_before_the_next_shift_is_a_warning(
        self,
        client: ISalesClient,
        simulator: Simulator,
        caplog: pytest.LogCaptureFixture,
        next_start: timedelta,
        levels: list[int],
    ) -> None:
        now = datetime.now(UTC)
        simulator.add_campaign(1, begin=now + SOON)
        settings: Any = {"timezone": "Asia/Shanghai", "next_start": now + next_start}
        BulkSwitch(PAUSE_CAMPAIGN, client.session, client.vdn(), **settings).run()
        assert [rec.levelno for rec in caplog.records if "Campaign 1 begins" in rec.getMessage()] == levels

    def test_a_vdn_without_campaigns_is_a_warning_that_names_the_setting(
        self, client: ISalesClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.pause_campaigns("all")
        assert "the VDN has no campaigns. Check vdn_id." in caplog.text

    def test_the_time_zone_decides_whether_a_campaign_has_begun(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, begin=datetime.now(UTC) + SOON / 2)
        bulk = BulkSwitch(PAUSE_CAMPAIGN, client.session, client.vdn(), timezone="Asia/Tokyo")
        with pytest.raises(ISalesBulkError) as caught:
            bulk.run()
        assert caught.value.retryable

    def test_the_next_start_must_be_an_instant(self, client: ISalesClient) -> None:
        with pytest.raises(ISalesArgumentError, match="next_start must be a datetime with a time zone"):
            BulkSwitch(PAUSE_CAMPAIGN, client.session, client.vdn(), next_start=datetime(2026, 11, 29, 9))

    def test_a_campaign_that_has_begun_when_it_is_listed_again_is_paused_after_all(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        campaign = simulator.add_campaign(1, begin=datetime.now(UTC) + SOON)

        def begin(verb: str, parameters: Any) -> None:
            if verb == "list_campaigns" and simulator.requests.get("get_campaign"):
                campaign.begin = "2026-01-01"

        simulator.on_request = begin
        assert client.pause_campaigns("all").changed == [1]
        assert campaign.state is SUSPENDED

    def test_without_a_time_zone_a_campaign_that_may_have_begun_is_a_failure_that_names_the_setting(
        self, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, begin=datetime.now(UTC) + SOON)
        with simulator.client() as client:
            error = failure_of(client)
        assert error.retryable
        assert "Set the connection's extra 'timezone'" in str(error)

    @pytest.mark.parametrize("state", [DRAFT, COMPLETED])
    def test_a_given_campaign_that_calls_nobody_is_not_running(
        self, client: ISalesClient, simulator: Simulator, state: CampaignState
    ) -> None:
        simulator.add_campaign(1, state=state)
        assert client.pause_campaigns([1]).not_running == [1]


class TestGivenCampaigns:
    def test_only_given_campaigns_are_paused(self, client: ISalesClient, simulator: Simulator) -> None:
        for number in (1, 2, 3):
            simulator.add_campaign(number)
        assert sorted(client.pause_campaigns([1, "3"]).changed) == [1, 3]
        assert states(simulator)[2] is EXECUTING

    def test_a_given_campaign_suspended_before_is_already_paused(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, state=SUSPENDED)
        assert client.pause_campaigns([1]).unchanged == [1]

    def test_a_given_campaign_that_does_not_exist_fails_for_good_and_the_others_are_paused(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        error = failure_of(client, [1, 404, "x"])
        assert (error.result.changed, [*error.result.failed], error.retryable) == ([1], [404, "x"], False)

    @pytest.mark.parametrize("value", [None, "7", 7, {"7": 1}])
    def test_given_campaigns_must_be_a_list(self, client: ISalesClient, value: Any) -> None:
        with pytest.raises(ISalesArgumentError, match='campaign_ids must be a list of campaign ids, or "all" for'):
            client.pause_campaigns(value)

    @pytest.mark.parametrize("value", [None, "7", [0], ["x"]])
    def test_exclude_must_be_a_list_of_ids(self, client: ISalesClient, value: Any) -> None:
        with pytest.raises(ISalesArgumentError, match="exclude must be"):
            client.pause_campaigns("all", exclude=value)


class TestFaults:
    def test_a_pause_whose_response_is_lost_is_ours(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1)
        simulator.inject("close_after", verb="pause_campaign")
        assert client.pause_campaigns("all").changed == [1]

    def test_details_that_fail_transiently_are_read_in_the_next_round(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("answer", status=503, verb="get_campaign")
        assert client.pause_campaigns("all").changed == [1]

    def test_a_campaign_that_accepts_its_pause_without_effect_failed(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        for number in (1, 2):
            simulator.add_campaign(number)
        simulator.on_request = lambda verb, parameters: (
            setattr(simulator.service.campaigns[1], "state", EXECUTING)
            if verb in ("get_campaign", "list_campaigns")
            else None
        )
        error = failure_of(client)
        assert error.retryable
        assert (error.result.changed, error.result.failed) == ([2], {1: "accepted, but its details show it as started"})

    def test_the_last_listing_wins_over_the_details(self, client: ISalesClient, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(1)
        simulator.on_request = lambda verb, parameters: (
            setattr(campaign, "state", EXECUTING) if verb == "list_campaigns" else None
        )
        assert failure_of(client).result.failed == {1: "the list still shows it as started"}

    def test_details_and_listings_that_show_a_change_late_are_no_failure(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.service.details_lag = simulator.service.list_lag = 1
        assert client.pause_campaigns("all").changed == [1]

    def test_a_status_that_is_not_documented_is_a_failure_that_names_it(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        simulator.add_campaign(1, state=DRAFT)
        monkeypatch.setitem(STATUS_NUMBERS, DRAFT, 7)
        error = failure_of(client)
        assert error.retryable
        assert "7, a status that is not documented" in error.result.failed[1]

    def test_a_vdn_that_cannot_be_listed_is_an_error_of_its_own(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.inject("answer", status=403, verb="list_campaigns", times=9)
        with pytest.raises(Exception, match=r"Listing the campaigns of VDN 25 failed: HTTP 403") as caught:
            client.pause_campaigns("all")
        assert not isinstance(caught.value, ISalesBulkError)

    def test_given_campaigns_are_paused_though_the_vdn_cannot_be_listed(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("answer", status=403, verb="list_campaigns", times=99)
        result = failure_of(client, [1]).result
        assert (result.changed, result.confirmed_at, states(simulator)) == ([1], None, {1: SUSPENDED})

    def test_a_stopped_client_leaves_the_rest_untried(self, simulator: Simulator) -> None:
        for number in (1, 2, 3):
            simulator.add_campaign(number)
        with simulator.client() as client:
            simulator.on_request = lambda verb, parameters: client.stop() if verb == "pause_campaign" else None
            error = failure_of(client, max_parallel_requests=1)
        assert (error.result.unknown, error.result.not_tried) == ([1], [2, 3])

    def test_a_server_that_refuses_too_many_at_once_is_asked_more_slowly(self, simulator: Simulator) -> None:
        for number in range(1, 21):
            simulator.add_campaign(number)
        simulator.max_at_once = 2
        try:
            with simulator.client(max_connections=8) as client:
                assert len(client.pause_campaigns("all").changed) == 20
        finally:
            simulator.max_at_once = None

    def test_campaigns_are_announced_before_they_are_paused(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1)
        simulator.add_campaign(2, state=SUSPENDED)
        announced: list[list[int]] = []
        BulkSwitch(PAUSE_CAMPAIGN, client.session, client.vdn(), announce=announced.append).run()
        assert announced == [[1]]


class TestResume:
    def test_given_campaigns_are_resumed(self, client: ISalesClient, simulator: Simulator) -> None:
        for number in (1, 2):
            simulator.add_campaign(number, state=SUSPENDED)
        assert client.resume_campaigns([1]).changed == [1]
        assert states(simulator) == {1: EXECUTING, 2: SUSPENDED}

    def test_ids_that_can_be_read_only_once_are_resumed(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1, state=SUSPENDED)
        assert client.resume_campaigns(number for number in (1,)).changed == [1]  # type: ignore[arg-type]

    def test_a_started_campaign_is_already_started(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1)
        assert client.resume_campaigns([1]).unchanged == [1]

    def test_resuming_a_completed_campaign_fails_for_good(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1, state=COMPLETED)
        with pytest.raises(ISalesBulkError) as caught:
            client.resume_campaigns([1])
        assert ([*caught.value.result.failed], caught.value.retryable) == ([1], False)

    def test_a_completed_campaign_is_not_running_if_deleted_is_gone(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, state=COMPLETED)
        simulator.add_campaign(2, state=SUSPENDED)
        result = BulkSwitch(RESUME_CAMPAIGN, client.session, client.vdn(), [1, 2, 3], deleted_is_gone=True).run()
        assert (result.changed, result.not_running, result.gone) == ([2], [1], [3])
        assert result.confirmed == [2, 1, 3]

    def test_resuming_all_campaigns_is_an_error_that_says_why(self, client: ISalesClient, simulator: Simulator) -> None:
        with pytest.raises(ISalesArgumentError, match='not "all": that would also resume campaigns that somebody susp'):
            client.resume_campaigns("all")
        assert simulator.requests == {}


def test_the_result_is_plain_values_for_xcom(
    client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 24, 10, 0, 3, 250_000, tzinfo=UTC)
    simulator.add_campaign(1, name="evening")
    simulator.add_campaign(2, name="tomorrow", begin="2099-11-25 09:00:00")
    monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: now)
    assert client.pause_campaigns("all", exclude=[9], max_parallel_requests=1).to_dict() == {
        "vdn_id": 25,
        "paused": [1],
        "already_paused": [],
        "not_running": [2],
        "failed": {},
        "gone": [],
        "unknown": [],
        "not_tried": [],
        "excluded": [9],
        "names": {"1": "evening", "2": "tomorrow"},
        "begins_at": {"2": "2099-11-25T01:00:00.000+00:00"},
        "confirmed_at": "2026-11-24T10:00:03.250+00:00",
    }
