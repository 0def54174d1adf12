"""Late runs: whether a task acts or skips at the wrong hour, through real task runs. Only "now" is made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pendulum
import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow_runs import dag_file, run_dag

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.operators.guard import skip_pause_during_shift, skip_resume_outside_shifts
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Simulator

# 2026-11-25 is a Wednesday, with shifts 09:00-12:00 and 13:30-18:00; the 28th is a Saturday without any.
AT_THE_END, AT_THE_START = "25 12:00:00", "25 13:30:00"

RunAt = Callable[[str, str], tuple[str, str]]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the guard waited, in no time."""
    waits: list[float] = []
    monkeypatch.setattr("airflow_provider_isales.operators.guard.time.sleep", waits.append)
    return waits


@pytest.fixture
def run_at(isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> RunAt:
    campaign = isales_simulator.add_campaign(7, batches=1)
    batch_id = next(iter(campaign.batches))

    def run(which: str, now: str) -> tuple[str, str]:
        """Run the DAG at a time in Shanghai; return the state of the task and of the batch, in the opposite before."""
        before = BatchStatus.SUSPENDED if which == "resume" else BatchStatus.STARTED
        campaign.set_status(batch_id, before)
        moment = pendulum.from_format(f"2026-11-{now}", "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai").in_timezone("UTC")
        monkeypatch.setattr("airflow_provider_isales.operators.guard._utc_now", lambda: moment)
        monkeypatch.setattr("airflow_provider_isales.client.gate._utc_now", lambda: moment)
        ((task_run,),) = run_dag(getattr(dag_file("guarded"), which)).values()
        return task_run.state, campaign.batches[batch_id].status.name.lower()

    return run


@pytest.mark.parametrize(
    "now",
    [AT_THE_END, "25 12:01:00", "25 13:29:44", "25 18:00:00", "25 23:00:00", "26 08:59:44", "28 10:00:00"],
)
def test_a_pause_acts_while_no_shift_is_on(run_at: RunAt, now: str) -> None:
    assert run_at("pause", now) == ("success", "suspended")


@pytest.mark.parametrize("now", ["25 09:00:00", "25 11:59:00", AT_THE_START, "25 13:31:00", "26 10:00:00"])
def test_a_pause_skips_while_a_shift_is_on(run_at: RunAt, now: str) -> None:
    assert run_at("pause", now) == ("skipped", "started")


@pytest.mark.parametrize("now", [AT_THE_START, "25 13:31:00", "25 09:00:00", "25 11:59:00"])
def test_a_resume_acts_while_a_shift_is_on(run_at: RunAt, now: str) -> None:
    assert run_at("resume", now) == ("success", "started")


@pytest.mark.parametrize("now", [AT_THE_END, "25 12:01:00", "25 13:29:00", "25 18:00:00", "26 00:00:00", "28 10:00:00"])
def test_a_resume_skips_while_no_shift_is_on(run_at: RunAt, now: str) -> None:
    assert run_at("resume", now) == ("skipped", "suspended")


@pytest.mark.parametrize("now", ["25 11:59:30", "25 11:59:59"])
def test_a_resume_skips_when_the_shift_is_about_to_end(run_at: RunAt, now: str) -> None:
    assert run_at("resume", now) == ("skipped", "suspended")


def test_a_resume_is_right_until_the_shift_ends() -> None:
    assert right_until(skip_resume_outside_shifts, "25 11:50:00") == pendulum.datetime(2026, 11, 25, 4)


def test_a_pause_is_right_until_the_next_shift_starts() -> None:
    assert right_until(skip_pause_during_shift, "25 12:00:00") == pendulum.datetime(2026, 11, 25, 5, 30)


def right_until(guard: Callable[[ShiftCalendar], datetime | None], now: str) -> datetime | None:
    moment = pendulum.from_format(f"2026-11-{now}", "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai").in_timezone("UTC")
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr("airflow_provider_isales.operators.guard._utc_now", lambda: moment)
        return guard(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]}))


def test_a_mapped_pause_keeps_its_guard(run_at: RunAt) -> None:
    assert run_at("mapped_pause", "25 10:00:00") == ("skipped", "started")


def test_a_pause_on_a_worker_whose_clock_is_seconds_behind_waits_for_the_end(run_at: RunAt, waits: list[float]) -> None:
    assert run_at("pause", "25 11:59:45") == ("success", "suspended")
    assert waits == [15.0]


def test_a_resume_on_a_worker_whose_clock_is_seconds_behind_waits_for_the_start(
    run_at: RunAt, waits: list[float]
) -> None:
    assert run_at("resume", "25 13:29:45") == ("success", "started")
    assert waits == [15.0]


def test_a_skipped_pause_names_the_shift_and_its_end(run_at: RunAt, read_log: Callable[[], str]) -> None:
    run_at("pause", "25 10:00:00")
    log = read_log()
    assert (
        "Not paused, because a shift is on: 09:00-12:00 on Wed 2026-11-25 Asia/Shanghai. A pause now would stop its "
        "work. It ends at 2026-11-25T12:00:00+08:00." in log
    )


def test_a_skipped_resume_names_the_next_start(run_at: RunAt, read_log: Callable[[], str]) -> None:
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
        monkeypatch.setattr("airflow_provider_isales.operators.guard.time.sleep", waits.append)
        return waits

    def test_lets_a_pause_wait_for_the_end_of_a_shift_for_half_a_minute(self, waits: list[float]) -> None:
        assert right_until(skip_pause_during_shift, "25 11:59:30") == pendulum.datetime(2026, 11, 25, 5, 30)
        assert waits == [30.0]

    def test_lets_a_pause_wait_no_longer(self) -> None:
        with pytest.raises(AirflowSkipException, match="Not paused, because a shift is on"):
            right_until(skip_pause_during_shift, "25 11:59:29")

    def test_lets_a_resume_wait_for_a_start_for_half_a_minute(self, waits: list[float]) -> None:
        assert right_until(skip_resume_outside_shifts, "25 13:29:30") == pendulum.datetime(2026, 11, 25, 10)
        assert waits == [30.0]

    def test_lets_a_resume_wait_no_longer(self) -> None:
        with pytest.raises(AirflowSkipException, match="Not resumed, because no shift is on"):
            right_until(skip_resume_outside_shifts, "25 13:29:29")

    def test_lets_a_resume_act_until_half_a_minute_before_the_end(self) -> None:
        assert right_until(skip_resume_outside_shifts, "25 11:59:29") == pendulum.datetime(2026, 11, 25, 4)

    def test_says_how_soon_a_shift_ends_and_when_the_next_one_starts(self) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            right_until(skip_resume_outside_shifts, "25 11:59:48")
        assert str(caught.value) == (
            "Not resumed, because the shift ends in 12 s. The next shift starts at 2026-11-25T13:30:00+08:00."
        )

    def test_skips_a_pause_in_a_shift_that_never_ends(self) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            skip_pause_during_shift(self.ALWAYS)
        assert str(caught.value) == (
            "Not paused, because a shift is on: one that never starts or never ends. A pause now would stop its work. "
            "It never ends."
        )

    def test_lets_a_resume_act_for_good_in_a_shift_that_never_ends(self) -> None:
        assert skip_resume_outside_shifts(self.ALWAYS) is None

    def test_lets_a_pause_act_for_good_after_the_last_shift(self) -> None:
        assert skip_pause_during_shift(self.OVER) is None

    def test_skips_a_resume_after_the_last_shift(self) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            skip_resume_outside_shifts(self.OVER)
        assert str(caught.value) == (
            "Not resumed, because no shift is on: people would be called outside the shifts. There is no next shift."
        )
