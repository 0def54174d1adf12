"""
Twenty campaigns paused over two Celery workers, one of which is killed in the middle.

Redis and PostgreSQL are real; the timeouts by which Airflow notices the loss are shorter than its defaults.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from processes import ProcessGroup, wait_for
from servers import postgresql, redis
from throwaway_airflow import ThrowawayAirflow

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Campaign, Simulator

HERE = Path(__file__).parent
CAMPAIGNS, BATCHES = range(1001, 1021), 10
KILL_AFTER = len(CAMPAIGNS) * BATCHES // 2
RUN_SECONDS = 300
SECRET_OF_THE_TEST = "so-that-all-components-trust-one-another-in-this-test"
DISTRIBUTED = {
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": "worker_name.worker_name",
    "AIRFLOW__API_AUTH__JWT_SECRET": SECRET_OF_THE_TEST,
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
    # Tasks that the lost worker had begun: it no longer reports that they are alive.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    # Tasks that it had fetched but not begun: the broker gives them to another worker.
    "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "20",
    "PYTHONPATH": str(HERE),
}


@dataclass(frozen=True)
class Aftermath:
    """The observations after the end of the run."""

    instances: list[dict[str, Any]]
    xcoms: list[dict[str, Any] | None]
    campaigns: dict[int, Campaign]
    lost: set[int]

    def started(self, campaign_id: int) -> list[str]:
        batches = self.campaigns[campaign_id].batches.values()
        return [batch.id for batch in batches if batch.status is BatchStatus.STARTED]


def those(instances: list[dict[str, Any]], state: str, worker: str) -> set[int]:
    return {each["map_index"] for each in instances if (each["state"], each["hostname"]) == (state, worker)}


def kill(worker: ProcessGroup) -> None:
    """Kill it as if its machine vanished: with all processes that run its tasks, in any process group."""
    first = psutil.Process(worker.pid)
    for process in [first, *first.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    home = tmp_path_factory.mktemp("distributed")
    with Simulator() as simulator, postgresql(home) as database, redis(home) as broker:
        campaigns = {each: simulator.add_campaign(each, batches=BATCHES) for each in CAMPAIGNS}
        simulator.inject("delay", seconds=0.4, verb="pause", times=999)
        environment = DISTRIBUTED | {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{database}",
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
        }
        components = ("api-server", "scheduler", "dag-processor")
        with ThrowawayAirflow(home / "airflow", HERE / "dags", environment, components=components) as airflow:
            workers = {name: start_worker(airflow, name) for name in ("worker-1", "worker-2")}
            run = airflow.trigger_dag("pause_twenty_campaigns", {})

            def in_the_middle() -> bool:
                instances = airflow.list_task_instances(run)
                both = those(instances, "running", "worker-1") and those(instances, "success", "worker-1")
                return bool(both) and simulator.requests.get("pause", 0) >= KILL_AFTER

            wait_for(in_the_middle, "the first worker to have done some tasks and to be at others")
            kill(workers["worker-1"])
            lost = those(airflow.list_task_instances(run), "running", "worker-1")
            instances = airflow.wait_for_run(run, RUN_SECONDS)
            found = Aftermath(instances, [airflow.get_xcom(each) for each in instances], campaigns, lost)
            report(found)
            yield found


def report(aftermath: Aftermath) -> None:
    """Print what came of it, which `make test-system` shows."""
    started = sum(len(aftermath.started(campaign_id)) for campaign_id in CAMPAIGNS)
    total = len(CAMPAIGNS) * BATCHES
    print(f"\n{total - started} of {total} batches suspended")
    for name, column in {"state": "state", "worker": "hostname", "tries": "try_number"}.items():
        values = Counter(each[column] for each in aftermath.instances)
        print(f"tasks by {name}: " + ", ".join(f"{value}: {number}" for value, number in sorted(values.items())))
    print(f"tasks that the lost worker was running: {len(aftermath.lost)}")


def start_worker(airflow: ThrowawayAirflow, name: str) -> ProcessGroup:
    return airflow.start(
        *("celery", "worker", "--skip-serve-logs", "--celery-hostname", name),
        environment={"WORKER_NAME": name},
        log=name,
    )


def test_both_workers_together_suspend_every_batch(aftermath: Aftermath) -> None:
    assert [batch_id for campaign_id in CAMPAIGNS for batch_id in aftermath.started(campaign_id)] == []


def test_every_task_succeeds_in_the_end(aftermath: Aftermath) -> None:
    assert [each["state"] for each in aftermath.instances] == ["success"] * len(CAMPAIGNS)


def test_no_distributed_task_reports_more_than_it_did(aftermath: Aftermath) -> None:
    untrue = [
        xcom
        for xcom in aftermath.xcoms
        if xcom is None or xcom["failed"] or aftermath.started(xcom["campaign_id"]) or len(xcom["paused"]) > BATCHES
    ]
    assert untrue == []


def test_both_workers_took_part(aftermath: Aftermath) -> None:
    assert {each["hostname"] for each in aftermath.instances} == {"worker-1", "worker-2"}


def test_the_other_worker_retries_the_task_of_a_lost_worker(aftermath: Aftermath) -> None:
    again = [each for each in aftermath.instances if each["map_index"] in aftermath.lost]
    assert {(each["hostname"], each["try_number"] > 1) for each in again} == {("worker-2", True)}
