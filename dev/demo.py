"""The main job end to end: a real Airflow pauses a call batch on a simulated CC-iSales, twice, and fails once."""

from __future__ import annotations

import time
from typing import Any

from processes import run_program
from throwaway_airflow import REPOSITORY, ThrowawayAirflow

from airflow_provider_isales.simulator import Campaign, Simulator

DAG_ID = "isales_pause_one_batch"
CAMPAIGN = 1001
MISSING_CAMPAIGN = 4711


def main() -> int:
    """Run the demo; return 0 if everything came as promised."""
    began = time.monotonic()
    say("Starting a CC-iSales simulator over HTTPS ...")
    with Simulator() as simulator:
        campaign = simulator.add_campaign(CAMPAIGN, batches=3)
        batch_id = next(iter(campaign.batches))
        say("Starting a throw-away Airflow on SQLite (scheduler, API server; about half a minute) ...")
        environment = {
            "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "false",  # no runs but those that are asked for
        }
        with ThrowawayAirflow(REPOSITORY / ".demo", REPOSITORY / "example_dags", environment) as airflow:
            version = airflow.api("GET", "version").json()["version"]
            say(f"Airflow {version} is up. Running DAG {DAG_ID} twice, then for a campaign that does not exist ...")
            before = state(campaign, batch_id)
            outcomes, after = [], []
            for _ in range(2):
                (task,) = airflow.run(DAG_ID, {"campaign_id": CAMPAIGN, "batch_id": batch_id})
                outcomes.append((airflow.xcom(task) or {"outcome": task["state"]})["outcome"])
                after.append(state(campaign, batch_id))
            (failed,) = airflow.run(DAG_ID, {"campaign_id": MISSING_CAMPAIGN, "batch_id": batch_id})
            message = last_error(airflow.log(failed))
    print()
    print(f"{'batch':<32}{'before':<12}{'first run':<28}{'second run':<28}")
    runs = [f"{outcome} ({state})" for outcome, state in zip(outcomes, after, strict=True)]
    print(f"{batch_id:<32}{before:<12}{runs[0]:<28}{runs[1]:<28}")
    print()
    print(f"campaign {MISSING_CAMPAIGN}: task {failed['state']} after try {failed['try_number']} of 4, saying")
    print(f"  {message}")
    print()
    as_promised = (
        (before, outcomes, after) == ("started", ["paused", "already_paused"], ["suspended", "suspended"])
        and (failed["state"], failed["try_number"]) == ("failed", 1)
        and "[0200007]" in message
    )
    print(f"{'As promised' if as_promised else 'NOT AS PROMISED'}, in {time.monotonic() - began:.0f} s.")
    print("Logs of the tasks are in .demo/logs. To click through it yourself: `make simulator` and `make airflow`.")
    return 0 if as_promised else 1


def state(campaign: Campaign, batch_id: str) -> str:
    """Return what the server knows of a batch."""
    return campaign.batches[batch_id].status.name.lower()


def last_error(log: list[dict[str, Any]]) -> str:
    """Return the message of the exception that ended a task."""
    errors = [detail["exc_value"] for event in log for detail in event.get("error_detail") or []]
    return errors[0] if errors else "no error in the log"


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    run_program(main)
