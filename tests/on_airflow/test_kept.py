"""Whether a pause was in time, and what it leaves behind for those who ask later."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pendulum
import pytest
from airflow_runs import TaskRun, dag_file, errors_in, publish, read_asset_event, run_dag

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.shifts.lateness import format_duration
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

BATCHES = [f"00000000000000700000000000000{number}" for number in (1, 2, 3)]
SetNow = Callable[[str], None]
ReadLog = Callable[[], str]


@pytest.fixture(autouse=True)
def campaign(isales_simulator: Simulator, no_waiting: list[float]) -> Campaign:
    return isales_simulator.add_campaign(7, batches=3)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> SetNow:
    """Set the time to one of Wednesday, the 25th, in Shanghai; the shifts end at 12:00 and 18:00."""

    def set_now(text: str) -> None:
        moment = pendulum.from_format(f"2026-11-25 {text}", "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai")
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: moment.in_timezone("UTC"))

    set_now("18:00:02")
    return set_now


def pause(name: str = "kept", conf: dict[str, Any] | None = None) -> TaskRun:
    ((task_run,),) = run_dag(getattr(dag_file("kept"), name), conf).values()
    return task_run


def log_of(read_log: ReadLog) -> str:
    return " ".join(read_log().split())


@pytest.mark.parametrize("name", ["kept", "kept_one"])
class TestTheResult:
    def test_the_result_says_when_the_pause_was_confirmed(self, name: str) -> None:
        assert pause(name).xcom["confirmed_at"] == "2026-11-25T10:00:02.000+00:00"

    def test_the_result_says_when_the_shift_ended(self, name: str) -> None:
        assert pause(name).xcom["shift_end"] == "2026-11-25T18:00:00+08:00"

    def test_the_result_has_the_seconds_after_the_shift_end(self, name: str) -> None:
        assert pause(name).xcom["seconds_after_shift_end"] == 2.0


@pytest.mark.parametrize("name", ["kept", "kept_one"])
class TestABatchThatIsStartedTooLongAfterTheShift:
    @pytest.fixture(autouse=True)
    def later(self, now: SetNow) -> None:
        now("22:10:00")

    def test_a_late_batch_is_paused(self, name: str, campaign: Campaign) -> None:
        pause(name)
        assert campaign.batches[BATCHES[0]].status is BatchStatus.SUSPENDED

    def test_a_late_batch_fails_the_task_for_good(self, name: str) -> None:
        task_run = pause(name)
        assert (task_run.state, task_run.tries) == ("failed", 1)

    def test_a_late_batch_is_in_the_result(self, name: str) -> None:
        assert BATCHES[0] in pause(name).xcom["late"]

    def test_a_late_batch_is_reported_in_one_line(self, name: str, read_log: ReadLog) -> None:
        pause(name)
        lines = [line for line in read_log().splitlines() if re.search(r"\berror\b|\bERROR\b", line)]
        assert any("still started at 22:10 Asia/Shanghai, 4 h 10 min after the end" in line for line in lines)


def test_late_batches_are_counted_and_named(now: SetNow, campaign: Campaign, read_log: ReadLog) -> None:
    now("22:10:00")
    campaign.set_status(BATCHES[1], BatchStatus.SUSPENDED)
    pause()
    assert (
        "2 batches of campaign 7 (VDN 25) were still started at 22:10 Asia/Shanghai, 4 h 10 min after the end of the "
        "shift at 18:00 on Wed 2026-11-25; they are paused now. "
    ) in log_of(read_log)


def test_late_batches_are_named_at_the_end_of_the_message(now: SetNow, campaign: Campaign, read_log: ReadLog) -> None:
    now("22:10:00")
    campaign.set_status(BATCHES[1], BatchStatus.SUSPENDED)
    pause()
    assert f" Batches: {BATCHES[0]}, {BATCHES[2]}." in log_of(read_log)


def test_late_batches_do_not_hide_that_others_failed(
    now: SetNow, isales_simulator: Simulator, read_log: ReadLog
) -> None:
    def refuse_one(verb: str, body: Any) -> None:
        if verb == "pause" and body["id"] == BATCHES[1]:
            isales_simulator.inject("result", verb="pause", code="09999999")

    now("22:10:00")
    isales_simulator.on_request = refuse_one
    task_run = pause()
    assert (task_run.state, task_run.tries) == ("failed", 4)
    assert list(task_run.xcom["failed"]) == [BATCHES[1]]
    assert BATCHES[1] in log_of(read_log).rpartition("Pausing the call batches of campaign 7 (VDN 25)")[2]


@pytest.mark.parametrize("name", ["kept", "kept_one"])
def test_a_batch_that_is_found_suspended_is_green_however_late_it_is(
    name: str, now: SetNow, campaign: Campaign
) -> None:
    for batch_id in BATCHES:
        campaign.set_status(batch_id, BatchStatus.SUSPENDED)
    now("22:10:00")
    assert pause(name).state == "success"


@pytest.mark.parametrize(("time", "state"), [("18:05:00", "success"), ("18:05:01", "failed")])
def test_a_batch_paused_at_max_lateness_is_in_time(now: SetNow, time: str, state: str) -> None:
    now(time)
    assert pause().state == state


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(50, "50 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (15000, "4 h 10 min"), (90000, "25 h")],
)
def test_a_duration_is_written_in_words(seconds: int, words: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == words


both = pytest.mark.parametrize("name", ["kept", "kept_one"])


@both
def test_batches_that_are_refused_though_the_campaign_is_not_suspended_fail_the_try(
    name: str, isales_simulator: Simulator, read_log: ReadLog
) -> None:
    isales_simulator.inject("result", verb="pause", code="03000002", times=99)
    task_run = pause(name)
    assert (task_run.state, task_run.tries) == ("failed", 4)
    log = read_log()
    assert "Not skipped, because the campaign's details show it as started: its batches may be dialled." in log
    assert not any("Not skipped" in line for line in errors_in(log))  # the failure is the error


class TestASuspendedCampaign:
    @pytest.fixture(autouse=True)
    def suspended(self, campaign: Campaign) -> None:
        campaign.state = CampaignState.SUSPENDED

    @pytest.mark.parametrize("name", ["kept_or_failed", "kept_one_or_failed"])
    def test_a_suspended_campaign_fails_the_task_for_good_if_set_so(self, name: str) -> None:
        task_run = pause(name)
        assert (task_run.state, task_run.tries) == ("failed", 1)

    @both
    def test_a_suspended_campaign_skips_the_task_by_default(self, name: str) -> None:
        assert pause(name).state == "skipped"

    @both
    def test_a_suspended_campaign_fails_the_try_if_its_details_cannot_be_read(
        self, name: str, isales_simulator: Simulator
    ) -> None:
        isales_simulator.inject("result", verb="get_campaign", code="0200001", times=99)
        task_run = pause(name)
        assert (task_run.state, task_run.tries) == ("failed", 4)

    def test_a_skipped_task_gives_the_suspended_campaign_as_its_reason(self, read_log: ReadLog) -> None:
        pause("kept")
        assert "Skipped: the campaign is suspended, so nobody is being called." in log_of(read_log)


def test_the_reason_of_a_skip_is_logged_as_a_warning(campaign: Campaign, read_log: ReadLog) -> None:
    campaign.state = CampaignState.SUSPENDED
    pause()
    lines = [line for line in read_log().splitlines() if re.search(r"\[warning|WARNING", line)]
    assert any("Skipped: the campaign is suspended" in line for line in lines)


def test_excluded_batches_are_left_alone(campaign: Campaign) -> None:
    pause("but_for_some", {"exclude": BATCHES[:1]})
    assert [batch.status for batch in campaign.batches.values()].count(BatchStatus.STARTED) == 1


def test_the_reason_of_a_failure_is_logged_as_an_error(isales_simulator: Simulator, read_log: ReadLog) -> None:
    isales_simulator.inject("result", verb="list", code="0200007", times=9)
    pause()
    assert any("[0200007]" in line for line in errors_in(read_log()))


def test_an_asset_has_the_result_in_its_event() -> None:
    publish("kept")
    pause("kept_with_evidence")
    extra = read_asset_event("kept_with_evidence")
    assert sorted(extra["paused"]) == BATCHES
    assert extra["seconds_after_shift_end"] == 2.0
