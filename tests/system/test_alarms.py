"""What tells people that something is wrong, and what tells them later that nothing was, on a whole Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser import browser
from playwright.sync_api import expect
from processes import wait_for
from smtp_listener import MailServer, mail_server
from statsd_listener import StatsdServer, statsd_server
from throwaway_airflow import ThrowawayAirflow

from airflow_provider_isales.simulator import Campaign, Simulator

ALARM_SECONDS = 60
NOT_DONE, FAILED = "end_of_shift is not done", "end_of_shift failed"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServer]:
    with mail_server() as mails:
        yield mails


@pytest.fixture(scope="module")
def metrics() -> Iterator[StatsdServer]:
    with statsd_server() as metrics:
        yield metrics


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, simulator: Simulator, mails: MailServer, metrics: StatsdServer
) -> Iterator[ThrowawayAirflow]:
    environment = {
        "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
        "AIRFLOW_CONN_SMTP_DEFAULT": mails.connection,
        **metrics.settings,
    }
    home = tmp_path_factory.mktemp("airflow") / "home"
    with ThrowawayAirflow(home, Path(__file__).parent / "alarm_dags", environment) as airflow:
        yield airflow


@dataclass(frozen=True)
class Alarms:
    """What was told of a run whose task did not start for long, and of two later ones; the runs by their ids."""

    states_when_told: list[str | None]
    late: str
    in_time: str
    failed_in_time: str
    not_done: list[str]
    failures: list[str]


@pytest.fixture(scope="module")
def alarms(airflow: ThrowawayAirflow, simulator: Simulator, mails: MailServer) -> Alarms:
    simulator.add_campaign(1001, batches=2)
    late = run_that_does_not_start(airflow)
    wait_for(lambda: mails.contents(NOT_DONE), f"a mail: {NOT_DONE}", ALARM_SECONDS)
    states = [each["state"] for each in airflow.task_instances(late)]
    set_slots(airflow, 4)
    airflow.finish(late)
    in_time = airflow.trigger("end_of_shift", {})
    airflow.finish(in_time)
    simulator.inject("result", verb="list", code="0200007")
    failed_in_time = airflow.trigger("end_of_shift", {})
    airflow.finish(failed_in_time)
    wait_for(lambda: len(mails.contents(NOT_DONE)) > 1, f"a second mail: {NOT_DONE}", ALARM_SECONDS)
    late, in_time, failed_in_time = (run.rpartition("/")[2] for run in (late, in_time, failed_in_time))
    return Alarms(states, late, in_time, failed_in_time, mails.contents(NOT_DONE), mails.contents(FAILED))


def run_that_does_not_start(airflow: ThrowawayAirflow) -> str:
    """Unpause the DAG while no task may run; return the run that it has for the last end of a shift."""
    set_slots(airflow, 0)
    wait_for(lambda: airflow.api("GET", "dags/end_of_shift").ok, "the DAG")
    airflow.api("PATCH", "dags/end_of_shift", json={"is_paused": False}).raise_for_status()
    wait_for(lambda: runs_of(airflow, "end_of_shift"), "a run")
    return f"dags/end_of_shift/dagRuns/{runs_of(airflow, 'end_of_shift')[0]}"


def runs_of(airflow: ThrowawayAirflow, dag_id: str) -> list[str]:
    return [run["dag_run_id"] for run in airflow.api("GET", f"dags/{dag_id}/dagRuns").json()["dag_runs"]]


def set_slots(airflow: ThrowawayAirflow, slots: int) -> None:
    pool = {"slots": slots}
    airflow.api("PATCH", "pools/default_pool", params={"update_mask": "slots"}, json=pool).raise_for_status()


class TestARunThatIsNotDoneInTime:
    def test_is_told_before_its_task_starts(self, alarms: Alarms) -> None:
        assert not {*alarms.states_when_told} - {None, "scheduled"}

    def test_is_named(self, alarms: Alarms) -> None:
        assert alarms.late in alarms.not_done[0]

    def test_is_told_once(self, alarms: Alarms) -> None:
        assert len([content for content in alarms.not_done if alarms.late in content]) == 1


def test_a_run_that_is_done_in_time_is_not_told(alarms: Alarms) -> None:
    assert not any(alarms.in_time in content for content in alarms.not_done)


def test_a_run_that_failed_in_time_counts_as_not_done(alarms: Alarms) -> None:
    assert alarms.failed_in_time in alarms.not_done[1]


def test_stray_batches_are_told_with_the_reason(alarms: Alarms) -> None:
    assert alarms.failures[0].startswith("2 batches of campaign ")


def test_a_pause_that_failed_is_told_with_the_reason(alarms: Alarms) -> None:
    assert "[0200007] the outbound campaign does not exist" in alarms.failures[1]


@dataclass(frozen=True)
class Evidence:
    """What there was after a run that succeeded and one that failed."""

    campaign: Campaign
    xcom: Any
    events: list[dict[str, Any]]
    metrics: list[str]
    runs: list[str]


@pytest.fixture(scope="module")
def evidence(airflow: ThrowawayAirflow, simulator: Simulator, metrics: StatsdServer) -> Evidence:
    metrics.received()  # those of other tests
    campaign = simulator.add_campaign(1002, batches=3)
    wait_for(lambda: airflow.api("GET", "dags/pause_with_evidence").ok, "the DAG")
    airflow.api("PATCH", "dags/pause_with_evidence", json={"is_paused": False}).raise_for_status()
    (instance,) = airflow.run("pause_with_evidence", {})
    simulator.inject("result", verb="list", code="0200007")
    airflow.run("pause_with_evidence", {})
    selected = {"source_dag_id": "pause_with_evidence"}
    events = airflow.api("GET", "assets/events", params=selected).json()["asset_events"]
    runs = runs_of(airflow, "pause_with_evidence")
    return Evidence(campaign, airflow.xcom(instance), events, metrics.received(), runs)


def test_the_metrics_of_a_worker_reach_the_server(evidence: Evidence) -> None:
    assert "airflow.isales.batches.paused:3|c" in evidence.metrics


class TestTheEventOfAnAsset:
    def test_holds_what_the_task_returned(self, evidence: Evidence) -> None:
        assert evidence.events[0]["extra"] == evidence.xcom

    def test_says_how_long_after_the_end_of_the_shift_it_was(self, evidence: Evidence) -> None:
        assert 0 < evidence.events[0]["extra"]["seconds_after_shift_end"] < 2 * ALARM_SECONDS

    def test_names_the_batches(self, evidence: Evidence) -> None:
        assert sorted(evidence.events[0]["extra"]["paused"]) == sorted(evidence.campaign.batches)

    def test_is_not_there_for_a_task_that_failed(self, evidence: Evidence) -> None:
        assert (len(evidence.runs), len(evidence.events)) == (2, 1)

    def test_is_shown_on_the_page_of_the_asset(
        self, airflow: ThrowawayAirflow, evidence: Evidence, pictures: Path
    ) -> None:
        with browser(airflow.url) as page:
            page.set_viewport_size({"width": 1700, "height": 800})  # so that a line of the event is whole
            page.goto(f"/assets/{evidence.events[0]['asset_id']}")
            page.locator(".codicon-folding-collapsed").click()
            expect(page.get_by_text("seconds_after_shift_end")).to_be_visible()
            page.screenshot(path=pictures / "asset-event.png", animations="disabled")
