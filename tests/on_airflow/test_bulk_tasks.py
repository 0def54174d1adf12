"""Whole campaigns at once, through real Airflow task runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from airflow_runs import EXCEPTIONS, TaskRun, dag_file, run_dag

from airflow_provider_isales.client import BatchStatus, ISalesBulkError
from airflow_provider_isales.simulator import Campaign, Simulator

ABSENT = "404404404404404404404404404404"


@pytest.fixture
def campaign(isales_simulator: Simulator) -> Campaign:
    return isales_simulator.add_campaign(7, batches=30)


def run(name: str, conf: dict[str, object] | None = None) -> tuple[list[TaskRun], list[str]]:
    """Run a DAG; return its runs of the task ``act``, and the messages of their failures."""
    EXCEPTIONS.clear()
    runs = run_dag(getattr(dag_file("bulk"), name), conf)["act"]
    return runs, [str(error) for error in EXCEPTIONS]


def started(campaign: Campaign) -> list[str]:
    return [batch.id for batch in campaign.batches.values() if batch.status is BatchStatus.STARTED]


def test_a_whole_campaign_is_paused_and_the_summary_is_in_xcom(campaign: Campaign) -> None:
    ((task_run,), _) = run("pause_all")
    summary = task_run.xcom
    assert task_run.state == "success"
    assert sorted(summary.pop("paused")) == list(campaign.batches)
    assert datetime.fromisoformat(summary.pop("confirmed_at")).utcoffset() == timedelta(0)
    assert started(campaign) == []
    assert summary == {
        "vdn_id": 25,
        "campaign_id": 7,
        "already_paused": [],
        "failed": {},
        "gone": [],
        "unknown": [],
        "not_tried": [],
        "excluded": [],
    }


def test_a_whole_campaign_is_resumed(campaign: Campaign) -> None:
    run("pause_all")
    ((task_run,), _) = run("resume_all")
    assert sorted(task_run.xcom["resumed"]) == list(campaign.batches)
    assert started(campaign) == list(campaign.batches)


def test_given_batches_may_come_from_another_task(campaign: Campaign) -> None:
    given = list(campaign.batches)[:3]
    ((task_run,), _) = run("pause_given", {"batch_ids": given})
    assert sorted(task_run.xcom["paused"]) == given


def test_an_empty_list_from_another_task_pauses_nothing(campaign: Campaign) -> None:
    ((task_run,), _) = run("pause_given", {"batch_ids": []})
    assert task_run.state == "success"
    assert len(started(campaign)) == 30


def test_none_from_another_task_does_not_mean_all(campaign: Campaign) -> None:
    ((task_run,), messages) = run("pause_given", {"batch_ids": None})
    assert task_run.state == "failed"
    assert task_run.tries == 1
    assert len(started(campaign)) == 30
    assert messages[0].startswith(
        'batch_ids must be a list of batch ids, or "all" for every batch of the campaign, not None'
    )


@pytest.mark.parametrize("write", [str, json.dumps], ids=["Python", "JSON"])
def test_templates_may_render_batches_and_excluded_ones(campaign: Campaign, write: Callable[[object], str]) -> None:
    first, second, third, *_ = campaign.batches
    ((task_run,), _) = run("pause_rendered", {"batch_ids": write([first, second]), "exclude": write([second])})
    assert task_run.xcom["paused"] == [first]
    ((task_run,), _) = run("pause_rendered", {"batch_ids": "all", "exclude": write([third])})
    assert started(campaign) == [third]


@pytest.mark.parametrize("name", ["batch_ids", "exclude"])
@pytest.mark.parametrize("rendered", ["None", "", ABSENT, f"[{ABSENT!r}"])
def test_a_template_that_renders_no_list_fails_for_good_with_advice(
    campaign: Campaign, name: str, rendered: str
) -> None:
    ((task_run,), messages) = run("pause_rendered", {"batch_ids": "all", "exclude": [], name: rendered})
    assert (task_run.state, task_run.tries, len(started(campaign))) == ("failed", 1, 30)
    assert messages[0].startswith(f"{name} must be a list of batch ids, not {rendered!r}. A template must render it")


def test_the_summary_is_in_xcom_even_when_the_task_fails(campaign: Campaign) -> None:
    ((task_run,), messages) = run("pause_given", {"batch_ids": [ABSENT, *campaign.batches]})
    assert task_run.state == "failed"
    assert len(task_run.xcom["paused"]) == 30
    assert list(task_run.xcom["failed"]) == [ABSENT]
    assert "30 paused, 1 failed. 1 of them, 404" in messages[0]


def test_a_transient_failure_is_retried(
    campaign: Campaign, isales_simulator: Simulator, no_waiting: list[float]
) -> None:
    isales_simulator.inject("result", code="09999999", verb="pause", times=60)
    ((task_run,), messages) = run("pause_all")
    assert task_run.state == "success"
    assert task_run.tries == 2
    assert len(messages) == 1


def test_campaigns_are_paused_by_mapped_tasks(campaign: Campaign, isales_simulator: Simulator) -> None:
    others = [isales_simulator.add_campaign(campaign_id, batches=5) for campaign_id in (8, 9)]
    runs, _ = run("pause_mapped")
    assert [(task_run.xcom["campaign_id"], len(task_run.xcom["paused"])) for task_run in runs] == [
        (7, 30),
        (8, 5),
        (9, 5),
    ]
    assert [started(each) for each in (campaign, *others)] == [[], [], []]


def test_none_in_a_mapped_list_does_not_mean_all(campaign: Campaign) -> None:
    runs, _ = run("pause_mapped_ids", {"batch_ids": [list(campaign.batches)[:1], None]})
    assert [task_run.state for task_run in runs] == ["success", "failed"]
    assert len(started(campaign)) == 29


def test_a_pause_skips_while_a_shift_is_on(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monday = datetime(2026, 11, 23, 10, tzinfo=UTC)
    monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: monday)
    ((task_run,), _) = run("guarded_pause")
    assert task_run.state == "skipped"
    assert len(started(campaign)) == 30


def test_a_task_that_times_out_stops_sending_and_logs_its_progress(
    campaign: Campaign, isales_simulator: Simulator, read_log: Callable[[], str]
) -> None:
    pytest.importorskip("airflow.sdk", reason="dag.test() of Airflow 2 does not survive a task's timeout")
    isales_simulator.inject("delay", seconds=1.0, verb="pause", times=999)
    ((task_run,), _) = run("pause_in_no_time")
    sent = isales_simulator.requests["pause"]
    time.sleep(1.1)
    assert task_run.state == "failed"
    assert isales_simulator.requests["pause"] - sent == 0
    assert len(task_run.xcom["paused"]) > 0
    assert len(task_run.xcom["not_tried"]) > 0
    assert "Pausing the call batches of campaign 7 (VDN 25) was interrupted: " in read_log()


def test_a_killed_batch_task_stops_sending(campaign: Campaign, isales_simulator: Simulator) -> None:
    operator = dag_file("bulk").pause_all.get_task("act")
    isales_simulator.inject("delay", seconds=0.1, verb="pause", times=999)
    isales_simulator.on_request = lambda verb, body: operator.on_kill() if verb == "pause" else None
    with pytest.raises(ISalesBulkError, match="The client was stopped"):
        operator.execute({"ti": Mock()})
    assert isales_simulator.requests["pause"] < 30
