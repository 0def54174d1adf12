"""
Runs that come late: a night that nobody paused, and the reasons that a red message gives.

The guard and the messages are asked directly, with what Airflow's context says of a run. The shifts are 09:00-12:00 and
13:30-18:00, in Shanghai.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pendulum
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from lazy_object_proxy import Proxy  # type: ignore[import-untyped]

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.support.guard import find_pause_window
from airflow_provider_isales.support.runs import Deadline, describe_late, explain_lateness, find_own_shift_end

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
LAST_SHIFT = ("24 13:30", "24 18:00")
SUCCESS_AT_NOON = ("24 12:00", "24 12:00")
Context = Any


def shanghai(text: str) -> pendulum.DateTime:
    """Return a time of November 2026, in UTC; the 25th is a Wednesday."""
    return pendulum.from_format(f"2026-11-{text}", "YYYY-MM-DD HH:mm", tz="Asia/Shanghai").in_timezone("UTC")


def late_run(
    interval: tuple[str, str] | None = LAST_SHIFT,
    *,
    success: tuple[str, str] | None = SUCCESS_AT_NOON,
    started: str = "25 09:30",
    run_type: str = "scheduled",
    clears: int = 0,
    try_number: int = 1,
) -> Context:
    """
    Return the context of a task.

    :param interval: the run's data interval
    :param success: the end of the data interval of the last successful run before, and when it was started
    :param started: when the run was started
    """
    found = [shanghai(text) for text in success] if success else [None, None]
    keys = ("prev_data_interval_end_success", "prev_start_date_success")
    context = {key: Proxy(lambda value=value: value) for key, value in zip(keys, found, strict=True)}
    bounds = zip(("data_interval_start", "data_interval_end"), map(shanghai, interval or ()), strict=False)
    return {
        **context,
        **dict(bounds),
        "dag_run": Mock(run_type=run_type, clear_number=clears, start_date=shanghai(started)),
        "ti": Mock(try_number=try_number, max_tries=3),
        "task": Mock(retries=3),
    }


def pause_at(now: str, context: Context, *, max_lateness: bool = True) -> Any:
    return find_pause_window(SHIFTS, context, timedelta(seconds=15), shanghai(now), fail_if_missed=max_lateness)


class TestANightThatNobodyPaused:
    def test_a_run_for_an_unpaused_night_fails_during_the_next_shift(self) -> None:
        with pytest.raises(AirflowFailException) as caught:
            pause_at("25 09:30", late_run())
        assert str(caught.value) == (
            "Nothing was paused after the end of the shift at 18:00 on Tue 2026-11-24 Asia/Shanghai: the run for it "
            "started only now, so people may have been called until the next shift. The DAG was paused in Airflow, or "
            "the scheduler or the workers were down or busy. Not paused, because a shift is on: 09:00-12:00 on Wed "
            "2026-11-25 Asia/Shanghai. A pause now would stop its work. It ends at 2026-11-25T12:00:00+08:00."
        )

    def test_a_run_for_an_unpaused_night_fails_just_before_the_next_shift(self) -> None:
        with pytest.raises(AirflowFailException, match="Nothing was paused after the end of the shift at 18:00 on Tue"):
            find_pause_window(SHIFTS, late_run(), timedelta(minutes=2), shanghai("25 08:59"), fail_if_missed=True)

    def test_a_cron_run_for_an_unpaused_night_fails_during_the_next_shift(self) -> None:
        with pytest.raises(AirflowFailException, match="Nothing was paused after the end of the shift at 18:00 on Tue"):
            pause_at("25 09:30", late_run(("23 18:05", "24 18:05")))

    @pytest.mark.parametrize(
        "context",
        [
            late_run(run_type="manual"),
            late_run(clears=1),
            late_run(("25 08:40", "25 08:50")),
            late_run(None),
        ],
        ids=["triggered", "cleared", "a repeat", "without an interval"],
    )
    def test_runs_for_no_shift_end_skip_during_a_shift(self, context: Context) -> None:
        with pytest.raises(AirflowSkipException):
            pause_at("25 09:30", context)

    def test_a_run_for_an_unpaused_night_skips_without_max_lateness(self) -> None:
        with pytest.raises(AirflowSkipException):
            pause_at("25 09:30", late_run(), max_lateness=False)

    @pytest.mark.parametrize("success", [None, ("20 18:00", "25 09:29")], ids=["first run", "catching up"])
    def test_a_run_of_a_dag_that_was_switched_on_later_skips_as_unknown(self, success: tuple[str, str] | None) -> None:
        with pytest.raises(AirflowSkipException) as caught:
            pause_at("25 09:30", late_run(success=success))
        assert str(caught.value).endswith(
            "It is unknown whether anything was paused at 18:00 on Tue 2026-11-24 Asia/Shanghai: no run of this DAG "
            "had succeeded by then. If calls had to stop then, look in the console."
        )

    def test_a_retry_for_an_unpaused_night_says_that_earlier_tries_failed(self) -> None:
        with pytest.raises(AirflowFailException, match="Earlier tries of this run failed"):
            pause_at("25 09:30", late_run(try_number=2))


class TestLatenessCountsFrom:
    def test_lateness_of_a_delayed_run_counts_from_its_own_end(self) -> None:
        assert pause_at("25 12:30", late_run()).since == shanghai("24 18:00")

    @pytest.mark.parametrize(
        "context", [late_run(run_type="manual"), late_run(clears=2), late_run(("24 18:00", "24 18:10"))]
    )
    def test_lateness_of_other_runs_counts_from_the_last_end(self, context: Context) -> None:
        assert pause_at("25 12:30", context).since == shanghai("25 12:00")


def test_an_overdue_run_whose_interval_was_moved_by_microseconds_is_for_its_end() -> None:
    context = late_run(("24 18:00", "24 18:00"))
    for bound in ("data_interval_start", "data_interval_end"):
        context[bound] += timedelta(microseconds=16)
    assert find_own_shift_end(SHIFTS, context) == shanghai("24 18:00")


def test_a_run_for_an_end_no_longer_in_the_calendar_has_no_end() -> None:
    prolonged = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-20:00"]})
    assert find_own_shift_end(prolonged, late_run()) is None


def explain(context: Context, end: str = "24 18:00") -> str:
    local = shanghai(end).in_timezone("Asia/Shanghai")
    return explain_lateness(SHIFTS, context, local, timedelta(minutes=5))


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (late_run(try_number=2), "Earlier tries of this run failed."),
        (
            late_run(("24 19:00", "24 19:10"), success=("24 19:00", "24 19:01")),
            "The last successful run was that of 19:01:00 on Tue 2026-11-24, so a person, another DAG or a campaign's "
            "own begin started calls since, or the calendar or a hold was changed.",
        ),
        (
            late_run(started="24 22:10"),
            "Airflow started the run for that end at 22:10:00 on Tue 2026-11-24: the DAG was paused in Airflow, or the "
            "scheduler was down or busy.",
        ),
        (
            late_run(started="24 18:00"),
            "Airflow started the run for that end at 18:00:00 on Tue 2026-11-24: no worker was free, or this one's "
            "clock is ahead.",
        ),
        (
            late_run(("24 18:00", "24 18:10")),
            "No run of this DAG has succeeded since. Possible reasons: the pause at the end failed or did not run, "
            "somebody restarted calls, a campaign began, the calendar was changed, or this worker's clock is ahead.",
        ),
    ],
    ids=["retry", "restarted", "late run", "late worker", "an earlier run failed"],
)
def test_the_reason_names_what_airflow_knows(context: Context, reason: str) -> None:
    assert explain(context) == reason


def test_possible_reasons_are_listed_if_airflow_knows_nothing() -> None:
    context = {"ti": Mock(try_number=1, max_tries=0), "task": Mock(retries=0), "dag_run": None}
    assert explain(context).startswith("Possible reasons: the pause at the end failed or did not run, somebody ")


def test_possible_reasons_are_listed_if_airflow_does_not_respond() -> None:
    context = late_run() | {"prev_data_interval_end_success": Proxy(lambda: 1 / 0)}
    assert explain(context).startswith("Possible reasons: the pause at the end failed or did not run, somebody ")


class TestTheReasonAfterAHold:
    """It lasted until 20:00; the shift had ended at 18:00."""

    def explain(self, context: Context) -> str:
        return explain(context, "24 20:00")

    def test_a_run_that_skipped_for_a_hold_is_not_the_reason(self) -> None:
        context = late_run(("24 20:20", "24 20:30"), success=("24 19:50", "24 19:50"))
        assert self.explain(context).startswith("No run of this DAG has succeeded since. ")

    def test_the_reason_may_be_a_run_that_paused_after_the_hold(self) -> None:
        context = late_run(("24 20:20", "24 20:30"), success=("24 20:20", "24 20:20"))
        assert self.explain(context).startswith("The last successful run was that of 20:20:00 on Tue 2026-11-24")

    def test_a_run_started_during_a_hold_does_not_blame_the_scheduler(self) -> None:
        assert self.explain(late_run(started="24 19:00")).endswith("no worker was free, or this one's clock is ahead.")


def test_one_late_batch_is_reported_in_the_singular() -> None:
    end = shanghai("24 18:00").in_timezone("Asia/Shanghai")
    late = {"1": shanghai("24 18:40")}
    assert describe_late(late, Deadline(end, end), {"vdn_id": 25, "campaign_id": 7}, "Why.") == (
        "1 batch of campaign 7 (VDN 25) was still started at 18:40 Asia/Shanghai, 40 min after the end of the shift at "
        "18:00 on Tue 2026-11-24; it is paused now. Why. Batches: 1."
    )


def test_late_campaigns_are_reported_with_ids_and_names() -> None:
    end = shanghai("24 18:00").in_timezone("Asia/Shanghai")
    late = {1001: shanghai("24 18:40"), 1002: shanghai("24 18:30")}
    assert describe_late(late, Deadline(end, end), {"vdn_id": 25, "names": {"1002": "spring sale"}}, "Why.") == (
        "2 campaigns of VDN 25 were still started at 18:40 Asia/Shanghai, 40 min after the end of the shift at 18:00 "
        "on Tue 2026-11-24; they are paused now. Why. Campaigns: 1001, 1002 (spring sale)."
    )
