"""All campaigns of a VDN paused on a server that drops, delays, lies and restarts; its state is the oracle."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faulty_server import IMPATIENT, LIE, Colleague, Relay, choose_faults, make_plan, process_that

from airflow_provider_isales.client import BulkResult, ISalesBulkError, ISalesError
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

DRAFT, EXECUTING, SUSPENDED, COMPLETED = CampaignState
# The first page of a VDN that has no campaigns. Two of them in a row nobody could tell from the truth.
EMPTY = LIE.replace("}", ', "totalSize": 0, "data": []}')
# A status that the reference does not explain.
ODD = 7
INTERFACES = ("pause_campaign", "pause_campaign", "get_campaign", "get_campaign", "list_campaigns", "")
CODES = ("0200006", "0200001", "0200007", "0200011", "0200011", "09999999")
EDITS = ("add", "delete", "start", "begin", "suspend", "suspend", "resume", "resume", "complete", "restart")
UNLISTED = "the listing failed, or the campaigns were being edited"


class OddAnswers:
    """
    Stands before the service, and writes what the reference leaves open in ways that clients may not expect.

    :param server: whose service
    """

    def __init__(self, server: Simulator) -> None:
        self._service, self._carry_out = server.service, server.service.carry_out
        self.renew(set(), 0, ids_as_text=False)

    def renew(self, odd: set[int], swapped: int, *, ids_as_text: bool) -> None:
        """
        Begin anew.

        :param odd: the campaigns that have an unknown status instead of "started"
        :param swapped: how many of the next details are those of another campaign, which is suspended
        :param ids_as_text: whether ids and counts come as text
        """
        self._odd, self._swapped, self._ids_as_text = odd, swapped, ids_as_text
        #: Those that the last page that had them showed with a status of the past.
        self.stale: set[int] = set()

    def carry_out(self, interface: str, parameters: Any, **path: str) -> dict[str, Any]:
        fields = self._carry_out(interface, parameters, **path)
        if "data" in fields:
            fields["data"] = [self._write(row, is_listed=True) for row in fields["data"]]
            fields["totalSize"] = str(fields["totalSize"]) if self._ids_as_text else fields["totalSize"]
        if "returnObject" in fields:
            fields["returnObject"] = self._write(fields["returnObject"], is_listed=False)
            if self._swapped:
                self._swapped -= 1
                fields["returnObject"] |= {"id": 999_999_999, "status": 3}
        return fields

    def _write(self, row: dict[str, Any], *, is_listed: bool) -> dict[str, Any]:
        number = row["id"]
        is_stale = (int(row["status"]) == 2) != (self._service.campaigns[number].state is EXECUTING)
        if is_listed:
            self.stale = self.stale | {number} if is_stale else self.stale - {number}
        status = ODD if number in self._odd and int(row["status"]) == 2 else row["status"]
        return row | {"status": status, "id": str(number) if self._ids_as_text else number}


@dataclass(frozen=True)
class Platform:
    """The way to the server, and what stands before its service."""

    relay: Relay
    odd_answers: OddAnswers

    @property
    def server(self) -> Simulator:
        return self.relay.server


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Simulator() as server, Relay(server) as relay, pytest.MonkeyPatch.context() as patch:
        odd_answers = OddAnswers(server)
        patch.setattr(server.service, "carry_out", odd_answers.carry_out)
        yield Platform(relay, odd_answers)


@dataclass
class CampaignColleague(Colleague):
    """Creates, deletes, starts, suspends, resumes and completes campaigns, and restarts the server."""

    platform: Platform = field(kw_only=True)
    excluded: frozenset[int] = field(kw_only=True)
    first_id: int = field(kw_only=True)
    paused: Counter[int] = field(default_factory=Counter)

    def on_request(self, interface: str, parameters: Any) -> None:
        if interface == "pause_campaign":
            self.paused[int(parameters["campaign_id"])] += 1
        self.act(begins_listing=interface == "list_campaigns" and parameters["curPage"] == "1")

    def is_excused(self, item_id: Any) -> bool:
        lags = self.platform.server.service.list_lag > 0
        return super().is_excused(item_id) or (lags and item_id in self.platform.odd_answers.stale)

    def add(self) -> None:
        number = self.first_id + 500 + self.requests
        self.platform.server.add_campaign(number)
        self.started_at[number] = self.requests

    def delete(self) -> None:
        if campaign := self._choose(*CampaignState):
            del self.platform.server.service.campaigns[campaign.id]

    def start(self) -> None:
        self._set(EXECUTING, DRAFT)

    def resume(self) -> None:
        self._set(EXECUTING, SUSPENDED)

    def suspend(self) -> None:
        self._set(SUSPENDED, EXECUTING)

    def complete(self) -> None:
        self._set(COMPLETED, EXECUTING, SUSPENDED)

    def begin(self) -> None:
        if campaign := self._choose(*CampaignState):
            campaign.begin = "2020-01-01"
            self.started_at[campaign.id] = self.requests

    def restart(self) -> None:
        self.platform.relay.restart(self.chance.choice([0.0, 0.05]))

    def _set(self, state: CampaignState, *before: CampaignState) -> None:
        if campaign := self._choose(*before):
            campaign.state = state
            if state is EXECUTING:
                self.started_at[campaign.id] = self.requests
            if state is SUSPENDED:
                self.suspended.add(campaign.id)

    def _choose(self, *states: CampaignState) -> Campaign | None:
        found = [campaign for campaign in self.platform.server.service.campaigns.values() if campaign.state in states]
        return self.chance.choice(found) if found else None


def prepare(platform: Platform, chance: random.Random, first_id: int) -> CampaignColleague:
    """Make a VDN, with what will go wrong and who will edit it. Ids are new: late requests are of older ones."""
    server, service = platform.server, platform.server.service
    server.reset()
    service.max_page_size = chance.choice([7, 30, 100])
    service.status_as_text = chance.random() < 0.2
    service.details_lag, service.list_lag = chance.choice([(0, 0), (0, 0), (1, 0), (0, 1), (1, 1), (5, 2)])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    ids = range(first_id, first_id + chance.choice([0, 1, 3, 10, 20, 101]))
    # Where there are many, most are over.
    few = len(ids) <= 20
    states = chance.choice([[*CampaignState], [EXECUTING, SUSPENDED]]) if few else [*CampaignState, *[COMPLETED] * 8]
    for number in ids:
        server.add_campaign(
            number, state=chance.choice(states), begin=tomorrow if chance.random() < 0.1 else "2026-01-01 09:00:00"
        )
    odd = set(chance.sample(ids, min(len(ids), 2))) if chance.random() < 0.1 else set()
    platform.odd_answers.renew(odd, chance.choice([0, 0, 0, 1, 10]), ids_as_text=chance.random() < 0.1)
    for fault in choose_faults(chance, INTERFACES, CODES):
        server.inject(**fault)
    if chance.random() < 0.1:
        server.inject("answer", status=200, body=EMPTY, verb="list_campaigns")
    colleague = CampaignColleague(
        chance,
        make_plan(chance, EDITS, len(ids) + 20),
        platform=platform,
        excluded=frozenset(chance.sample(ids, min(len(ids), chance.choice([0, 0, 1, 3])))),
        first_id=first_id,
    )
    server.on_request = colleague.on_request
    return colleague


def pause(
    platform: Platform, ids: Any, exclude: Collection[int], parallel: int
) -> tuple[BulkResult | None, ISalesError | None]:
    settings: dict[str, Any] = {"timezone": "Asia/Shanghai", "timeout": 2, "retry": replace(IMPATIENT, total=1)}
    with platform.relay.client(max_connections=parallel, **settings) as client:
        try:
            return client.pause_campaigns(ids, exclude=exclude, max_parallel_requests=parallel), None
        except ISalesBulkError as error:
            return error.result, error
        except ISalesError as error:
            return None, error


def is_dialled(server: Simulator, campaign: Campaign) -> bool:
    return campaign.state is EXECUTING and campaign.begin < server.service.format_time(datetime.now(UTC))


def find_dialled(server: Simulator) -> set[int]:
    return {number for number, campaign in server.service.campaigns.items() if is_dialled(server, campaign)}


def test_a_green_run_leaves_no_campaign_dialled_but_what_was_started_after_its_last_listing(
    platform: Platform, chance: random.Random, size: Any, figures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_isales.client.rounds.OUTAGE_SECONDS", 1.0)
    server = platform.server
    runs, seen, red = size.of(60, 5000), Counter[str](), Counter[str]()
    for number in range(1, runs + 1):
        colleague = prepare(platform, chance, 1000 * number)
        before = find_dialled(server)
        suspended = {each.id for each in server.service.campaigns.values() if each.state is SUSPENDED}
        known = [*server.service.campaigns]
        given = "all" if chance.random() < 0.7 else chance.sample(known, len(known) // 2)
        result, error = pause(platform, given, colleague.excluded, chance.choice([1, 4, 8]))
        meant = {*server.service.campaigns} if given == "all" else {*given}
        dialled = (find_dialled(server) & meant) - colleague.excluded
        left = {each for each in dialled if not colleague.is_excused(each)}
        seen["red" if error else "green"] += 1
        assert error or not left, f"run {number}: green, but {left} are dialled"
        assert not colleague.excluded.intersection(colleague.paused), f"run {number}: paused what is excluded"
        assert not error or not left or error.retryable, f"run {number}: permanent, but {left} are dialled: {error}"
        if result:
            ours = before & {each.id for each in server.service.campaigns.values() if each.state is SUSPENDED}
            seen["stolen"] += len(suspended.intersection(result.changed) - {*colleague.started_at})
            check_result(result, error, left, ours - colleague.suspended - dialled)
        if error and not dialled:
            red[why(error) if result else UNLISTED] += 1
    figures.add("campaign runs on a faulty server that is edited and restarts meanwhile: false greens", runs, 0, 0)
    figures.add("campaign runs: campaigns that are dialled and not named by red, or called permanent", runs, 0, 0)
    figures.add("campaign runs: campaigns that the run paused and reports as already paused", runs, 0, 0)
    figures.add(
        "campaign runs: campaigns that a colleague had suspended and the run reports as its own", runs, seen["stolen"]
    )
    for reason, count in red.items():
        figures.add(f"campaign runs: red though no campaign was dialled at the end, because {reason}", runs, count)
    assert min(seen["red"], seen["green"]) > 0
    assert platform.relay.restarts > 0


def check_result(result: BulkResult, error: ISalesError | None, left: set[int], ours: set[int]) -> None:
    """
    Check what a run reports.

    :param left: what is dialled though it was started before the last listing
    :param ours: what was dialled at first and is suspended now, by nobody else
    """
    open_ids = [*result.failed, *result.unknown, *result.not_tried]
    named = [*result.changed, *result.unchanged, *result.not_running, *result.gone, *result.excluded, *open_ids]
    assert len(named) == len({*named}), "a campaign is in two places"
    assert not (mistaken := ours.intersection(result.unchanged)), f"reported as already paused: {mistaken}"
    if result.confirmed_at:
        assert not (wrong := left.intersection(result.not_running)), f"reported as not running: {wrong}"
    if error and result.confirmed_at:
        assert left <= {*open_ids}, f"red, but {left} are not all named in {open_ids}"


def why(error: ISalesError) -> str:
    """Name the kind of reason for which a run was red though nothing was dialled at its end."""
    for words, reason in {
        "Listing the campaigns": UNLISTED,
        "kept changing": UNLISTED,
        "it is not listed": "a campaign that was asked for was deleted",
        "does not exist": "a campaign that was asked for was deleted",
        "not documented": "a campaign has a status that is not documented",
        "still shows it": "a campaign was started again, and suspended later",
    }.items():
        if words in error.problem:
            return reason
    return "a campaign that could not be paused was deleted, or suspended by somebody else later"


def test_after_a_kill_the_next_run_pauses_the_remaining_campaigns(
    platform: Platform, chance: random.Random, size: Any, figures: Any
) -> None:
    server, kills = platform.server, size.of(2, 100)
    for _ in range(kills):
        server.reset()
        for number in range(1, 31):
            server.add_campaign(number)
        server.inject("delay", seconds=0.01, times=300)
        with process_that('client.pause_campaigns("all")', server) as process:
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
        with server.client(timezone="Asia/Shanghai") as client:
            client.pause_campaigns("all")
        assert {campaign.state for campaign in server.service.campaigns.values()} == {SUSPENDED}
    figures.add("campaign runs killed at a random moment, then run again: campaigns lost", kills, 0, 0)
