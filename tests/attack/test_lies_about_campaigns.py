"""One lie at a time about the campaigns of a VDN: none of them makes a run green while somebody is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faulty_server import LIE

from airflow_provider_isales.client import (
    ISalesBulkError,
    ISalesClient,
    ISalesError,
    ISalesStoppedError,
    Outcome,
    RetryPolicy,
)
from airflow_provider_isales.simulator import CampaignState, Simulator

DRAFT, EXECUTING, SUSPENDED, COMPLETED = CampaignState
Change = Callable[[dict[str, Any]], dict[str, Any]]
Lie = Callable[[str, Change], None]


@pytest.fixture
def client(simulator: Simulator, no_waiting: list[float]) -> Iterator[ISalesClient]:
    retry = RetryPolicy(attempts=3, total=5)
    with simulator.client(timezone="Asia/Shanghai", retry=retry, max_connections=1) as client:
        yield client


@pytest.fixture
def lie(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Lie:
    """Change what the service answers to one interface."""

    def lie(interface: str, change: Change) -> None:
        carry_out = simulator.service.carry_out

        def lie_about(asked: str, *args: Any, **path: str) -> dict[str, Any]:
            said = carry_out(asked, *args, **path)
            return change(said) if asked == interface else said

        monkeypatch.setattr(simulator.service, "carry_out", lie_about)

    return lie


def failure_of(client: ISalesClient, campaign_ids: Any = "all", **settings: Any) -> ISalesError:
    with pytest.raises(ISalesError) as caught:
        client.pause_campaigns(campaign_ids, max_parallel_requests=1, **settings)
    return caught.value


def result_of_failure(client: ISalesClient, campaign_ids: Any = "all", **settings: Any) -> dict[str, Any]:
    error = failure_of(client, campaign_ids, **settings)
    assert isinstance(error, ISalesBulkError)
    assert error.retryable
    return error.result.to_dict()


class TestListing:
    @pytest.mark.parametrize("code", ["0200001", "0200006", "0200007", "0200011", "02000001", "03000002", "09999999"])
    def test_no_code_for_a_listing_is_permanent(self, client: ISalesClient, simulator: Simulator, code: str) -> None:
        simulator.add_campaign(1)
        simulator.inject("result", code=code, verb="list_campaigns", times=99)
        assert failure_of(client).retryable

    @pytest.mark.parametrize("code", ["0200007", "0200011"])
    def test_a_listing_that_is_refused_leaves_the_given_campaigns_open(
        self, client: ISalesClient, simulator: Simulator, code: str
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("result", code=code, times=99)
        assert failure_of(client, [1]).retryable

    @pytest.mark.parametrize("total", [1, 3, 100, "1"])
    def test_a_total_that_is_not_that_of_the_campaigns_is_not_believed(
        self, client: ISalesClient, simulator: Simulator, lie: Lie, total: Any
    ) -> None:
        for number in (1, 2):
            simulator.add_campaign(number)
        lie("list_campaigns", lambda said: said | {"totalSize": total})
        error = failure_of(client)
        assert error.retryable
        assert {each.state for each in simulator.service.campaigns.values()} == {SUSPENDED}

    def test_a_page_that_is_full_by_its_own_word_is_not_the_last(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(simulator.service, "max_page_size", 7)
        monkeypatch.setattr(simulator.service, "total_counts_page", True)
        for number in range(1, 21):
            simulator.add_campaign(number)
        client.pause_campaigns("all")
        assert {each.state for each in simulator.service.campaigns.values()} == {SUSPENDED}

    @pytest.mark.parametrize("states", [(2, 3), (3, 2)])
    def test_an_id_that_is_listed_twice_with_two_statuses_is_not_believed(
        self, client: ISalesClient, simulator: Simulator, lie: Lie, states: tuple[int, int]
    ) -> None:
        simulator.add_campaign(1)

        def double(said: dict[str, Any]) -> dict[str, Any]:
            rows = [row | {"status": status} for row in said["data"] for status in states]
            return said | {"data": rows, "totalSize": len(rows)}

        lie("list_campaigns", double)
        assert result_of_failure(client)["confirmed_at"] is None

    def test_listings_that_never_agree_confirm_nothing(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(1)

        def move(interface: str, parameters: Any) -> None:
            if interface == "list_campaigns":
                simulator.service.campaigns.pop(simulator.requests["list_campaigns"] + 99, None)
                simulator.add_campaign(simulator.requests["list_campaigns"] + 100, state=COMPLETED)

        simulator.on_request = move
        result = result_of_failure(client)
        assert (result["paused"], result["confirmed_at"]) == ([1], None)

    def test_a_listing_that_omits_a_started_campaign_does_not_make_it_gone(
        self, client: ISalesClient, simulator: Simulator, lie: Lie
    ) -> None:
        for number in (1, 2):
            simulator.add_campaign(number)
        simulator.inject("answer", status=403, verb="pause_campaign", times=99)
        listings = []

        def omit(said: dict[str, Any]) -> dict[str, Any]:
            listings.append(said)
            rows = said["data"] if len(listings) == 1 else said["data"][1:]
            return said | {"data": rows, "totalSize": len(rows)}

        lie("list_campaigns", omit)
        result = result_of_failure(client)
        assert (result["gone"], sorted(result["failed"])) == ([], ["1", "2"])


class TestDetails:
    def test_details_of_another_campaign_say_nothing(
        self, client: ISalesClient, simulator: Simulator, lie: Lie
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("result", code="0200011", verb="pause_campaign", times=99)
        lie("get_campaign", lambda said: said | {"returnObject": said["returnObject"] | {"id": 2, "status": 3}})
        assert "the details of campaign 2 came" in result_of_failure(client)["failed"]["1"]

    def test_details_of_another_campaign_say_nothing_of_a_single_one_either(
        self, client: ISalesClient, simulator: Simulator, lie: Lie
    ) -> None:
        simulator.add_campaign(1)
        lie("get_campaign", lambda said: said | {"returnObject": said["returnObject"] | {"id": 2, "status": 3}})
        with pytest.raises(ISalesError, match="the details of campaign 2 came instead of those of") as caught:
            client.pause_campaign(1)
        assert caught.value.retryable

    def test_details_of_another_campaign_say_nothing_of_one_without_batches(
        self, client: ISalesClient, simulator: Simulator, lie: Lie
    ) -> None:
        simulator.add_campaign(1)
        lie("get_campaign", lambda said: said | {"returnObject": said["returnObject"] | {"id": 2, "status": 3}})
        with pytest.raises(ISalesBulkError, match="The details of campaign 2 came instead of those of") as caught:
            client.pause_call_batches(1)
        assert caught.value.retryable

    @pytest.mark.parametrize("status", [0, 5, 7, "7"])
    def test_a_status_that_is_not_documented_is_no_success(
        self, client: ISalesClient, simulator: Simulator, lie: Lie, status: Any
    ) -> None:
        simulator.add_campaign(1)
        lie("get_campaign", lambda said: said | {"returnObject": said["returnObject"] | {"status": status}})
        with pytest.raises(ISalesError, match="a status that is not documented") as caught:
            client.pause_campaign(1)
        assert caught.value.retryable

    @pytest.mark.parametrize("said", [DRAFT, SUSPENDED, COMPLETED])
    def test_the_last_listing_wins_over_details_that_are_older_than_a_resume(
        self, client: ISalesClient, simulator: Simulator, lie: Lie, said: CampaignState
    ) -> None:
        simulator.add_campaign(1)
        number = [*CampaignState].index(said) + 1
        simulator.inject("result", code="0200011", verb="pause_campaign", times=99)
        lie("get_campaign", lambda said: said | {"returnObject": said["returnObject"] | {"status": number}})
        assert [*result_of_failure(client)["failed"]] == ["1"]

    def test_details_without_effect_of_an_accepted_pause_are_no_success(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("answer", status=200, body=LIE, verb="pause_campaign", times=99)
        assert [*result_of_failure(client)["failed"]] == ["1"]
        assert simulator.requests["pause_campaign"] == 2

    def test_a_refusal_of_what_somebody_else_suspended_is_not_ours(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        campaign = simulator.add_campaign(1)
        simulator.on_request = lambda interface, parameters: (
            setattr(campaign, "state", SUSPENDED) if interface == "pause_campaign" else None
        )
        assert client.pause_campaigns("all").to_dict()["already_paused"] == [1]

    def test_a_campaign_that_begins_while_it_is_refused_is_tried_again(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        campaign = simulator.add_campaign(1, begin=datetime.now(UTC) + timedelta(hours=1))
        simulator.on_request = lambda interface, parameters: (
            setattr(campaign, "begin", "2026-01-01") if interface == "get_campaign" else None
        )
        assert client.pause_campaigns("all").to_dict()["paused"] == [1]

    def test_a_begin_that_the_listing_has_and_the_details_have_not_is_not_enough(
        self, client: ISalesClient, simulator: Simulator, lie: Lie
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("result", code="0200011", verb="pause_campaign", times=99)
        later = {"strBeginTime": "2099-01-01 00:00:00"}
        lie("list_campaigns", lambda said: said | {"data": [row | later for row in said["data"]]})
        assert [*result_of_failure(client)["failed"]] == ["1"]


class TestTiming:
    def test_a_campaign_that_is_deleted_between_listing_and_pause_is_gone(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.on_request = lambda interface, parameters: (
            simulator.service.campaigns.clear() if interface == "pause_campaign" else None
        )
        assert client.pause_campaigns("all").to_dict()["gone"] == [1]

    def test_a_campaign_that_is_deleted_between_pause_and_details_is_gone(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.on_request = lambda interface, parameters: (
            simulator.service.campaigns.clear() if interface == "get_campaign" else None
        )
        assert client.pause_campaigns("all").to_dict()["gone"] == [1]

    def test_a_not_found_that_the_listing_contradicts_is_no_reason_to_give_up(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("result", code="0200007", verb="pause_campaign", times=99)
        assert [*result_of_failure(client, [1])["failed"]] == ["1"]

    @pytest.mark.parametrize("given", ["all", [1, 2]])
    def test_after_a_stop_between_pause_and_details_the_outcome_is_unknown(
        self, client: ISalesClient, simulator: Simulator, given: Any
    ) -> None:
        for number in (1, 2):
            simulator.add_campaign(number)
        simulator.on_request = lambda interface, parameters: client.stop() if interface == "pause_campaign" else None
        result = result_of_failure(client, given)
        assert (result["unknown"], result["not_tried"], simulator.requests["get_campaign"]) == ([1], [2], 0)

    def test_after_a_stop_between_a_refused_pause_and_its_details_it_is_not_done(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1, state=SUSPENDED)
        simulator.on_request = lambda interface, parameters: client.stop() if interface == "pause_campaign" else None
        result = result_of_failure(client, [1])
        assert (result["paused"], result["already_paused"]) == ([], [])

    def test_no_details_are_read_after_the_edge_and_the_outcome_is_unknown(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.on_request = lambda interface, parameters: (
            client.stop_before(datetime.now(UTC)) if interface == "pause_campaign" else None
        )
        assert result_of_failure(client)["unknown"] == [1]
        assert simulator.requests == {"list_campaigns": 1, "pause_campaign": 1}

    def test_a_single_pause_at_the_edge_says_that_it_may_have_taken_effect(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.on_request = lambda interface, parameters: client.stop_before(datetime.now(UTC))
        with pytest.raises(ISalesStoppedError, match=r"accepted, but the campaign's details can't be read") as caught:
            client.pause_campaign(1)
        assert (caught.value.sent, caught.value.retryable) == (True, True)

    def test_an_outage_between_pauses_and_details_leaves_nothing_green(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(1, 6):
            simulator.add_campaign(number)

        def break_down(interface: str, parameters: Any) -> None:
            if interface == "get_campaign" and simulator.requests[interface] == 3:
                monkeypatch.setattr("airflow_provider_isales.client.rounds.OUTAGE_SECONDS", 0.2)
                simulator.inject("close_before", times=9999)

        simulator.on_request = break_down
        result = result_of_failure(client)
        assert (result["paused"], result["confirmed_at"]) == ([1, 2], None)
        assert sorted([*result["unknown"], *result["not_tried"], *map(int, result["failed"])]) == [3, 4, 5]


class TestIds:
    def test_a_campaign_given_as_number_and_as_text_is_paused_once(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        assert client.pause_campaigns([1, "1", "01"]).to_dict()["paused"] == [1]
        assert simulator.requests["pause_campaign"] == 1

    @pytest.mark.parametrize("exclude", [["1"], [1], ["01"], [1, "1"]])
    @pytest.mark.parametrize("given", ["all", [1, 2], ["1", "2"]])
    def test_an_excluded_campaign_is_left_alone_in_any_spelling(
        self, client: ISalesClient, simulator: Simulator, given: Any, exclude: Any
    ) -> None:
        for number in (1, 2):
            simulator.add_campaign(number)
        result = client.pause_campaigns(given, exclude=exclude).to_dict()
        assert (result["paused"], result["excluded"]) == ([2], [1])
        assert simulator.service.campaigns[1].state is EXECUTING

    def test_an_excluded_campaign_does_not_affect_the_result(
        self, client: ISalesClient, simulator: Simulator, lie: Lie
    ) -> None:
        simulator.add_campaign(1)
        lie("list_campaigns", lambda said: said | {"data": [row | {"status": 7} for row in said["data"]]})
        assert client.pause_campaigns("all", exclude=[1]).confirmed_at


class TestSingle:
    @pytest.mark.parametrize("lag", [1, 2, 3])
    def test_details_that_show_a_pause_late_are_read_again_or_make_a_failure(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, lag: int
    ) -> None:
        monkeypatch.setattr(simulator.service, "details_lag", lag)
        simulator.add_campaign(1)
        if lag == 1:
            assert client.pause_campaign(1).outcome is Outcome.PAUSED
        else:
            with pytest.raises(ISalesError, match="its details show it as started") as caught:
                client.pause_campaign(1)
            assert caught.value.retryable

    def test_an_accepted_pause_whose_details_fail_at_first_is_ours(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1)
        simulator.inject("answer", status=502, verb="get_campaign")
        assert client.pause_campaign(1).outcome is Outcome.PAUSED
