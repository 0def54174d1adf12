"""The client as a plain library, against the simulator over HTTPS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from airflow_provider_isales.client import (
    BatchStatus,
    CallBatch,
    ISalesArgumentError,
    ISalesBatchNotFoundError,
    ISalesCampaignEditedError,
    ISalesClient,
    ISalesNotAllowedError,
    ISalesProtocolError,
    ISalesResultError,
    Outcome,
    RetryPolicy,
)
from airflow_provider_isales.client.errors import ISalesConnectError, ISalesConnectionLostError, ISalesHTTPStatusError
from airflow_provider_isales.client.listing import list_agreed, list_items
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.verbs import LIST
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

SUCCESS = {"resultCode": "0200000", "resultDesc": "ok", "returnCode": "0200000", "returnDesc": "ok"}


class TestTheVdn:
    @pytest.mark.parametrize(
        "call",
        [
            lambda client, batch_id: client.pause_call_batch(7, batch_id, vdn_id=25),
            lambda client, batch_id: client.resume_call_batch(7, batch_id, vdn_id=25),
            lambda client, batch_id: client.pause_call_batches(7, [batch_id], vdn_id=25),
            lambda client, batch_id: client.resume_call_batches(7, [batch_id], vdn_id=25),
            lambda client, batch_id: client.create_call_batch(7, "new", vdn_id=25),
            lambda client, batch_id: client.update_call_batch(7, batch_id, "new", vdn_id=25),
            lambda client, batch_id: client.delete_call_batch(7, batch_id, vdn_id=25),
            lambda client, batch_id: list(client.list_call_batches(7, vdn_id=25)),
        ],
        ids=["pause", "resume", "pause many", "resume many", "create", "update", "delete", "list"],
    )
    def test_the_vdn_of_a_call_wins_over_the_clients(
        self, simulator: Simulator, batch_id: str, call: Callable[[ISalesClient, str], object]
    ) -> None:
        with simulator.client(vdn_id=26) as client:
            call(client, batch_id)  # the simulator has VDN 25 only

    def test_a_call_without_a_vdn_is_refused(self, simulator: Simulator, batch_id: str) -> None:
        with (
            simulator.client(vdn_id=None) as client,
            pytest.raises(ISalesArgumentError, match="no vdn_id: name it in the call, or set the"),
        ):
            client.pause_call_batch(7, batch_id)


class TestPause:
    def test_a_started_batch_is_paused(self, client: ISalesClient, campaign: Campaign, batch_id: str) -> None:
        assert client.pause_call_batch(7, batch_id).outcome is Outcome.PAUSED
        assert campaign.batches[batch_id].status is BatchStatus.SUSPENDED

    def test_a_paused_batch_is_already_paused(self, client: ISalesClient, batch_id: str) -> None:
        client.pause_call_batch(7, batch_id)
        result = client.pause_call_batch(7, batch_id)
        assert result.outcome == Outcome.ALREADY_PAUSED
        assert result.result_code == "03000006"

    def test_ids_may_be_digits_as_templates_render_them(self, client: ISalesClient, batch_id: str) -> None:
        assert client.pause_call_batch("7", batch_id, "25").batch.campaign_id == 7

    def test_the_result_for_xcom_is_a_plain_dict(self, client: ISalesClient, batch_id: str) -> None:
        result = client.pause_call_batch(7, batch_id).to_dict()
        assert datetime.fromisoformat(str(result.pop("confirmed_at"))).utcoffset() == timedelta(0)
        assert json.loads(json.dumps(result)) == {
            "vdn_id": 25,
            "campaign_id": 7,
            "batch_id": batch_id,
            "outcome": "paused",
            "result_code": "0200000",
            "result_desc": "success",
        }

    def test_a_batch_of_a_suspended_campaign_is_refused(self, client: ISalesClient, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(8, batches=1, state=CampaignState.SUSPENDED)
        with pytest.raises(ISalesNotAllowedError):
            client.pause_call_batch(8, next(iter(campaign.batches)))

    def test_a_pause_whose_response_was_lost_is_retried(
        self, client: ISalesClient, simulator: Simulator, batch_id: str
    ) -> None:
        simulator.inject("close_after")
        result = client.pause_call_batch(7, batch_id)
        assert result.outcome == Outcome.ALREADY_PAUSED
        assert result.attempts == 2

    def test_a_pause_without_a_response_may_have_taken_effect(
        self, client: ISalesClient, simulator: Simulator, batch_id: str
    ) -> None:
        simulator.inject("close_after", times=99)
        with pytest.raises(ISalesConnectionLostError, match="The request may have taken effect"):
            client.pause_call_batch(7, batch_id)

    def test_a_pause_that_never_arrived_is_retried(
        self, client: ISalesClient, simulator: Simulator, batch_id: str
    ) -> None:
        simulator.inject("close_before")
        result = client.pause_call_batch(7, batch_id)
        assert result.outcome == Outcome.PAUSED
        assert result.attempts == 2

    def test_a_bad_argument_is_refused_before_anything_is_sent(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        with pytest.raises(ISalesArgumentError):
            client.pause_call_batch(7, "nonsense")
        assert simulator.requests == {}


class TestResume:
    def test_a_paused_batch_is_resumed(self, client: ISalesClient, batch_id: str) -> None:
        client.pause_call_batch(7, batch_id)
        assert client.resume_call_batch(7, batch_id).outcome is Outcome.RESUMED

    def test_a_started_batch_is_already_started_because_list_says_so(
        self, client: ISalesClient, simulator: Simulator, batch_id: str
    ) -> None:
        assert client.resume_call_batch(7, batch_id).outcome is Outcome.ALREADY_STARTED
        assert simulator.requests["list"] >= 1

    def test_a_refusal_stands_while_list_says_suspended(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, batch_id: str
    ) -> None:
        campaign.set_status(batch_id, BatchStatus.SUSPENDED)
        simulator.inject("result", code="03000002", verb="resume")
        with pytest.raises(ISalesNotAllowedError):
            client.resume_call_batch(7, batch_id)

    def test_a_refusal_stands_when_list_fails(self, client: ISalesClient, simulator: Simulator, batch_id: str) -> None:
        simulator.inject("answer", status=404, verb="list")
        with pytest.raises(ISalesResultError, match="03999999"):
            client.resume_call_batch(7, batch_id)

    def test_a_batch_that_does_not_exist_is_not_found(self, client: ISalesClient, campaign: Campaign) -> None:
        with pytest.raises(ISalesBatchNotFoundError):
            client.resume_call_batch(7, "404")


class TestCreateUpdateDelete:
    def test_a_batch_is_created_suspended_by_default(self, client: ISalesClient, campaign: Campaign) -> None:
        created = client.create_call_batch(7, "早班-催收 批次")
        assert campaign.batches[created.id] == CallBatch(created.id, "早班-催收 批次", BatchStatus.SUSPENDED)

    def test_a_batch_can_be_created_started(self, client: ISalesClient, campaign: Campaign) -> None:
        created = client.create_call_batch(7, "a", BatchStatus.STARTED)
        assert campaign.batches[created.id].status is BatchStatus.STARTED

    def test_a_name_that_exists_is_refused(self, client: ISalesClient, campaign: Campaign) -> None:
        with pytest.raises(ISalesResultError, match=r"\[03000001\]"):
            client.create_call_batch(7, "batch-1")

    def test_a_full_campaign_takes_no_more(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(8, batches=2, max_batches=2)
        with pytest.raises(ISalesResultError, match=r"\[03000003\]"):
            client.create_call_batch(8, "a")

    @pytest.mark.parametrize("kind", ["close_before", "close_after", "truncate"])
    def test_a_create_that_may_have_arrived_is_not_sent_twice(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, kind: str
    ) -> None:
        simulator.inject(kind)
        advice = "The request may have taken effect. Look for 'a' in the list before you create it again"
        with pytest.raises(ISalesConnectionLostError, match=advice):
            client.create_call_batch(7, "a")
        assert simulator.requests["create"] == 1

    def test_a_create_that_could_not_connect_is_retried(self, simulator: Simulator, no_waiting: list[float]) -> None:
        with (
            simulator.client(port=1, retry=RetryPolicy(attempts=3)) as client,
            pytest.raises(ISalesConnectError, match=r"\(3 attempts\)"),
        ):
            client.create_call_batch(7, "a")

    @pytest.mark.parametrize(("port", "sent"), [(None, True), (1, False)])
    def test_an_error_says_whether_the_request_may_have_arrived(
        self, simulator: Simulator, campaign: Campaign, port: int | None, sent: bool
    ) -> None:
        simulator.inject("close_before")
        with simulator.client(retry=RetryPolicy(attempts=1), **({"port": port} if port else {})) as client:
            with pytest.raises((ISalesConnectionLostError, ISalesConnectError)) as caught:
                client.create_call_batch(7, "a")
            assert caught.value.sent is sent

    def test_a_create_that_was_lost_behind_a_proxy_is_not_sent_twice(
        self, simulator: Simulator, campaign: Campaign, connect_proxy: str, no_waiting: list[float]
    ) -> None:
        simulator.inject("close_after")
        with simulator.client(proxies={"https": connect_proxy}) as client, pytest.raises(ISalesConnectionLostError):
            client.create_call_batch(7, "a")
        assert simulator.requests["create"] == 1

    def test_a_created_batch_without_an_id_is_a_protocol_error(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS))
        with pytest.raises(ISalesProtocolError, match="without the new batch's id"):
            client.create_call_batch(7, "a")

    def test_a_batch_is_not_created_without_a_name(self, client: ISalesClient, simulator: Simulator) -> None:
        name: Any = None
        with pytest.raises(ISalesArgumentError, match="name must be text of 1 to 255 characters, not None"):
            client.create_call_batch(7, name)
        assert simulator.requests == {}

    def test_a_batch_is_renamed(self, client: ISalesClient, campaign: Campaign, batch_id: str) -> None:
        client.update_call_batch(7, batch_id, "evening")
        assert campaign.batches[batch_id].name == "evening"

    def test_a_batch_is_deleted(self, client: ISalesClient, campaign: Campaign, batch_id: str) -> None:
        deleted = batch_id
        client.delete_call_batch(7, deleted)
        assert deleted not in campaign.batches


class TestList:
    @pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
    def test_every_batch_is_listed_once(self, client: ISalesClient, simulator: Simulator, size: int) -> None:
        campaign = simulator.add_campaign(8, batches=size)
        assert [batch.id for batch in client.list_call_batches(8)] == list(campaign.batches)

    def test_the_next_page_is_requested_only_when_it_is_read(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(8, batches=250)
        next(client.list_call_batches(8))
        assert simulator.requests["list"] == 1

    def test_batches_are_selected_by_status(self, client: ISalesClient, batch_id: str) -> None:
        client.pause_call_batch(7, batch_id)
        suspended = client.list_call_batches(7, status=BatchStatus.SUSPENDED)
        assert [batch.id for batch in suspended] == [batch_id]

    def test_batches_are_selected_by_part_of_their_name(self, client: ISalesClient, campaign: Campaign) -> None:
        assert [batch.name for batch in client.list_call_batches(7, name="h-2")] == ["batch-2"]

    def test_a_bad_argument_is_refused_at_the_call_not_at_the_first_batch(self, client: ISalesClient) -> None:
        with pytest.raises(ISalesArgumentError):
            client.list_call_batches(7, status=3)

    @pytest.mark.parametrize("largest", [1, 7, 50])
    def test_a_server_that_gives_smaller_pages_is_read_to_the_end(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, largest: int
    ) -> None:
        monkeypatch.setattr(simulator.service, "max_page_size", largest)
        campaign = simulator.add_campaign(8, batches=101)
        assert [batch.id for batch in client.list_call_batches(8)] == list(campaign.batches)

    @pytest.mark.parametrize("batches", [[], [{"id": "1", "name": "a", "status": 1}]])
    def test_a_page_shorter_than_its_total_is_an_error(
        self, client: ISalesClient, simulator: Simulator, batches: list[object]
    ) -> None:
        body = json.dumps(SUCCESS | {"totalCount": 3, "data": batches})
        simulator.inject("answer", status=200, body=body)
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"totalCount": 3, "data": []}), times=2)
        with pytest.raises(
            ISalesProtocolError, match=r"the page from offset [01] has 0 entries, not [0-9]+; the total is 3"
        ):
            list(client.list_call_batches(7))

    def test_an_error_names_a_campaign_that_is_edited_meanwhile(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        batches = [{"id": str(n), "name": "a", "status": 1} for n in range(100)]
        for total in (200, 199):
            simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"totalCount": total, "data": batches}))
        with pytest.raises(ISalesCampaignEditedError) as caught:
            list(client.list_call_batches(7))
        assert str(caught.value).startswith(
            "Listing the batches of campaign 7 (VDN 25) failed: "
            "the total changed from 200 to 199 while the pages were read."
        )

    def test_more_batches_than_a_campaign_holds_are_not_read(self, client: ISalesClient, simulator: Simulator) -> None:
        page = {"totalCount": 100_001, "data": [{"id": "1", "name": "a", "status": 1}]}
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | page))
        with pytest.raises(ISalesProtocolError) as caught:
            list(client.list_call_batches(7))
        assert str(caught.value).startswith(
            "Listing the batches of campaign 7 (VDN 25) failed: the list claims 100001 entries, more than there can be."
        )

    @pytest.mark.parametrize(("retry", "requests"), [(None, 8), (ONCE, 1)])
    def test_a_page_that_fails_transiently_is_retried_within_the_given_policy(
        self, client: ISalesClient, simulator: Simulator, retry: RetryPolicy | None, requests: int
    ) -> None:
        simulator.inject("answer", status=502, times=9)
        with pytest.raises(ISalesHTTPStatusError):
            list(list_items(client.session, LIST, CampaignKey(25, 7), retry=retry))
        assert simulator.requests["list"] == requests

    def test_a_list_without_a_response_has_no_effect(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.inject("close_after", verb="list", times=99)
        with pytest.raises(ISalesConnectionLostError) as caught:
            list(client.list_call_batches(7))
        assert "taken effect" not in str(caught.value)

    def test_a_status_may_come_as_text(self, client: ISalesClient, simulator: Simulator) -> None:
        page = SUCCESS | {"totalCount": 1, "data": [{"id": "1", "name": "a", "status": "2"}]}
        simulator.inject("answer", status=200, body=json.dumps(page))
        assert list(client.list_call_batches(7)) == [CallBatch("1", "a", BatchStatus.SUSPENDED)]

    def test_a_batch_without_a_name_is_a_batch(self, client: ISalesClient, simulator: Simulator) -> None:
        page = SUCCESS | {"totalCount": 1, "data": [{"id": "1", "name": None, "status": 1}]}
        simulator.inject("answer", status=200, body=json.dumps(page))
        assert list(client.list_call_batches(7)) == [CallBatch("1", "", BatchStatus.STARTED)]

    def test_a_repeated_page_is_an_error(self, client: ISalesClient, simulator: Simulator) -> None:
        batches = [{"id": str(n), "name": "a", "status": 1} for n in range(100)]
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"totalCount": 200, "data": batches}), times=2)
        with pytest.raises(
            ISalesCampaignEditedError, match="the pages have 100 different entries, but the total is 200"
        ):
            list(client.list_call_batches(7))

    @pytest.mark.parametrize(
        "page",
        [
            {"totalCount": "1", "data": []},
            {"totalCount": True, "data": []},
            {"totalCount": 1, "data": None},
            {"totalCount": 1, "data": [{"id": 1, "name": "a", "status": 1}]},
            {"totalCount": 1, "data": [{"id": "1", "name": "a", "status": 3}]},
            {"totalCount": 1, "data": [{"id": "1", "name": "a", "status": True}]},
            {"totalCount": 1, "data": ["1"]},
        ],
    )
    def test_a_page_that_is_not_as_documented_is_a_protocol_error(
        self, client: ISalesClient, simulator: Simulator, page: dict[str, object]
    ) -> None:
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | page), times=8)
        with pytest.raises(ISalesProtocolError):
            list(client.list_call_batches(7))


class TestTotalCountOfThePage:
    """A server may count the batches of the page instead of the campaign's: the reference allows both readings."""

    @pytest.fixture
    def campaign(self, simulator: Simulator, request: pytest.FixtureRequest) -> Iterator[Campaign]:
        simulator.service.total_counts_page = True
        yield simulator.add_campaign(9, batches=request.param)
        simulator.service.total_counts_page = False

    @pytest.mark.parametrize("campaign", [0, 99, 100, 101, 200, 250], indirect=True)
    def test_a_total_count_of_the_page_does_not_end_a_listing_early(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        assert [batch.id for batch in client.list_call_batches(9)] == list(campaign.batches)

    @pytest.mark.parametrize("campaign", [200], indirect=True)
    def test_a_total_count_of_the_page_does_not_hide_an_edit(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        def delete_one(verb: str, body: Any) -> None:
            if body["offset"] == 100:
                del campaign.batches[min(campaign.batches)]
                campaign.add_batch()
                campaign.batches = dict(reversed(campaign.batches.items()))

        simulator.on_request = delete_one
        with pytest.raises(ISalesCampaignEditedError):
            list(client.list_call_batches(9))


class TestAgreedBatches:
    def test_two_equal_listings_in_a_row_agree(self, client: ISalesClient, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(9, batches=150)

        def slip(verb: str, body: Any) -> None:
            if simulator.requests["list"] == 2:
                del campaign.batches[min(campaign.batches)]
                campaign.add_batch()

        simulator.on_request = slip
        assert [batch.id for batch in list_agreed(client.session, LIST, client.campaign(9))] == list(campaign.batches)

    def test_listings_never_agree_while_the_campaign_keeps_changing(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        campaign = simulator.add_campaign(9, batches=1)

        def add_one(verb: str, body: Any) -> None:
            campaign.add_batch()

        simulator.on_request = add_one
        with pytest.raises(ISalesCampaignEditedError, match="the list kept changing"):
            list_agreed(client.session, LIST, client.campaign(9))


class TestPagesThatAreAskedForAtOnce:
    @pytest.fixture
    def campaign(self, simulator: Simulator) -> Campaign:
        return simulator.add_campaign(9, batches=950)

    @pytest.mark.parametrize("parallel", [1, 4, 64])
    def test_parallel_pages_have_the_same_items_in_the_same_order(
        self, client: ISalesClient, campaign: Campaign, parallel: int
    ) -> None:
        listed = list_items(client.session, LIST, client.campaign(9), parallel=parallel)
        assert [batch.id for batch in listed] == list(campaign.batches)

    def test_each_parallel_page_is_requested_once(
        self, client: ISalesClient, campaign: Campaign, simulator: Simulator
    ) -> None:
        list(list_items(client.session, LIST, client.campaign(9), parallel=4))
        assert simulator.requests["list"] == 10

    def test_an_error_in_one_parallel_page_is_raised(
        self, client: ISalesClient, campaign: Campaign, simulator: Simulator
    ) -> None:
        def break_the_fourth(verb: str, body: Any) -> None:
            if body["offset"] == 300:
                simulator.inject("result", verb="list", code="0200001")

        simulator.on_request = break_the_fourth
        with pytest.raises(ISalesResultError):
            list(list_items(client.session, LIST, client.campaign(9), parallel=4))

    def test_no_more_parallel_pages_are_requested_after_an_error(
        self, client: ISalesClient, campaign: Campaign, simulator: Simulator
    ) -> None:
        simulator.on_request = lambda verb, body: (
            simulator.inject("result", verb="list", code="0200001", times=9) if body["offset"] == 100 else None
        )
        with pytest.raises(ISalesResultError):
            list(list_items(client.session, LIST, client.campaign(9), parallel=2))
        assert simulator.requests["list"] < 10

    def test_parallel_pages_detect_a_campaign_that_is_edited_meanwhile(
        self, client: ISalesClient, campaign: Campaign, simulator: Simulator
    ) -> None:
        def add_one(verb: str, body: Any) -> None:
            if body["offset"] == 300:
                campaign.add_batch()

        simulator.on_request = add_one
        with pytest.raises(ISalesCampaignEditedError):
            list(list_items(client.session, LIST, client.campaign(9), parallel=4))
