"""Timetables that run a DAG at each end, or at each start, of the shifts of a calendar."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from pendulum import DateTime

from airflow_provider_isales.shifts import ShiftCalendar

# The resolution of time in Airflow: "at or before now" is "before now and this".
_TICK = timedelta(microseconds=1)


class _ShiftTimetable(Timetable):
    """What the two timetables have in common: everything but the edge."""

    _edge: ClassVar[str]

    def __init__(self, shifts: ShiftCalendar) -> None:
        if not isinstance(shifts, ShiftCalendar):
            raise TypeError(f"{type(self).__name__} needs a ShiftCalendar, not {shifts!r}")
        self.shifts = shifts
        self.description = self.summary

    @property
    def summary(self) -> str:
        """What the UI shows as the DAG's schedule."""
        return f"{self._edge} of shift, {self.shifts.summary}"

    def serialize(self) -> dict[str, Any]:
        """Return what :meth:`deserialize` reads, in JSON types."""
        return {"shifts": self.shifts.to_dict()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Make the timetable that :meth:`serialize` was called on."""
        return cls(ShiftCalendar.from_dict(data["shifts"]))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """
        Return the next run that the scheduler is to create.

        :param last_automated_data_interval: the shift of the last scheduled run, None before the first one
        :param restriction: the DAG's start and end date and its catchup
        :return: when to run, and the shift; None if there is none
        """
        now = _utc_now()
        last, earliest = last_automated_data_interval, restriction.earliest
        candidates = []
        if last is not None:
            candidates.append(self._first_after(self._edge_of(last)))
        if earliest is not None:
            candidates.append(self._starting_at(self.shifts.next_start(earliest - _TICK)))
        if not candidates:
            candidates.append(self._first_after(now))
        if None in candidates:
            return None
        if not restriction.catchup:
            candidates.append(self._last_until(now))
        shift = max(candidate for candidate in candidates if candidate)
        if restriction.latest is not None and shift.start > restriction.latest:
            return None
        if last is not None and shift.start < self._edge_of(last):
            # The calendar was edited, and this shift prolonged: its start is the logical date of the last run already.
            shift = DataInterval(self._edge_of(last), shift.end)
        # Not its constructor, which takes other arguments in Airflow 3.2.
        return DagRunInfo.interval(*shift)._replace(run_after=self._edge_of(shift))

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """
        Return the data interval of a run that someone triggers: the shift of the last edge until then.

        :param run_after: when the run was triggered
        :return: the shift; if there was none yet, an interval of no length
        """
        return self._last_until(run_after) or DataInterval.exact(run_after)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.shifts == self.shifts

    def __hash__(self) -> int:
        return hash((type(self), self.shifts))

    def _starting_at(self, start: DateTime | None) -> DataInterval | None:
        return self._interval_at(start.in_timezone("UTC")) if start else None

    def _ending_at(self, end: DateTime | None) -> DataInterval | None:
        return self._interval_at(end.in_timezone("UTC") - _TICK) if end else None

    def _interval_at(self, moment: DateTime) -> DataInterval | None:
        """Return the shift that is on at a moment, in UTC: local times that occur twice do not compare as instants."""
        shift = self.shifts.shift_at(moment)
        return DataInterval(shift.start.in_timezone("UTC"), shift.end.in_timezone("UTC")) if shift else None

    @abstractmethod
    def _edge_of(self, interval: DataInterval) -> DateTime:
        """Return the edge at which a shift has its run."""

    @abstractmethod
    def _first_after(self, moment: datetime) -> DataInterval | None:
        """Return the shift with the first edge after a moment."""

    @abstractmethod
    def _last_until(self, moment: datetime) -> DataInterval | None:
        """Return the shift with the last edge at or before a moment."""


class ShiftEndTimetable(_ShiftTimetable):
    """
    Runs a DAG at each end of a shift; the data interval is that shift.

    A run is for a shift that starts neither before the DAG's ``start_date`` nor after its ``end_date``: Airflow does
    not carry out the tasks of other runs, because the start is the run's logical date.

    With ``catchup=True`` every shift since the start date, or since the last run, gets its run. With ``catchup=False``
    only the last edge that was missed does, so that a pause that falls due while the scheduler is down is made up for
    when it is back. Give the operators ``shifts=`` too: they skip when that is in another shift.

    :param shifts: the calendar
    :raises TypeError: for anything else than a calendar
    """

    _edge = "end"

    def _edge_of(self, interval: DataInterval) -> DateTime:
        return interval.end

    def _first_after(self, moment: datetime) -> DataInterval | None:
        return self._ending_at(self.shifts.next_end(moment))

    def _last_until(self, moment: datetime) -> DataInterval | None:
        return self._ending_at(self.shifts.previous_end(moment + _TICK))


class ShiftStartTimetable(_ShiftTimetable):
    """
    Runs a DAG at each start of a shift; the data interval is that shift, so ``data_interval_end`` is when it will end.

    In all else it is as :class:`ShiftEndTimetable`.

    :param shifts: the calendar
    :raises TypeError: for anything else than a calendar
    """

    _edge = "start"

    def _edge_of(self, interval: DataInterval) -> DateTime:
        return interval.start

    def _first_after(self, moment: datetime) -> DataInterval | None:
        return self._starting_at(self.shifts.next_start(moment))

    def _last_until(self, moment: datetime) -> DataInterval | None:
        return self._starting_at(self.shifts.previous_start(moment + _TICK))


def _utc_now() -> datetime:
    return datetime.now(UTC)
