"""The Airflow plugin that makes the timetables known, so that the scheduler can read serialized DAGs that use them."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowPlugin

from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable


class ISalesPlugin(AirflowPlugin):
    """Registered through the entry point group ``airflow.plugins``."""

    name = "isales"
    timetables = [ShiftEndTimetable, ShiftStartTimetable]  # noqa: RUF012 - as AirflowPlugin declares it
