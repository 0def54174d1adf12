"""
Random simulations of a scheduler with outages, edited calendars and manual runs: is the state kept, whatever happens?

``REPEAT_SIMULATIONS=1000`` for a long run.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow_runs import same_on_every_airflow
from pendulum import DateTime

from airflow_provider_isales.shifts import ShiftCalendar, in_utc
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SIMULATIONS = int(os.environ.get("REPEAT_SIMULATIONS", "10"))
PARTS = [0, *same_on_every_airflow(*range(1, 10))]
BEGIN = in_utc(datetime(2026, 3, 27, tzinfo=UTC))  # the clocks of Berlin change on the 29th
MINUTES = 3 * 24 * 60
MINUTE, HALF_A_MINUTE, INSTANT = timedelta(minutes=1), timedelta(seconds=30), timedelta(microseconds=1)
WEEKS: list[list[str]] = [
    ["09:00-12:00", "13:30-18:00"],
    ["09:00-18:00"],
    ["22:00-06:00"],
    ["08:00-10:00", "10:20-12:00", "18:00-20:30"],
    ["00:00-24:00"],
    ["11:17-16:43"],
    [],
]


def random_calendar(chance: Random) -> ShiftCalendar:
    """Return one whose days differ; there is a shift long before, so that an end is always known."""
    days = [(BEGIN + timedelta(days=day)).date().isoformat() for day in range(-1, 4)]
    special = {day if chance.random() < 0.5 else day[5:]: chance.choice(WEEKS) for day in days}
    if chance.random() < 0.3:  # a range instead of its first two days
        first, second = list(special)[:2]
        hours, _ = special.pop(first), special.pop(second)
        special[f"{days[0]}/{days[1]}" if chance.random() < 0.5 else f"{days[0][5:]}/{days[1][5:]}"] = hours
    return ShiftCalendar(chance.choice(["Asia/Shanghai", "Europe/Berlin"]), {"tue": ["09:00-17:00"]}, special=special)


@dataclass
class Run:
    start: DateTime
    end: DateTime
    due: DateTime
    created: DateTime
    while_on: bool
    at_end: bool

    @property
    def interval(self) -> DataInterval:
        return DataInterval(self.start, self.end)


@dataclass
class Simulation:
    """
    A scheduler that looks every few minutes, when it is up; and people, who edit the DAG file and trigger runs.

    :param manual: whether somebody triggers runs, most of them with the logical date of a scheduled run
    """

    chance: Random
    manual: bool = False
    catchup: bool = field(init=False)
    repeat: timedelta | None = field(init=False)
    calendar: ShiftCalendar = field(init=False)
    runs: list[Run] = field(default_factory=list)
    planned: Any = None
    triggered: dict[DateTime, DataInterval] = field(default_factory=dict)
    goes_by_existing_run: bool = field(init=False)

    def __post_init__(self) -> None:
        self.catchup = self.chance.random() < 0.5
        self.repeat = timedelta(minutes=self.chance.choice([1, 5, 10, 13, 30, 90]))
        self.calendar = random_calendar(self.chance)
        self.restriction = TimeRestriction(BEGIN - timedelta(days=3), None, self.catchup)
        if self.manual:
            self.repeat = self.chance.choice([self.repeat, None])
        # When the planned run exists already, Airflow 3.3 goes on from that run; older ones from what was planned.
        self.goes_by_existing_run = self.chance.random() < 0.5

    def run(self) -> list[str]:
        """Run for three days; return what was wrong."""
        wrong: list[str] = []
        now = BEGIN
        self.parse(now)
        while now < BEGIN + timedelta(minutes=MINUTES):
            # Without repeats, some changes of today's hours do nothing by themselves, as the docs say.
            if self.repeat and self.chance.random() < 0.003:
                self.calendar = random_calendar(self.chance)
                self.parse(now)
            if self.chance.random() < 0.005:
                now += timedelta(minutes=self.chance.randint(1, 900))  # an outage
            if self.chance.random() < 0.1:
                self.parse(now)
            if self.manual and self.chance.random() < 0.1:
                self.trigger(now)
            if self.create_what_is_due(now):  # a run was there already; the DAG file is read again within half a minute
                self.parse(now + HALF_A_MINUTE)
                self.create_what_is_due(now + HALF_A_MINUTE)
            wrong += self.not_kept(now)
            now += self.chance.randint(1, 4) * MINUTE
        return wrong + self.wrong_runs()

    @property
    def timetable(self) -> ShiftEndTimetable:
        return ShiftEndTimetable(self.calendar, repeat=self.repeat)

    def parse(self, now: DateTime) -> None:
        """Work out the next run anew, as Airflow does each time that it reads the DAG file."""
        self.plan_after(max(self.runs, key=lambda run: run.start).interval if self.runs else None, now)

    def plan_after(self, last: DataInterval | None, now: DateTime) -> None:
        with time_machine.travel(now, tick=False):
            self.planned = self.timetable.next_dagrun_info(
                last_automated_data_interval=last, restriction=self.restriction
            )

    def trigger(self, now: DateTime) -> None:
        """Make a run by hand, for the date that ``airflow dags next-execution`` prints or for one that people type."""
        end = self.calendar.previous_end(now)
        typed = [
            now,
            self.calendar.previous_start(now),
            self.calendar.next_start(now),
            end,
            self.calendar.next_end(now),
        ]
        typed += [end + self.repeat] if end and self.repeat else []
        printed = self.planned and self.planned.run_after > now  # or the scheduler was quicker
        planned = [self.planned.logical_date] * len(typed) if printed else []
        logical_date = in_utc(self.chance.choice([moment for moment in typed + planned if moment]))
        if any(run.start == logical_date for run in self.runs):
            return
        moment = self.chance.choice([logical_date, now])  # by which it is depends on the way
        interval = self.timetable.infer_manual_data_interval(run_after=moment)
        if self.planned and self.chance.random() < 0.1:
            interval = self.planned.data_interval  # REST takes any
        self.triggered.setdefault(logical_date, interval)

    def create_what_is_due(self, now: DateTime) -> bool:
        """Create runs as the scheduler does, one at each look; return whether one was there already."""
        existing = self.triggered | {run.start: run.interval for run in self.runs}
        until, collided = now + HALF_A_MINUTE, False
        while self.planned and self.planned.run_after <= now < until:
            (start, end), due = self.planned.data_interval, self.planned.run_after
            if start in existing:
                collided = True
                self.plan_after(existing[start] if self.goes_by_existing_run else DataInterval(start, end), now)
                now += timedelta(seconds=1)
                continue
            at_end = self.calendar.previous_end(due + INSTANT) == due.replace(microsecond=0)
            self.runs.append(Run(start, end, due, now, self.calendar.is_on(due), at_end))
            existing[start] = DataInterval(start, end)
            self.plan_after(existing[start], now)
        return collided

    def not_kept(self, now: DateTime) -> list[str]:
        """Outside a shift, the last run that fell due by the calendar of now was created when it was due or later."""
        if self.calendar.is_on(now):
            return []
        end = self.calendar.previous_end(now + INSTANT)
        assert end
        due, step = round(end.timestamp()), round(self.repeat.total_seconds()) if self.repeat else None
        while step and due + step <= now.timestamp():
            due += step
        if self.runs and self.runs[-1].created.timestamp() >= due:
            return []
        return [f"at {now} nothing was run since {datetime.fromtimestamp(due, UTC)}, {self.calendar!r}"]

    def wrong_runs(self) -> list[str]:
        starts = [run.start for run in self.runs]
        ordered = sorted(starts) if self.manual else starts  # the run of an older one may be made once more
        again = len(self.runs) - len({run.due.replace(microsecond=0) for run in self.runs})
        repeats = Counter(run.created for run in self.runs if not run.at_end)
        return [
            *(f"early: {run}" for run in self.runs if run.created < run.due),
            *(f"while a shift is on: {run}" for run in self.runs if run.while_on and run.created == run.due),
            # Two: the one that was planned before an outage, and the last.
            *(f"{number} repeats at {at}" for at, number in repeats.items() if number > 2),
            *([f"{again} runs were made again"] if again > len(self.triggered) else []),
            *(["logical dates are not unique and in order"] if sorted(set(starts)) != ordered else []),
        ]


@pytest.mark.parametrize("part", PARTS)
def test_outside_the_shifts_the_last_repeat_that_fell_due_has_run_whatever_happens(part: int) -> None:
    for seed in range(part, SIMULATIONS, 10):
        assert not Simulation(Random(seed)).run(), f"seed {seed}"


@pytest.mark.parametrize("part", PARTS)
def test_manual_runs_with_the_logical_date_of_a_scheduled_run_cost_none(part: int) -> None:
    for seed in range(part, SIMULATIONS, 10):
        assert not Simulation(Random(seed), manual=True).run(), f"seed {seed}"
