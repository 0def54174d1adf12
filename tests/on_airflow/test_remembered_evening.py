"""The morning resumes exactly what the evening paused, whatever is started, killed or run again at night."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pendulum
import pytest
from airflow.providers.common.compat.sdk import Variable
from airflow_runs import EXCEPTIONS, TaskRun, dag_file, run_dag, same_on_every_airflow, start_airflow
from variables import delete_variable, read_variable, set_variable

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

NAME, NAME_OF_BATCHES = "isales_paused_campaigns_isales_default_25", "isales_paused_isales_default_25_1"
EXECUTING, SUSPENDED = CampaignState.EXECUTING, CampaignState.SUSPENDED
NEXT_MORNING = "2026-11-26 09:00:02"
Evening = dict[int, Campaign]
ReadLog = Callable[[], str]


class Clock:
    """The time in Shanghai; shifts end at 12:00 and 18:00."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, text: str) -> None:
        moment = pendulum.from_format(text, "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai").in_timezone("UTC")
        self._monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: moment)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(monkeypatch)
    clock.set("2026-11-25 18:00:02")
    return clock


@pytest.fixture(autouse=True)
def campaigns(isales_simulator: Simulator, no_waiting: list[float]) -> Evening:
    """Three campaigns; people have suspended the third."""
    for number, state in ((1, EXECUTING), (2, EXECUTING), (3, SUSPENDED)):
        isales_simulator.add_campaign(number, name=f"sale {number}", state=state, batches=2)
    return isales_simulator.service.campaigns


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    start_airflow()
    for name in (NAME, NAME_OF_BATCHES):
        delete_variable(name)
    yield
    for name in (NAME, NAME_OF_BATCHES):
        delete_variable(name)


def run(name: str, conf: dict[str, Any] | None = None) -> TaskRun:
    EXCEPTIONS.clear()
    (task_run,) = run_dag(getattr(dag_file("whole"), name), conf)["act"]
    return task_run


def remembered() -> list[int]:
    found = read_variable(NAME)
    return sorted(found["campaigns"]) if found else []


def started(campaigns: Evening) -> list[int]:
    return [number for number, campaign in campaigns.items() if campaign.state is EXECUTING]


def resume_in_the_morning(clock: Clock) -> None:
    clock.set(NEXT_MORNING)
    run("morning")


def test_the_morning_resumes_what_the_evening_paused_and_forgets_it(campaigns: Evening, clock: Clock) -> None:
    run("evening")
    resume_in_the_morning(clock)
    assert (started(campaigns), remembered()) == ([1, 2], [])


def test_a_resume_that_cannot_write_the_memory_has_its_result_in_xcom(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("evening")
    monkeypatch.setattr(Variable, "set", Mock(side_effect=ConnectionError("database is down")))
    clock.set(NEXT_MORNING)
    task_run = run("morning")
    assert (task_run.state, task_run.xcom["already_started"]) == ("failed", [1, 2])  # by the second try


def test_a_campaign_that_had_not_begun_in_the_evening_is_left_alone_in_the_morning(
    campaigns: Evening, clock: Clock, isales_simulator: Simulator
) -> None:
    def refuse_second(verb: str, parameters: Any) -> None:
        if verb == "pause_campaign" and parameters["campaign_id"] == "2":
            isales_simulator.inject("result", verb="pause_campaign", code="0200011")

    campaigns[2].begin = "2026-11-25 20:00:00"
    isales_simulator.on_request = refuse_second
    assert run("evening").xcom["not_running"] == [2]
    campaigns[2].state = SUSPENDED  # by a colleague, whom the log asked to do so
    resume_in_the_morning(clock)
    assert started(campaigns) == [1]


class TestACampaignThatIsStartedAtNight:
    @pytest.fixture(autouse=True)
    def stray(self, campaigns: Evening, clock: Clock) -> None:
        run("evening")
        campaigns[3].state = EXECUTING
        clock.set("2026-11-25 22:10:00")

    def test_a_campaign_started_at_night_is_paused_by_a_red_task(self, campaigns: Evening) -> None:
        assert (run("evening").state, started(campaigns)) == ("failed", [])

    def test_a_campaign_started_at_night_is_not_resumed_in_the_morning(self, campaigns: Evening, clock: Clock) -> None:
        run("evening")
        resume_in_the_morning(clock)
        assert started(campaigns) == [1, 2]

    def test_a_campaign_started_at_night_is_not_remembered_and_the_message_says_why(self) -> None:
        run("evening")
        (message,) = map(str, EXCEPTIONS)
        assert message.endswith(
            "Campaigns: 3 (sale 3). 3 (sale 3) is not remembered: it was started after the pause of 18:00, so the "
            "next resume leaves it suspended."
        )

    def test_a_campaign_started_at_night_is_logged_without_max_lateness(self, read_log: ReadLog) -> None:
        assert run("evening_without_lateness").state == "success"
        assert "3 (sale 3) is not remembered: it was started after the pause of 18:00" in " ".join(read_log().split())

    def test_a_campaign_started_at_night_is_logged_by_a_pause_that_fails(
        self, campaigns: Evening, isales_simulator: Simulator, read_log: ReadLog
    ) -> None:
        def refuse_one(verb: str, parameters: Any) -> None:
            if verb == "pause_campaign" and parameters["campaign_id"] == "1":
                isales_simulator.inject("result", verb="pause_campaign", code="09999999")

        campaigns[1].state = EXECUTING
        isales_simulator.on_request = refuse_one
        assert list(run("evening").xcom["failed"]) == ["1"]
        assert "3 (sale 3) is not remembered" in " ".join(read_log().split())

    def test_a_later_pause_for_the_same_end_does_not_remember_strays(self) -> None:
        run("evening_of_some", {"campaign_ids": [3]})
        assert remembered() == [1, 2]

    def test_a_campaign_started_at_night_is_remembered_without_shifts(self) -> None:
        run("evening_without_shifts")
        assert remembered() == [1, 2, 3]

    def test_a_campaign_dialled_at_the_next_end_is_remembered(self, campaigns: Evening, clock: Clock) -> None:
        run("evening")
        resume_in_the_morning(clock)
        campaigns[3].state = EXECUTING
        clock.set("2026-11-26 12:00:02")
        run("evening")
        assert remembered() == [1, 2, 3]

    def test_what_the_evening_paused_stays_remembered_if_it_is_started_at_night(self, campaigns: Evening) -> None:
        campaigns[1].state = EXECUTING
        run("evening")
        (message,) = map(str, EXCEPTIONS)
        assert (remembered(), "1 (sale 1) is not remembered" in message) == ([1, 2], False)


def test_a_campaign_of_an_unknown_status_that_could_not_be_paused_is_not_resumed(
    campaigns: Evening, clock: Clock, isales_simulator: Simulator
) -> None:
    """The service refuses the pause for good, so it is not what the evening stopped."""
    page = {"resultCode": "0200000", "totalSize": 1, "data": [{"id": 3, "status": 9}]}
    details = {"resultCode": "0200000", "returnObject": {"id": 3, "status": 9}}
    for verb, answer in (("list_campaigns", page), ("get_campaign", details)):
        isales_simulator.inject("answer", verb=verb, status=200, body=json.dumps(answer), times=99)
    assert run("evening").state == "failed"
    isales_simulator.faults.clear()
    resume_in_the_morning(clock)
    assert campaigns[3].state is SUSPENDED


def test_each_shift_end_of_a_day_has_its_own_memory(campaigns: Evening, clock: Clock) -> None:
    resumed = []
    for pause_at, resume_at in (("12:00:02", "13:30:02"), ("18:00:02", "23:00:00")):
        clock.set(f"2026-11-25 {pause_at}")
        run("evening")
        resumed.append(remembered())
        clock.set(f"2026-11-25 {resume_at}")
        run("morning")
        campaigns[3].state = EXECUTING
    assert resumed == [[1, 2], [1, 2, 3]]


def test_campaigns_that_a_resume_started_at_night_are_remembered_again(campaigns: Evening, clock: Clock) -> None:
    run("evening")
    clock.set("2026-11-25 20:00:00")
    run("resume_at_any_hour")
    run("evening")
    resume_in_the_morning(clock)
    assert started(campaigns) == [1, 2]


def test_a_pause_of_other_campaigns_at_the_same_end_remembers_them(campaigns: Evening, clock: Clock) -> None:
    run("evening_of_some", {"campaign_ids": [1]})
    run("evening_of_some", {"campaign_ids": [2]})
    resume_in_the_morning(clock)
    assert started(campaigns) == [1, 2]


class TestTwoTimeZones:
    """Campaigns of one VDN, each with a calendar of its own: when Shanghai's shift starts, it is 2:00 in Berlin."""

    @pytest.fixture(autouse=True)
    def night_in_berlin(self, campaigns: Evening, clock: Clock) -> None:
        run("evening_of_some", {"campaign_ids": [1]})
        clock.set("2026-11-26 01:00:02")
        run("evening_in_berlin")

    def test_a_resume_leaves_alone_what_was_paused_in_another_time_zone(self, campaigns: Evening, clock: Clock) -> None:
        resume_in_the_morning(clock)
        assert (started(campaigns), remembered()) == ([1], [2])

    def test_a_resume_says_what_it_leaves_for_another_time_zone(self, clock: Clock, read_log: ReadLog) -> None:
        resume_in_the_morning(clock)
        log = " ".join(read_log().split())
        assert "Not resumed: calendars of other time zones paused 2 (Europe/Berlin)." in log

    def test_the_morning_of_the_other_time_zone_resumes_the_rest(self, campaigns: Evening, clock: Clock) -> None:
        resume_in_the_morning(clock)
        clock.set("2026-11-26 16:00:02")
        run("morning_in_berlin")
        assert (started(campaigns), remembered()) == ([1, 2], [])

    def test_a_resume_without_shifts_resumes_what_was_paused_anywhere(self, campaigns: Evening) -> None:
        run("resume_at_any_hour")
        assert started(campaigns) == [1, 2]

    def test_only_campaigns_of_a_second_time_zone_are_stored_with_one(self) -> None:
        found = read_variable(NAME)
        assert (found["timezone"], found["zones"]) == ("Asia/Shanghai", {"2": "Europe/Berlin"})

    def test_what_is_paused_without_shifts_is_resumed_in_any_time_zone(self, campaigns: Evening, clock: Clock) -> None:
        campaigns[3].state = EXECUTING
        run("evening_without_shifts")
        resume_in_the_morning(clock)
        assert started(campaigns) == [1, 3]

    def test_a_resume_that_excludes_the_campaigns_of_another_time_zone_says_nothing_of_them(
        self, clock: Clock, read_log: ReadLog
    ) -> None:
        clock.set(NEXT_MORNING)
        assert run("morning_without_berlin").xcom["resumed"] == [1]
        assert "Not resumed" not in read_log()

    def test_a_resume_with_nothing_left_succeeds_if_it_excludes_the_campaigns_of_another_time_zone(
        self, clock: Clock
    ) -> None:
        clock.set(NEXT_MORNING)
        runs = [run("morning_without_berlin") for _ in range(2)]
        assert [each.state for each in runs] == ["success", "success"]

    def test_a_resume_keeps_the_completed_pauses_of_other_campaigns(self, campaigns: Evening, clock: Clock) -> None:
        resume_in_the_morning(clock)
        (pause,) = read_variable(NAME)["completed"]
        assert pause["ids"] == [2]


class TestAnEditedTimeZone:
    """Between evening and morning, somebody corrects the time zone of the calendar."""

    @pytest.fixture(autouse=True)
    def paused_with_another_time_zone(self, clock: Clock) -> None:
        run("evening")
        set_variable(NAME, json.dumps(read_variable(NAME) | {"timezone": "PRC"}))
        clock.set(NEXT_MORNING)

    def test_a_resume_that_may_resume_nothing_of_the_memory_fails(self, campaigns: Evening) -> None:
        assert (run("morning").state, started(campaigns), remembered()) == ("failed", [], [1, 2])

    def test_the_failure_says_why_and_what_to_do(self, read_log: ReadLog) -> None:
        run("morning")
        log = " ".join(read_log().split())
        assert (
            "nothing to resume in VDN 25: calendars of other time zones paused 1 (PRC), 2 (PRC). If the time zone of "
            'this calendar was changed, remove "timezone" and "zones" from the Variable '
            f"{NAME}. If another task resumes them, exclude them." in log
        )

    def test_the_resume_works_once_the_time_zone_is_removed_from_the_variable(self, campaigns: Evening) -> None:
        run("morning")
        content = read_variable(NAME)
        del content["timezone"]
        set_variable(NAME, json.dumps(content))
        run("morning")
        assert (started(campaigns), remembered()) == ([1, 2], [])


def test_what_another_pause_excluded_is_remembered(campaigns: Evening) -> None:
    edited = {"shift_end": "2026-11-25T18:00:00+08:00", "ids": "all", "exclude": [2]}
    set_variable(NAME, json.dumps({"campaigns": [], "completed": [edited]}))
    run("evening")
    assert remembered() == [2]


def test_a_variable_of_an_older_version_is_added_to_once(campaigns: Evening, clock: Clock) -> None:
    set_variable(NAME, json.dumps({"campaigns": [1], "changed_at": "2026-11-25T10:00:02.000+00:00"}))
    run("evening")
    campaigns[3].state = EXECUTING
    run("evening")
    assert remembered() == [1, 2]


@pytest.mark.parametrize("spoilt", ["x", [7], [{"shift_end": "18:00", "ids": "all", "exclude": []}], {"ids": 1}, None])
def test_malformed_completed_pauses_are_ignored(spoilt: Any) -> None:
    set_variable(NAME, json.dumps({"campaigns": [1], "completed": spoilt}))
    run("evening")
    assert remembered() == [1, 2]


@pytest.mark.parametrize("spoilt", [{"timezone": ["x"], "zones": 7}, {"zones": {"1": None, "2": 8}}])
def test_malformed_time_zones_are_ignored(campaigns: Evening, clock: Clock, spoilt: dict[str, Any]) -> None:
    run("evening")
    set_variable(NAME, json.dumps({"campaigns": [1, 2], **spoilt}))
    resume_in_the_morning(clock)
    assert started(campaigns) == [1, 2]


def test_after_a_failed_pause_the_next_one_remembers(
    campaigns: Evening, isales_simulator: Simulator, clock: Clock
) -> None:
    isales_simulator.inject("result", verb="pause_campaign", code="09999999", times=99)
    assert run("evening").state == "failed"
    isales_simulator.faults.clear()
    campaigns[3].state = EXECUTING
    run("evening")
    assert remembered() == [1, 2, 3]


def test_a_pause_that_finds_nothing_started_also_completes(campaigns: Evening, clock: Clock) -> None:
    campaigns[1].state = campaigns[2].state = SUSPENDED
    run("evening")
    campaigns[3].state = EXECUTING
    run("evening")
    resume_in_the_morning(clock)
    assert started(campaigns) == []


def test_a_completed_pause_counts_however_many_others_share_the_variable(campaigns: Evening, clock: Clock) -> None:
    completed = [{"shift_end": "2026-11-25T18:00:00+08:00", "ids": [100 + n], "exclude": []} for n in range(30)]
    set_variable(NAME, json.dumps({"campaigns": [], "completed": completed}))
    run("evening")
    assert len(read_variable(NAME)["completed"]) == 31


def test_completed_pauses_of_weeks_ago_are_dropped(campaigns: Evening, clock: Clock) -> None:
    old = {"shift_end": "2026-10-25T18:00:00+08:00", "ids": "all", "exclude": []}
    set_variable(NAME, json.dumps({"campaigns": [], "completed": [old]}))
    run("evening")
    (completed,) = read_variable(NAME)["completed"]
    assert completed["shift_end"] == "2026-11-25T18:00:00+08:00"


def test_a_memory_that_stays_empty_keeps_its_time(clock: Clock) -> None:
    since = "2026-11-24T10:00:00.000+00:00"
    set_variable(NAME, json.dumps({"campaigns": [1, 2], "changed_at": since}))
    run("evening")
    assert read_variable(NAME)["changed_at"] == since


# A list, two requests for each of two campaigns, and a list. Only what a retry remembers is Airflow's.
LOST_AT = [3, *same_on_every_airflow(1, 2, 4, 5, 6)]


class TestAWorkerThatIsLost:
    """From a request or a write on, nothing that the worker does has any effect, as if it were killed."""

    @pytest.fixture(autouse=True)
    def one_request_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("evening", "morning"):
            monkeypatch.setattr(getattr(dag_file("whole"), name).get_task("act"), "max_parallel_requests", 1)

    def run_until(self, simulator: Simulator, name: str, *, requests: int = 999, writes: int = 999) -> None:
        left = {"requests": requests, "writes": writes}
        write = Variable.set

        def die() -> None:
            left.update(requests=0, writes=0)
            simulator.inject("close_before", times=9999)

        def count_request(verb: str, parameters: Any) -> None:
            left["requests"] -= 1
            if left["requests"] == 0:
                die()

        def count_write(variable: str, value: str) -> None:
            if left["writes"] == 0:
                die()
                raise ConnectionError("lost")
            left["writes"] -= 1
            write(variable, value)

        simulator.on_request = count_request
        with pytest.MonkeyPatch.context() as patches:
            patches.setattr(Variable, "set", count_write)
            run(name)
        simulator.on_request = None
        simulator.faults.clear()

    @pytest.mark.parametrize("requests", LOST_AT)
    def test_a_worker_lost_during_a_pause_loses_nothing_that_was_paused(
        self, campaigns: Evening, isales_simulator: Simulator, clock: Clock, requests: int
    ) -> None:
        self.run_until(isales_simulator, "evening", requests=requests)
        run("evening")
        assert started(campaigns) == []
        resume_in_the_morning(clock)
        assert started(campaigns) == [1, 2]

    @pytest.mark.parametrize("writes", [0, 1])
    def test_a_worker_lost_before_it_writes_the_memory_loses_only_what_a_retry_cannot_know(
        self, campaigns: Evening, isales_simulator: Simulator, clock: Clock, writes: int
    ) -> None:
        self.run_until(isales_simulator, "evening", writes=writes)
        run("evening")
        resume_in_the_morning(clock)
        assert started(campaigns) == [1, 2]

    def test_after_a_worker_lost_with_its_memory_written_the_retry_remembers_nothing_more(
        self, campaigns: Evening, isales_simulator: Simulator, clock: Clock
    ) -> None:
        self.run_until(isales_simulator, "evening", writes=2)
        campaigns[3].state = EXECUTING
        run("evening")
        resume_in_the_morning(clock)
        assert started(campaigns) == [1, 2]

    @pytest.mark.parametrize("requests", LOST_AT)
    def test_a_worker_lost_during_a_resume_is_made_up_for_by_the_retry(
        self, campaigns: Evening, isales_simulator: Simulator, clock: Clock, requests: int
    ) -> None:
        run("evening")
        clock.set(NEXT_MORNING)
        self.run_until(isales_simulator, "morning", requests=requests)
        run("morning")
        assert (started(campaigns), remembered()) == ([1, 2], [])

    def test_a_worker_lost_before_it_forgets_leaves_that_to_the_retry(
        self, campaigns: Evening, isales_simulator: Simulator, clock: Clock
    ) -> None:
        run("evening")
        clock.set(NEXT_MORNING)
        self.run_until(isales_simulator, "morning", writes=0)
        run("morning")
        assert (started(campaigns), remembered()) == ([1, 2], [])


class TestBatches:
    """They have the same rule, with a Variable for each campaign."""

    @pytest.fixture(autouse=True)
    def evening(self, campaigns: Evening, clock: Clock) -> None:
        self.first, self.second = campaigns[1].batches
        campaigns[1].set_status(self.second, BatchStatus.SUSPENDED)
        run("batches_of_the_evening")
        campaigns[1].set_status(self.second, BatchStatus.STARTED)
        clock.set("2026-11-25 22:10:00")

    def test_batches_started_at_night_are_not_remembered(self) -> None:
        run("batches_of_the_evening")
        assert read_variable(NAME_OF_BATCHES)["batches"] == [self.first]

    def test_batches_started_at_night_are_named_as_not_remembered(self) -> None:
        run("batches_of_the_evening")
        assert f"{self.second} is not remembered: it was started after the pause of 18:00" in str(EXCEPTIONS)
