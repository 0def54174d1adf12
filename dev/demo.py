"""
A shift ends on a real Airflow and a simulated CC-iSales, and everything started is paused.

The DAG names no campaign. If a slow machine makes the pause late, its run is red and says so; the demo passes too.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ended_shift import DAG_FILE, DAG_ID, make_shift_until, put_dag_in_place
from processes import run_program, wait_for
from throwaway_airflow import READ_DAGS_ONCE, REPOSITORY, ThrowawayAirflow

from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

HOME = REPOSITORY / ".demo"
# The DAG looks again a minute after the shift's end. An end in the past makes the wait shorter.
PAST = timedelta(seconds=20)
WAIT_SECONDS = 300
WIDTH = 100
LOG_CHARACTERS = 3000


class NotAsPromisedError(RuntimeError):
    """The provider did not do what it promises."""


def main() -> int:
    """Run the demo; return 0 if all promises were kept."""
    began = time.monotonic()
    print("Starting a simulated CC-iSales, over HTTPS, and a throw-away Airflow ...", flush=True)
    try:
        with Simulator() as simulator:
            campaign = simulator.add_campaign(1001, name="renewals", batches=3)
            environment = {
                "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
                **READ_DAGS_ONCE,
            }
            with ThrowawayAirflow(HOME, HOME / "dags", environment) as airflow:
                end_shift(airflow, campaign)
                show_pause(airflow, campaign)
                show_stray_stopped(airflow, simulator.add_campaign(1002, name="late idea"))
    except (NotAsPromisedError, TimeoutError) as error:
        show_logs()
        print(f"NOT AS PROMISED: {error}\nThe ends of the logs are above; all of them are in {HOME}.")
        return 1
    print(f"\nAs promised, in {time.monotonic() - began:.0f} s. The DAG is {DAG_FILE.relative_to(REPOSITORY)}.")
    print("To click through it yourself: `make simulator`, in another terminal `make airflow`, then open")
    print("http://127.0.0.1:8080/dags/isales_pause_one_batch and press Trigger (docs/quickstart.md).")
    return 0


def end_shift(airflow: ThrowawayAirflow, campaign: Campaign) -> None:
    """Put a DAG in place whose shift has ended."""
    version = airflow.api("GET", "version").json()["version"]
    print(f"Airflow {version} is up. The rest was read from it and from the simulator; times are in UTC.\n", flush=True)
    end = datetime.now(UTC).replace(microsecond=0) - PAST
    print_event(f"A shift ended at {end:%H:%M:%S}, but {describe(campaign)}.")
    put_dag_in_place(HOME / "dags", make_shift_until(end))
    print_event(
        f"Airflow gets the DAG {DAG_ID}, due at the shift's end and every minute from then on. It names no campaign."
    )


def show_pause(airflow: ThrowawayAirflow, campaign: Campaign) -> None:
    """Wait for the run at the end of the shift, and print its result."""
    wait_until_paused(campaign)
    wait_for(lambda: list_ended_runs(airflow), "the end of the first run", WAIT_SECONDS)
    run = list_ended_runs(airflow)[0]
    result, message = read_outcome(airflow, run)
    promised = "failed" if result.get("late") else "success"
    if run["state"] != promised or "seconds_after_shift_end" not in result:
        raise NotAsPromisedError(f"run {run['dag_run_id']} is {run['state']}, with {result}: {message}")
    if promised == "success":
        seconds = result["seconds_after_shift_end"]
        print_event(f"Its run is green: a listing confirmed the pause, {seconds:.0f} s after the end.")
    else:
        print_event(f"Its run is red, because this machine is slow. Its log says: {message}")


def show_stray_stopped(airflow: ThrowawayAirflow, stray: Campaign) -> None:
    """Wait for the run that finds a campaign created after the shift, and print its result."""
    print_event(f"After the shift, somebody creates another campaign and starts it: {describe(stray)}.")
    print_event("Nobody tells Airflow. Waiting for its next look ...")
    wait_until_paused(stray)
    wait_for(lambda: list_red_repeats(airflow), "a run that is red", WAIT_SECONDS)
    run = list_red_repeats(airflow)[0]
    result, message = read_outcome(airflow, run)
    if result.get("late") != [stray.id]:
        raise NotAsPromisedError(f"run {run['dag_run_id']} is red, with {result}: {message}")
    print_event(f"Run {run['dag_run_id']} found it, is red, and says: {message}")


def wait_until_paused(campaign: Campaign) -> None:
    """Wait until a campaign is suspended on the server, and print that."""
    wait_for(lambda: campaign.state is CampaignState.SUSPENDED, f"campaign {campaign.id} to be paused", WAIT_SECONDS)
    print_event(f"Now {describe(campaign)}.")


def list_ended_runs(airflow: ThrowawayAirflow) -> list[dict[str, Any]]:
    """Return the runs that have ended; the first one is for the end of the shift."""
    return [run for run in airflow.list_runs(DAG_ID) if run["state"] in ("success", "failed")]


def list_red_repeats(airflow: ThrowawayAirflow) -> list[dict[str, Any]]:
    """Return the red ones among the runs after the first."""
    return [run for run in list_ended_runs(airflow)[1:] if run["state"] == "failed"]


def read_outcome(airflow: ThrowawayAirflow, run: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the result of a run's task, and the message of the exception that ended it, if any."""
    (task,) = airflow.list_task_instances(f"dags/{DAG_ID}/dagRuns/{run['dag_run_id']}")
    errors = [detail["exc_value"] for event in airflow.get_log(task) for detail in event.get("error_detail") or []]
    return airflow.get_xcom(task) or {}, errors[0] if errors else ""


def describe(campaign: Campaign) -> str:
    """Return a campaign's name and its state on the server."""
    return f"campaign {campaign.id} ({campaign.name}) is {campaign.state}"


def print_event(text: str) -> None:
    """Print an event with the time, without delay."""
    now = f"{datetime.now(UTC):%H:%M:%S}  "
    print(textwrap.fill(now + text, WIDTH, subsequent_indent=" " * len(now), break_on_hyphens=False), flush=True)


def show_logs() -> None:
    """Print the ends of the logs of Airflow, of the DAG and of its tasks."""
    for log in [HOME / "standalone.log", *sorted(HOME.glob("logs/**/*.log"))]:
        print(f"--- {log}\n{log.read_text()[-LOG_CHARACTERS:] if log.exists() else 'is not there'}")


if __name__ == "__main__":
    run_program(main)
