"""The Airflow plugin that registers the timetables: the scheduler needs them to read serialized DAGs."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowPlugin

from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable


class ISalesPlugin(AirflowPlugin):
    """Registered through the entry point group ``airflow.plugins``."""

    name = "isales"
    timetables = [ShiftEndTimetable, ShiftStartTimetable]  # noqa: RUF012 - as AirflowPlugin declares it
