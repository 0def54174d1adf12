"""Every example DAG runs as it stands, on a real Airflow, against the simulator."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pendulum
import pytest
from airflow_runs import TaskRun, dag_file, dags_in, publish, read_dags, run_dag

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator
from airflow_provider_isales.support.checks import NEVER

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted(file.stem for file in (REPOSITORY / "example_dags").glob("*.py"))
WEDNESDAY = pendulum.datetime(2026, 1, 7, tz="Asia/Shanghai")
NEXT_MORNING = 24 + 9
SetHour = Callable[[float], None]


@pytest.fixture
def campaign(isales_simulator: Simulator, no_waiting: list[float]) -> Campaign:
    return isales_simulator.add_campaign(1001, batches=3)


def example(name: str, dag_id: str = "") -> Any:
    return dags_in(dag_file(name))[dag_id or f"isales_{name}"]


def outcomes(runs: dict[str, list[TaskRun]], task_id: str) -> list[str]:
    return [run.xcom["outcome"] if run.state == "success" else run.state for run in runs[task_id]]


def statuses(campaign: Campaign) -> list[str]:
    return [batch.status.name.lower() for batch in campaign.batches.values()]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_says_what_it_does_and_names_its_dags_after_itself(name: str) -> None:
    module = dag_file(name)
    assert bool(module.__doc__)
    assert all(dag_id.startswith(f"isales_{name}") for dag_id in dags_in(module))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_leads_the_person_on_call_to_the_right_page(name: str) -> None:
    for dag in dags_in(dag_file(name)).values():
        assert "People may be called" in dag.doc_md
        assert "docs/on-call.md" in dag.doc_md


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_is_paused_after_red_runs_or_unpaused_on_creation(name: str) -> None:
    for dag in dags_in(dag_file(name)).values():
        assert (dag.max_consecutive_failed_dag_runs, dag.is_paused_upon_creation) == (NEVER, True)


def examples_that_repeat() -> dict[str, Any]:
    found = {dag_id: dag for name in EXAMPLES for dag_id, dag in dags_in(dag_file(name)).items()}
    return {dag_id: dag for dag_id, dag in found.items() if getattr(dag.timetable, "repeat", None)}


def test_a_run_that_hangs_ends_and_is_reported_in_every_example_that_repeats() -> None:
    repeating = examples_that_repeat()
    assert sorted(repeating) == ["isales_evening_to_morning_pause", "isales_keep_paused"]
    for dag in repeating.values():
        assert timedelta(0) < dag.dagrun_timeout <= timedelta(minutes=30)
        assert dag.on_failure_callback


@pytest.mark.parametrize("context", [{"reason": "timed_out"}, {"exception": ValueError("why")}])
def test_the_alert_of_an_example_needs_nothing_that_airflow_may_leave_out(
    context: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    for dag in examples_that_repeat().values():
        caplog.clear()
        dag.on_failure_callback({"run_id": "scheduled__1", **context})
        assert "scheduled__1: " + str(*context.values()) in caplog.text


def test_the_dag_of_the_readme_is_the_example_from_evening_to_morning() -> None:
    example = (REPOSITORY / "example_dags" / "evening_to_morning.py").read_text()
    code = example.partition('"""\n\nimport ')[2]
    assert f"```python\nimport {code}```" in (REPOSITORY / "README.md").read_text()


DAGS_IN_DOCS = {
    f"{page.name}: {block.partition(chr(10))[0]}": block
    for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    if "DAG(" in block and "schedule=" in block and "schedule=None" not in block
}


@pytest.mark.parametrize("block", DAGS_IN_DOCS.values(), ids=DAGS_IN_DOCS)
def test_no_dag_in_the_docs_is_switched_off_by_airflow_after_red_runs(block: str) -> None:
    assert re.search(rf"max_consecutive_failed_dag_runs(=|\": ){NEVER:_}\b", block)


def test_one_batch_is_paused_and_a_second_run_does_no_harm(campaign: Campaign) -> None:
    dag = example("pause_one_batch")
    assert [outcomes(run_dag(dag), "pause") for _ in range(2)] == [["paused"], ["already_paused"]]


def test_a_mapped_list_of_batches_is_paused(campaign: Campaign) -> None:
    runs = run_dag(example("pause_mapped_batches"))
    assert outcomes(runs, "pause") == ["paused", "paused"]
    assert statuses(campaign) == ["suspended", "suspended", "started"]


@pytest.fixture
def set_hour(monkeypatch: pytest.MonkeyPatch) -> SetHour:
    """Set the time in Shanghai, for the operators and the examples."""

    def set_hour(hour: float) -> None:
        moment = WEDNESDAY + timedelta(hours=hour)
        monkeypatch.setattr("pendulum.now", moment.in_timezone)
        monkeypatch.setattr("airflow_provider_isales.clock.utc_now", lambda: moment)

    return set_hour


def run_at(hour: int, name: str, dag_id: str = "") -> dict[str, list[TaskRun]]:
    """Run an example with a logical date on that Wednesday."""
    return run_dag(example(name, dag_id), logical_date=WEDNESDAY.add(hours=hour))


def test_a_week_of_shifts_resumes_in_a_shift_and_pauses_after_it(campaign: Campaign, set_hour: SetHour) -> None:
    runs = []
    for hour, task in ((9, "resume"), (12, "pause")):
        set_hour(hour)
        runs.append(outcomes(run_at(hour, "shifts_weekly", f"isales_shifts_weekly_{task}"), task))
    assert runs == [["already_started"], ["paused"]]


def test_a_week_of_shifts_does_nothing_at_the_wrong_hour(campaign: Campaign, set_hour: SetHour) -> None:
    runs = []
    for hour, task in ((12, "resume"), (9, "pause")):
        set_hour(hour)
        runs.append(outcomes(run_at(hour, "shifts_weekly", f"isales_shifts_weekly_{task}"), task))
    assert runs == [["skipped"], ["skipped"]]


def test_the_chinese_calendar_pauses_after_a_shift(campaign: Campaign, set_hour: SetHour) -> None:
    set_hour(12)
    assert outcomes(run_at(12, "shifts_china"), "pause") == ["paused"]


@pytest.mark.parametrize(
    ("day", "is_on"), [("2026-10-01", False), ("2026-10-10", True), ("2026-10-11", False), ("2026-10-12", True)]
)
def test_the_chinese_calendar_knows_holidays_and_make_up_days(day: str, is_on: bool) -> None:
    assert dag_file("shifts_china").SHIFTS.is_on(datetime.fromisoformat(f"{day}T10:00+08:00")) is is_on


@pytest.mark.parametrize("day", ["01-03", "02-21", "04-04", "05-02", "06-20", "09-26", "10-03"])
def test_nobody_is_called_on_the_saturday_of_a_public_holiday(day: str) -> None:
    assert not dag_file("shifts_china").SHIFTS.is_on(datetime.fromisoformat(f"2026-{day}T10:00+08:00"))


@pytest.mark.parametrize(("day", "at_four"), [("2026-03-07", False), ("2026-02-14", True)])
def test_an_ordinary_saturday_and_one_that_is_worked_have_their_shifts(day: str, at_four: bool) -> None:
    shifts = dag_file("shifts_china").SHIFTS
    on = [shifts.is_on(datetime.fromisoformat(f"{day}T{hour}:00+08:00")) for hour in (10, 16)]
    assert on == [True, at_four]


@pytest.mark.parametrize(
    ("at", "is_on"),
    [
        ("2026-01-03T10", False),  # a Saturday in a break
        ("2026-01-04T16", True),  # a Sunday that is worked
        ("2026-02-14T16", True),  # a Saturday that is worked
        ("2026-03-07T10", True),  # an ordinary Saturday
        ("2026-03-07T16", False),
        ("2026-10-07T10", False),
        ("2026-10-11T10", False),
    ],
)
def test_the_holiday_file_closes_breaks_and_opens_make_up_days(at: str, is_on: bool) -> None:
    assert dag_file("shifts_holiday_file").SHIFTS.is_on(datetime.fromisoformat(f"{at}:00+08:00")) is is_on


def test_the_holiday_file_has_the_working_days_that_the_package_holidays_knows() -> None:
    china = pytest.importorskip("holidays").country_holidays("CN", years=[2026])
    days = {date.fromisoformat(day["date"]): day["isOffDay"] for day in dag_file("shifts_holiday_file").DAYS}
    assert all(days[holiday] for holiday in china)
    assert [day for day, off in days.items() if not off] == sorted(d for d in china.weekend_workdays if d.year == 2026)


def test_the_holiday_file_is_read_from_a_zip_of_dags(tmp_path: Path) -> None:
    archive = tmp_path / "team.zip"
    with ZipFile(archive, "w") as opened:
        for name in ("shifts_holiday_file.py", "holiday_cn_2026.json"):
            opened.write(REPOSITORY / "example_dags" / name, name)
    bag = read_dags(archive)
    assert not bag.import_errors
    assert "33 closed days, 6 special days" in bag.dags["isales_shifts_holiday_file"].timetable.summary


def test_the_batches_of_every_started_campaign_are_paused(campaign: Campaign, isales_simulator: Simulator) -> None:
    other = isales_simulator.add_campaign(1002, batches=2)
    isales_simulator.add_campaign(1003, batches=2, state=CampaignState.SUSPENDED)
    runs = run_dag(example("pause_listed_campaigns"))
    assert [run.xcom["campaign_id"] for run in runs["pause"]] == [1001, 1002]
    assert {*statuses(campaign), *statuses(other)} == {"suspended"}


def test_whole_campaigns_are_paused(campaign: Campaign, isales_simulator: Simulator, set_hour: SetHour) -> None:
    other = isales_simulator.add_campaign(1002, batches=2)
    set_hour(12)
    run_at(12, "keep_paused")
    assert (campaign.state, other.state) == (CampaignState.SUSPENDED, CampaignState.SUSPENDED)


def test_a_campaign_that_is_started_after_the_shift_is_paused_by_a_red_task_and_the_next_is_green(
    campaign: Campaign, set_hour: SetHour
) -> None:
    set_hour(19)
    assert [run_at(19, "keep_paused")["pause"][0].state for _ in range(2)] == ["failed", "success"]


class TestFromEveningToMorning:
    """Three campaigns, of which people had suspended one before."""

    @pytest.fixture(autouse=True)
    def campaigns(self, campaign: Campaign, isales_simulator: Simulator) -> list[Campaign]:
        publish("evening_to_morning")
        suspended = isales_simulator.add_campaign(1002, batches=2, state=CampaignState.SUSPENDED)
        return [campaign, suspended, isales_simulator.add_campaign(1003, batches=2)]

    def run(self, set_hour: SetHour, which: str, hour: float) -> list[str]:
        set_hour(hour)
        name = "evening_to_morning"
        return [run.state for run in next(iter(run_at(int(hour), name, f"isales_{name}_{which}").values()))]

    def test_nobody_is_called_at_night(self, campaigns: list[Campaign], set_hour: SetHour) -> None:
        self.run(set_hour, "pause", 18)
        assert {campaign.state for campaign in campaigns} == {CampaignState.SUSPENDED}

    def test_dialling_ends_before_the_shift_ends(self, campaigns: list[Campaign], set_hour: SetHour) -> None:
        assert self.run(set_hour, "pause", 18 - 4 / 60) == ["success"]

    def test_only_what_was_dialled_is_dialled_again(self, campaigns: list[Campaign], set_hour: SetHour) -> None:
        self.run(set_hour, "pause", 18)
        self.run(set_hour, "resume", NEXT_MORNING)
        assert [campaign.state.value for campaign in campaigns] == ["executing", "suspended", "executing"]


@pytest.mark.parametrize("work_fails", [False, True])
def test_dialling_stops_whether_or_not_the_work_fails(campaign: Campaign, work_fails: bool) -> None:
    for batch_id in campaign.batches:
        campaign.set_status(batch_id, BatchStatus.SUSPENDED)
    runs = run_dag(example("pause_as_teardown"), {"work_fails": work_fails})
    assert outcomes(runs, "start_dialling") == ["resumed"]
    assert outcomes(runs, "stop_dialling") == ["paused"]
    assert statuses(campaign)[0] == "suspended"


def test_dialling_stops_when_the_resume_failed_after_it_took_effect(
    campaign: Campaign, isales_simulator: Simulator
) -> None:
    for batch_id in campaign.batches:
        campaign.set_status(batch_id, BatchStatus.SUSPENDED)
    isales_simulator.inject("close_after", verb="resume")
    isales_simulator.inject("result", verb="resume", code="0200001", times=4)
    isales_simulator.inject("answer", verb="list", status=404, times=4)
    runs = run_dag(example("pause_as_teardown"))
    assert outcomes(runs, "start_dialling") == ["failed"]
    assert outcomes(runs, "stop_dialling") == ["paused"]
    assert statuses(campaign)[0] == "suspended"


@pytest.mark.parametrize(
    ("fails", "state"),
    [
        ("nothing", "success"),
        ("start_dialling", "failed"),
        ("work_while_dialling", "failed"),
        ("stop_dialling", "failed"),
    ],
)
def test_the_state_of_a_run_with_a_teardown_shows_whether_any_task_failed(
    campaign: Campaign, isales_simulator: Simulator, fails: str, state: str
) -> None:
    campaign.set_status(next(iter(campaign.batches)), BatchStatus.SUSPENDED)
    if fails.endswith("dialling") and not fails.startswith("work"):
        verb = "resume" if fails == "start_dialling" else "pause"
        isales_simulator.inject("result", verb=verb, code="0200007")
    dag_run = example("pause_as_teardown").test(run_conf={"work_fails": fails == "work_while_dialling"})
    assert str(dag_run.state) == state


BACKFILLED = {"logical_date": WEDNESDAY.subtract(days=2).add(hours=10)}
# As `airflow dags trigger`, the REST API and assets make them on Airflow 3.
WITHOUT_INTERVAL = {"logical_date": None}
each_way = pytest.mark.parametrize("way", [BACKFILLED, WITHOUT_INTERVAL], ids=["backfilled", "without interval"])


def run_state(dag: Any, way: dict[str, Any]) -> str:
    if "logical_date" in signature(dag.test).parameters:
        return str(dag.test(**way).state)
    if way is WITHOUT_INTERVAL:
        pytest.skip("every run has a data interval on Airflow 2")
    return str(dag.test(execution_date=way["logical_date"]).state)


@each_way
@pytest.mark.parametrize(
    ("dag_id", "hour"),
    [
        ("isales_pause_as_teardown", 12),
        ("isales_pause_listed_campaigns", 12),
        ("isales_pause_mapped_batches", 12),
        ("isales_pause_one_batch", 12),
        ("isales_shifts_china", 12),
        ("isales_shifts_holiday_file", 12),
        ("isales_shifts_weekly_pause", 12),
    ],
)
def test_examples_pause_in_whatever_way_they_are_run(
    campaign: Campaign, set_hour: SetHour, dag_id: str, hour: float, way: dict[str, Any]
) -> None:
    (name,) = (name for name in EXAMPLES if dag_id.startswith(f"isales_{name}"))
    set_hour(hour)
    state = run_state(example(name, dag_id), way)
    assert (state, statuses(campaign)[0]) == ("success", "suspended")


@each_way
def test_whole_campaigns_are_paused_in_whatever_way_they_are_run(
    campaign: Campaign, isales_simulator: Simulator, set_hour: SetHour, way: dict[str, Any]
) -> None:
    set_hour(12)
    assert (run_state(example("keep_paused"), way), campaign.state) == ("success", CampaignState.SUSPENDED)


@each_way
def test_a_week_of_shifts_resumes_in_whatever_way_it_is_run(
    campaign: Campaign, set_hour: SetHour, way: dict[str, Any]
) -> None:
    campaign.set_status(next(iter(campaign.batches)), BatchStatus.SUSPENDED)
    set_hour(9)
    state = run_state(example("shifts_weekly", "isales_shifts_weekly_resume"), way)
    assert (state, statuses(campaign)[0]) == ("success", "started")


@each_way
def test_what_was_dialled_in_the_evening_is_resumed_in_whatever_way_both_are_run(
    campaign: Campaign, isales_simulator: Simulator, set_hour: SetHour, way: dict[str, Any]
) -> None:
    publish("evening_to_morning")
    set_hour(18)
    run_state(example("evening_to_morning", "isales_evening_to_morning_pause"), way)
    set_hour(NEXT_MORNING)
    state = run_state(example("evening_to_morning", "isales_evening_to_morning_resume"), way)
    assert (state, campaign.state) == ("success", CampaignState.EXECUTING)


def test_the_grid_shows_the_campaign_in_place_of_a_number(campaign: Campaign, isales_simulator: Simulator) -> None:
    publish("pause_listed_campaigns")
    isales_simulator.add_campaign(1002, batches=1)
    dag_run = example("pause_listed_campaigns").test()
    shown = sorted(ti.rendered_map_index for ti in dag_run.get_task_instances() if ti.task_id == "pause")
    assert shown == ["campaign 1001", "campaign 1002"]
