"""Only those whose names contain a text: the client against the simulator over HTTPS."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_isales.client import (
    BatchStatus,
    BulkResult,
    ISalesArgumentError,
    ISalesBulkError,
    ISalesClient,
    RetryPolicy,
)
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.verbs import PAUSE, PAUSE_CAMPAIGN
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

EXECUTING, SUSPENDED = CampaignState.EXECUTING, CampaignState.SUSPENDED
STARTED = BatchStatus.STARTED


@pytest.fixture
def client(simulator: Simulator, no_waiting: list[float]) -> Iterator[ISalesClient]:
    with simulator.client(timezone="Asia/Shanghai", retry=RetryPolicy(attempts=3)) as client:
        yield client


@pytest.fixture
def campaigns(simulator: Simulator) -> dict[str, Campaign]:
    """Return campaigns by their names."""
    names = ["Night sales", "day sales", "overnight", "夜间 night"]
    return {name: simulator.add_campaign(number, name=name) for number, name in enumerate(names, 1)}


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    campaign = simulator.add_campaign(7)
    for name in ("night 1", "day 1", "Night 2"):
        campaign.add_batch(name)
    return campaign


def started(campaign: Campaign) -> list[str]:
    return [batch.name for batch in campaign.batches.values() if batch.status is STARTED]


def pause_required(client: ISalesClient, select: str, **settings: Any) -> BulkResult:
    bulk = BulkSwitch(
        PAUSE_CAMPAIGN, client.session, client.vdn(), select=select, select_required=True, timezone="UTC", **settings
    )
    return bulk.run()


class TestCampaigns:
    def test_only_campaigns_whose_name_contains_the_text_are_paused(
        self, client: ISalesClient, campaigns: dict[str, Campaign]
    ) -> None:
        result = client.pause_campaigns("all", select="night")
        assert sorted(result.changed) == [1, 3, 4]
        assert campaigns["day sales"].state is EXECUTING

    def test_campaign_names_match_in_any_case(self, client: ISalesClient, campaigns: dict[str, Campaign]) -> None:
        assert client.pause_campaigns("all", select="NIGHT S").changed == [1]

    def test_chinese_campaign_names_match(self, client: ISalesClient, campaigns: dict[str, Campaign]) -> None:
        assert client.pause_campaigns("all", select="夜间").changed == [4]

    def test_matching_campaigns_are_named_even_if_suspended_or_excluded(
        self, client: ISalesClient, campaigns: dict[str, Campaign]
    ) -> None:
        campaigns["overnight"].state = SUSPENDED
        result = client.pause_campaigns("all", select="night", exclude=[4])
        assert result.changed == [1]
        assert result.matched == {1: "Night sales", 3: "overnight", 4: "夜间 night"}

    def test_matching_campaigns_are_in_the_dict_for_xcom(
        self, client: ISalesClient, campaigns: dict[str, Campaign]
    ) -> None:
        assert client.pause_campaigns("all", select="day").to_dict()["matched"] == {"2": "day sales"}

    def test_without_select_the_dict_for_xcom_has_no_matches(
        self, client: ISalesClient, campaigns: dict[str, Campaign]
    ) -> None:
        assert "matched" not in client.pause_campaigns("all").to_dict()

    def test_matching_campaigns_are_in_the_log(
        self, client: ISalesClient, campaigns: dict[str, Campaign], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            client.pause_campaigns("all", select="sales")
        assert (
            "Pausing the campaigns of VDN 25 whose names contain 'sales': 2 match: 1 (Night sales), 2 (day sales)."
        ) in caplog.messages

    def test_matching_campaigns_created_meanwhile_are_paused(
        self, client: ISalesClient, simulator: Simulator, campaigns: dict[str, Campaign]
    ) -> None:
        def create(verb: str, parameters: Any) -> None:
            if verb == "pause_campaign" and len(simulator.service.campaigns) < 6:
                simulator.add_campaign(5, name="night 5")
                simulator.add_campaign(6, name="day 6")

        simulator.on_request = create
        assert sorted(client.pause_campaigns("all", select="night").changed) == [1, 3, 4, 5]
        assert simulator.service.campaigns[6].state is EXECUTING

    def test_campaigns_renamed_meanwhile_are_not_gone(
        self, client: ISalesClient, simulator: Simulator, campaigns: dict[str, Campaign]
    ) -> None:
        overnight = campaigns["overnight"]

        def rename(verb: str, parameters: Any) -> None:
            if verb == "get_campaign":
                overnight.name = "another"
            if verb == "list_campaigns" and overnight.name == "another":
                overnight.state = EXECUTING  # somebody resumes it again and again

        simulator.on_request = rename
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_campaigns("all", select="overnight")
        assert caught.value.result.failed == {3: "the list still shows it as started"}

    def test_the_client_selects_campaigns_however_the_service_filters_names(
        self, client: ISalesClient, simulator: Simulator, campaigns: dict[str, Campaign]
    ) -> None:
        queries: list[Any] = []
        simulator.on_request = lambda verb, query: queries.append(query) if verb == "list_campaigns" else None
        client.pause_campaigns("all", select="night")
        assert not any("name" in query for query in queries)


class TestBatches:
    def test_only_batches_whose_name_contains_the_text_are_paused(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        result = client.pause_call_batches(7, select="night")
        assert started(campaign) == ["day 1"]
        assert sorted(result.to_dict()["matched"].values()) == ["Night 2", "night 1"]

    def test_only_batches_whose_name_contains_the_text_are_resumed(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        client.pause_call_batches(7)
        client.resume_call_batches(7, select="day")
        assert started(campaign) == ["day 1"]

    def test_a_campaign_without_a_matching_batch_is_not_one_without_batches(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        assert client.pause_call_batches(7, select="evening").confirmed_at is not None
        assert len(started(campaign)) == 3

    def test_a_campaign_without_batches_fails_as_without_select(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(8)
        with pytest.raises(ISalesBulkError, match="The campaign has no batches"):
            client.pause_call_batches(8, select="night")

    def test_batches_are_selected_on_every_page_of_the_list(self, client: ISalesClient, simulator: Simulator) -> None:
        batch = simulator.add_campaign(7, batches=250).add_batch("night")
        assert client.pause_call_batches(7, select="night").changed == [batch.id]


class TestMatchingNone:
    def test_no_match_is_a_warning_with_the_text_and_the_scope(
        self, client: ISalesClient, campaigns: dict[str, Campaign], caplog: pytest.LogCaptureFixture
    ) -> None:
        result = client.pause_campaigns("all", select="nigth")
        assert result.matched == {}
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
            "Pausing the campaigns of VDN 25 whose names contain 'nigth': no name matches. Compare select with the "
            "names of the campaigns in the console."
        ]

    def test_no_match_fails_if_a_match_is_required(self, client: ISalesClient, campaigns: dict[str, Campaign]) -> None:
        with pytest.raises(ISalesBulkError, match=r"whose names contain 'nigth' failed: .* No name matches") as caught:
            pause_required(client, "nigth")
        assert caught.value.retryable
        assert caught.value.result.matched == {}

    def test_an_excluded_match_is_a_match(self, client: ISalesClient, campaigns: dict[str, Campaign]) -> None:
        assert pause_required(client, "day", exclude=[2]).matched == {2: "day sales"}


class TestArguments:
    @pytest.mark.parametrize("select", ["", " ", 5, "night*", "n" * 256, "night\n"])
    def test_a_select_that_no_name_can_contain_is_refused(
        self, client: ISalesClient, simulator: Simulator, select: Any
    ) -> None:
        with pytest.raises(ISalesArgumentError, match=r"^select must "):
            client.pause_campaigns("all", select=select)
        assert not simulator.requests

    @pytest.mark.parametrize("ids", [["1"], []])
    def test_a_select_beside_ids_is_refused(self, client: ISalesClient, ids: list[str]) -> None:
        with pytest.raises(ISalesArgumentError, match=r'^with select, the ids must be "all", not \['):
            BulkSwitch(PAUSE, client.session, client.campaign(7), ids, select="night")
