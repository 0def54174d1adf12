"""
Random simulations of a scheduler with outages and edited calendars: is the state kept, whatever happens?

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
from pendulum import DateTime

from airflow_provider_isales.shifts import ShiftCalendar, in_utc
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SIMULATIONS = int(os.environ.get("REPEAT_SIMULATIONS", "10"))
BEGIN = in_utc(datetime(2026, 3, 27, tzinfo=UTC))  # the clocks of Berlin change on the 29th
MINUTES = 3 * 24 * 60
MINUTE, INSTANT = timedelta(minutes=1), timedelta(microseconds=1)
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
    special = {day: chance.choice(WEEKS) for day in days}
    return ShiftCalendar(chance.choice(["Asia/Shanghai", "Europe/Berlin"]), {"tue": ["09:00-17:00"]}, special=special)


@dataclass
class Run:
    start: DateTime
    end: DateTime
    due: DateTime
    created: DateTime
    while_on: bool
    at_end: bool


@dataclass
class Simulation:
    """A scheduler that looks every few minutes, when it is up; and the DAG file, which someone edits now and then."""

    chance: Random
    catchup: bool = field(init=False)
    repeat: timedelta = field(init=False)
    calendar: ShiftCalendar = field(init=False)
    runs: list[Run] = field(default_factory=list)
    planned: Any = None

    def __post_init__(self) -> None:
        self.catchup = self.chance.random() < 0.5
        self.repeat = timedelta(minutes=self.chance.choice([1, 5, 10, 13, 30, 90]))
        self.calendar = random_calendar(self.chance)
        self.restriction = TimeRestriction(BEGIN - timedelta(days=3), None, self.catchup)

    def run(self) -> list[str]:
        """Run for three days; return what was wrong."""
        wrong: list[str] = []
        now = BEGIN
        self.parse(now)
        while now < BEGIN + timedelta(minutes=MINUTES):
            if self.chance.random() < 0.003:
                self.calendar = random_calendar(self.chance)
                self.parse(now)
            if self.chance.random() < 0.005:
                now += timedelta(minutes=self.chance.randint(1, 900))  # an outage
            if self.chance.random() < 0.1:
                self.parse(now)
            self.create_what_is_due(now)
            wrong += self.not_kept(now)
            now += self.chance.randint(1, 4) * MINUTE
        return wrong + self.wrong_runs()

    def parse(self, now: DateTime) -> None:
        """Work out the next run anew, as Airflow does each time that it reads the DAG file."""
        last = DataInterval(self.runs[-1].start, self.runs[-1].end) if self.runs else None
        timetable = ShiftEndTimetable(self.calendar, repeat=self.repeat)
        with time_machine.travel(now, tick=False):
            self.planned = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=self.restriction)

    def create_what_is_due(self, now: DateTime) -> None:
        while self.planned and self.planned.run_after <= now:
            start, end = self.planned.data_interval
            due = self.planned.run_after
            at_end = self.calendar.previous_end(due + INSTANT) == due
            self.runs.append(Run(start, end, due, now, self.calendar.is_on(due), at_end))
            self.parse(now)

    def not_kept(self, now: DateTime) -> list[str]:
        """Outside a shift, the last run that fell due by the calendar of now was created when it was due or later."""
        if self.calendar.is_on(now):
            return []
        end = self.calendar.previous_end(now + INSTANT)
        assert end
        due, step = round(end.timestamp()), round(self.repeat.total_seconds())
        while due + step <= now.timestamp():
            due += step
        if self.runs and self.runs[-1].created.timestamp() >= due:
            return []
        return [f"at {now} nothing was run since {datetime.fromtimestamp(due, UTC)}, {self.calendar!r}"]

    def wrong_runs(self) -> list[str]:
        starts = [run.start for run in self.runs]
        repeats = Counter(run.created for run in self.runs if not run.at_end)
        return [
            *(f"early: {run}" for run in self.runs if run.created < run.due),
            *(f"while a shift is on: {run}" for run in self.runs if run.while_on and run.created == run.due),
            # Two: the one that was planned before an outage, and the last.
            *(f"{number} repeats at {at}" for at, number in repeats.items() if number > 2),
            *(["logical dates are not unique and in order"] if starts != sorted(set(starts)) else []),
        ]


@pytest.mark.parametrize("part", range(10))
def test_outside_the_shifts_the_last_repeat_that_fell_due_has_run_whatever_happens(part: int) -> None:
    for seed in range(part, SIMULATIONS, 10):
        assert not Simulation(Random(seed)).run(), f"seed {seed}"
