"""Whole campaigns at once: the client against the simulator over HTTPS."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from patience import wait_until

from airflow_provider_isales.client import (
    BatchStatus,
    BulkResult,
    CallBatch,
    ISalesArgumentError,
    ISalesBulkError,
    ISalesCampaignNotFoundError,
    ISalesClient,
    RetryPolicy,
)
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.models import BatchKey, VdnKey
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.verbs import PAUSE, Verb
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

ABSENT = "404404404404404404404404404404"
BOTH = [BatchStatus.STARTED, BatchStatus.SUSPENDED]


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(7, batches=120)


def ids(campaign: Campaign) -> list[str]:
    return list(campaign.batches)


def with_status(campaign: Campaign, status: BatchStatus) -> list[str]:
    return [batch.id for batch in campaign.batches.values() if batch.status is status]


def failure_of(client: ISalesClient, *arguments: Any, **settings: Any) -> tuple[BulkResult, str]:
    with pytest.raises(ISalesBulkError) as caught:
        client.pause_call_batches(7, *arguments, **settings)
    return caught.value.result, str(caught.value)


class TestEveryBatch:
    def test_every_started_batch_is_paused(self, client: ISalesClient, campaign: Campaign) -> None:
        result = client.pause_call_batches(7)
        assert sorted(result.changed) == ids(campaign)
        assert with_status(campaign, BatchStatus.STARTED) == []

    def test_a_batch_that_was_paused_before_is_left_alone(self, client: ISalesClient, campaign: Campaign) -> None:
        campaign.set_status(ids(campaign)[0], BatchStatus.SUSPENDED)
        assert ids(campaign)[0] not in client.pause_call_batches(7).changed

    def test_every_suspended_batch_is_resumed(self, client: ISalesClient, campaign: Campaign) -> None:
        client.pause_call_batches(7)
        result = client.resume_call_batches(7)
        assert len(result.changed) == 120
        assert with_status(campaign, BatchStatus.SUSPENDED) == []

    def test_every_batch_is_in_the_dict_for_xcom(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = datetime(2026, 11, 24, 10, 0, 3, 250_000, tzinfo=UTC)
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: now)
        batches = ids(simulator.add_campaign(7, batches=2))
        assert client.pause_call_batches(7, max_parallel_requests=1).to_dict() == {
            "vdn_id": 25,
            "campaign_id": 7,
            "paused": batches,
            "already_paused": [],
            "failed": {},
            "gone": [],
            "unknown": [],
            "not_tried": [],
            "excluded": [],
            "confirmed_at": "2026-11-24T10:00:03.250+00:00",
        }

    def test_a_campaign_without_started_batches_is_reported_at_info_level(
        self, client: ISalesClient, simulator: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        simulator.add_campaign(7, batches=2, status=BatchStatus.SUSPENDED)
        with caplog.at_level(logging.INFO):
            client.pause_call_batches(7)
        assert {record.levelno for record in caplog.records} == {logging.INFO}
        assert "Pausing the call batches of campaign 7 (VDN 25): nothing is started." in caplog.text

    def test_the_log_of_an_exclusion_says_that_nothing_else_is_started(
        self, client: ISalesClient, simulator: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        (batch_id,) = simulator.add_campaign(7, batches=1).batches
        with caplog.at_level(logging.INFO):
            client.pause_call_batches(7, exclude=[batch_id])
        assert "nothing is started except what is excluded." in caplog.text

    def test_a_run_that_pauses_every_batch_logs_no_warning(
        self, client: ISalesClient, campaign: Campaign, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.pause_call_batches(7)
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

    def test_a_batch_started_meanwhile_is_paused(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def grow(verb: str, body: dict[str, object]) -> None:
            if verb == "pause" and len(campaign.batches) < 125:
                campaign.add_batch()

        simulator.on_request = grow
        result = client.pause_call_batches(7)
        assert len(result.changed) == 125
        assert with_status(campaign, BatchStatus.STARTED) == []

    def test_a_batch_started_after_the_last_round_is_a_failure(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        restarted = ids(campaign)[0]

        def restart(verb: str, body: dict[str, object]) -> None:
            if verb == "list" and body["offset"] == 0:
                campaign.set_status(restarted, BatchStatus.STARTED)

        simulator.on_request = restart
        result, _ = failure_of(client)
        assert result.failed == {restarted: "the list still shows it as started"}

    def test_a_batch_whose_response_was_lost_counts_as_paused_by_us(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("close_after", verb="pause", times=10)
        result = client.pause_call_batches(7)
        assert len(result.changed) == 120
        assert result.unchanged == []

    def test_a_batch_deleted_meanwhile_is_gone_not_failed(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        deleted = ids(campaign)[5]

        def delete(verb: str, body: dict[str, object]) -> None:
            if verb == "pause" and deleted in campaign.batches:
                del campaign.batches[deleted]

        simulator.on_request = delete
        result = client.pause_call_batches(7)
        assert result.gone == [deleted]
        assert len(result.changed) == 119


def test_batches_are_not_gone_if_a_firewall_blocks_pauses_and_the_list_is_empty(
    client: ISalesClient, simulator: Simulator
) -> None:
    campaign = simulator.add_campaign(7, batches=3)
    listed = ids(campaign)

    def forget_all(verb: str, body: dict[str, object]) -> None:
        if verb == "pause":
            campaign.batches.clear()

    simulator.on_request = forget_all
    simulator.inject("answer", status=403, verb="pause", times=9)
    result, _ = failure_of(client)
    assert (sorted(result.failed), result.gone) == (listed, [])


def test_a_batch_that_is_missing_for_a_while_and_then_started_is_tried_once_more(
    client: ISalesClient, simulator: Simulator
) -> None:
    campaign = simulator.add_campaign(7, batches=3)
    restarted, vanishing, _ = ids(campaign)
    batch = campaign.batches[vanishing]
    listings = itertools.count(1)

    def edit(verb: str, body: dict[str, object]) -> None:
        if verb != "list":
            return
        match next(listings):
            case 2:
                del campaign.batches[vanishing]
                campaign.set_status(restarted, BatchStatus.STARTED)
            case 4:
                campaign.batches[vanishing] = batch

    simulator.on_request = edit
    assert sorted(client.pause_call_batches(7).changed) == sorted(ids(campaign))
    assert with_status(campaign, BatchStatus.STARTED) == []


@pytest.mark.parametrize("odd", [{"id": "1", "status": 3}, {"id": None, "status": 1}, None], ids=str)
def test_an_entry_that_can_not_be_read_is_a_failure_but_keeps_no_other_batch_from_being_paused(
    client: ISalesClient, simulator: Simulator, odd: Any
) -> None:
    campaign = simulator.add_campaign(7, batches=1)
    page = {"resultCode": "0200000", "totalCount": 2, "data": [{"id": ids(campaign)[0], "status": 1}, odd]}
    simulator.inject("answer", verb="list", status=200, body=json.dumps(page), times=99)
    _, why = failure_of(client)
    assert "not a batch with id and status 1 or 2" in why
    assert with_status(campaign, BatchStatus.STARTED) == []


class TestListings:
    """Listings of 210 batches on three pages, which somebody edits while they are read."""

    @pytest.fixture
    def campaign(self, simulator: Simulator) -> Campaign:
        return simulator.add_campaign(7, batches=210)

    def edit(self, simulator: Simulator, at: Mapping[int, Callable[[], object]]) -> None:
        """Carry out edits before the so-many-th list request."""
        count = itertools.count(1)

        def act(verb: str, body: dict[str, object]) -> None:
            if verb == "list" and (action := at.get(next(count))):
                action()

        simulator.on_request = act

    @pytest.mark.parametrize("given", [True, False])
    def test_a_batch_that_twice_slips_over_the_edge_of_a_page_is_not_lost(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, given: bool
    ) -> None:
        batches = ids(campaign)
        self.edit(
            simulator,
            {
                2: lambda: campaign.set_status(batches[7], BatchStatus.SUSPENDED),
                5: lambda: campaign.batches.pop(batches[8]),
            },
        )
        with contextlib.suppress(ISalesBulkError):
            client.pause_call_batches(7, batches if given else "all")
        assert with_status(campaign, BatchStatus.STARTED) == []

    def test_a_quiet_campaign_is_listed_twice(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        client.pause_call_batches(7)
        assert simulator.requests["list"] == 2 * 3

    def test_a_listing_that_fails_transiently_is_retried(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=502, verb="list", times=5)
        assert len(client.pause_call_batches(7).changed) == 210

    def test_listings_are_repeated_until_two_in_a_row_agree(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        self.edit(simulator, {5: campaign.add_batch})
        client.pause_call_batches(7)
        assert with_status(campaign, BatchStatus.STARTED) == []

    def test_listings_that_never_agree_fail_the_run_and_say_why(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        self.edit(simulator, dict.fromkeys(range(1, 99), campaign.add_batch))
        with pytest.raises(ISalesBulkError, match="is creating or deleting batches or campaigns") as caught:
            client.pause_call_batches(7)
        assert caught.value.retryable

    def test_listings_that_never_agree_still_name_every_started_batch(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        batches = ids(campaign)
        edits: dict[int, Callable[[], object]] = dict.fromkeys(range(1, 99), campaign.add_batch)
        self.edit(simulator, edits | {7: lambda: campaign.set_status(batches[0], BatchStatus.STARTED)})
        result, _ = failure_of(client)
        last = ids(campaign)[-3:]  # created while the last listing was read
        assert {*with_status(campaign, BatchStatus.STARTED)} <= {*result.failed, *result.not_tried, *last}

    def test_listings_end_when_their_time_is_over(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("airflow_provider_isales.client.bulk.LISTING_SECONDS", 0.5)
        simulator.inject("delay", seconds=0.3, verb="list", times=999)
        with pytest.raises(ISalesBulkError, match="the listing took too long"):
            client.pause_call_batches(7, max_parallel_requests=1)
        assert simulator.requests["list"] < 3  # of three pages

    def test_given_batches_are_paused_if_listings_fail(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=502, verb="list", times=99)
        result, _ = failure_of(client, ids(campaign))
        assert len(result.changed) == 210


class TestGivenBatches:
    def test_only_given_batches_are_paused(self, client: ISalesClient, campaign: Campaign) -> None:
        client.pause_call_batches(7, ids(campaign)[:50])
        assert with_status(campaign, BatchStatus.SUSPENDED) == ids(campaign)[:50]

    def test_an_empty_list_of_batches_pauses_nothing(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        client.pause_call_batches(7, [])
        assert with_status(campaign, BatchStatus.SUSPENDED) == []

    def test_a_batch_given_twice_is_paused_once(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        client.pause_call_batches(7, [*ids(campaign)[:5], *ids(campaign)[:5]])
        assert simulator.requests.get("pause") == 5

    def test_given_batches_that_are_already_paused_are_reported_as_such(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        campaign.set_status(ids(campaign)[0], BatchStatus.SUSPENDED)
        result = client.pause_call_batches(7, ids(campaign)[:3])
        assert result.unchanged == ids(campaign)[:1]
        assert sorted(result.changed) == ids(campaign)[1:3]

    def test_given_batches_that_are_already_started_are_recognised_by_list(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        result = client.resume_call_batches(7, ids(campaign)[:3])
        assert result.changed == []
        assert sorted(result.unchanged) == ids(campaign)[:3]

    @pytest.mark.parametrize("value", [None, "123", b"123", 7, {"a": "b"}])
    def test_given_batches_must_be_a_list(self, client: ISalesClient, value: Any) -> None:
        with pytest.raises(ISalesArgumentError, match=r'must be a list of batch ids, or "all" for every'):
            client.pause_call_batches(7, value)

    @pytest.mark.parametrize("value", [0, 65, True, 8.0, "8"])
    def test_given_batches_are_paused_by_1_to_64_parallel_requests(self, client: ISalesClient, value: Any) -> None:
        with pytest.raises(ISalesArgumentError, match="max_parallel_requests must be an integer from 1 to 64, not"):
            client.pause_call_batches(7, [], max_parallel_requests=value)


class TestFailures:
    def test_the_other_batches_are_paused_if_one_fails(self, client: ISalesClient, campaign: Campaign) -> None:
        result, _ = failure_of(client, [ABSENT, "not digits", 17, *ids(campaign)])
        assert len(result.changed) == 120
        assert set(result.failed) == {ABSENT, "not digits", "17"}

    def test_failures_are_named_with_counts_and_the_first_few_reasons(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        _, message = failure_of(client, [*ids(campaign)[:2], *(f"{n}" for n in range(1, 9))])
        assert message.startswith(
            "Pausing the call batches of campaign 7 (VDN 25) failed: 2 paused, 8 failed. "
            "8 of them, 1, 2, 3, ...: [03000004] batch id not found. Check batch_id and campaign_id"
        )

    def test_a_failure_that_a_second_round_corrects_is_no_failure(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("result", code="0200001", verb="pause", times=10)
        assert len(client.pause_call_batches(7).changed) == 120

    @pytest.mark.parametrize("given", [True, False])
    def test_a_batch_still_listed_as_started_failed_whatever_the_response_said(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, given: bool
    ) -> None:
        body = '{"resultCode": "0200000"}'
        simulator.inject("answer", status=200, body=body, verb="pause", times=999)
        result, message = failure_of(client, ids(campaign) if given else "all")
        assert len(result.failed) == 120
        assert "the list still shows it as started" in message

    def test_a_given_batch_that_is_not_listed_failed_whatever_the_response_said(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=200, body='{"resultCode": "0200000"}', verb="pause")
        result, _ = failure_of(client, [ABSENT])
        assert result.failed == {ABSENT: "[03000004] batch id not found (it is not listed)"}

    def test_a_batch_that_responded_and_is_not_listed_is_retryable(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=200, body='{"resultCode": "0200000"}', verb="pause")
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(7, [ABSENT])
        assert caught.value.retryable

    @pytest.mark.parametrize(
        ("reasons", "ending"), [(3, "number 3. Check it in the console."), (5, " And 2 more reasons.")]
    )
    def test_failures_of_many_kinds_are_counted_after_the_third(
        self, client: ISalesClient, campaign: Campaign, monkeypatch: pytest.MonkeyPatch, reasons: int, ending: str
    ) -> None:
        send = Session.send

        def break_each(self: Session, verb: Verb[Any], target: VdnKey, *settings: Any, **fields: object) -> Any:
            if isinstance(target, BatchKey):
                raise RuntimeError(f"bug number {target.batch_id[-1]}")
            return send(self, verb, target, *settings, **fields)

        monkeypatch.setattr(Session, "send", break_each)
        _, message = failure_of(client, ids(campaign)[:reasons])
        assert message.count("1 of them") == 3
        assert message.removesuffix(" It is safe to try again.").endswith(ending)

    def test_a_failed_response_is_no_failure_if_the_list_has_the_wanted_status(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("close_after", verb="pause", times=8)
        assert len(client.pause_call_batches(7, max_parallel_requests=1).changed) == 120

    def test_an_error_of_the_first_list_is_raised_unchanged(self, client: ISalesClient, campaign: Campaign) -> None:
        with pytest.raises(ISalesCampaignNotFoundError, match=r"Listing the batches of campaign 8"):
            client.pause_call_batches(8)

    def test_batches_of_the_first_page_are_paused_if_the_second_cannot_be_listed(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        def break_second_page(verb: str, parameters: Any) -> None:
            if verb == "list" and parameters["offset"] == 100:
                simulator.inject("answer", verb="list", status=200, body="{}")

        simulator.on_request = break_second_page
        result, message = failure_of(client)
        assert len(result.changed) == 100
        assert "neither a resultCode nor a returnCode" in message

    def test_an_invalid_id_fails_before_anything_is_sent_for_it(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        result, _ = failure_of(client, [ids(campaign)[0], "x"])
        assert result.failed["x"].startswith("batch_id must be text of 1 to 64 digits")
        assert simulator.requests["pause"] == 1

    def test_an_invalid_id_is_a_failure_even_if_deleted_is_gone(self, client: ISalesClient, campaign: Campaign) -> None:
        bulk = BulkSwitch(PAUSE, client.session, client.campaign(7), [ids(campaign)[0], "x"], deleted_is_gone=True)
        with pytest.raises(ISalesBulkError):
            bulk.run()
        assert ([*bulk.result().failed], bulk.result().gone) == (["x"], [])

    def test_a_batch_is_paused_beside_its_id_as_a_number_which_fails(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        campaign = simulator.add_campaign(7)
        campaign.batches["5"] = CallBatch("5", "five", BatchStatus.STARTED)
        given: Any = ["5", 5]
        client.pause_call_batches(7, given)
        assert campaign.batches["5"].status is BatchStatus.SUSPENDED
        assert simulator.requests["list"] == 2

    def test_the_other_batches_are_paused_after_an_unexpected_error(
        self, client: ISalesClient, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send, broken = Session.send, ids(campaign)[3]

        def send_or_break(self: Session, verb: Verb[Any], target: VdnKey, *settings: Any, **fields: object) -> Any:
            if isinstance(target, BatchKey) and target.batch_id == broken:
                raise RuntimeError("a bug")
            return send(self, verb, target, *settings, **fields)

        monkeypatch.setattr(Session, "send", send_or_break)
        result, _ = failure_of(client)
        assert len(result.changed) == 119
        assert result.failed == {broken: "unexpected RuntimeError: a bug"}

    def test_a_permanent_failure_is_retryable_while_any_batch_is_started(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("result", code="0200001", verb="pause", times=999)
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(7)
        assert caught.value.retryable

    def test_a_permanent_failure_is_retryable_while_the_verification_is_refused(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("result", code="0200001", times=999)
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(7, ids(campaign)[:3])
        assert caught.value.retryable

    @pytest.mark.parametrize("given", [True, False])
    def test_a_missing_campaign_that_was_listed_before_is_retryable(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, given: bool
    ) -> None:
        def refuse_the_rest(verb: str, body: dict[str, object]) -> None:
            if verb == "pause":
                simulator.inject("result", code="0200007", verb="list", times=99)

        simulator.on_request = refuse_the_rest
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(7, ids(campaign) if given else "all")
        assert caught.value.retryable

    @pytest.mark.parametrize("batches", [0, 2, 120])
    def test_a_401_after_a_first_page_is_retryable(
        self, client: ISalesClient, simulator: Simulator, batches: int
    ) -> None:
        simulator.add_campaign(8, batches=batches)
        date = {"Date": format_datetime(datetime.now(UTC), usegmt=True)}
        requests = itertools.count()

        def forget_the_key(verb: str, body: dict[str, object]) -> None:
            if next(requests) == 1:
                simulator.inject("answer", status=401, headers=date, times=999)

        simulator.on_request = forget_the_key
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(8)
        assert caught.value.retryable

    def test_a_missing_campaign_is_a_permanent_failure(self, client: ISalesClient) -> None:
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(404, [ABSENT])
        assert not caught.value.retryable

    def test_a_transient_failure_is_retryable_even_if_the_verification_is_refused(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=502, verb="pause", times=99)
        simulator.inject("answer", status=404, verb="list", times=99)
        with pytest.raises(ISalesBulkError) as caught:
            client.pause_call_batches(7, ids(campaign)[:3])
        assert caught.value.retryable

    def test_a_failed_verification_is_a_failure(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=502, verb="list", times=99)
        result, message = failure_of(client, ids(campaign))
        assert len(result.changed) == 120
        assert "Listing the batches" in message

    def test_failures_that_no_retry_can_help_are_permanent(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(7, batches=3, state=CampaignState.SUSPENDED)
        with pytest.raises(ISalesBulkError, match=r"\[03000002\] not allowed") as caught:
            client.pause_call_batches(7)
        assert len(caught.value.result.failed) == 3
        assert not caught.value.retryable


class TestTheServerUnderStress:
    def test_a_429_slows_all_threads_down(self, simulator: Simulator, campaign: Campaign) -> None:
        moments: list[float] = []
        simulator.on_request = lambda verb, body: moments.append(time.monotonic())
        simulator.inject("answer", status=429, headers={"Retry-After": "2"}, verb="pause")
        with simulator.client() as client:
            client.pause_call_batches(7)
        # Once the 429 is read, nobody sends anything for two seconds; what was sent before may still arrive.
        assert max(later - earlier for earlier, later in itertools.pairwise(moments)) > 0.5

    def test_a_server_that_refuses_every_other_call_gets_there_in_the_end(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=503, verb="pause", times=60)
        assert len(client.pause_call_batches(7).changed) == 120

    def test_an_outage_is_told_in_one_line_for_each_round(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, caplog: pytest.LogCaptureFixture
    ) -> None:
        simulator.inject("answer", status=502, verb="pause", times=9999)
        result, _ = failure_of(client)
        assert len(result.failed) == 120
        assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) < 20

    def run_out_of_time(
        self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, **limits: float
    ) -> tuple[BulkResult, str]:
        for name, seconds in ({"MIN_TIMEOUT": 0.05} | limits).items():
            monkeypatch.setattr(f"airflow_provider_isales.client.rounds.{name}", seconds)
        with simulator.client(timeout=1) as client:
            return failure_of(client)

    def test_a_server_that_goes_silent_after_a_few_responses_ends_the_run(
        self, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        simulator.on_request = lambda verb, body: (
            simulator.inject("delay", seconds=60, verb="pause", times=9999)
            if simulator.requests.get("pause") == 5
            else None
        )
        _, message = self.run_out_of_time(simulator, monkeypatch, OUTAGE_SECONDS=4.0)
        assert "the server has not responded for 4 s" in message

    def test_a_server_that_asks_for_a_pause_after_a_few_responses_ends_the_run(
        self, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wait = {"status": 429, "headers": {"Retry-After": "2"}, "verb": "pause", "times": 9999}
        simulator.on_request = lambda verb, body: (
            simulator.inject("answer", **wait) if simulator.requests.get("pause") == 2 else None
        )
        result, message = self.run_out_of_time(simulator, monkeypatch, OUTAGE_SECONDS=3.0)
        assert "No more requests were sent: " in message
        assert len(result.changed) + len(result.failed) + len(result.not_tried) == 120

    def test_a_server_that_is_slow_for_too_long_ends_the_run(
        self, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        simulator.inject("delay", seconds=0.5, verb="pause", times=9999)
        result, message = self.run_out_of_time(simulator, monkeypatch, SWITCHING_SECONDS=1.0)
        assert "No more requests were sent: the time limit of 1 s was reached" in message
        assert result.not_tried

    def test_failing_batches_do_not_delay_the_others(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, no_waiting: list[float]
    ) -> None:
        simulator.inject("answer", status=502, verb="pause", times=30)
        client.pause_call_batches(7)
        assert simulator.requests["pause"] == 150
        assert len(no_waiting) == 1

    def test_a_round_that_is_tried_again_is_logged_with_what_and_why(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, caplog: pytest.LogCaptureFixture
    ) -> None:
        simulator.inject("answer", status=502, verb="pause", times=2)
        client.pause_call_batches(7)
        assert (
            "Pausing the call batches of campaign 7 (VDN 25): 2 of 120 failed, 2 of them: HTTP 502 Bad Gateway. "
            "Trying again in " in caplog.text
        )

    def test_progress_is_logged_during_later_rounds(
        self,
        client: ISalesClient,
        simulator: Simulator,
        campaign: Campaign,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        progress = re.compile(r"of 120 done, .* so far [1-9]\d* paused")
        monkeypatch.setattr("airflow_provider_isales.client.rounds.PROGRESS_SECONDS", 0.05)
        simulator.inject("answer", status=502, verb="pause", times=120)
        simulator.on_request = lambda verb, body: (
            wait_until(lambda: progress.search(caplog.text)) if simulator.requests.get("pause") == 150 else None
        )
        with caplog.at_level(logging.INFO):
            client.pause_call_batches(7)
        assert progress.search(caplog.text)

    def test_progress_is_logged_every_few_seconds(
        self,
        client: ISalesClient,
        simulator: Simulator,
        campaign: Campaign,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        progress = re.compile(r"of 120 done, \d+ a second; so far \d+ paused, .*\d+ unknown, \d+ not tried")
        monkeypatch.setattr("airflow_provider_isales.client.rounds.PROGRESS_SECONDS", 0.05)
        simulator.on_request = lambda verb, body: (
            wait_until(lambda: progress.search(caplog.text)) if simulator.requests.get("pause") == 20 else None
        )
        with caplog.at_level(logging.INFO):
            client.pause_call_batches(7)
        assert progress.search(caplog.text)
        assert "120 paused; a listing confirms it." in caplog.text


class TestStopping:
    def test_a_stopped_client_sends_nothing_more_and_says_how_far_it_was(
        self, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("delay", seconds=0.05, verb="pause", times=999)
        with simulator.client() as client:
            simulator.on_request = lambda verb, body: client.stop() if verb == "pause" else None
            result, message = failure_of(client, max_parallel_requests=4)
        time.sleep(0.3)
        assert simulator.requests["pause"] <= 4
        assert "The client was stopped" in message
        assert set(result.changed) <= set(with_status(campaign, BatchStatus.SUSPENDED))

    def test_a_batch_for_which_nothing_was_sent_is_not_tried_rather_than_failed(
        self, simulator: Simulator, campaign: Campaign
    ) -> None:
        with simulator.client() as client:
            simulator.on_request = lambda verb, body: client.stop() if verb == "pause" else None
            result, message = failure_of(client, max_parallel_requests=1)
        assert "1 paused, 119 not tried" in message
        assert result.not_tried == ids(campaign)[1:]

    def test_batches_that_were_not_tried_are_named(self, simulator: Simulator, campaign: Campaign) -> None:
        with simulator.client() as client:
            simulator.on_request = lambda verb, body: client.stop() if verb == "pause" else None
            _, message = failure_of(client, ids(campaign)[:3], max_parallel_requests=1)
        assert f"Not tried: {ids(campaign)[1]} (batch-2), {ids(campaign)[2]} (batch-3)." in message

    def test_a_client_whose_time_is_over_sends_nothing_more(self, simulator: Simulator, campaign: Campaign) -> None:
        with simulator.client() as client:
            simulator.on_request = lambda verb, body: client.stop_before(datetime.now(UTC)) if verb == "pause" else None
            _, message = failure_of(client, max_parallel_requests=1)
        assert simulator.requests["pause"] == 1
        assert "The request was not sent: it is too close to the start or end of a shift" in message

    def test_a_stopped_client_does_not_wait_for_the_next_attempt(
        self, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("answer", status=429, headers={"Retry-After": "30"}, verb="pause", times=999)
        with simulator.client(retry=RetryPolicy(total=600)) as client:
            simulator.on_request = lambda verb, body: client.stop() if verb == "pause" else None
            began = time.monotonic()
            failure_of(client)
        assert time.monotonic() - began < 20

    @pytest.fixture
    def interruptible(self) -> Iterator[None]:
        """Enable interrupts, which Python ignores when a shell started it in the background."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    @pytest.mark.usefixtures("interruptible")
    def test_an_interrupt_stops_and_logs_what_was_done(
        self, simulator: Simulator, campaign: Campaign, caplog: pytest.LogCaptureFixture
    ) -> None:
        main = threading.main_thread().ident
        assert main
        simulator.on_request = lambda verb, body: (
            signal.pthread_kill(main, signal.SIGINT) if simulator.requests.get("pause") == 20 else None
        )
        simulator.inject("delay", seconds=0.05, verb="pause", times=999)
        with simulator.client() as client, pytest.raises(KeyboardInterrupt):
            client.pause_call_batches(7)
        sent = simulator.requests["pause"]
        time.sleep(0.3)
        assert simulator.requests["pause"] <= sent + 8
        assert "Pausing the call batches of campaign 7 (VDN 25) was interrupted: " in caplog.text


class TestExclude:
    def test_an_excluded_started_batch_is_left_alone(self, client: ISalesClient, campaign: Campaign) -> None:
        kept, *others = ids(campaign)
        result = client.pause_call_batches(7, exclude=[kept])
        assert (sorted(result.changed), with_status(campaign, BatchStatus.STARTED)) == (others, [kept])

    def test_an_excluded_batch_is_named_in_the_result(self, client: ISalesClient, campaign: Campaign) -> None:
        kept = ids(campaign)[0]
        assert client.pause_call_batches(7, exclude=[kept]).excluded == [kept]

    def test_exclude_wins_over_a_given_list(self, client: ISalesClient, campaign: Campaign) -> None:
        first, second, *_ = ids(campaign)
        assert client.pause_call_batches(7, [first, second], exclude=[first]).changed == [second]

    def test_an_excluded_batch_that_does_not_exist_is_a_warning(
        self, client: ISalesClient, campaign: Campaign, caplog: pytest.LogCaptureFixture
    ) -> None:
        result = client.pause_call_batches(7, exclude=[ABSENT])
        assert (len(result.changed), result.unlisted) == (120, [ABSENT])
        assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
            "Pausing the call batches of campaign 7 (VDN 25): exclude or a hold: "
            f"{ABSENT} is not listed, so it excludes nothing. If another was meant, it was not left alone."
        ]

    @pytest.mark.parametrize(
        ("exclude", "message"),
        [
            (None, "exclude must be a list of batch ids, not None"),
            ("1", "exclude must be a list of batch ids, not '1'"),
            ([7], "exclude must be text of digits, not the number 7"),
            (["x"], "exclude must be text of 1 to 64 digits, not 'x'"),
        ],
    )
    def test_a_wrong_exclude_is_an_error_before_anything_is_sent(
        self, client: ISalesClient, simulator: Simulator, exclude: Any, message: str
    ) -> None:
        with pytest.raises(ISalesArgumentError) as caught:
            client.pause_call_batches(7, exclude=exclude)
        assert str(caught.value).startswith(message)
        assert simulator.requests == {}


class TestWhen:
    """When it was asked and confirmed: the clock of the client, which ticks a second each time that it is read."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = itertools.count()
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", self.now)

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 18, tzinfo=UTC) + timedelta(seconds=next(self.seconds))

    def test_each_batch_is_asked_before_it_is_confirmed(self, client: ISalesClient, campaign: Campaign) -> None:
        result = client.pause_call_batches(7)
        assert result.confirmed_at is not None
        assert max(result.asked_at.values()) < result.confirmed_at

    def test_a_batch_was_asked_is_known_for_each(self, client: ISalesClient, campaign: Campaign) -> None:
        assert sorted(client.pause_call_batches(7).asked_at) == ids(campaign)

    def test_the_first_request_counts_when_its_answer_was_lost(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(7, batches=1)
        undisturbed = client.pause_call_batches(7)
        self.seconds = itertools.count()
        simulator.reset()
        simulator.add_campaign(7, batches=1)
        simulator.inject("close_after", verb="pause")
        assert client.pause_call_batches(7).asked_at == undisturbed.asked_at

    def test_the_request_counts_that_changed_the_batch_if_an_earlier_one_changed_nothing(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(7, batches=1)
        moments: list[datetime] = []
        simulator.on_request = lambda verb, body: moments.append(self.now()) if verb == "pause" else None
        simulator.inject("answer", status=503, verb="pause")
        (asked_at,) = client.pause_call_batches(7).changed_when_asked.values()
        first, second = moments
        assert first < asked_at < second

    def test_batches_without_a_confirming_listing_are_not_confirmed(
        self, client: ISalesClient, simulator: Simulator
    ) -> None:
        simulator.add_campaign(7, batches=1)
        simulator.inject("result", verb="list", code="0200001", times=9)
        result, _ = failure_of(client, ["000000000000007000000000000001"])
        assert (result.changed, result.confirmed_at) == (["000000000000007000000000000001"], None)


class TestTheAnnouncement:
    def announced(self, client: ISalesClient, *arguments: Any, **settings: Any) -> list[list[str]]:
        told: list[list[str]] = []
        bulk = BulkSwitch(PAUSE, client.session, client.campaign(7), *arguments, announce=told.append, **settings)
        with contextlib.suppress(ISalesBulkError):
            bulk.run()
        return told

    def test_the_announcement_names_the_batches_to_be_paused(self, client: ISalesClient, campaign: Campaign) -> None:
        assert self.announced(client) == [ids(campaign)]

    def test_the_announcement_comes_before_the_first_request(self, client: ISalesClient, simulator: Simulator) -> None:
        simulator.add_campaign(7, batches=1)
        sent: list[int] = []
        told = lambda batch_ids: sent.append(simulator.requests.get("pause", 0))  # noqa: E731
        BulkSwitch(PAUSE, client.session, client.campaign(7), announce=told).run()
        assert sent == [0]

    def test_the_announcement_names_only_the_started_ones_of_a_list(
        self, client: ISalesClient, campaign: Campaign
    ) -> None:
        first, second, *_ = ids(campaign)
        campaign.set_status(first, BatchStatus.SUSPENDED)
        assert self.announced(client, [first, second, ABSENT]) == [[second]]

    def test_the_announcement_names_started_batches_after_a_first_listing_failed_transiently(
        self, client: ISalesClient, campaign: Campaign, simulator: Simulator
    ) -> None:
        simulator.inject("answer", status=503, verb="list")
        assert self.announced(client, ids(campaign)[:2]) == [ids(campaign)[:2]]

    def test_the_announcement_names_no_excluded_batch(self, client: ISalesClient, campaign: Campaign) -> None:
        first, *others = ids(campaign)
        assert self.announced(client, exclude=[first]) == [others]

    def test_the_announcement_names_all_given_batches_if_no_listing_succeeds(
        self, client: ISalesClient, campaign: Campaign, simulator: Simulator
    ) -> None:
        simulator.inject("result", verb="list", code="0200001", times=9)
        assert self.announced(client, ids(campaign)[:2]) == [ids(campaign)[:2]]


def test_a_batch_of_a_list_that_was_paused_by_a_request_whose_answer_was_lost_counts_as_paused(
    client: ISalesClient, simulator: Simulator
) -> None:
    (batch,) = ids(simulator.add_campaign(7, batches=1))
    simulator.inject("close_after", verb="pause")
    assert client.pause_call_batches(7, [batch]).changed == [batch]


def test_a_deleted_batch_of_a_list_is_gone_where_that_is_no_failure(client: ISalesClient, campaign: Campaign) -> None:
    bulk = BulkSwitch(PAUSE, client.session, client.campaign(7), [ids(campaign)[0], ABSENT], deleted_is_gone=True)
    assert bulk.run().gone == [ABSENT]


@pytest.mark.parametrize(("more", "alone"), [([], True), ([ABSENT], False)])
def test_a_result_tells_whether_only_one_kind_of_error_occurred(
    client: ISalesClient, simulator: Simulator, more: list[str], alone: bool
) -> None:
    campaign = simulator.add_campaign(7, batches=2, state=CampaignState.SUSPENDED)
    bulk = BulkSwitch(PAUSE, client.session, client.campaign(7), [*ids(campaign), *more])
    with pytest.raises(ISalesBulkError):
        bulk.run()
    assert bulk.is_not_allowed is alone


class TestACampaignWithoutBatches:
    """It is dialled as a whole, which a pause of its batches does not stop."""

    @pytest.mark.parametrize("state", ["draft", "suspended", "completed"])
    def test_a_campaign_without_batches_that_calls_nobody_is_a_success(
        self, simulator: Simulator, client: ISalesClient, state: str
    ) -> None:
        simulator.add_campaign(1001, state=state)
        assert client.pause_call_batches(1001).confirmed_at

    def test_a_started_campaign_without_batches_is_a_failure_that_names_what_stops_it(
        self, simulator: Simulator, client: ISalesClient
    ) -> None:
        simulator.add_campaign(1001)
        with pytest.raises(ISalesBulkError, match=r"no batches, .* as started: .* PauseCampaignsOperator") as caught:
            client.pause_call_batches(1001)
        assert caught.value.retryable

    @pytest.mark.parametrize(
        "times",
        [
            {"begin": datetime.now(UTC) + timedelta(days=3)},
            {"begin": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime.now(UTC) - timedelta(days=3)},
        ],
        ids=["begins later", "has ended"],
    )
    def test_a_started_campaign_without_batches_that_does_not_run_now_is_a_success(
        self, simulator: Simulator, client: ISalesClient, times: dict[str, Any]
    ) -> None:
        simulator.add_campaign(1001, **times)
        assert client.pause_call_batches(1001).confirmed_at

    def test_a_started_campaign_without_batches_may_have_no_end_but_that_of_time(
        self, simulator: Simulator, client: ISalesClient
    ) -> None:
        simulator.add_campaign(1001, end="9999-12-31 23:59:59")
        with pytest.raises(ISalesBulkError, match="it may be dialled as a whole"):
            client.pause_call_batches(1001)

    def test_a_campaign_without_batches_is_a_failure_if_its_details_cannot_be_read(
        self, simulator: Simulator, client: ISalesClient
    ) -> None:
        simulator.add_campaign(1001, state="suspended")
        simulator.inject("result", verb="get_campaign", code="0200001", times=99)
        with pytest.raises(ISalesBulkError):
            client.pause_call_batches(1001)

    def test_a_resume_of_a_campaign_without_batches_reads_no_details(
        self, simulator: Simulator, client: ISalesClient
    ) -> None:
        simulator.add_campaign(1001, state="suspended")
        assert client.resume_call_batches(1001).confirmed_at
