"""A zip of DAGs, as Airflow reads it."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from airflow_runs import read_dags

pytestmark = pytest.mark.airflow

DAG_FILE = """
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SHIFTS = ShiftCalendar.from_file(Path(__file__).with_name("shifts.yaml"))

with DAG("zipped", schedule=ShiftEndTimetable(SHIFTS), start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False):
    PauseCallBatchOperator(task_id="pause", campaign_id=1001, batch_id="0" * 29 + "1", shifts=SHIFTS)
"""


def test_a_dag_in_a_zip_reads_its_calendar_from_the_zip(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "team.zip", "w") as archive:
        archive.writestr("zipped_dag.py", DAG_FILE)
        archive.writestr("shifts.yaml", "timezone: Asia/Shanghai\nweek:\n  mon-fri: [09:00-18:00]\n")
    bag = read_dags(tmp_path / "team.zip")
    assert not bag.import_errors
    assert "mon-fri 09:00-18:00, Asia/Shanghai" in bag.dags["zipped"].timetable.summary
