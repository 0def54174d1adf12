"""Campaigns as a whole, through real Airflow task runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow_runs import EXCEPTIONS, TaskRun, dag_file, publish, read_asset_event, run_dag

from airflow_provider_isales.client import ISalesArgumentError, ISalesBulkError
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

DRAFT, EXECUTING, SUSPENDED, COMPLETED = CampaignState
SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-18:00"]})
SetNow = Callable[[str], None]
ReadLog = Callable[[], str]


@pytest.fixture(autouse=True)
def campaigns(isales_simulator: Simulator, no_waiting: list[float]) -> dict[int, Campaign]:
    """Four campaigns, of which people have suspended the third."""
    for number, state in ((1, EXECUTING), (2, EXECUTING), (3, SUSPENDED), (9, EXECUTING)):
        isales_simulator.add_campaign(number, name=f"sale {number}", state=state, batches=1)
    return isales_simulator.service.campaigns


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> SetNow:
    """Set the time to one of Wednesday, the 25th, in Shanghai; the shifts end at 12:00 and 18:00."""

    def set_now(text: str) -> None:
        moment = pendulum.from_format(f"2026-11-25 {text}", "YYYY-MM-DD HH:mm:ss", tz="Asia/Shanghai")
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: moment.in_timezone("UTC"))

    set_now("18:00:02")
    return set_now


def run(name: str, conf: dict[str, Any] | None = None) -> TaskRun:
    (task_run,) = run_all(name, conf)
    return task_run


def run_all(name: str, conf: dict[str, Any] | None = None) -> list[TaskRun]:
    EXCEPTIONS.clear()
    return run_dag(getattr(dag_file("whole"), name), conf)["act"]


def started(campaigns: dict[int, Campaign]) -> list[int]:
    return [number for number, campaign in campaigns.items() if campaign.state is EXECUTING]


def test_every_started_campaign_is_paused_except_the_excluded(
    campaigns: dict[int, Campaign],
) -> None:
    assert run("pause").state == "success"
    assert started(campaigns) == [9]


def test_the_result_is_in_xcom() -> None:
    result = run("pause").xcom
    assert sorted(result.pop("paused")) == [1, 2]
    assert result.pop("names") == {"1": "sale 1", "2": "sale 2", "9": "sale 9"}
    assert result == {
        "vdn_id": 25,
        "already_paused": [],
        "not_running": [],
        "failed": {},
        "gone": [],
        "unknown": [],
        "not_tried": [],
        "excluded": [9],
        "begins_at": {},
        "confirmed_at": "2026-11-25T10:00:02.000+00:00",
    }


def test_the_result_is_in_xcom_also_when_the_task_fails(isales_simulator: Simulator) -> None:
    def refuse_one(verb: str, parameters: Any) -> None:
        if verb == "pause_campaign" and parameters["campaign_id"] == "1":
            isales_simulator.inject("result", verb="pause_campaign", code="09999999")

    isales_simulator.on_request = refuse_one
    task_run = run("pause")
    assert (task_run.state, task_run.tries) == ("failed", 2)
    assert (task_run.xcom["already_paused"], list(task_run.xcom["failed"])) == ([], ["1"])


def test_given_campaigns_are_resumed(campaigns: dict[int, Campaign]) -> None:
    campaigns[1].state = SUSPENDED
    result = run("resume").xcom
    assert (result["resumed"], result["already_started"], started(campaigns)) == ([1], [2], [1, 2, 9])


def test_a_pause_while_a_shift_is_on_skips(campaigns: dict[int, Campaign], now: SetNow) -> None:
    now("10:00:00")
    assert (run("kept").state, started(campaigns)) == ("skipped", [1, 2, 9])


def test_a_resume_outside_the_shifts_skips() -> None:
    assert run("morning").state == "skipped"


def test_the_result_says_how_long_after_the_shifts_end() -> None:
    result = run("kept").xcom
    assert (result["shift_end"], result["seconds_after_shift_end"]) == ("2026-11-25T18:00:00+08:00", 2.0)


class TestCampaignsThatAreStartedTooLongAfterTheShift:
    @pytest.fixture(autouse=True)
    def later(self, now: SetNow) -> None:
        now("22:10:00")

    def test_late_campaigns_are_paused_by_a_task_that_fails_for_good(self, campaigns: dict[int, Campaign]) -> None:
        task_run = run("kept")
        assert (task_run.state, task_run.tries, started(campaigns)) == ("failed", 1, [])

    def test_late_campaigns_are_in_the_result(self) -> None:
        assert run("kept").xcom["late"] == [1, 2, 9]

    def test_late_campaigns_are_named_in_the_message(self, campaigns: dict[int, Campaign]) -> None:
        campaigns[9].state = COMPLETED
        run("kept")
        (message,) = map(str, EXCEPTIONS)
        assert message.startswith("2 campaigns of VDN 25 were still started at 22:10 Asia/Shanghai, 4 h 10 min after ")
        assert sorted(message.rpartition("Campaigns: ")[2].rstrip(".").split(", ")) == ["1 (sale 1)", "2 (sale 2)"]


def test_a_campaign_that_begins_in_the_calendars_time_zone_before_the_next_shift_is_a_warning(
    campaigns: dict[int, Campaign], isales_simulator: Simulator, read_log: ReadLog
) -> None:
    campaigns[1].begin = "2026-11-25 20:00:00"
    isales_simulator.inject("result", verb="pause_campaign", code="0200011")
    task_run = run("evening_of_some", {"campaign_ids": [1]})
    assert (task_run.state, task_run.xcom["not_running"]) == ("success", [1])
    assert "Campaign 1 begins at 2026-11-25T20:00:00+08:00, outside the shifts" in " ".join(read_log().split())


@pytest.mark.parametrize("name", ["templated", "native"])
@pytest.mark.parametrize(
    ("conf", "left"),
    [
        ({"campaign_ids": "all"}, []),
        ({"campaign_ids": [1, "2"]}, [9]),
        ({"campaign_ids": "all", "exclude": ["1"]}, [1]),
    ],
)
def test_templates_give_the_campaigns(
    campaigns: dict[int, Campaign], name: str, conf: dict[str, Any], left: list[int]
) -> None:
    assert (run(name, conf).state, started(campaigns)) == ("success", left)


@pytest.mark.parametrize("given", [None, "some", "[1", {"1": 2}, 7])
def test_a_value_that_is_not_a_list_of_campaigns_fails_for_good(campaigns: dict[int, Campaign], given: Any) -> None:
    task_run = run("given", {"campaign_ids": given})
    assert (task_run.state, task_run.tries, started(campaigns)) == ("failed", 1, [1, 2, 9])
    assert "campaign_ids must be a list of campaign ids" in str(EXCEPTIONS)


@pytest.mark.parametrize("rendered", ["1 2", "None", "", "7"])
@pytest.mark.parametrize("name", ["campaign_ids", "exclude"])
def test_a_template_that_renders_no_list_fails_for_good_with_advice(
    campaigns: dict[int, Campaign], name: str, rendered: str
) -> None:
    task_run = run("templated", {"campaign_ids": "all", "exclude": [], name: rendered})
    assert (task_run.state, task_run.tries, started(campaigns)) == ("failed", 1, [1, 2, 9])
    assert f"{name} must be a list of campaign ids, not {rendered!r}. A template must render it as JSON" in str(
        EXCEPTIONS[0]
    )


def test_a_template_may_render_json(campaigns: dict[int, Campaign]) -> None:
    assert run("templated", {"campaign_ids": '["1", 2]', "exclude": '["2"]'}).xcom["paused"] == [1]
    assert started(campaigns) == [2, 9]


def test_a_rendered_all_is_not_resumed(campaigns: dict[int, Campaign]) -> None:
    assert (run("resume_templated").state, started(campaigns)) == ("failed", [1, 2, 9])
    assert "that would also resume campaigns that somebody suspended on purpose" in str(EXCEPTIONS)


def test_lists_of_campaigns_may_be_mapped(campaigns: dict[int, Campaign]) -> None:
    assert [task_run.xcom["paused"] for task_run in run_all("mapped")] == [[1], [2]]
    assert started(campaigns) == [9]


@pytest.mark.parametrize(
    ("operator", "arguments", "message"),
    [
        (PauseCampaignsOperator, {"campaign_ids": None}, "campaign_ids must be a list of campaign ids, or "),
        (PauseCampaignsOperator, {"campaign_ids": "remembered"}, "campaign_ids must be a list of campaign ids, or "),
        (PauseCampaignsOperator, {"campaign_ids": ["x"]}, "campaign_ids must be a positive integer, not 'x'"),
        (PauseCampaignsOperator, {"campaign_ids": iter([1])}, "campaign_ids must be a list, not <list_iterator object"),
        (PauseCampaignsOperator, {"exclude": iter([1])}, "exclude must be a list, not <list_iterator object"),
        (PauseCampaignsOperator, {"exclude": [0]}, "exclude must be a positive integer, not 0"),
        (PauseCampaignsOperator, {"exclude": 7}, "exclude must be a list of campaign ids, not 7"),
        (PauseCampaignsOperator, {"max_lateness": timedelta(0)}, "max_lateness requires shifts"),
        (PauseCampaignsOperator, {"max_parallel_requests": 0}, "max_parallel_requests must be an integer from 1 to 64"),
        (PauseCampaignsOperator, {"depends_on_past": True}, "depends_on_past and wait_for_downstream must be False"),
        (ResumeCampaignsOperator, {"campaign_ids": "all"}, 'campaign_ids must be a list of campaign ids, not "all": '),
        (ResumeCampaignsOperator, {"campaign_ids": [1], "missing_memory": "ask"}, "missing_memory must be "),
    ],
)
def test_wrong_campaign_options_are_an_error_at_parse_time(
    operator: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ISalesArgumentError) as caught, DAG("a_dag", schedule=None):
        operator(task_id="a_task", **arguments)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("operator", "more"), [(PauseCampaignsOperator, ["select", "hold"]), (ResumeCampaignsOperator, [])]
)
def test_the_documented_fields_are_templates(operator: Any, more: list[str]) -> None:
    assert [*operator.template_fields] == ["campaign_ids", "exclude", "vdn_id", "isales_conn_id", *more]


def test_a_killed_campaign_task_stops_sending(isales_simulator: Simulator) -> None:
    for number in range(100, 120):
        isales_simulator.add_campaign(number)
    operator = dag_file("whole").killed.get_task("act")
    isales_simulator.inject("delay", seconds=0.1, verb="pause_campaign", times=99)
    isales_simulator.on_request = lambda verb, parameters: operator.on_kill() if verb == "pause_campaign" else None
    with pytest.raises(ISalesBulkError, match="The client was stopped"):
        operator.execute({"ti": Mock()})
    assert isales_simulator.requests["pause_campaign"] < 20


def test_metrics_count_campaigns(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[str, Any] = {}
    stats = Mock(incr=lambda name, count, tags: counts.update({name: (count, tags)}))
    monkeypatch.setattr("airflow_provider_isales.support.metrics.Stats", stats)
    run("pause")
    assert counts["isales.campaigns.paused"] == (2, {"vdn_id": "25"})


def test_an_asset_has_the_result_in_its_event() -> None:
    publish("whole")
    run("with_evidence")
    extra = read_asset_event("whole_with_evidence")
    assert sorted(extra["paused"]) == [1, 2, 9]
