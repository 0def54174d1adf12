"""Late runs: whether a task acts or skips at the wrong hour, through real task runs. Only "now" is made up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pendulum
import pytest
import time_machine
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException
from airflow_runs import dag_file, publish, run_dag, same_on_every_airflow

from airflow_provider_isales import clock
from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Simulator
from airflow_provider_isales.support.guard import Window, find_pause_window, find_resume_window

# 2026-11-25 is a Wednesday, with shifts 09:00-12:00 and 13:30-18:00; the 28th is a Saturday without any.
NOON = AT_THE_END = "25 12:00:00"
AT_THE_START = "25 13:30:00"

Guard = Callable[[ShiftCalendar, Any, timedelta, pendulum.DateTime], Window]
Ask = Callable[..., datetime | None]


def shanghai(text: str) -> pendulum.DateTime:
    return pendulum.from_format(f"2026-11-{text}", "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai").in_timezone("UTC")


def unwrapped(log: str) -> str:
    """Return a log in one line: Airflow 3.0 wraps what it writes."""
    return " ".join(log.split())


class Runs:
    """Runs the guarded DAGs at made-up times: one for each try."""

    def __init__(self, simulator: Simulator, patch: pytest.MonkeyPatch) -> None:
        self.campaign = simulator.add_campaign(7, batches=1)
        (self.batch_id,) = self.campaign.batches
        self.waits: list[float] = []
        self.tries = 0
        patch.setattr("airflow_provider_isales.support.guard.time.sleep", self.waits.append)
        patch.setattr("airflow_runs.BEFORE_TRY", [self.set_next_hour])
        patch.setattr("airflow_provider_isales.clock.utc_now", lambda: self.now)

    def set_next_hour(self) -> None:
        self.now = self.hours.pop(0)

    def __call__(self, which: str, *hours: str, due: str | None = None) -> tuple[str, str]:
        """
        Run the DAG; return the state of the task and of the batch, in the opposite before.

        :param hours: the worker's clock at each try
        :param due: the logical date
        """
        before = BatchStatus.SUSPENDED if "resume" in which else BatchStatus.STARTED
        self.campaign.set_status(self.batch_id, before)
        self.hours = [shanghai(hour) for hour in hours]
        ((task_run,),) = run_dag(
            getattr(dag_file("guarded"), which), logical_date=shanghai(due) if due else None
        ).values()
        self.tries = task_run.tries
        return task_run.state, self.campaign.batches[self.batch_id].status.name.lower()


@pytest.fixture
def run_at(isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(isales_simulator, monkeypatch)


@pytest.mark.parametrize(
    "now",
    [
        AT_THE_END,
        "25 12:01:00",
        *same_on_every_airflow("25 13:29:44", "25 18:00:00", "25 23:00:00", "26 08:59:44", "28 10:00:00"),
    ],
)
def test_a_pause_acts_while_no_shift_is_on(run_at: Runs, now: str) -> None:
    assert run_at("pause", now) == ("success", "suspended")


@pytest.mark.parametrize(
    "now", ["25 09:00:00", "25 11:59:00", *same_on_every_airflow(AT_THE_START, "25 13:31:00", "26 10:00:00")]
)
def test_a_pause_skips_while_a_shift_is_on(run_at: Runs, now: str) -> None:
    assert run_at("pause", now) == ("skipped", "started")


@pytest.mark.parametrize("now", [AT_THE_START, "25 13:31:00", *same_on_every_airflow("25 09:00:00", "25 11:59:44")])
def test_a_resume_acts_while_a_shift_is_on(run_at: Runs, now: str) -> None:
    assert run_at("resume", now) == ("success", "started")


@pytest.mark.parametrize(
    "now",
    [AT_THE_END, "25 12:01:00", *same_on_every_airflow("25 13:29:00", "25 18:00:00", "26 00:00:00", "28 10:00:00")],
)
def test_a_resume_skips_while_no_shift_is_on(run_at: Runs, now: str) -> None:
    assert run_at("resume", now) == ("skipped", "suspended")


@pytest.mark.parametrize("now", ["25 11:59:45", "25 11:59:59"])
def test_a_resume_skips_when_the_shift_is_about_to_end(run_at: Runs, now: str) -> None:
    assert run_at("resume", now) == ("skipped", "suspended")


def test_a_pause_skips_when_the_next_shift_is_about_to_start(run_at: Runs) -> None:
    assert run_at("pause", "25 13:29:45") == ("skipped", "started")


@pytest.mark.parametrize(("which", "now"), [("resume", "25 11:58:56"), ("pause", "25 13:28:56")])
def test_no_request_within_the_margin_before_an_edge(
    run_at: Runs, isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch, which: str, now: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ISALES_DEFAULT", isales_simulator.connection(timeout=60))
    run_at(which, now)
    assert isales_simulator.requests == {}


def test_a_resume_is_right_until_the_shift_ends() -> None:
    assert right_until(find_resume_window, "25 11:50:00") == pendulum.datetime(2026, 11, 25, 4)


def test_a_pause_is_right_until_the_next_shift_starts() -> None:
    assert right_until(find_pause_window, "25 12:00:00") == pendulum.datetime(2026, 11, 25, 5, 30)


CALENDAR = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})


def right_until(guard: Guard, now: str, calendar: ShiftCalendar = CALENDAR) -> datetime | None:
    """Ask on a first try of a run without a data interval, with the margin of a connection as it comes."""
    context = {"ti": Mock(try_number=1, max_tries=0), "task": Mock(retries=0)}
    return guard(calendar, context, timedelta(seconds=15), shanghai(now)).until


class TestARetry:
    """A guard that stops a try after an earlier one failed must not hide that: what was to be done is not done."""

    @pytest.fixture(autouse=True)
    def first_try_fails(self, isales_simulator: Simulator) -> None:
        isales_simulator.inject("result", code="09999999")

    @pytest.mark.parametrize("which", ["retried_pause", "retried_mapped_pause"])
    def test_a_retried_pause_fails_for_good_while_a_shift_is_on(self, run_at: Runs, which: str) -> None:
        assert run_at(which, "25 18:00:00", "26 09:05:00") == ("failed", "started")
        assert run_at.tries == 2

    def test_a_retried_pause_fails_for_good_when_the_next_shift_is_about_to_start(self, run_at: Runs) -> None:
        assert run_at("retried_pause", "25 12:00:00", "25 13:29:50") == ("failed", "started")
        assert run_at.tries == 2

    def test_a_retried_resume_fails_for_good_while_no_shift_is_on(self, run_at: Runs) -> None:
        assert run_at("retried_resume", "25 11:50:00", "25 12:01:00") == ("failed", "suspended")
        assert run_at.tries == 2

    def test_a_retried_resume_fails_for_good_when_the_shift_is_about_to_end(self, run_at: Runs) -> None:
        assert run_at("retried_resume", "25 11:50:00", "25 11:59:50") == ("failed", "suspended")
        assert run_at.tries == 2

    def test_a_retry_says_that_the_earlier_tries_failed_and_what_to_do(
        self, run_at: Runs, read_log: Callable[[], str]
    ) -> None:
        run_at("retried_pause", "25 18:00:00", "26 09:05:00")
        assert (
            "It ends at 2026-11-26T12:00:00+08:00. Earlier tries of this run failed, but one of them may have taken "
            "effect: check in the console what is being dialled." in unwrapped(read_log())
        )

    def test_a_retry_acts_at_the_right_hour(self, run_at: Runs) -> None:
        assert run_at("retried_pause", "25 18:00:00", "25 18:01:00") == ("success", "suspended")


def test_after_a_try_that_ran_out_of_time_the_next_fails_for_good(run_at: Runs, isales_simulator: Simulator) -> None:
    def clock_runs_on(verb: str, body: object) -> None:
        run_at.now = shanghai("25 13:29:46")

    isales_simulator.inject("answer", status=503)
    isales_simulator.on_request = clock_runs_on
    assert run_at("retried_pause", "25 13:29:30", "25 13:30:10") == ("failed", "started")
    assert run_at.tries == 2
    assert isales_simulator.requests == {"pause": 1}


@pytest.mark.parametrize("which", ["retried_pause", "retried_mapped_pause"])
def test_a_finished_run_that_is_cleared_at_noon_skips(
    run_at: Runs, isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    with suppress(ImportError):  # of Airflow 2, which needs no DAG in the database to clear its runs
        publish("guarded")
    isales_simulator.inject("result", code="09999999")
    night = run_at(which, "24 18:00:00", "24 18:01:00", due="24 18:00:00")
    keep_the_run(monkeypatch)
    noon = run_at(which, "25 11:00:00", due="24 18:00:00")
    assert (night, noon) == (("success", "suspended"), ("skipped", "started"))
    assert run_at.tries == 3


def keep_the_run(patch: pytest.MonkeyPatch) -> None:
    """Make ``dag.test()`` run again the run that it cleared, instead of creating a new one."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.state import DagRunState

    def existing(*, dag: Any, session: Any, **_: object) -> DagRun:
        run: DagRun = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id).order_by(DagRun.id.desc()).first()
        run.state, run.dag, run.clear_number = DagRunState.RUNNING, dag, 1
        session.commit()
        return run

    for module in ("airflow.models.dagrun", "airflow.models.dag", "airflow.sdk.definitions.dag"):
        for function in ("get_or_create_dagrun", "_get_or_create_dagrun"):
            with suppress(ImportError, AttributeError):
                patch.setattr(f"{module}.{function}", existing)


class TestAWorkerWhoseClockIsBehindTheSchedulers:
    @pytest.mark.parametrize("which", ["pause", "pause_at_end", "pause_by_cron"])
    @pytest.mark.parametrize("now", ["25 11:59:01", "25 11:45:00"])
    def test_a_worker_with_a_slow_clock_pauses_at_once_at_the_runs_own_end(
        self, run_at: Runs, which: str, now: str
    ) -> None:
        assert run_at(which, now, due=AT_THE_END) == ("success", "suspended")
        assert run_at.waits == []

    @pytest.mark.parametrize("which", ["resume", "resume_at_start", "resume_by_cron"])
    def test_a_worker_with_a_slow_clock_waits_with_a_resume_for_the_runs_own_start(
        self, run_at: Runs, which: str
    ) -> None:
        assert run_at(which, "25 13:29:01", due=AT_THE_START) == ("success", "started")
        assert run_at.waits == [59.0]

    @pytest.mark.parametrize(
        ("which", "now", "due", "status"),
        [
            ("retried_pause", "25 11:44:59", AT_THE_END, "started"),
            ("retried_resume", "25 13:14:59", AT_THE_START, "suspended"),
        ],
    )
    def test_a_worker_whose_clock_is_too_slow_for_signatures_fails_each_try(
        self, run_at: Runs, which: str, now: str, due: str, status: str
    ) -> None:
        assert run_at(which, now, now, now, now, due=due) == ("failed", status)
        assert run_at.tries == 4

    def test_the_error_says_how_slow_the_clock_is(self, run_at: Runs, read_log: Callable[[], str]) -> None:
        run_at("pause", "25 11:44:59", due=AT_THE_END)
        assert (
            "Not paused: this run is for the end of a shift at 2026-11-25T12:00:00+08:00, but this worker's clock "
            "says 2026-11-25T11:44:59+08:00. Correct the clock; if it is right, clear this task after that time."
            in unwrapped(read_log())
        )

    def test_a_worker_with_a_slow_clock_skips_a_pause_for_an_end_no_longer_in_the_calendar(self, run_at: Runs) -> None:
        assert run_at("pause", "25 10:59:01", due="25 11:00:00") == ("skipped", "started")


def test_a_late_pause_skips_in_the_next_shift(run_at: Runs) -> None:
    assert run_at("pause_at_end", "26 09:00:00", due="25 18:00:00") == ("skipped", "started")


def test_a_late_pause_acts_in_the_next_break(run_at: Runs) -> None:
    assert run_at("pause_at_end", "26 12:30:00", due="25 18:00:00") == ("success", "suspended")


def test_a_late_resume_skips_after_its_shift(run_at: Runs) -> None:
    assert run_at("resume_at_start", "25 12:10:00", due="25 09:00:00") == ("skipped", "suspended")


def test_a_run_that_is_triggered_when_today_was_closed_during_its_shift_pauses(run_at: Runs) -> None:
    assert run_at("pause_on_a_closed_day", "25 11:00:00", due="25 11:00:00") == ("success", "suspended")


def test_a_run_that_is_triggered_when_a_shift_was_prolonged_after_its_end_resumes(run_at: Runs) -> None:
    assert run_at("resume_when_prolonged", "25 18:30:00", due="25 18:30:00") == ("success", "started")


def test_a_mapped_pause_keeps_its_guard(run_at: Runs) -> None:
    assert run_at("mapped_pause", "25 10:00:00") == ("skipped", "started")


def test_a_pause_on_a_worker_whose_clock_is_seconds_behind_waits_for_the_end(run_at: Runs) -> None:
    assert run_at("pause", "25 11:59:45") == ("success", "suspended")
    assert run_at.waits == [15.0]


def test_a_resume_on_a_worker_whose_clock_is_seconds_behind_waits_for_the_start(run_at: Runs) -> None:
    assert run_at("resume", "25 13:29:45") == ("success", "started")
    assert run_at.waits == [15.0]


def test_a_skipped_pause_names_the_shift_and_its_end(run_at: Runs, read_log: Callable[[], str]) -> None:
    run_at("pause", "25 10:00:00")
    log = read_log()
    assert (
        "Not paused, because a shift is on: 09:00-12:00 on Wed 2026-11-25 Asia/Shanghai. A pause now would stop its "
        "work. It ends at 2026-11-25T12:00:00+08:00." in log
    )


def test_a_skipped_resume_names_the_next_start(run_at: Runs, read_log: Callable[[], str]) -> None:
    run_at("resume", "25 23:00:00")
    log = read_log()
    assert "The next shift starts at 2026-11-26T09:00:00+08:00." in log


class TestTheGuardItself:
    """Asked directly, without a task, under calendars that no task above has."""

    ALWAYS = ShiftCalendar("UTC", {"mon-sun": ["00:00-24:00"]})
    OVER = ShiftCalendar("UTC", {}, special={"2020-01-01": ["09:00-10:00"]})

    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        waits: list[float] = []
        monkeypatch.setattr("airflow_provider_isales.support.guard.time.sleep", waits.append)
        return waits

    def test_a_pause_waits_for_the_end_of_a_shift_for_half_a_minute(self, waits: list[float]) -> None:
        assert right_until(find_pause_window, "25 11:59:30") == pendulum.datetime(2026, 11, 25, 5, 30)
        assert waits == [30.0]

    def test_a_pause_waits_no_longer_than_half_a_minute(self) -> None:
        with pytest.raises(AirflowSkipException, match="Not paused, because a shift is on"):
            right_until(find_pause_window, "25 11:59:29")

    def test_a_resume_waits_for_a_start_for_half_a_minute(self, waits: list[float]) -> None:
        assert right_until(find_resume_window, "25 13:29:30") == pendulum.datetime(2026, 11, 25, 10)
        assert waits == [30.0]

    def test_a_resume_waits_no_longer_than_half_a_minute(self) -> None:
        with pytest.raises(AirflowSkipException, match="Not resumed, because no shift is on"):
            right_until(find_resume_window, "25 13:29:29")

    def test_a_skipped_resume_says_how_soon_the_shift_ends_and_the_next_starts(self) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            right_until(find_resume_window, "25 11:59:48")
        assert str(caught.value) == (
            "Not resumed, because the shift ends in 12 s: the request could still take effect then. The next shift "
            "starts at 2026-11-25T13:30:00+08:00."
        )

    def test_a_pause_skips_in_a_shift_that_never_ends(self) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            right_until(find_pause_window, NOON, self.ALWAYS)
        assert str(caught.value) == (
            "Not paused, because a shift is on: one that never starts or never ends. A pause now would stop its work. "
            "It never ends."
        )

    def test_a_resume_has_no_time_limit_in_a_shift_that_never_ends(self) -> None:
        assert right_until(find_resume_window, NOON, self.ALWAYS) is None

    def test_a_pause_has_no_time_limit_after_the_last_shift(self) -> None:
        assert right_until(find_pause_window, NOON, self.OVER) is None

    def test_a_resume_skips_after_the_last_shift(self) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            right_until(find_resume_window, NOON, self.OVER)
        assert str(caught.value) == (
            "Not resumed, because no shift is on: people would be called outside the shifts. There is no next shift."
        )


class TestTheGuardAskedDirectly:
    """Without a task, at the very bounds of its rules. The shifts are 09:00-12:00 and 13:30-18:00."""

    NOON, AFTERNOON = pendulum.datetime(2026, 11, 25, 4), pendulum.datetime(2026, 11, 25, 5, 30)

    @pytest.fixture
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        waits: list[float] = []
        monkeypatch.setattr("airflow_provider_isales.support.guard.time.sleep", waits.append)
        return waits

    @pytest.fixture
    def ask(self, monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> Ask:
        def ask(
            guard: Guard,
            now: str,
            *,
            interval: tuple[str, str] | None = None,
            tries: tuple[int, int, int | None] = (1, 0, 0),
            clears: int = 0,
        ) -> datetime | None:
            """
            Ask in a run for a data interval.

            :param tries: the number of the try, the most tries of this run, and the retries of the task
            :param clears: how often the run was cleared
            """
            number, most, retries = tries
            context: dict[str, object] = {
                "ti": Mock(try_number=number, max_tries=most),
                "task": Mock(retries=retries),
                "dag_run": Mock(run_type="manual", clear_number=clears),
            }
            if interval:
                context["data_interval_start"], context["data_interval_end"] = map(shanghai, interval)
            return guard(CALENDAR, context, timedelta(seconds=15), shanghai(now)).until

        return ask

    def test_a_pause_acts_more_than_the_margin_before_the_next_start(self, ask: Ask) -> None:
        assert ask(find_pause_window, "25 13:29:44") == self.AFTERNOON

    def test_a_pause_skips_at_the_margin_before_the_next_start(self, ask: Ask) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            ask(find_pause_window, "25 13:29:45")
        assert str(caught.value) == (
            "Not paused, because the next shift starts in 15 s: the request could still take effect then."
        )

    def test_a_resume_acts_more_than_the_margin_before_the_end(self, ask: Ask) -> None:
        assert ask(find_resume_window, "25 11:59:44") == self.NOON

    def test_a_resume_skips_at_the_margin_before_the_end(self, ask: Ask) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            ask(find_resume_window, "25 11:59:45")
        assert str(caught.value) == (
            "Not resumed, because the shift ends in 15 s: the request could still take effect then. The next shift "
            "starts at 2026-11-25T13:30:00+08:00."
        )

    @pytest.mark.parametrize("interval", [("25 09:00:00", "25 12:00:00"), ("25 12:00:00", "25 12:00:00")])
    def test_a_pause_for_its_own_end_acts_up_to_a_quarter_of_an_hour_before(
        self, ask: Ask, waits: list[float], interval: tuple[str, str]
    ) -> None:
        assert ask(find_pause_window, "25 11:45:00", interval=interval) == self.AFTERNOON
        assert waits == []

    def test_a_pause_for_an_end_further_ahead_fails(self, ask: Ask) -> None:
        with pytest.raises(AirflowException) as caught:
            ask(find_pause_window, "25 11:44:59", interval=("25 09:00:00", "25 12:00:00"))
        assert type(caught.value) is AirflowException
        assert str(caught.value) == (
            "Not paused: this run is for the end of a shift at 2026-11-25T12:00:00+08:00, but this worker's clock "
            "says 2026-11-25T11:44:59+08:00. Correct the clock; if it is right, clear this task after that time."
        )

    @pytest.mark.parametrize("interval", [("25 13:30:00", "25 18:00:00"), ("25 12:00:00", "25 13:30:00")])
    def test_a_resume_for_its_own_start_waits_up_to_a_quarter_of_an_hour(
        self, ask: Ask, waits: list[float], interval: tuple[str, str]
    ) -> None:
        assert ask(find_resume_window, "25 13:15:00", interval=interval) == pendulum.datetime(2026, 11, 25, 10)
        assert waits == [900.0]

    def test_a_resume_for_a_start_further_ahead_fails(self, ask: Ask) -> None:
        with pytest.raises(AirflowException) as caught:
            ask(find_resume_window, "25 13:14:59", interval=("25 13:30:00", "25 18:00:00"))
        assert str(caught.value).startswith(
            "Not resumed: this run is for the start of a shift at 2026-11-25T13:30:00+08:00, but this worker's clock"
        )

    @pytest.mark.parametrize("interval", [("25 09:00:00", "25 11:58:00"), ("24 13:30:00", "24 18:00:00"), None])
    def test_a_pause_skips_in_a_shift_if_its_run_has_no_end_ahead(
        self, ask: Ask, interval: tuple[str, str] | None
    ) -> None:
        with pytest.raises(AirflowSkipException, match="Not paused, because a shift is on"):
            ask(find_pause_window, "25 11:50:00", interval=interval)

    def test_at_the_very_end_of_its_shift_a_run_pauses(self, ask: Ask) -> None:
        assert ask(find_pause_window, "25 12:00:00", interval=("25 09:00:00", "25 12:00:00")) == self.AFTERNOON

    @pytest.mark.parametrize("tries", [(1, 0, 0), (1, 0, None), (1, 3, 3)])
    def test_the_first_try_of_a_run_skips(self, ask: Ask, tries: tuple[int, int, int | None]) -> None:
        with pytest.raises(AirflowSkipException):
            ask(find_pause_window, "25 10:00:00", tries=tries)

    def test_the_first_try_of_a_cleared_run_skips(self, ask: Ask) -> None:
        with pytest.raises(AirflowSkipException):
            ask(find_pause_window, "25 10:00:00", tries=(5, 7, 3), clears=1)

    @pytest.mark.parametrize(("tries", "clears"), [((2, 3, 3), 0), ((4, 3, 3), 0), ((6, 7, 3), 1)])
    def test_a_retry_fails_for_good(self, ask: Ask, tries: tuple[int, int, int | None], clears: int) -> None:
        with pytest.raises(AirflowFailException):
            ask(find_pause_window, "25 10:00:00", tries=tries, clears=clears)

    def test_a_retry_fails_even_if_the_retries_were_removed_meanwhile(self, ask: Ask) -> None:
        with pytest.raises(AirflowFailException):
            ask(find_pause_window, "25 10:00:00", tries=(2, 3, 0))

    def test_the_first_try_skips_even_if_retries_were_added_meanwhile(self, ask: Ask) -> None:
        with pytest.raises(AirflowSkipException):
            ask(find_pause_window, "25 10:00:00", tries=(1, 0, 3))

    def test_a_retried_resume_says_what_to_check(self, ask: Ask) -> None:
        with pytest.raises(AirflowFailException) as caught:
            ask(find_resume_window, "25 18:30:00", tries=(2, 1, 1))
        assert str(caught.value) == (
            "Not resumed, because no shift is on: people would be called outside the shifts. The next shift starts at "
            "2026-11-26T09:00:00+08:00. Earlier tries of this run failed, but one of them may have taken effect: "
            "check in the console what is being dialled."
        )

    def test_a_retried_pause_says_what_to_check(self, ask: Ask) -> None:
        with pytest.raises(AirflowFailException) as caught:
            ask(find_pause_window, "25 13:29:50", tries=(2, 1, 1))
        assert str(caught.value) == (
            "Not paused, because the next shift starts in 10 s: the request could still take effect then. Earlier "
            "tries of this run failed, but one of them may have taken effect: check in the console what is being "
            "dialled."
        )

    def test_a_retried_resume_that_is_too_late_says_what_to_check(self, ask: Ask) -> None:
        with pytest.raises(AirflowFailException, match=r"starts at \S+ Earlier tries of this run failed, but one"):
            ask(find_resume_window, "25 11:59:50", tries=(2, 1, 1))

    def test_a_run_before_the_calendars_first_shift_has_no_edge(self) -> None:
        to_come = ShiftCalendar("Asia/Shanghai", {}, special={"2026-11-27": ["09:00-12:00"]})
        context: Any = {"data_interval_end": shanghai("25 12:00:00")}
        window = find_pause_window(to_come, context, timedelta(seconds=15), shanghai("25 11:50:00"))
        assert window.until == pendulum.datetime(2026, 11, 27, 1)


def test_the_machines_clock_is_read_in_utc_whatever_its_zone() -> None:
    with time_machine.travel(datetime(2026, 11, 25, 11, tzinfo=ZoneInfo("Asia/Shanghai")), tick=False):
        assert clock.utc_now() == pendulum.datetime(2026, 11, 25, 3)
