"""Tasks for those whose names contain a text, through real Airflow task runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow_runs import EXCEPTIONS, TaskRun, dag_file, run_dag, start_airflow
from variables import delete_variable, read_variable, set_variable

from airflow_provider_isales.client import BatchStatus, ISalesArgumentError
from airflow_provider_isales.operators.call_batch import PauseCallBatchesOperator, ResumeCallBatchesOperator
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

MEMORY = "isales_paused_campaigns_isales_default_25"
EXECUTING = CampaignState.EXECUTING
ReadLog = Callable[[], str]


@pytest.fixture(autouse=True)
def campaigns(isales_simulator: Simulator, no_waiting: list[float]) -> dict[int, Campaign]:
    """Three campaigns; the first has a batch for each."""
    for number, name in enumerate(("sale 1", "Sale 2", "hotline"), 1):
        isales_simulator.add_campaign(number, name=name)
        isales_simulator.service.campaigns[1].add_batch(name)
    return isales_simulator.service.campaigns


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    start_airflow()
    delete_variable(MEMORY)
    yield
    delete_variable(MEMORY)


def run_all(name: str, conf: dict[str, Any] | None = None) -> list[TaskRun]:
    EXCEPTIONS.clear()
    return run_dag(getattr(dag_file("whole"), name), conf)["act"]


def run(name: str, conf: dict[str, Any] | None = None) -> TaskRun:
    (task_run,) = run_all(name, conf)
    return task_run


def started(campaigns: dict[int, Campaign]) -> list[int]:
    return [number for number, campaign in campaigns.items() if campaign.state is EXECUTING]


def started_batches(campaigns: dict[int, Campaign]) -> list[str]:
    return [batch.name for batch in campaigns[1].batches.values() if batch.status is BatchStatus.STARTED]


def test_the_result_says_which_names_matched(campaigns: dict[int, Campaign]) -> None:
    result = run("selected", {"select": "sale"}).xcom
    assert (sorted(result["paused"]), started(campaigns)) == ([1, 2], [3])
    assert result["matched"] == {"1": "sale 1", "2": "Sale 2"}


def test_each_mapped_task_may_have_a_name(campaigns: dict[int, Campaign]) -> None:
    assert [task_run.xcom["paused"] for task_run in run_all("select_mapped")] == [[1], [2]]
    assert started(campaigns) == [3]


@pytest.mark.parametrize("select", ["", " ", "sale*"])
def test_a_template_that_renders_to_no_part_of_a_name_pauses_nothing(
    campaigns: dict[int, Campaign], select: str
) -> None:
    task_run = run("selected", {"select": select})
    assert (task_run.state, task_run.tries, started(campaigns)) == ("failed", 1, [1, 2, 3])
    assert "select must " in str(EXCEPTIONS)


@pytest.mark.parametrize("select", [None, 2])
def test_a_template_that_does_not_render_text_pauses_nothing(campaigns: dict[int, Campaign], select: Any) -> None:
    task_run = run("native_select", {"select": select})
    assert (task_run.state, task_run.tries, started(campaigns)) == ("failed", 1, [1, 2, 3])
    assert f"select must be text of 1 to 255 characters, not {select}" in str(EXCEPTIONS)


def test_a_name_that_matches_nothing_is_a_warning(campaigns: dict[int, Campaign], read_log: ReadLog) -> None:
    task_run = run("selected", {"select": "evening"})
    assert (task_run.state, task_run.xcom["matched"], started(campaigns)) == ("success", {}, [1, 2, 3])
    assert "of VDN 25 whose names contain 'evening': no name matches" in " ".join(read_log().split())


def test_a_required_name_that_matches_nothing_fails_each_try() -> None:
    task_run = run("select_required")
    assert (task_run.state, task_run.tries, task_run.xcom["matched"]) == ("failed", 2, {})
    assert "No name matches. Compare select with the names of the campaigns in the console." in str(EXCEPTIONS[0])


def test_batches_are_paused_and_resumed_by_their_names(campaigns: dict[int, Campaign]) -> None:
    task_run = run("pause_selected_batches")
    assert (sorted(task_run.xcom["matched"].values()), started_batches(campaigns)) == (
        ["Sale 2", "sale 1"],
        ["hotline"],
    )
    run("resume_selected_batches")
    assert started_batches(campaigns) == ["Sale 2", "hotline"]


@pytest.mark.parametrize(
    ("operator", "arguments", "message"),
    [
        (PauseCampaignsOperator, {"select": ""}, "select must be text of 1 to 255 characters, not ''"),
        (PauseCampaignsOperator, {"select": "  "}, "select must be a part of names, not only spaces, not '  '"),
        (PauseCampaignsOperator, {"select": ["a"]}, "select must be text of 1 to 255 characters, not ['a']"),
        (PauseCampaignsOperator, {"select": "a*"}, "select must not contain *, as 'a*' does"),
        (
            PauseCampaignsOperator,
            {"select": "a", "campaign_ids": [1]},
            'with select, the ids must be "all", not [1]',
        ),
        (PauseCampaignsOperator, {"select_required": True}, "select_required requires select"),
        (
            PauseCallBatchesOperator,
            {"select": "a", "campaign_id": 1, "batch_ids": ["1"]},
            "with select, the ids must be \"all\", not ['1']",
        ),
        (
            ResumeCallBatchesOperator,
            {"select": "a", "campaign_id": 1, "batch_ids": "remembered"},
            "with select, the ids must be \"all\", not 'remembered'",
        ),
    ],
)
def test_wrong_select_options_are_an_error_at_parse_time(
    operator: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ISalesArgumentError) as caught, DAG("a_dag", schedule=None):
        operator(task_id="a_task", **arguments)
    assert str(caught.value) == message


class TestWithAMemory:
    """The pause at the end of the shift has paused the campaigns that are called a sale."""

    @pytest.fixture(autouse=True)
    def evening(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set_now(monkeypatch, "18:00:02")
        assert run("evening_of_sales").state == "success"
        self.set_now(monkeypatch, "18:03:00")

    def set_now(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        moment = pendulum.parse(f"2026-11-25T{text}+08:00").in_timezone("UTC")  # type: ignore[union-attr]
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: moment)

    def test_only_what_was_selected_is_remembered(self) -> None:
        assert sorted(read_variable(MEMORY)["campaigns"]) == [1, 2]

    def test_a_matching_campaign_created_later_is_paused_and_not_remembered(
        self, campaigns: dict[int, Campaign], isales_simulator: Simulator
    ) -> None:
        isales_simulator.add_campaign(4, name="sale 4")
        assert run("evening_of_sales").xcom["paused"] == [4]
        assert sorted(read_variable(MEMORY)["campaigns"]) == [1, 2]

    def test_a_pause_of_all_remembers_what_was_not_selected(self) -> None:
        assert run("evening").xcom["paused"] == [3]
        assert sorted(read_variable(MEMORY)["campaigns"]) == [1, 2, 3]

    def test_a_pause_of_all_does_not_remember_a_match_that_was_started_later(
        self, campaigns: dict[int, Campaign]
    ) -> None:
        edited = read_variable(MEMORY) | {"campaigns": []}
        set_variable(MEMORY, json.dumps(edited))
        campaigns[1].state = EXECUTING
        run("evening")
        assert read_variable(MEMORY)["campaigns"] == [3]
