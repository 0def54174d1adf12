"""What a pause records in an Airflow Variable and a resume removes, through retries, kills and mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from unittest.mock import Mock

import pytest
from airflow.providers.common.compat.sdk import Variable
from airflow_runs import TaskRun, dag_file, errors_in, run_dag, start_airflow
from cryptography.fernet import InvalidToken
from variables import delete_variable, read_variable, set_variable, with_database

from airflow_provider_isales.client import BatchStatus, BulkResult, Outcome
from airflow_provider_isales.client.arguments import check_batch_id, check_campaign_id
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.simulator import Campaign, Simulator
from airflow_provider_isales.support.memory import Memory, MemoryFailedError

NAME = "isales_paused_isales_default_25_7"
BATCHES = [f"00000000000000700000000000000{number}" for number in (1, 2, 3)]
A, B, C = BATCHES
SHIFT_END = datetime.fromisoformat("2026-11-25T18:00:00+08:00")
ReadLog = Callable[[], str]


@pytest.fixture(autouse=True)
def campaign(isales_simulator: Simulator, no_waiting: list[float]) -> Campaign:
    return isales_simulator.add_campaign(7, batches=3)


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    start_airflow()
    delete_variable(NAME)
    yield
    delete_variable(NAME)


def edit(text: str) -> None:
    set_variable(NAME, text)


def remembered() -> list[str]:
    found = read_variable(NAME)
    return sorted(found["batches"]) if found else []


def run(name: str) -> TaskRun:
    ((task_run,),) = run_dag(getattr(dag_file("kept"), name)).values()
    return task_run


def pause() -> TaskRun:
    return run("remembering_pause")


def resume() -> TaskRun:
    return run("remembered_resume")


def paused(*batch_ids: str) -> BulkResult:
    return BulkResult(
        scope=CampaignKey(25, 7),
        done=Outcome.PAUSED,
        already=Outcome.ALREADY_PAUSED,
        changed=list(batch_ids),
        unchanged=[],
        failed={},
    )


def statuses(campaign: Campaign) -> list[str]:
    return [batch.status.name.lower() for batch in campaign.batches.values()]


def test_exactly_what_was_paused_is_resumed(campaign: Campaign) -> None:
    campaign.set_status(B, BatchStatus.SUSPENDED)
    pause()
    assert sorted(resume().xcom["resumed"]) == [A, C]
    assert statuses(campaign) == ["started", "suspended", "started"]


def test_what_was_resumed_is_forgotten() -> None:
    pause()
    resume()
    assert remembered() == []


def test_a_pause_that_is_run_again_forgets_nothing() -> None:
    pause()
    pause()
    assert remembered() == BATCHES


def test_a_repeated_pause_adds_what_it_finds_to_the_memory(campaign: Campaign) -> None:
    campaign.set_status(B, BatchStatus.SUSPENDED)
    pause()
    campaign.set_status(B, BatchStatus.STARTED)
    pause()
    assert remembered() == BATCHES


def test_the_memory_is_written_before_the_first_request(
    isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: object, batch_ids: list[str], progress: object) -> None:
        raise SystemExit("as if the worker were lost")

    monkeypatch.setattr("airflow_provider_isales.client.rounds.Rounds.run", killed)
    pause()
    assert (isales_simulator.requests.get("pause", 0), remembered()) == (0, BATCHES)


def test_the_retry_of_a_killed_pause_remembers_what_the_first_try_paused(campaign: Campaign) -> None:
    edit(json.dumps({"batches": BATCHES}))  # written by the first try, which then paused one
    campaign.set_status(A, BatchStatus.SUSPENDED)
    pause()
    assert remembered() == BATCHES


def test_the_retry_of_a_killed_resume_finishes_it(campaign: Campaign) -> None:
    pause()
    campaign.set_status(A, BatchStatus.STARTED)  # by the first try, which was killed then
    assert resume().xcom["already_started"] == [A]
    assert (statuses(campaign), remembered()) == (["started"] * 3, [])


def test_what_failed_to_start_stays_remembered(isales_simulator: Simulator, campaign: Campaign) -> None:
    pause()
    isales_simulator.inject("result", verb="resume", code="0200001", times=99)
    assert resume().state == "failed"
    assert remembered() == BATCHES


def test_what_did_start_is_forgotten_though_another_failed(isales_simulator: Simulator) -> None:
    def refuse_one(verb: str, body: Any) -> None:
        if verb == "resume" and body["id"] == B:
            isales_simulator.inject("result", verb="resume", code="0200001")

    pause()
    isales_simulator.on_request = refuse_one
    resume()
    assert remembered() == [B]


def test_what_was_deleted_meanwhile_is_forgotten(campaign: Campaign) -> None:
    pause()
    del campaign.batches[A]
    assert resume().xcom["gone"] == [A]
    assert remembered() == []


def test_a_pause_whose_response_was_lost_is_remembered(isales_simulator: Simulator) -> None:
    isales_simulator.inject("close_after", verb="pause", times=3)
    pause()
    assert remembered() == BATCHES


def test_an_announced_batch_stays_remembered_if_somebody_else_suspends_it(
    isales_simulator: Simulator, campaign: Campaign
) -> None:
    def somebody_suspends(verb: str, body: object) -> None:
        if verb == "pause":
            campaign.set_status(B, BatchStatus.SUSPENDED)

    isales_simulator.on_request = somebody_suspends
    pause()
    assert remembered() == BATCHES


def test_ids_overwritten_by_a_simultaneous_pause_are_written_again(isales_simulator: Simulator) -> None:
    isales_simulator.on_request = lambda verb, body: edit('{"batches": []}') if verb == "pause" else None
    pause()
    assert remembered() == BATCHES


def test_an_empty_memory_is_green_with_a_warning_that_says_since_when(read_log: ReadLog) -> None:
    pause()
    resume()
    read_log()
    assert resume().state == "success"
    assert f"the Variable {NAME} has been empty since 20" in " ".join(read_log().split())


def test_an_empty_memory_without_a_time_is_green_too() -> None:
    edit('{"batches": []}')
    assert run("resume_or_fail").state == "success"


@pytest.fixture(params=["absent", "written with another Fernet key"])
def unreadable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(session: Any, model: Any) -> None:
        session.add(variable := model(key=NAME, val="a text"))
        variable.is_encrypted = True

    if request.param != "absent":
        with_database(add)
        other_key = Mock(**{"return_value.decrypt.side_effect": InvalidToken})
        monkeypatch.setattr("airflow.models.variable.get_fernet", other_key)


@pytest.mark.usefixtures("unreadable")
def test_an_unreadable_memory_is_green_with_a_warning(read_log: ReadLog) -> None:
    assert resume().state == "success"
    expected = f"the Variable {NAME} does not exist (no pause has run yet) or can't be decrypted"
    assert expected in " ".join(read_log().split())


@pytest.mark.usefixtures("unreadable")
def test_an_unreadable_memory_fails_the_task_if_set_so() -> None:
    assert run("resume_or_fail").state == "failed"


@pytest.mark.parametrize("text", ["A, B", json.dumps({"batches": A}), json.dumps({"batches": {A: 1}}), '["1"]', "7"])
def test_a_memory_without_a_list_of_ids_fails_the_resume_and_says_how_it_must_look(
    read_log: ReadLog, text: str
) -> None:
    edit(text)
    assert resume().state == "failed"
    assert f'the Variable {NAME} must be {{"batches": ["...", ...]}}' in " ".join(read_log().split())


class TestAResumeThatFindsEverythingGone:
    @pytest.fixture(autouse=True)
    def elsewhere(self, campaign: Campaign) -> None:
        edit(json.dumps({"batches": ["404", "405"]}))

    def test_a_resume_that_finds_everything_gone_fails(self) -> None:
        assert resume().state == "failed"

    def test_a_resume_that_finds_everything_gone_keeps_the_memory(self) -> None:
        resume()
        assert remembered() == ["404", "405"]

    def test_a_resume_that_finds_everything_gone_has_its_result_in_xcom(self) -> None:
        assert resume().xcom["gone"] == ["404", "405"]

    def test_a_resume_that_finds_everything_gone_says_why(self, read_log: ReadLog) -> None:
        resume()
        log = " ".join(read_log().split())
        assert f"none of the batches in the Variable {NAME} exists in campaign 7 (VDN 25): 404, 405" in log


class TestAMemoryThatFails:
    @pytest.fixture(autouse=True)
    def spoilt(self) -> None:
        edit("no JSON")

    def test_batches_are_paused_if_the_memory_fails(self, campaign: Campaign) -> None:
        pause()
        assert statuses(campaign) == ["suspended"] * 3

    def test_a_failed_memory_fails_the_task_for_good(self) -> None:
        task_run = pause()
        assert (task_run.state, task_run.tries) == ("failed", 1)

    def test_the_only_error_of_a_failed_memory_names_all_that_was_paused(self, read_log: ReadLog) -> None:
        pause()
        (error,) = (line for line in errors_in(read_log()) if "Could not record" in line)
        assert "Could not record what was paused, so resume it by hand: " in error
        assert all(batch_id in error for batch_id in BATCHES)

    def test_a_pause_that_fails_says_in_the_same_error_that_the_memory_failed(
        self, isales_simulator: Simulator, read_log: ReadLog
    ) -> None:
        isales_simulator.inject("result", verb="pause", code="03000004", times=99)
        pause()
        errors = [line for line in errors_in(read_log()) if "Could not record" in line]  # of each try
        assert errors
        assert all("Pausing the call batches of campaign 7 (VDN 25) failed: 0 paused" in error for error in errors)


class TestTheVariable:
    """Two tasks at once; here the Variable is a value with the store's own two operations."""

    @pytest.fixture
    def stored(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        stored: dict[str, str] = {}
        monkeypatch.setattr(Variable, "get", stored.get)
        monkeypatch.setattr(Variable, "set", stored.__setitem__)
        return stored

    @pytest.fixture
    def memory(self) -> Memory:
        return Memory(NAME, "batches", check_batch_id)

    def test_the_variable_holds_only_batches_and_a_time(self, memory: Memory, stored: dict[str, str]) -> None:
        memory.announce([A])
        value = json.loads(stored[NAME])
        assert sorted(value) == ["batches", "changed_at"]

    def test_the_variable_holds_campaign_ids_as_numbers(self, stored: dict[str, str]) -> None:
        memory = Memory("isales_paused_campaigns", "campaigns", check_campaign_id)
        memory.announce([1001])
        assert (json.loads(stored["isales_paused_campaigns"])["campaigns"], memory.read().ids) == ([1001], [1001])

    def test_a_variable_with_other_content_is_an_error(self, memory: Memory, stored: dict[str, str]) -> None:
        memory.announce([A])
        with pytest.raises(MemoryFailedError, match=r'"campaigns": \['):
            Memory(NAME, "campaigns", check_campaign_id).read()

    def test_the_variable_remembers_what_either_of_two_simultaneous_pauses_found(self, stored: dict[str, str]) -> None:
        first, second = (Memory(NAME, "batches", check_batch_id, SHIFT_END) for _ in range(2))
        first.announce([A])
        second.announce([])
        first.settle(paused(A), completed="all")
        second.announce([B])
        second.settle(paused(B), completed="all")
        assert (first.read().ids, second.not_remembered) == ([A, B], [])

    def test_a_pause_after_a_completed_one_is_not_remembered(self, stored: dict[str, str]) -> None:
        first, second = (Memory(NAME, "batches", check_batch_id, SHIFT_END) for _ in range(2))
        first.settle(paused(A), completed="all")
        second.announce([A, B])
        second.settle(paused(A, B), completed="all")
        assert (first.read().ids, second.not_remembered) == ([A], [B])

    def test_the_variable_holds_a_completed_pause_once(self, memory: Memory, stored: dict[str, str]) -> None:
        for _ in range(2):
            Memory(NAME, "batches", check_batch_id, SHIFT_END).settle(paused(A), completed="all")
        pause = {"shift_end": "2026-11-25T18:00:00+08:00", "ids": "all", "exclude": []}
        assert json.loads(stored[NAME])["completed"] == [pause]

    def test_the_variable_is_written_again_if_another_task_overwrote_it(
        self, memory: Memory, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def overwritten_once(name: str, value: str) -> None:
            stored[name] = value
            monkeypatch.setattr(Variable, "set", stored.__setitem__)
            stored[name] = json.dumps({"batches": [B]})

        monkeypatch.setattr(Variable, "set", overwritten_once)
        memory.announce([A])
        assert memory.read().ids == [B, A]

    def test_a_variable_that_keeps_nothing_is_an_error(
        self, memory: Memory, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Variable, "set", lambda name, value: None)
        assert "had another value whenever it was read back" in memory.settle(paused(A))
