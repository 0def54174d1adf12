"""Overtime: pause tasks leave alone what a hold is for, until its end, and nothing longer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from unittest.mock import Mock

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, AirflowSkipException
from airflow.timetables.base import TimeRestriction
from airflow_runs import EXCEPTIONS, TaskRun, dag_file, errors_in, run_dag, start_airflow
from variables import delete_variable, read_variable, set_variable

from airflow_provider_isales import clock
from airflow_provider_isales.client import ISalesArgumentError
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, PauseCallBatchOperator
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

EXECUTING, SUSPENDED = CampaignState.EXECUTING, CampaignState.SUSPENDED
UNTIL_EIGHT = {"until": "2026-11-25T20:00+08:00"}
FOR_THE_FIRST = {**UNTIL_EIGHT, "campaign_ids": [1]}
MEMORY = "isales_paused_campaigns_isales_default_25"
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
NUMBERS = count(1)
SetNow = Callable[[str], pendulum.DateTime]
ReadLog = Callable[[], str]


@pytest.fixture(autouse=True)
def campaigns(isales_simulator: Simulator, no_waiting: list[float]) -> dict[int, Campaign]:
    """Two campaigns that are started, the second with one batch."""
    for number in (1, 2):
        isales_simulator.add_campaign(number, name=f"sale {number}", batches=1)
    return isales_simulator.service.campaigns


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> SetNow:
    """Set the time to one of November 2026 in Shanghai; the 25th is a Wednesday, and shifts end at 12:00 and 18:00."""

    def set_now(text: str) -> pendulum.DateTime:
        moment = pendulum.from_format(f"2026-11-{text}", "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai").in_timezone("UTC")
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: moment)
        return moment

    set_now("25 18:00:02")
    return set_now


@pytest.fixture(autouse=True)
def variables() -> Iterator[None]:
    """Remove them before and after the test."""
    start_airflow()
    for _ in range(2):
        for name in ("isales_hold", MEMORY):
            delete_variable(name)
        if not _:
            yield


def hold(value: Any) -> None:
    set_variable("isales_hold", value if isinstance(value, str) else json.dumps(value))


def run(name: str = "watch", conf: dict[str, Any] | None = None) -> TaskRun:
    return run_all(name, conf)[0]


def run_all(name: str, conf: dict[str, Any] | None = None) -> list[TaskRun]:
    """Run a DAG as if somebody triggered it at the time that it is: each run has a logical date of its own."""
    EXCEPTIONS.clear()
    logical_date = clock.utc_now() + timedelta(microseconds=next(NUMBERS))
    return run_dag(getattr(dag_file("held"), name), conf, logical_date)["pause"]


def started(campaigns: dict[int, Campaign]) -> list[int]:
    return [number for number, campaign in campaigns.items() if campaign.state is EXECUTING]


def start_all(campaigns: dict[int, Campaign]) -> None:
    for campaign in campaigns.values():
        campaign.state = EXECUTING


def test_an_evening_with_overtime_is_paused_by_the_first_run_after_it(
    campaigns: dict[int, Campaign], now: SetNow
) -> None:
    """A scheduler creates the runs; people go on calling until 19:45."""
    hold({"until": "2026-11-25T19:45+08:00"})
    timetable, last, found = dag_file("held").watch.timetable, None, list[Any]()
    restriction = TimeRestriction(now("25 13:30:00"), None, True)
    while len(found) < 6:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        last, due = info.data_interval, info.run_after.in_timezone("Asia/Shanghai")
        now(f"{due + timedelta(seconds=2):%d %H:%M:%S}")
        found.append((f"{due:%H:%M}", run().state, started(campaigns)))
    assert found == [
        ("18:00", "skipped", [1, 2]),
        ("18:30", "skipped", [1, 2]),
        ("19:00", "skipped", [1, 2]),
        ("19:30", "skipped", [1, 2]),
        ("20:00", "success", []),
        ("20:30", "success", []),
    ]


class TestWhileAHoldLasts:
    def test_a_held_task_skips_and_says_until_when_and_why(self, campaigns: dict[int, Campaign]) -> None:
        hold({"until": "2026-11-25T19:45+08:00", "reason": "end of month"})
        assert (run().state, started(campaigns)) == ("skipped", [1, 2])
        (message,) = map(str, EXCEPTIONS)
        assert message == (
            "Not paused, because of a hold until 19:45 on Wed 2026-11-25 Asia/Shanghai: end of month. The first run "
            "after that pauses what is still started."
        )

    def test_a_hold_without_a_date_says_that_it_applies_every_day(self) -> None:
        hold({"until": "20:00"})
        assert run().state == "skipped"
        assert '"until" names no date, so the hold applies every day until somebody removes it.' in str(EXCEPTIONS)

    @pytest.mark.parametrize("name", ["watch_of_batches", "watch_of_one_batch"])
    @pytest.mark.parametrize(("campaign_ids", "state"), [([1], "skipped"), ([2], "success")])
    def test_batches_of_a_held_campaign_are_held(
        self, campaigns: dict[int, Campaign], name: str, campaign_ids: list[int], state: str
    ) -> None:
        hold({**UNTIL_EIGHT, "campaign_ids": campaign_ids})
        assert run(name, {"batch_id": next(iter(campaigns[1].batches))}).state == state

    def test_each_mapped_task_is_held_by_its_own_campaign(self) -> None:
        hold(FOR_THE_FIRST)
        assert [task_run.state for task_run in run_all("mapped")] == ["skipped", "success"]

    def test_a_held_retry_fails_if_an_earlier_try_failed(
        self, campaigns: dict[int, Campaign], isales_simulator: Simulator
    ) -> None:
        isales_simulator.inject("result", verb="list_campaigns", code="0200007", times=99)
        isales_simulator.inject("result", verb="list_campaigns", code="09999999", times=99)
        isales_simulator.on_request = lambda verb, parameters: hold(UNTIL_EIGHT)
        task_run = run()
        assert (task_run.state, task_run.tries) == ("failed", 2)
        assert "Earlier tries of this run failed, but one of them may have taken effect" in str(EXCEPTIONS[-1])

    def test_the_guard_skips_before_the_hold(self, now: SetNow) -> None:
        now("25 17:00:00")
        hold(UNTIL_EIGHT)
        assert run().state == "skipped"
        assert "Not paused, because a shift is on" in str(EXCEPTIONS)


class TestWhileAHoldLastsForSomeCampaigns:
    def test_campaigns_that_are_not_held_are_paused(self, campaigns: dict[int, Campaign]) -> None:
        hold(FOR_THE_FIRST)
        assert (run().state, started(campaigns)) == ("success", [1])

    def test_the_result_names_the_held_campaigns_and_the_end_of_the_hold(self) -> None:
        hold(FOR_THE_FIRST)
        result = run().xcom
        assert (result["held"], result["excluded"]) == ([1], [])
        assert result["held_until"] == "2026-11-25T20:00:00+08:00"

    def test_the_log_names_the_held_campaigns(self, read_log: ReadLog) -> None:
        hold(FOR_THE_FIRST)
        run()
        assert "Not paused: 1, because of a hold until 20:00 on Wed" in " ".join(read_log().split())

    def test_a_task_skips_if_all_of_its_campaigns_are_held(self) -> None:
        hold(FOR_THE_FIRST)
        assert run("watch_of_some").state == "skipped"

    def test_excluded_campaigns_are_not_reported_as_held(self, campaigns: dict[int, Campaign]) -> None:
        hold({**UNTIL_EIGHT, "campaign_ids": [2]})
        result = run("watch_of_some").xcom
        assert (result["excluded"], "held" in result, started(campaigns)) == ([2], False, [2])

    def test_a_held_campaign_that_does_not_exist_is_a_warning(self, read_log: ReadLog) -> None:
        hold({**UNTIL_EIGHT, "campaign_ids": [1, 3]})
        assert run().state == "success"
        assert "exclude or a hold: 3 is not listed, so it excludes nothing." in " ".join(read_log().split())

    def test_late_campaigns_that_are_not_held_fail_the_task(self, campaigns: dict[int, Campaign], now: SetNow) -> None:
        hold(FOR_THE_FIRST)
        now("25 19:00:02")
        task_run = run()
        assert (task_run.state, task_run.xcom["late"], task_run.xcom["held"]) == ("failed", [2], [1])

    def test_held_campaigns_are_remembered_when_they_are_paused(
        self, campaigns: dict[int, Campaign], now: SetNow
    ) -> None:
        hold(FOR_THE_FIRST)
        run()
        now("25 20:00:02")
        run()
        assert (started(campaigns), sorted(read_variable(MEMORY)["campaigns"])) == ([], [1, 2])


class TestARunOfTheScheduler:
    """Each task is run with what Airflow's context says of a scheduled run."""

    def pause(self, start: pendulum.DateTime, due: pendulum.DateTime) -> Any:
        run = Mock(run_type="scheduled", clear_number=0, start_date=due)
        context: Any = {
            "dag_run": run,
            "data_interval_start": start,
            "data_interval_end": due,
            "ti": Mock(try_number=1, max_tries=2),
            "task": Mock(retries=2),
        }
        hold = {"until": "2026-11-25T20:00+08:00"}
        with DAG("a_dag", **dag_file("held").WATCH):
            task = PauseCampaignsOperator(task_id="pause", shifts=SHIFTS, max_lateness=timedelta(minutes=5), hold=hold)
        return task.execute(context)

    @pytest.mark.parametrize("time", ["19:59:58", "19:50:00"])
    def test_a_run_due_when_the_hold_ends_pauses_although_its_workers_clock_is_slow(
        self, campaigns: dict[int, Campaign], now: SetNow, time: str
    ) -> None:
        start, due = now("25 19:30:00"), now("25 20:00:00")
        now(f"25 {time}")
        self.pause(start, due)
        assert started(campaigns) == []

    def test_a_run_for_an_earlier_shift_that_comes_only_now_is_held(
        self, campaigns: dict[int, Campaign], now: SetNow
    ) -> None:
        start, due = now("25 09:00:00"), now("25 12:00:00")
        now("25 18:00:30")
        with pytest.raises(AirflowSkipException):
            self.pause(start, due)
        assert started(campaigns) == [1, 2]


class TestAfterAHold:
    def test_a_pause_after_a_hold_is_in_time_and_reports_its_real_time(self, now: SetNow) -> None:
        hold(UNTIL_EIGHT)
        now("25 20:00:02")
        task_run = run()
        assert task_run.state == "success"
        assert {name: task_run.xcom[name] for name in ("shift_end", "held_until", "seconds_after_shift_end")} == {
            "shift_end": "2026-11-25T18:00:00+08:00",
            "held_until": "2026-11-25T20:00:00+08:00",
            "seconds_after_shift_end": 7202.0,
        }

    def test_the_first_run_after_a_hold_is_in_time(self, now: SetNow) -> None:
        hold({"until": "2026-11-25T19:45+08:00"})
        now("25 20:00:02")
        assert run().state == "success"

    def test_what_is_started_after_a_hold_is_late_from_its_end(self, now: SetNow) -> None:
        hold(UNTIL_EIGHT)
        now("25 20:30:02")
        assert run().state == "failed"
        (message,) = map(str, EXCEPTIONS)
        assert message.startswith(
            "2 campaigns of VDN 25 were still started at 20:30 Asia/Shanghai, 30 min after the hold until 20:00 on Wed "
            "2026-11-25; they are paused now."
        )

    def test_held_campaigns_are_late_from_the_hold_and_others_from_the_shift_end(self, now: SetNow) -> None:
        hold(FOR_THE_FIRST)
        now("25 20:00:02")
        assert run().xcom["late"] == [2]

    def test_late_campaigns_after_a_hold_are_reported_once(self, now: SetNow) -> None:
        hold(FOR_THE_FIRST)
        now("25 21:00:02")
        assert run().xcom["late"] == [1, 2]
        (message,) = map(str, EXCEPTIONS)
        assert "VDN 25 was still started at 21:00 Asia/Shanghai, 3 h after the end of the shift" in message
        assert "VDN 25 was still started at 21:00 Asia/Shanghai, 1 h after the hold until 20:00" in message

    def test_batches_started_after_a_hold_are_late_from_its_end(self, now: SetNow) -> None:
        hold(FOR_THE_FIRST)
        now("25 20:30:02")
        assert run("watch_of_batches").state == "failed"
        assert "30 min after the hold until 20:00 on Wed 2026-11-25; it is paused now." in str(EXCEPTIONS)

    def test_a_hold_of_yesterday_has_no_effect(self) -> None:
        hold({"until": "2026-11-24T20:00+08:00"})
        task_run = run()
        assert (task_run.state, "held_until" in task_run.xcom) == ("success", False)

    def test_a_hold_without_a_date_does_not_apply_after_midnight(
        self, campaigns: dict[int, Campaign], now: SetNow
    ) -> None:
        hold({"until": "20:00"})
        now("26 02:00:02")
        run()
        assert started(campaigns) == []


WRONG = [
    ({"until": "20:00", "campaigns": [1]}, "hold has the unknown key 'campaigns'"),
    ({"until": "2026-11-25T20:00"}, "hold: until must be an ISO time with a time zone"),
    ({"until": "2026-11-28T20:00+08:00"}, "hold: until must be at most 24 hours ahead"),
    ('{"until": "20:00"', "hold must be None or a mapping"),
    ("tonight", "hold must be None or a mapping"),
]


@pytest.mark.parametrize(("value", "problem"), WRONG)
class TestAWrongHold:
    def test_a_wrong_hold_is_ignored_and_then_fails_the_task_for_good(
        self, campaigns: dict[int, Campaign], value: Any, problem: str
    ) -> None:
        hold(value)
        task_run = run()
        assert (task_run.state, task_run.tries, started(campaigns)) == ("failed", 1, [])
        assert f"The hold is invalid and was ignored: {problem}" in str(EXCEPTIONS)

    def test_a_wrong_hold_leaves_the_result_in_xcom(self, value: Any, problem: str) -> None:
        hold(value)
        assert sorted(run().xcom["paused"]) == [1, 2]


def test_a_wrong_hold_is_one_error_in_the_log(read_log: ReadLog) -> None:
    hold("tonight")
    run()
    assert sum("The hold is invalid and was ignored" in line for line in errors_in(read_log())) == 1


def test_a_wrong_hold_is_a_warning_when_the_pause_fails_too(isales_simulator: Simulator, read_log: ReadLog) -> None:
    hold("tonight")
    isales_simulator.inject("result", verb="pause_campaign", code="09999999", times=99)
    assert run().state == "failed"
    log = read_log()
    assert "The hold is invalid and was ignored" in " ".join(log.split())
    assert not any("The hold is invalid" in line for line in errors_in(log))


def test_a_pause_that_fails_says_in_one_error_what_was_late(
    isales_simulator: Simulator, now: SetNow, read_log: ReadLog
) -> None:
    def refuse_one(verb: str, parameters: Any) -> None:
        if verb == "pause_campaign" and parameters["campaign_id"] == "1":
            isales_simulator.inject("result", verb="pause_campaign", code="09999999")

    now("25 19:00:02")
    isales_simulator.on_request = refuse_one
    assert run().state == "failed"
    error = next(line for line in errors_in(read_log()) if "were still started" in line or "was still started" in line)
    assert "Pausing the campaigns of VDN 25 failed: 1 paused, 1 failed" in error


def test_a_wrong_hold_fails_a_task_that_would_skip(campaigns: dict[int, Campaign]) -> None:
    hold("tonight")
    campaigns[1].state = SUSPENDED
    assert run("watch_of_batches").state == "failed"
    assert "Skipped: the campaign is suspended" in str(EXCEPTIONS)
    assert "The hold is invalid and was ignored" in str(EXCEPTIONS)


@pytest.mark.parametrize("name", ["watch", "by_json", "natively"])
class TestAVariable:
    def test_a_hold_is_read_from_a_variable(self, name: str) -> None:
        hold(UNTIL_EIGHT)
        assert run(name).state == "skipped"

    def test_a_missing_variable_holds_nothing(self, name: str, campaigns: dict[int, Campaign]) -> None:
        assert (run(name).state, started(campaigns)) == ("success", [])


def test_a_variable_that_is_no_json_is_not_called_a_wrong_hold_if_the_template_reads_json() -> None:
    """Airflow 3 renders none, Airflow 2 can't render the template. So the documentation has ``var.value``."""
    hold("tonight")
    run("by_json")
    assert "The hold is invalid" not in str(EXCEPTIONS)


def test_a_mapping_may_have_templates(campaigns: dict[int, Campaign]) -> None:
    assert (run("in_part").state, started(campaigns)) == ("success", [1])


def test_without_shifts_a_hold_lasts_until_its_time(campaigns: dict[int, Campaign], now: SetNow) -> None:
    hold(UNTIL_EIGHT)
    assert run("without_shifts").state == "skipped"
    now("25 20:00:00")
    task_run = run("without_shifts")
    assert (task_run.state, "held_until" in task_run.xcom, started(campaigns)) == ("success", False, [])


@pytest.mark.parametrize("value", [UNTIL_EIGHT, "tonight"])
def test_a_resume_has_no_hold_not_even_from_default_args(campaigns: dict[int, Campaign], value: Any) -> None:
    campaigns[1].state = SUSPENDED
    hold(value)
    assert (run("resume").state, started(campaigns)) == ("success", [1, 2])


def test_a_resume_takes_no_hold() -> None:
    with pytest.raises((TypeError, AirflowException), match="Invalid arguments"):
        ResumeCampaignsOperator(task_id="a_task", campaign_ids=[1], hold=UNTIL_EIGHT)


ID = "1" * 30
PAUSES: list[Any] = [
    (PauseCampaignsOperator, {}),
    (PauseCallBatchesOperator, {"campaign_id": 1}),
    (PauseCallBatchOperator, {"campaign_id": 1, "batch_id": ID}),
]


@pytest.mark.parametrize(("operator", "arguments"), PAUSES, ids=["campaigns", "batches", "batch"])
class TestWhenTheDagIsParsed:
    def test_a_wrong_hold_is_an_error_at_parse_time(self, operator: Any, arguments: dict[str, Any]) -> None:
        with pytest.raises(ISalesArgumentError, match="unknown key 'campaigns'"):
            operator(task_id="a_task", hold={"until": "{{ x }}", "campaigns": [1]}, **arguments)

    def test_a_hold_without_a_date_needs_shifts(self, operator: Any, arguments: dict[str, Any]) -> None:
        with pytest.raises(ISalesArgumentError, match="until 20:00 has no time zone"):
            operator(task_id="a_task", hold={"until": "20:00"}, **arguments)

    @pytest.mark.parametrize("is_mapped", [False, True])
    def test_a_schedule_that_never_pauses_after_a_hold_is_an_error(
        self, operator: Any, arguments: dict[str, Any], is_mapped: bool
    ) -> None:
        make: Any = operator.partial if is_mapped else operator
        message = r"hold requires .* repeat=timedelta\(minutes=10\)"
        start = pendulum.datetime(2026, 1, 1)
        with (
            DAG("a_dag", schedule=ShiftEndTimetable(SHIFTS), start_date=start),
            pytest.raises(ISalesArgumentError, match=message),
        ):
            make(task_id="a_task", hold="{{ x }}", **arguments)

    def test_hold_is_a_template(self, operator: Any, arguments: dict[str, Any]) -> None:
        assert "hold" in operator.template_fields
