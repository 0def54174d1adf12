"""
What can share one whole Airflow, because to start one takes longer than what most of these tests do.

- What tells people that something is wrong, and what tells them later that nothing was.
- A run that hangs: it ends, somebody learns of it, and the next run comes all the same.
- Tasks that are killed, by SIGKILL, while they remember what they pause or resume what is remembered; two at once. At
  the steps that matter most; with ``EVERY_STEP=1``, at each. Airflow's next try has to bring all to a good end: what
  people had suspended before stays suspended.

The shift of the run that hangs ended in the minute in which the Airflow started. Its DAG repeats its pause every
minute, whatever the other tests do meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browser import browser
from playwright.sync_api import expect
from processes import wait_for
from shared_airflow import Shared, shared_airflow
from throwaway_airflow import ThrowawayAirflow

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

ALARM_SECONDS = 180
REFUSED = "0200001"
# The campaigns of three DAGs.
END_OF_SHIFT, WITH_EVIDENCE, HELD = 1003, 1002, 1004
NOT_DONE, FAILED = "end_of_shift is not done", "end_of_shift failed"
MEMORY = "variables/isales_paused_isales_killed_25_7"
KILLED_AND_TRIED_AGAIN = ("success", 2)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared_airflow(tmp_path_factory.mktemp("shared")) as shared:
        yield shared


@dataclass(frozen=True)
class Alarms:
    """The alarms about a run whose task did not start in time, and about two later ones, by run id."""

    states_when_told: list[str | None]
    late: str
    in_time: str
    failed_in_time: str
    not_done: list[str]
    failures: list[str]


@pytest.fixture(scope="module")
def alarms(shared: Shared) -> Alarms:
    airflow, mails = shared.airflow, shared.mails
    shared.simulator.add_campaign(END_OF_SHIFT, batches=2)
    late = run_that_does_not_start(airflow)
    wait_for(lambda: mails.contents(NOT_DONE), f"a mail: {NOT_DONE}", ALARM_SECONDS)
    states = [each["state"] for each in airflow.list_task_instances(late)]
    set_slots(airflow, 4)
    airflow.wait_for_run(late)
    in_time = airflow.trigger_dag("end_of_shift", {})
    airflow.wait_for_run(in_time)
    shared.simulator.inject("result", code=REFUSED, verb="list_campaigns")
    failed_in_time = airflow.trigger_dag("end_of_shift", {})
    airflow.wait_for_run(failed_in_time)
    wait_for(lambda: len(mails.contents(NOT_DONE)) > 1, f"a second mail: {NOT_DONE}", ALARM_SECONDS)
    late, in_time, failed_in_time = (run.rpartition("/")[2] for run in (late, in_time, failed_in_time))
    return Alarms(states, late, in_time, failed_in_time, mails.contents(NOT_DONE), mails.contents(FAILED))


def run_that_does_not_start(airflow: ThrowawayAirflow) -> str:
    """Unpause the DAG while no task may run; return the run that it has for the last end of a shift."""
    set_slots(airflow, 0)
    wait_for(lambda: airflow.api("GET", "dags/end_of_shift").ok, "the DAG")
    airflow.api("PATCH", "dags/end_of_shift", json={"is_paused": False}).raise_for_status()
    wait_for(lambda: airflow.list_runs("end_of_shift"), "a run")
    return f"dags/end_of_shift/dagRuns/{airflow.list_runs('end_of_shift')[0]['dag_run_id']}"


def set_slots(airflow: ThrowawayAirflow, slots: int) -> None:
    pool = {"slots": slots}
    airflow.api("PATCH", "pools/default_pool", params={"update_mask": "slots"}, json=pool).raise_for_status()


class TestARunThatIsNotDoneInTime:
    def test_a_late_run_is_reported_before_its_task_starts(self, alarms: Alarms) -> None:
        assert not {*alarms.states_when_told} - {None, "scheduled"}

    def test_the_alarm_names_the_late_run(self, alarms: Alarms) -> None:
        assert alarms.late in alarms.not_done[0]

    def test_a_late_run_is_reported_once(self, alarms: Alarms) -> None:
        assert len([content for content in alarms.not_done if alarms.late in content]) == 1


def test_a_run_that_is_done_in_time_is_not_reported(alarms: Alarms) -> None:
    assert not any(alarms.in_time in content for content in alarms.not_done)


def test_a_run_that_failed_in_time_counts_as_not_done(alarms: Alarms) -> None:
    assert alarms.failed_in_time in alarms.not_done[1]


def test_a_stray_campaign_is_reported_with_the_reason(alarms: Alarms) -> None:
    assert alarms.failures[0].startswith("1 campaign of VDN ")


def test_a_failed_pause_is_reported_with_the_reason(alarms: Alarms) -> None:
    assert f"[{REFUSED}] parameter error" in alarms.failures[1]


@dataclass(frozen=True)
class Evidence:
    """The evidence after a run that succeeded and one that failed."""

    xcom: Any
    events: list[dict[str, Any]]
    metrics: list[str]
    runs: list[dict[str, Any]]


@pytest.fixture(scope="module")
def evidence(shared: Shared) -> Evidence:
    airflow = shared.airflow
    shared.metrics.received()  # those of other tests
    shared.simulator.add_campaign(WITH_EVIDENCE, batches=3)
    wait_for(lambda: airflow.api("GET", "dags/pause_with_evidence").ok, "the DAG")
    airflow.api("PATCH", "dags/pause_with_evidence", json={"is_paused": False}).raise_for_status()
    (instance,) = airflow.run_dag("pause_with_evidence", {})
    shared.simulator.inject("result", code=REFUSED, verb="list_campaigns")
    airflow.run_dag("pause_with_evidence", {})
    selected = {"source_dag_id": "pause_with_evidence"}
    events = airflow.api("GET", "assets/events", params=selected).json()["asset_events"]
    return Evidence(
        airflow.get_xcom(instance), events, shared.metrics.received(), airflow.list_runs("pause_with_evidence")
    )


def test_the_metrics_of_a_worker_reach_the_server(evidence: Evidence) -> None:
    assert "airflow.isales.campaigns.paused:1|c" in evidence.metrics


class TestTheEventOfAnAsset:
    def test_an_asset_event_holds_the_result_of_the_task(self, evidence: Evidence) -> None:
        assert evidence.events[0]["extra"] == evidence.xcom

    def test_an_asset_event_has_the_seconds_after_the_shift_end(self, evidence: Evidence) -> None:
        assert 0 < evidence.events[0]["extra"]["seconds_after_shift_end"] < 120

    def test_an_asset_event_names_the_campaigns(self, evidence: Evidence) -> None:
        assert evidence.events[0]["extra"]["paused"] == [WITH_EVIDENCE]

    def test_a_failed_task_has_no_asset_event(self, evidence: Evidence) -> None:
        assert (len(evidence.runs), len(evidence.events)) == (2, 1)

    def test_an_asset_event_is_shown_on_the_page_of_the_asset(
        self, shared: Shared, evidence: Evidence, pictures: Path
    ) -> None:
        with browser(shared.airflow.url) as page:
            page.set_viewport_size({"width": 1700, "height": 800})  # so that a line of the event is whole
            page.goto(f"/assets/{evidence.events[0]['asset_id']}")
            page.locator(".codicon-folding-collapsed").click()
            expect(page.get_by_text("seconds_after_shift_end")).to_be_visible()
            page.screenshot(path=pictures / "asset-event.png", animations="disabled")


@dataclass(frozen=True)
class Blocked:
    """The observations of a DAG whose runs hang."""

    runs: list[dict[str, Any]]
    task_state: str
    alerts: list[str]
    is_paused: bool


@pytest.fixture(scope="module")
def blocked(shared: Shared) -> Blocked:
    airflow, alerts = shared.airflow, shared.dags / "alerts.txt"
    wait_for(lambda: [run["state"] for run in airflow.list_runs("blocked")][:2] == ["failed"] * 2, "two runs", 240)
    wait_for(lambda: alerts.exists() and len(alerts.read_text().splitlines()) > 1, "two alerts")
    runs = airflow.list_runs("blocked")
    (instance,) = airflow.list_task_instances(f"dags/blocked/dagRuns/{runs[0]['dag_run_id']}")
    is_paused = airflow.api("GET", "dags/blocked").json()["is_paused"]
    return Blocked(runs, instance["state"], alerts.read_text().splitlines(), is_paused)


def test_a_run_that_hangs_ends_and_the_next_one_begins(blocked: Blocked) -> None:
    assert blocked.runs[0]["end_date"] <= blocked.runs[1]["start_date"]


def test_only_the_callback_of_the_dag_reports_a_run_that_hangs(blocked: Blocked) -> None:
    assert (blocked.task_state, {*blocked.alerts}) == ("skipped", {"timed_out"})


def test_red_runs_do_not_pause_the_dag(blocked: Blocked) -> None:
    assert not blocked.is_paused


def run_with_hold(shared: Shared, hold: str) -> tuple[str, CampaignState]:
    """Write a hold into its Variable, and run the DAG; return how its task ended, and the campaign's state then."""
    airflow = shared.airflow
    airflow.api("DELETE", "variables/isales_hold")
    airflow.api("POST", "variables", json={"key": "isales_hold", "value": hold}).raise_for_status()
    campaign = shared.simulator.add_campaign(HELD, batches=1)
    (instance,) = airflow.run_dag("held", {})
    return instance["state"], campaign.state


def test_a_variable_holds_a_pause_back_until_its_time(shared: Shared) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert run_with_hold(shared, json.dumps({"until": until})) == ("skipped", CampaignState.EXECUTING)


def test_a_wrong_variable_holds_nothing_back_and_is_red(shared: Shared) -> None:
    assert run_with_hold(shared, '{"until": "tonight"}') == ("failed", CampaignState.SUSPENDED)


@pytest.fixture(scope="module")
def own_simulator(shared: Shared) -> Iterator[Simulator]:
    """A simulator of its own."""
    with Simulator() as simulator:
        connection = json.loads(simulator.connection(timeout=60))
        extra = json.dumps(connection["extra"])
        made = shared.airflow.api(
            "POST", "connections", json={**connection, "connection_id": "isales_killed", "extra": extra}
        )
        assert made.ok, made.text
        yield simulator


@pytest.fixture
def simulator(shared: Shared, own_simulator: Simulator) -> Simulator:
    """The simulator as new; nothing is remembered."""
    shared.airflow.api("DELETE", MEMORY)
    own_simulator.reset()
    return own_simulator


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    """Three batches, of which people have suspended the second."""
    campaign = simulator.add_campaign(7, batches=3)
    campaign.set_status(list(campaign.batches)[1], BatchStatus.SUSPENDED)
    return campaign


def kill_at(shared: Shared, simulator: Simulator, verb: str, number: int) -> None:
    """Kill the task that is about to run when it sends the so-and-so-many-th request of a kind."""
    seen = Counter[str]()

    def kill(sent: str, body: Any) -> None:
        seen[sent] += 1
        if (sent, seen[sent]) == (verb, number):
            os.kill(int((shared.dags / "process").read_text()), signal.SIGKILL)
            simulator.on_request = None

    simulator.on_request = kill


def run(shared: Shared, dag_id: str) -> tuple[str, int]:
    """Run a DAG; return how its task ended, and at which try."""
    (instance,) = shared.airflow.run_dag(dag_id, {})
    return instance["state"], instance["try_number"]


def remembered(shared: Shared) -> list[str]:
    memory = json.loads(shared.airflow.api("GET", MEMORY).json()["value"])
    return sorted(memory["batches"])


def steps(*usual: tuple[str, int], more: list[tuple[str, int]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("verb", "number"), [*usual, *(more if os.environ.get("EVERY_STEP") else [])])


def statuses(campaign: Campaign) -> list[str]:
    return [batch.status.name.lower() for batch in campaign.batches.values()]


@steps(("pause", 1), ("list", 2), more=[("list", 1), ("pause", 2)])
def test_a_retry_after_a_killed_pause_remembers_all_that_both_paused(
    campaign: Campaign, shared: Shared, simulator: Simulator, verb: str, number: int
) -> None:
    first, _, third = campaign.batches
    kill_at(shared, simulator, verb, number)
    assert run(shared, "remembering_pause") == KILLED_AND_TRIED_AGAIN
    assert (statuses(campaign), remembered(shared)) == (["suspended"] * 3, [first, third])


@steps(("resume", 1), ("list", 2), more=[("list", 1)])
def test_a_retry_after_a_killed_resume_resumes_only_the_rest(
    campaign: Campaign, shared: Shared, simulator: Simulator, verb: str, number: int
) -> None:
    run(shared, "remembering_pause")
    kill_at(shared, simulator, verb, number)
    assert run(shared, "remembered_resume") == KILLED_AND_TRIED_AGAIN
    assert (statuses(campaign), remembered(shared)) == (["started", "suspended", "started"], [])


def test_two_simultaneous_pauses_remember_what_either_paused(shared: Shared, simulator: Simulator) -> None:
    campaign = simulator.add_campaign(7, batches=8)
    simulator.inject("delay", seconds=12.0, verb="pause", times=99)  # in which the later task begins, too
    runs = [
        shared.airflow.trigger_dag(dag_id, {}) for dag_id in ("remembering_pause", "remembering_pause_of_another_dag")
    ]
    assert [instance["state"] for run in runs for instance in shared.airflow.wait_for_run(run)] == ["success"] * 2
    assert simulator.requests["pause"] == 2 * len(campaign.batches), "both found all of them started"
    assert remembered(shared) == list(campaign.batches)
