"""Put a DAG in place that keeps all campaigns paused after a shift that ends at a given second."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from airflow_provider_isales.shifts import ShiftCalendar

DAG_ID = "keep_paused"
DAG_FILE = Path(__file__).parent / "demo_dags" / "keep_paused.py"


def make_shift_until(end: datetime) -> ShiftCalendar:
    """
    Return a calendar of one shift.

    :param end: its end in UTC, a whole second: the shift is written to the minute, and last call takes the rest off
    """
    written_end = end + timedelta(seconds=-end.second % 60)
    start = written_end - timedelta(hours=4)
    hours = f"{start:%H:%M}-{written_end:%H:%M}"
    return ShiftCalendar("UTC", {}, special={start.date(): [hours]}, last_call=written_end - end)


def write_shifts(folder: Path, shifts: ShiftCalendar) -> None:
    """Write a calendar into ``shifts.json`` of a folder; create the folder if needed."""
    folder.mkdir(exist_ok=True)
    (folder / "shifts.json").write_text(json.dumps(shifts.to_dict()))


def put_dag_in_place(folder: Path, shifts: ShiftCalendar) -> None:
    """
    Write the DAG and its calendar into a folder of DAGs, so that no reader finds half a file.
    """
    write_shifts(folder, shifts)
    shutil.copy(DAG_FILE, folder / "keep_paused.part")
    (folder / "keep_paused.part").replace(folder / DAG_FILE.name)
