"""The calendar that was named, in a file of data or of Python."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from airflow_provider_isales.cli.output import silence
from airflow_provider_isales.cli.statuses import UsageError
from airflow_provider_isales.shifts import ShiftCalendar, ShiftCalendarError


def read_calendar(name: str) -> ShiftCalendar:
    """
    Return the calendar of a file of YAML or JSON, or of ``FILE.py:NAME``, which runs the file.

    :raises UsageError: if there is none; the message says what is wrong
    """
    file, _, variable = name.rpartition(":")
    if file.endswith(".py"):
        return _read_python(file, variable)
    if name.endswith(".py"):
        raise UsageError(f"{name} is Python: say which name in it is the calendar, such as {name}:SHIFTS")
    try:
        return ShiftCalendar.from_file(Path(name).absolute())
    except ShiftCalendarError as error:
        raise UsageError(str(error)) from None


def _read_python(file: str, variable: str) -> ShiftCalendar:
    sys.path[:0] = [os.path.dirname(os.path.abspath(file)), os.getcwd()]  # for what it imports
    try:
        with silence():
            found = runpy.run_path(file)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{file} can't be run: {type(error).__name__}: {error}") from None
    if isinstance(calendar := found.get(variable), ShiftCalendar):
        return calendar
    others = [name for name, value in found.items() if isinstance(value, ShiftCalendar)]
    raise UsageError(f"{variable} is no ShiftCalendar in {file}, which has {', '.join(others) or 'none'}")
