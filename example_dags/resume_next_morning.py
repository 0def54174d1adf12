"""
Pause a campaign at each end of a shift, and resume exactly those batches at the next start. For Airflow 3.

The two DAGs hand over by asset events: each evening's event says in its extra what was dialled before the pause.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset, task

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

CAMPAIGN = 1001
DIALLED = Asset(name=f"isales-campaign-{CAMPAIGN}-dialled")
SHIFTS = ShiftCalendar(timezone="Asia/Shanghai", week={"mon-fri": ["09:00-12:00", "13:30-18:00"]})
SETTINGS = {
    "start_date": pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"),
    "catchup": False,
    "default_args": {"retries": 3, "retry_delay": timedelta(seconds=30)},
    "tags": ["isales"],
}

with DAG("isales_resume_next_morning_pause", schedule=ShiftEndTimetable(SHIFTS), **SETTINGS) as pause_dag:

    @task(outlets=[DIALLED], retries=1, retry_delay=timedelta(seconds=5))
    def dialled_batches(*, outlet_events, dag_run) -> list[str]:
        """Note what is dialled, before the pause: also the pause that fails half-way is then known in the morning."""
        with ISalesHook().get_conn() as client:
            batch_ids = [batch.id for batch in client.list_call_batches(CAMPAIGN, status=BatchStatus.STARTED)]
        last_end = SHIFTS.previous_end(pendulum.now("UTC"))
        # The clock may be behind the run's own shift, and that one long over, or missing in a run that was triggered.
        shift = max(last_end, dag_run.data_interval_end or last_end)
        outlet_events[DIALLED].extra = {"shift": shift.isoformat(), "batch_ids": batch_ids}
        return batch_ids

    @task
    def all_went_well() -> None:
        """Runs only when all before it succeeded: the pause alone would hide that the note failed."""

    # All done, not all success: that the note failed is no reason to let it ring.
    pause = PauseCallBatchesOperator(task_id="pause", campaign_id=CAMPAIGN, shifts=SHIFTS, trigger_rule="all_done")
    noted = dialled_batches()
    noted >> pause
    [noted, pause] >> all_went_well()

with DAG("isales_resume_next_morning_resume", schedule=ShiftStartTimetable(SHIFTS), **SETTINGS) as resume_dag:

    @task(inlets=[DIALLED])
    def batches_to_resume(*, inlet_events) -> list[str]:
        """Return what was dialled at the last end of a shift; there is an event for each time that its run was run."""
        last_end = SHIFTS.previous_end(pendulum.now("UTC")).in_timezone("UTC")
        notes = [event.extra for event in inlet_events[DIALLED][-20:]]
        of_last_end = [note["batch_ids"] for note in notes if pendulum.parse(note["shift"]) == last_end]
        if not of_last_end:
            raise RuntimeError(f"nobody noted what was dialled at {last_end}: resume by hand what should be dialled")
        return sorted({batch_id for batch_ids in of_last_end for batch_id in batch_ids})

    ResumeCallBatchesOperator(task_id="resume", campaign_id=CAMPAIGN, batch_ids=batches_to_resume(), shifts=SHIFTS)
