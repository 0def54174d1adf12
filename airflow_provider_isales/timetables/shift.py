"""Timetables that run a DAG at each end, or at each start, of the shifts of a calendar."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Literal

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.timetables.simple import NullTimetable
from pendulum import DateTime

from airflow_provider_isales import clock
from airflow_provider_isales.shifts import CALENDAR_KEYS, TICK, ShiftCalendar, in_utc

log = logging.getLogger(__name__)

# A run that is created more than this many seconds late gets another logical date.
_OVERDUE_SECONDS = 5


class _ShiftTimetable(Timetable):
    """The base of both timetables: everything but the repeats."""

    _edge: ClassVar[Literal["start", "end"]]
    _keys: ClassVar[tuple[str, ...]] = ("shifts",)

    def __init__(self, shifts: ShiftCalendar) -> None:
        if not isinstance(shifts, ShiftCalendar):
            raise TypeError(f"{type(self).__name__} needs a ShiftCalendar, not {shifts!r}")
        self.shifts = shifts
        self.description = f"{self._edge} of shift, {shifts.summary}"

    @property
    def summary(self) -> str:
        """The schedule as the UI shows it."""
        return self.description

    def serialize(self) -> dict[str, Any]:
        """Return what :meth:`deserialize` reads, in JSON types."""
        return {"shifts": self.shifts.to_dict()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """
        Make the timetable that :meth:`serialize` was called on, in this version of the provider or in another.

        Never raises: an exception here would end Airflow 2's scheduler for every DAG. Unknown keys are dropped and
        logged; unreadable data becomes a timetable without runs that says why. Both last until this version parses
        the DAG file.
        """
        try:
            shifts = ShiftCalendar.from_dict(_drop_unknown(data["shifts"], CALENDAR_KEYS))
            options = _drop_unknown(data, cls._keys) | {"shifts": shifts}
            if "repeat" in options:
                options["repeat"] = timedelta(seconds=options["repeat"])
            return cls(**options)
        except Exception as error:
            return _UnreadableTimetable(cls.__name__, data, f"{type(error).__name__}: {error}")

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """
        Return the next run for the scheduler to create.

        :param last_automated_data_interval: the shift of the last scheduled run, None before the first one
        :param restriction: the DAG's start and end date and its catchup
        :return: when to run, and the shift; None if there is none
        """
        last = last_automated_data_interval and DataInterval(*map(in_utc, last_automated_data_interval))
        earliest, latest = restriction.earliest and in_utc(restriction.earliest), restriction.latest
        now = in_utc(clock.utc_now())
        interval = self._find_next(last, earliest, restriction.catchup, now)
        if interval is None or (latest is not None and interval.start > latest):
            return None
        run_after = self._get_edge(interval)
        # A manual run may already have this run's logical date, and Airflow would not create a second one: use another.
        # Not for a backfill, which finds existing runs by their logical dates.
        overdue = (now - run_after).total_seconds()
        if overdue > _OVERDUE_SECONDS and (latest is None or latest > now):
            other = TICK * (1 + overdue // 3600)
            start = interval.start + other
            interval, run_after = DataInterval(start, max(start, interval.end)), run_after + other
        # Not by its constructor, whose arguments differ in Airflow 3.2.
        return DagRunInfo.interval(*interval)._replace(run_after=run_after)

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """
        Return the data interval of a run that someone triggers: the shift of the last edge up to then.

        :param run_after: when the run was triggered
        :return: the shift; if there was none yet, an interval of no length
        """
        moment = in_utc(run_after)
        return self._find_last_until(moment) or DataInterval.exact(moment)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.serialize() == self.serialize()

    def __hash__(self) -> int:
        return hash((type(self), self.shifts))

    def _find_next(
        self, last: DataInterval | None, earliest: DateTime | None, catchup: bool, now: DateTime
    ) -> DataInterval | None:
        """Return the shift of the next edge that gets a run."""
        candidates = []
        if last is not None:
            candidates.append(self._find_first_after(self._get_edge(last)))
        if earliest is not None:
            first = self._find_first_after(earliest - TICK)
            if first and first.start < earliest:  # its shift began before that
                first = self._find_first_after(self._get_edge(first))
            candidates.append(first)
        if not candidates:  # a run that was due stays due, whenever this is called
            return self._find_last_until(now) or self._find_first_after(now)
        if None in candidates:
            return None
        if not catchup:
            candidates.append(self._find_last_until(now))
        shift = max(candidate for candidate in candidates if candidate)
        return self._cut_after(last, shift)

    def _cut_after(self, last: DataInterval | None, interval: DataInterval) -> DataInterval:
        """
        Return an interval, or the part of it after the last run.

        They overlap if the calendar was edited. If the last run's shift was prolonged, that run already has the shift's
        start as its logical date.
        """
        if last is None:
            return interval
        edge = self._get_edge(last)
        if interval.start >= edge and interval.start > last.start:
            return interval
        return DataInterval(edge, interval.end) if edge > last.start else DataInterval.exact(interval.end)

    def _get_edge(self, interval: DataInterval) -> DateTime:
        """Return the edge at which a shift has its run."""
        return interval.start if self._edge == "start" else interval.end

    def _find_first_after(self, moment: datetime) -> DataInterval | None:
        """Return the shift with the first edge after a moment."""
        find = self.shifts.next_start if self._edge == "start" else self.shifts.next_end
        return self._make_interval(find(moment))

    def _find_last_until(self, moment: DateTime) -> DataInterval | None:
        """Return the shift with the last edge at or before a moment."""
        find = self.shifts.previous_start if self._edge == "start" else self.shifts.previous_end
        return self._make_interval(find(moment + TICK))

    def _make_interval(self, edge: DateTime | None) -> DataInterval | None:
        """Return the shift with this edge; the edge alone if the shift never starts or never ends."""
        if edge is None:
            return None
        # In UTC, because local times that occur twice do not compare as instants.
        edge = in_utc(edge)
        shift = self.shifts.shift_at(edge if self._edge == "start" else edge - TICK)
        return DataInterval(*map(in_utc, shift)) if shift else DataInterval.exact(edge)


class ShiftEndTimetable(_ShiftTimetable):
    """
    Runs a DAG at the end of each shift and, with ``repeat``, at regular intervals until the next start.

    The data interval of the run at the end is the shift; that of a repeat is the time since the run before it. No data
    interval starts before the DAG's ``start_date`` or after its ``end_date``: its start is the logical date, and there
    Airflow would not run the tasks. A shift that never started, such as one round the clock before a closed day, has a
    data interval of no length at its end.

    With ``catchup=True`` every shift since the start date or the last run gets a run. With ``catchup=False`` only the
    last missed end does; for a DAG without ``start_date``, that is the last end before its first run. Of missed
    repeats, only the last gets a run, and none once a shift is on. Pass ``shifts=`` to the operators too: they skip if
    a run is so late that the next shift is on.

    However late it is created, the run for an end has that end as the end of its data interval. The first run of a DAG
    that is unpaused during or after a shift is for the last end before that. The data interval of a run that is created
    late starts some microseconds after the shift, because a manual run may have the shift's start as its logical date.

    :param shifts: the calendar
    :param repeat: the time between repeats, at least a minute; None for no repeats. The first is that long after the
        end, the last before the next start
    :raises TypeError: for anything else than a calendar and a timedelta
    :raises ValueError: ``repeat`` is less than a minute
    """

    _edge = "end"
    _keys = ("shifts", "repeat")

    def __init__(self, shifts: ShiftCalendar, *, repeat: timedelta | None = None) -> None:
        if not isinstance(repeat, timedelta | None):
            raise TypeError(f"repeat must be a timedelta such as timedelta(minutes=10), not {repeat!r}")
        if repeat is not None and repeat < timedelta(minutes=1):
            raise ValueError(f"repeat must be at least a minute, not {repeat}")
        super().__init__(shifts)
        self.repeat = repeat
        if repeat:
            every = f"{repeat.total_seconds() / 60:g} min"
            self.description = f"end of shift, then every {every} until the next start, {shifts.summary}"

    def serialize(self) -> dict[str, Any]:
        """Return what :meth:`deserialize` reads, in JSON types."""
        repeat = {"repeat": self.repeat.total_seconds()} if self.repeat else {}
        return super().serialize() | repeat

    def _find_next(
        self, last: DataInterval | None, earliest: DateTime | None, catchup: bool, now: DateTime
    ) -> DataInterval | None:
        shift = super()._find_next(last, earliest, catchup, now)
        if self.repeat is None or (shift and shift.end <= now):
            return shift
        return self._find_next_repeat(self.repeat, last, earliest, now) or shift

    def _find_next_repeat(
        self, repeat: timedelta, last: DataInterval | None, earliest: DateTime | None, now: DateTime
    ) -> DataInterval | None:
        """Return the last repeat that is due and had no run, else the next one; None if a shift comes first."""
        moment = max(now, earliest) if earliest else now
        end = None if self.shifts.is_on(moment) else self.shifts.previous_end(moment + TICK)
        if end is None:
            return None
        start = self.shifts.next_start(end)
        end = in_utc(end)

        def count_repeats_until(moment: DateTime) -> int:
            # In seconds: an interval of pendulum can't be divided by a timedelta.
            return int((moment - end).total_seconds() // repeat.total_seconds())

        number = max(1, count_repeats_until(moment))
        if last is not None:
            number = max(number, count_repeats_until(last.end) + 1)
        if earliest is not None:  # its data interval must not start before that
            number = max(number, count_repeats_until(earliest - TICK) + 2)
        due = end + number * repeat
        return None if start and due >= start else self._cut_after(last, DataInterval(due - repeat, due))


class ShiftStartTimetable(_ShiftTimetable):
    """
    Runs a DAG at each start of a shift; the data interval is that shift, so ``data_interval_end`` is when it will end.

    Otherwise it works as :class:`ShiftEndTimetable`. A shift that never ends has a data interval of no length.

    :param shifts: the calendar
    :raises TypeError: for anything else than a calendar
    """

    _edge = "start"


class _UnreadableTimetable(NullTimetable):
    """
    Replaces a timetable that this version cannot read, as after a downgrade. It has no runs, and says why.

    :param name: the class of that timetable
    :param data: its serialized data
    :param problem: what is wrong with it
    """

    def __init__(self, name: str, data: object, problem: str) -> None:
        self._data = data
        self.description = (
            f"no runs: this version of airflow-provider-isales cannot read this {name}: {problem}. "
            "Install the version that wrote it, or change the DAG to what this one knows."
        )
        _log_once(logging.ERROR, self.description)

    @property
    def summary(self) -> str:
        """The schedule as the UI shows it."""
        return self.description

    def serialize(self) -> Any:
        """Return the data unchanged."""
        return self._data


def _drop_unknown(data: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return serialized data without unknown keys; log these, which a newer version wrote."""
    if unknown := sorted({*data} - {*keys}):
        _log_once(
            logging.WARNING,
            f"A shift timetable was written by a newer version of airflow-provider-isales: {', '.join(unknown)} is not "
            "known to this one, and left out until the DAG file is parsed again.",
        )
    return {key: value for key, value in data.items() if key in keys}


@cache
def _log_once(level: int, message: str) -> None:
    """Log a message only once, however often the scheduler reads the data."""
    log.log(level, "%s", message)
