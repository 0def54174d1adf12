"""DAGs that run at the end of a shift, with and without catchup, repeats and a start date."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow import __version__
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

SHIFTS = ShiftCalendar.from_file(Path(__file__).with_name("shifts.json"))


class Nothing(BaseOperator):
    """Does nothing."""

    def execute(self, context: object) -> None:
        """Do nothing."""


def make_dag(dag_id: str, *, catchup: bool, repeat: timedelta | None, start_date: datetime | None) -> DAG:
    """Make a DAG that runs at the end of a shift."""
    with DAG(dag_id, schedule=ShiftEndTimetable(SHIFTS, repeat=repeat), start_date=start_date, catchup=catchup) as dag:
        Nothing(task_id="nothing")
    return dag


START, REPEAT = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=2)
last = make_dag("last_end", catchup=False, repeat=None, start_date=START)
last_repeated = make_dag("last_end_repeated", catchup=False, repeat=REPEAT, start_date=START)
every = make_dag("every_end", catchup=True, repeat=None, start_date=START)
every_repeated = make_dag("every_end_repeated", catchup=True, repeat=REPEAT, start_date=START)
cleared = make_dag("cleared", catchup=False, repeat=REPEAT, start_date=START)
if not __version__.startswith("2."):  # which wants a start date, and whose REST API needs a webserver
    posted = make_dag("posted", catchup=False, repeat=None, start_date=START)
    posted_without_date = make_dag("posted_without_date", catchup=False, repeat=None, start_date=START)
    backfilled = make_dag("backfilled", catchup=False, repeat=None, start_date=START)
    undated = make_dag("last_end_undated", catchup=False, repeat=None, start_date=None)
    undated_repeated = make_dag("last_end_repeated_undated", catchup=False, repeat=REPEAT, start_date=None)
