"""When the two timetables run a DAG, and for which shift. Of the clock, only "now" is made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pendulum
import pytest
import time_machine
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.support.runs import find_own_shift_end
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"], "sat": ["09:00-12:00"]})
ENDS, STARTS = ShiftEndTimetable(SHIFTS), ShiftStartTimetable(SHIFTS)
ShiftTimetable = ShiftEndTimetable | ShiftStartTimetable
SetNow = Callable[[str], None]
both = pytest.mark.parametrize("timetable", [ENDS, STARTS], ids=["end", "start"])


def at(text: str) -> pendulum.DateTime:
    """Return an instant of November 2026 in Shanghai, from day and time; the 23rd is a Monday."""
    return pendulum.from_format(f"2026-11-{text}", "YYYY-MM-DD HH:mm", tz="Asia/Shanghai")


def interval(day: str, start: str, end: str) -> DataInterval:
    return DataInterval(at(f"{day} {start}"), at(f"{day} {end}"))


def shown(info: DagRunInfo | None) -> str:
    """Show a run as its shift and the time of the run, in Shanghai."""
    if info is None:
        return "no run"
    assert info.data_interval
    start, end, run = (
        moment.in_timezone("Asia/Shanghai").strftime("%d %H:%M")
        for moment in (info.data_interval.start, info.data_interval.end, info.run_after)
    )
    return f"{start}-{end[3:]} at {run}"


@pytest.fixture
def now() -> Iterator[SetNow]:
    with time_machine.travel(at("25 10:00"), tick=False) as clock:
        yield lambda text: clock.move_to(at(text))


def following(
    timetable: ShiftTimetable,
    last: DataInterval | None = None,
    earliest: str | None = "23 00:00",
    latest: str | None = None,
    catchup: bool = True,
) -> str:
    restriction = TimeRestriction(at(earliest) if earliest else None, at(latest) if latest else None, catchup)
    return shown(timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction))


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [(ENDS, "23 09:00-12:00 at 23 12:00"), (STARTS, "23 09:00-12:00 at 23 09:00")],
    ids=["end", "start"],
)
class TestTheFirstRun:
    def test_the_first_run_is_for_the_first_shift_after_the_start_date(
        self, timetable: ShiftTimetable, expected: str, now: SetNow
    ) -> None:
        assert following(timetable) == expected

    def test_the_first_run_is_for_a_shift_that_starts_on_the_start_date(
        self, timetable: ShiftTimetable, expected: str, now: SetNow
    ) -> None:
        assert following(timetable, earliest="23 09:00") == expected

    def test_the_first_run_is_not_for_a_shift_before_the_start_date(
        self, timetable: ShiftTimetable, expected: str, now: SetNow
    ) -> None:
        assert following(timetable, earliest="23 09:01").startswith("23 13:30-18:00")


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [(ENDS, "24 13:30-18:00 at 24 18:00"), (STARTS, "25 09:00-12:00 at 25 09:00")],
    ids=["end", "start"],
)
@pytest.mark.parametrize("catchup", [True, False])
@pytest.mark.parametrize("hour", ["09:30", "10:00", "11:59"])
def test_without_a_start_date_the_first_run_is_for_the_last_edge_at_any_time(
    timetable: ShiftTimetable, expected: str, catchup: bool, hour: str, now: SetNow
) -> None:
    now(f"25 {hour}")
    assert following(timetable, earliest=None, catchup=catchup) == expected


@both
def test_without_a_start_date_and_a_past_edge_the_first_run_is_for_the_next_edge(
    timetable: ShiftTimetable, now: SetNow
) -> None:
    to_come = type(timetable)(ShiftCalendar("Asia/Shanghai", {}, special={"2026-11-30": ["09:00-10:00"]}))
    assert following(to_come, earliest=None).startswith("30 09:00-10:00")


class TestARunThatIsOverdue:
    """A manual run may have its logical date: Airflow then creates no other with it, and asks again."""

    EDGES: ClassVar = {ENDS: "18:00", STARTS: "13:30"}

    @staticmethod
    def start(timetable: ShiftTimetable, seconds: float, latest: str | None = None) -> str:
        edge = at(f"25 {TestARunThatIsOverdue.EDGES[timetable]}")
        restriction = TimeRestriction(at("23 00:00"), at(latest) if latest else None, False)
        with time_machine.travel(edge.add(seconds=seconds), tick=False):
            info = timetable.next_dagrun_info(
                last_automated_data_interval=interval("25", "09:00", "12:00"), restriction=restriction
            )
        assert info
        assert info.logical_date
        return f"{info.logical_date.in_timezone('Asia/Shanghai'):%H:%M:%S.%f}"

    @both
    @pytest.mark.parametrize("seconds", [-3600, 0, 5])
    def test_an_overdue_run_has_the_start_of_its_shift_as_logical_date_at_first(
        self, timetable: ShiftTimetable, seconds: float
    ) -> None:
        assert self.start(timetable, seconds) == "13:30:00.000000"

    @both
    def test_an_overdue_run_has_another_logical_date_after_some_seconds(self, timetable: ShiftTimetable) -> None:
        assert self.start(timetable, 5.1) == "13:30:00.000001"

    @both
    def test_an_overdue_run_has_another_logical_date_each_hour(self, timetable: ShiftTimetable) -> None:
        assert self.start(timetable, 3600) == "13:30:00.000002"

    @both
    def test_a_backfilled_overdue_run_keeps_its_logical_date(self, timetable: ShiftTimetable) -> None:
        assert self.start(timetable, 60, latest="25 13:30") == "13:30:00.000000"

    def test_an_overdue_run_of_no_length_keeps_its_interval(self, now: SetNow) -> None:
        now("25 10:00")
        closed = ShiftCalendar("Asia/Shanghai", {"mon-sun": ["00:00-24:00"]}, closed=["2026-11-24"])
        restriction = TimeRestriction(at("23 00:00"), None, False)
        info = ShiftEndTimetable(closed).next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        assert info
        assert info.data_interval
        assert info.data_interval.start == info.data_interval.end == info.run_after

    @both
    def test_an_overdue_run_is_followed_by_the_next_edge(self, timetable: ShiftTimetable, now: SetNow) -> None:
        now("25 18:01")
        made = DataInterval(at("25 13:30").add(microseconds=1), at("25 18:00"))
        assert following(timetable, last=made, catchup=False).startswith("26 09:00-12:00")


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [(ENDS, "23 13:30-18:00 at 23 18:00"), (STARTS, "23 13:30-18:00 at 23 13:30")],
    ids=["end", "start"],
)
def test_with_catchup_every_shift_gets_its_run(timetable: ShiftTimetable, expected: str, now: SetNow) -> None:
    assert following(timetable, last=interval("23", "09:00", "12:00")) == expected


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [(ENDS, "24 13:30-18:00 at 24 18:00"), (STARTS, "25 09:00-12:00 at 25 09:00")],
    ids=["end", "start"],
)
class TestWithoutCatchup:
    def test_without_catchup_only_the_last_missed_edge_gets_its_run(
        self, timetable: ShiftTimetable, expected: str, now: SetNow
    ) -> None:
        assert following(timetable, last=interval("23", "09:00", "12:00"), catchup=False) == expected

    def test_without_catchup_a_new_dag_runs_only_for_the_last_missed_edge(
        self, timetable: ShiftTimetable, expected: str, now: SetNow
    ) -> None:
        assert following(timetable, catchup=False) == expected


@both
def test_without_catchup_no_run_is_before_the_start_date(timetable: ShiftTimetable, now: SetNow) -> None:
    assert following(timetable, earliest="27 00:00", catchup=False).startswith("27 09:00-12:00")


@both
def test_without_catchup_a_run_that_was_on_time_is_followed_by_the_next_shift(
    timetable: ShiftTimetable, now: SetNow
) -> None:
    now("25 12:00")
    assert following(timetable, last=interval("25", "09:00", "12:00"), catchup=False).startswith("25 13:30-18:00")


@both
def test_a_run_is_due_at_the_very_edge(timetable: ShiftTimetable, now: SetNow) -> None:
    now("25 18:00")
    assert following(timetable, last=interval("25", "09:00", "12:00"), catchup=False).startswith("25 13:30-18:00")


def test_a_shift_that_is_prolonged_after_its_run_gets_another_run_at_its_new_end(now: SetNow) -> None:
    longer = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-20:00"]}))
    assert following(longer, last=interval("25", "09:00", "18:00")) == "25 18:00-20:00 at 25 20:00"


def test_a_shift_that_is_moved_after_its_run_gets_another_run_for_its_new_part(now: SetNow) -> None:
    moved = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["10:00-20:00"]}))
    assert following(moved, last=interval("25", "09:00", "18:00")) == "25 18:00-20:00 at 25 20:00"


def test_a_break_that_is_dropped_after_its_run_does_not_lose_the_end_of_the_shift(now: SetNow) -> None:
    without_break = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-18:00"]}))
    assert following(without_break, last=interval("25", "09:00", "12:00")) == "25 12:00-18:00 at 25 18:00"


def test_a_prolonged_shift_gets_no_run_when_its_new_run_would_start_after_the_end_date(now: SetNow) -> None:
    longer = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-20:00"]}))
    assert following(longer, last=interval("25", "09:00", "18:00"), latest="25 17:00") == "no run"


def test_a_shift_that_is_shortened_to_an_end_already_past_gets_its_run_at_once(now: SetNow) -> None:
    now("25 17:00")
    shorter = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-16:00"]}))
    assert following(shorter, last=interval("25", "09:00", "12:00"), catchup=False) == "25 13:30-16:00 at 25 16:00"


def test_a_start_that_is_moved_to_a_time_already_past_gets_its_run_at_once(now: SetNow) -> None:
    now("25 13:10")
    earlier = ShiftStartTimetable(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:00-18:00"]}))
    assert following(earlier, last=interval("25", "09:00", "12:00"), catchup=False) == "25 13:00-18:00 at 25 13:00"


@both
def test_a_start_date_that_is_moved_on_counts_after_the_first_run_too(timetable: ShiftTimetable, now: SetNow) -> None:
    assert following(timetable, last=interval("23", "09:00", "12:00"), earliest="27 00:00").startswith("27 09:00")


@both
def test_no_run_is_on_a_weekend(timetable: ShiftTimetable, now: SetNow) -> None:
    assert following(timetable, last=interval("28", "09:00", "12:00")).startswith("30 09:00-12:00")


@both
def test_there_is_a_run_for_a_shift_that_starts_on_the_end_date(timetable: ShiftTimetable, now: SetNow) -> None:
    assert following(timetable, latest="23 09:00").startswith("23 09:00-12:00")


@both
def test_there_is_no_run_for_a_shift_that_starts_after_the_end_date(timetable: ShiftTimetable, now: SetNow) -> None:
    assert following(timetable, latest="23 08:59") == "no run"


@both
@pytest.mark.parametrize("catchup", [True, False])
def test_a_calendar_that_has_no_more_shifts_has_no_more_runs(
    timetable: ShiftTimetable, catchup: bool, now: SetNow
) -> None:
    over = type(timetable)(ShiftCalendar("UTC", {}, special={"2020-01-01": ["09:00-10:00"]}))
    assert following(over, catchup=catchup) == "no run"


class TestAShiftWithoutStartOrEnd:
    """Round the clock, but for one closed day: the shift before it never started, the one after it never ends."""

    WEEK: ClassVar = {"mon-sun": ["00:00-24:00"]}
    SHIFTS = ShiftCalendar("Asia/Shanghai", WEEK, closed=["2026-11-24"])
    ENDS, STARTS = ShiftEndTimetable(SHIFTS), ShiftStartTimetable(SHIFTS)

    def test_a_shift_without_a_start_has_a_run_of_no_length_at_its_end(self, now: SetNow) -> None:
        assert following(self.ENDS) == "24 00:00-00:00 at 24 00:00"

    def test_a_shift_without_an_end_has_a_run_of_no_length_at_its_start(self, now: SetNow) -> None:
        assert following(self.STARTS) == "25 00:00-00:00 at 25 00:00"

    @pytest.mark.parametrize("name", ["ENDS", "STARTS"])
    def test_a_shift_without_start_or_end_has_only_one_run(self, now: SetNow, name: str) -> None:
        edge = DataInterval.exact(at("24 00:00" if name == "ENDS" else "25 00:00"))
        assert following(getattr(self, name), last=edge) == "no run"

    def test_a_late_run_of_a_shift_without_a_start_knows_its_end(self, now: SetNow) -> None:
        restriction = TimeRestriction(at("23 00:00"), None, False)
        info = self.ENDS.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        assert info
        assert info.data_interval
        start, end = info.data_interval
        run = SimpleNamespace(run_type="scheduled", clear_number=0)
        context: Any = {"dag_run": run, "data_interval_start": start, "data_interval_end": end}
        assert find_own_shift_end(self.SHIFTS, context) == at("24 00:00")

    def test_a_shift_without_start_or_end_has_no_run_before_the_start_date(self, now: SetNow) -> None:
        assert following(self.ENDS, earliest="24 00:01") == "no run"

    def test_a_shift_without_start_or_end_has_a_run_on_the_start_date(self, now: SetNow) -> None:
        assert following(self.ENDS, earliest="24 00:00") == "24 00:00-00:00 at 24 00:00"

    def test_a_shift_without_start_or_end_has_no_run_after_the_end_date(self, now: SetNow) -> None:
        assert following(self.ENDS, latest="23 23:59") == "no run"

    @pytest.mark.parametrize("name", ["ENDS", "STARTS"])
    def test_a_shift_without_start_or_end_has_its_run_without_catchup(self, now: SetNow, name: str) -> None:
        assert following(getattr(self, name), catchup=False) == following(getattr(self, name))

    def test_a_manual_run_is_for_the_shift_without_start_or_end(self) -> None:
        found = self.ENDS.infer_manual_data_interval(run_after=at("25 10:00"))
        assert found == DataInterval.exact(at("24 00:00"))

    def test_a_shift_that_starts_where_one_without_a_start_ends_has_its_own_logical_date(self, now: SetNow) -> None:
        moved = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", {"tue": ["00:00-06:00"]}))
        assert following(moved, last=DataInterval.exact(at("24 00:00"))) == "24 06:00-06:00 at 24 06:00"

    def test_a_prolonged_shift_without_a_start_has_another_run_with_its_own_logical_date(self, now: SetNow) -> None:
        special = {"2026-11-23": ["09:00-24:00"], "2026-11-24": ["00:00-06:00"], "2026-11-25": []}
        longer = ShiftEndTimetable(ShiftCalendar("Asia/Shanghai", self.WEEK, special=special))
        assert following(longer, last=DataInterval.exact(at("24 00:00"))) == "24 06:00-06:00 at 24 06:00"


@both
class TestATimeInTheStandardLibrarysUTC:
    """As some libraries make it of a pendulum one, which then loses its zone in subtractions."""

    @staticmethod
    def converted(text: str) -> pendulum.DateTime:
        return at(text).astimezone(UTC)

    def test_a_start_date_may_be_in_the_standard_librarys_utc(self, timetable: ShiftTimetable, now: SetNow) -> None:
        restriction = TimeRestriction(self.converted("23 09:00"), None, True)
        info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        assert shown(info).startswith("23 09:00-12:00")

    def test_an_end_date_may_be_in_the_standard_librarys_utc(self, timetable: ShiftTimetable, now: SetNow) -> None:
        restriction = TimeRestriction(at("23 00:00"), self.converted("23 08:59"), True)
        assert timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction) is None

    def test_the_last_interval_may_be_in_the_standard_librarys_utc(
        self, timetable: ShiftTimetable, now: SetNow
    ) -> None:
        last = DataInterval(self.converted("23 09:00"), self.converted("23 12:00"))
        restriction = TimeRestriction(None, None, True)
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert shown(info).startswith("23 13:30-18:00")

    def test_the_time_of_a_trigger_may_be_in_the_standard_librarys_utc(
        self, timetable: ShiftTimetable, now: SetNow
    ) -> None:
        found = timetable.infer_manual_data_interval(run_after=self.converted("25 12:00"))
        assert found.start == at("25 09:00")


@pytest.mark.parametrize(
    ("timetable", "triggered", "expected"),
    [
        (ENDS, "25 10:00", ("24 13:30", "24 18:00")),
        (ENDS, "25 12:00", ("25 09:00", "25 12:00")),
        (STARTS, "25 10:00", ("25 09:00", "25 12:00")),
        (STARTS, "25 12:30", ("25 09:00", "25 12:00")),
        (STARTS, "25 13:30", ("25 13:30", "25 18:00")),
    ],
)
def test_a_manual_run_is_for_the_shift_of_the_last_edge(
    timetable: ShiftTimetable, triggered: str, expected: tuple[str, str]
) -> None:
    found = timetable.infer_manual_data_interval(run_after=at(triggered))
    assert (found.start, found.end) == tuple(at(text) for text in expected)


@both
def test_a_manual_run_before_any_shift_has_an_interval_of_no_length(timetable: ShiftTimetable) -> None:
    first = type(timetable)(ShiftCalendar("UTC", {}, special={"2030-01-01": ["09:00-10:00"]}))
    assert first.infer_manual_data_interval(run_after=at("25 10:00")) == DataInterval.exact(at("25 10:00"))


@pytest.mark.parametrize(("timetable", "edge"), [(ENDS, "end"), (STARTS, "start")])
def test_the_summary_of_a_timetable_has_edge_week_and_zone(timetable: ShiftTimetable, edge: str) -> None:
    assert timetable.summary == f"{edge} of shift, mon-fri 09:00-12:00 13:30-18:00, sat 09:00-12:00, Asia/Shanghai"


@both
def test_a_timetable_survives_json(timetable: ShiftTimetable) -> None:
    assert type(timetable).deserialize(json.loads(json.dumps(timetable.serialize()))) == timetable


def test_the_two_timetables_of_one_calendar_are_not_equal() -> None:
    assert ENDS != STARTS


@both
def test_a_timetable_refuses_anything_but_a_calendar(timetable: ShiftTimetable) -> None:
    cron: Any = "0 18 * * *"
    with pytest.raises(TypeError, match="needs a ShiftCalendar, not '0 18"):
        type(timetable)(cron)


@both
def test_the_error_of_a_wrong_calendar_names_the_timetable(timetable: Any) -> None:
    with pytest.raises(TypeError, match=f"{type(timetable).__name__} needs a ShiftCalendar"):
        type(timetable)(None)


@both
def test_the_ui_shows_the_summary_in_place_of_a_schedule_too(timetable: Any) -> None:
    assert type(timetable)(SHIFTS).description == timetable.summary


@both
def test_timetables_of_different_calendars_are_not_equal(timetable: Any) -> None:
    assert timetable != type(timetable)(ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00"]}))


@both
def test_equal_timetables_are_one_in_a_set(timetable: Any) -> None:
    assert len({timetable, type(timetable)(SHIFTS)}) == 1


@both
@pytest.mark.parametrize("catchup", [True, False])
def test_before_the_calendars_first_shift_the_first_run_is_for_that_one(
    timetable: Any, catchup: bool, now: Any
) -> None:
    to_come = type(timetable)(ShiftCalendar("Asia/Shanghai", {}, special={"2026-11-30": ["09:00-10:00"]}))
    found = following(to_come, catchup=catchup)
    assert found is not None
    assert found.startswith("30 09:00-10:00")


@both
def test_the_interval_is_in_utc_in_any_time_zone_of_the_machine(timetable: Any, now: Any) -> None:
    restriction = TimeRestriction(at("23 00:00"), None, True)
    with pendulum.test_local_timezone(pendulum.timezone("Asia/Shanghai")):
        found = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction).data_interval
    assert (found.start.timezone_name, found.end.timezone_name) == ("UTC", "UTC")


@both
def test_utc_now_is_the_current_time(timetable: Any) -> None:
    last = DataInterval.exact(pendulum.now().subtract(years=1))
    info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=TimeRestriction(None, None, False))
    assert pendulum.now().subtract(days=4) < info.run_after < pendulum.now()


class TestRepeats:
    """The runs after a shift, every ten minutes. The 25th is a Wednesday; its shifts end at 12:00 and 18:00."""

    KEPT = ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10))

    def after(self, start: str, end: str, now: SetNow, at: str, **restriction: Any) -> str:
        """Return the run that follows the one of an interval of the 25th, at a time of the 25th."""
        now(f"25 {at}")
        return following(self.KEPT, last=interval("25", start, end), **restriction)

    def test_the_first_run_of_a_repeating_timetable_is_for_a_shift_end(self, now: SetNow) -> None:
        assert following(self.KEPT) == "23 09:00-12:00 at 23 12:00"

    def test_the_first_repeat_follows_the_end_after_ten_minutes(self, now: SetNow) -> None:
        assert self.after("09:00", "12:00", now, at="12:00") == "25 12:00-12:10 at 25 12:10"

    def test_each_repeat_follows_the_previous_one(self, now: SetNow) -> None:
        assert self.after("12:00", "12:10", now, at="12:10") == "25 12:10-12:20 at 25 12:20"

    def test_repeats_stay_on_schedule_after_a_late_one(self, now: SetNow) -> None:
        assert self.after("12:00", "12:10", now, at="12:19") == "25 12:10-12:20 at 25 12:20"

    def test_no_repeat_is_at_the_next_start(self, now: SetNow) -> None:
        assert self.after("13:10", "13:20", now, at="13:20") == "25 13:30-18:00 at 25 18:00"

    def test_repeats_go_on_overnight(self, now: SetNow) -> None:
        assert self.after("23:40", "23:50", now, at="23:50") == "25 23:50-00:00 at 26 00:00"

    @pytest.mark.parametrize("catchup", [True, False])
    def test_only_the_last_missed_repeat_gets_its_run(self, now: SetNow, catchup: bool) -> None:
        assert self.after("18:00", "18:10", now, at="20:05", catchup=catchup) == "25 19:50-20:00 at 25 20:00"

    @pytest.mark.parametrize("catchup", [True, False])
    def test_a_missed_end_comes_before_missed_repeats(self, now: SetNow, catchup: bool) -> None:
        assert self.after("13:10", "13:20", now, at="20:05", catchup=catchup) == "25 13:30-18:00 at 25 18:00"

    def test_no_missed_repeat_gets_its_run_once_a_shift_is_on(self, now: SetNow) -> None:
        assert self.after("12:00", "12:10", now, at="14:00") == "25 13:30-18:00 at 25 18:00"

    def test_a_new_dag_has_no_repeat_before_the_run_at_the_end(self, now: SetNow) -> None:
        now("25 20:05")
        assert following(self.KEPT, catchup=False) == "25 13:30-18:00 at 25 18:00"

    def test_repeats_begin_with_the_first_one_wholly_after_the_start_date(self, now: SetNow) -> None:
        now("25 20:05")
        assert following(self.KEPT, earliest="25 19:55") == "25 20:00-20:10 at 25 20:10"

    def test_without_a_start_date_repeats_begin_with_the_run_at_the_end(self, now: SetNow) -> None:
        now("25 20:05")
        assert following(self.KEPT, earliest=None, catchup=False) == "25 13:30-18:00 at 25 18:00"

    def test_without_a_start_date_repeats_go_on(self, now: SetNow) -> None:
        now("25 20:05")
        made = interval("25", "13:30", "18:00")
        assert following(self.KEPT, made, earliest=None, catchup=False) == "25 19:50-20:00 at 25 20:00"

    def test_repeats_begin_at_a_future_start_date(self, now: SetNow) -> None:
        assert following(self.KEPT, earliest="25 20:00") == "25 20:00-20:10 at 25 20:10"

    def test_no_repeat_is_after_the_end_date(self, now: SetNow) -> None:
        assert self.after("18:00", "18:10", now, at="18:10", latest="25 18:09") == "no run"

    def test_no_repeat_is_before_the_calendars_first_shift(self, now: SetNow) -> None:
        to_come = ShiftCalendar("Asia/Shanghai", {}, special={"2026-11-30": ["09:00-10:00"]})
        assert following(ShiftEndTimetable(to_come, repeat=timedelta(minutes=10))) == "30 09:00-10:00 at 30 10:00"

    def test_repeats_never_end_after_the_calendars_last_shift(self, now: SetNow) -> None:
        over = ShiftEndTimetable(
            ShiftCalendar("Asia/Shanghai", {}, special={"2026-11-20": ["09:00-10:00"]}), repeat=timedelta(minutes=10)
        )
        assert following(over, last=interval("25", "09:40", "09:50")) == "25 09:50-10:00 at 25 10:00"

    def test_repeats_after_a_shift_without_a_start_have_their_own_logical_dates(self, now: SetNow) -> None:
        closed = ShiftCalendar("Asia/Shanghai", {"mon-sun": ["00:00-24:00"]}, closed=["2026-11-25"])
        kept = ShiftEndTimetable(closed, repeat=timedelta(minutes=10))
        now("25 00:00")
        assert following(kept, last=DataInterval.exact(at("25 00:00"))) == "25 00:10-00:10 at 25 00:10"

    def test_a_repeat_is_due_at_once_when_today_is_closed_during_its_shift(self, now: SetNow) -> None:
        closed = ShiftEndTimetable(
            ShiftCalendar("Asia/Shanghai", {"mon-tue": ["09:00-18:00"]}), repeat=timedelta(hours=1)
        )
        now("25 11:30")
        assert following(closed, last=interval("25", "07:00", "08:00")) == "25 10:00-11:00 at 25 11:00"

    def test_the_end_of_a_reopened_day_gets_its_run_after_the_repeats(self, now: SetNow) -> None:
        now("25 19:05")
        reopened = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "19:00-21:00"]})
        kept = ShiftEndTimetable(reopened, repeat=timedelta(minutes=10))
        assert following(kept, last=interval("25", "18:50", "19:00")) == "25 19:00-21:00 at 25 21:00"

    def test_a_changed_repeat_starts_where_the_previous_one_ended(self, now: SetNow) -> None:
        rarer = ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=20))
        now("25 18:10")
        assert following(rarer, last=interval("25", "18:00", "18:10")) == "25 18:10-18:20 at 25 18:20"

    def test_a_manual_run_of_a_repeating_timetable_is_for_the_last_shift(self) -> None:
        assert self.KEPT.infer_manual_data_interval(run_after=at("25 20:05")) == interval("25", "13:30", "18:00")

    def test_the_summary_of_a_repeating_timetable_says_how_often(self) -> None:
        assert self.KEPT.summary.startswith("end of shift, then every 10 min until the next start, mon-fri 09:00")

    def test_repeats_survive_json(self) -> None:
        assert ShiftEndTimetable.deserialize(json.loads(json.dumps(self.KEPT.serialize()))) == self.KEPT

    def test_a_timetable_serialized_without_repeat_has_none(self) -> None:
        assert ShiftEndTimetable.deserialize({"shifts": SHIFTS.to_dict()}) == ENDS

    def test_timetables_with_different_repeats_are_not_equal(self) -> None:
        assert len({self.KEPT, ENDS, ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10))}) == 2

    def test_repeats_must_be_at_least_a_minute_apart(self) -> None:
        with pytest.raises(ValueError, match="repeat must be at least a minute, not 0:00:59"):
            ShiftEndTimetable(SHIFTS, repeat=timedelta(seconds=59))

    def test_repeat_must_be_a_timedelta(self) -> None:
        minutes: Any = 10
        with pytest.raises(TypeError, match=r"repeat must be a timedelta such as timedelta\(minutes=10\), not 10"):
            ShiftEndTimetable(SHIFTS, repeat=minutes)
