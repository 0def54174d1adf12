"""The checks of the operators when a DAG is parsed."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, AirflowFailException, BaseOperator

from airflow_provider_isales.client import ISalesArgumentError
from airflow_provider_isales.operators.call_batch import (
    PauseCallBatchesOperator,
    PauseCallBatchOperator,
    ResumeCallBatchesOperator,
    ResumeCallBatchOperator,
)
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

BATCH = "012345678901234567890123456789"
both = pytest.mark.parametrize("operator", [PauseCallBatchOperator, ResumeCallBatchOperator])


def make(operator: type, **arguments: Any) -> Any:
    with DAG("a_dag", schedule=None):
        return operator(task_id="a_task", **({"campaign_id": 7, "batch_id": BATCH} | arguments))


@both
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"campaign_id": 0}, "campaign_id must be a positive integer, not 0"),
        ({"campaign_id": True}, "campaign_id must be a positive integer, not True"),
        ({"campaign_id": None}, "campaign_id must be a positive integer, not None"),
        ({"batch_id": int(BATCH)}, "batch_id must be text of digits, not the number 12345678901234567890123456789"),
        ({"batch_id": "abc"}, "batch_id must be text of 1 to 64 digits, not 'abc'"),
        ({"vdn_id": 10000}, "vdn_id must be an integer from 1 to 9999, not 10000"),
    ],
)
def test_a_wrong_value_is_an_error_at_parse_time(operator: type, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ISalesArgumentError) as caught:
        make(operator, **arguments)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("operator", [PauseCallBatchesOperator, ResumeCallBatchesOperator])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"campaign_id": 0}, "campaign_id must be a positive integer, not 0"),
        ({"vdn_id": 0}, "vdn_id must be an integer from 1 to 9999, not 0"),
        (
            {"batch_ids": None},
            'batch_ids must be a list of batch ids, or "all" for every batch of the campaign, not None',
        ),
        (
            {"batch_ids": "everything"},
            'batch_ids must be a list of batch ids, or "all" for every batch of the campaign',
        ),
        ({"batch_ids": [BATCH, int(BATCH)]}, "batch_id must be text of digits, not the number 12345678901234567890"),
        ({"batch_ids": (BATCH, "abc")}, "batch_id must be text of 1 to 64 digits, not 'abc'"),
        ({"batch_ids": iter([BATCH])}, "batch_ids must be a list, not <list_iterator object"),
        ({"max_parallel_requests": 65}, "max_parallel_requests must be an integer from 1 to 64, not 65"),
        ({"shifts": "mon-fri"}, "shifts must be a ShiftCalendar, not 'mon-fri'"),
    ],
)
def test_a_wrong_value_for_many_batches_is_an_error_at_parse_time(
    operator: type, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ISalesArgumentError) as caught, DAG("a_dag", schedule=None):
        operator(task_id="a_task", **({"campaign_id": 7} | arguments))
    assert str(caught.value).startswith(message)


def test_a_template_in_a_list_of_batches_is_left_to_the_run() -> None:
    with DAG("a_dag", schedule=None):
        task = PauseCallBatchesOperator(task_id="a_task", campaign_id=7, batch_ids=["{{ x }}", BATCH])
    assert task.batch_ids == ["{{ x }}", BATCH]


def test_a_wrong_mapped_value_fails_without_retries() -> None:
    with pytest.raises(AirflowFailException):
        make(PauseCallBatchOperator, batch_id="abc")


@both
def test_templates_are_left_to_the_run(operator: type) -> None:
    task = make(operator, campaign_id="{{ params.campaign }}", batch_id="{% raw %}1{% endraw %}", vdn_id="{{ x }}")
    assert task.campaign_id == "{{ params.campaign }}"


@both
def test_results_of_other_tasks_are_left_to_the_run(operator: type) -> None:
    earlier = make(operator)
    with earlier.dag:
        task = operator(task_id="later", campaign_id=7, batch_id=earlier.output["batch_id"])
    assert task.upstream_task_ids == {"a_task"}


@both
def test_the_documented_fields_are_templates(operator: type[BaseOperator]) -> None:
    more = ["hold"] if operator is PauseCallBatchOperator else []
    assert list(operator.template_fields) == ["campaign_id", "batch_id", "vdn_id", "isales_conn_id", *more]


@both
def test_a_try_is_bounded_by_five_minutes_unless_the_task_says_otherwise(operator: type) -> None:
    timeouts = [make(operator).execution_timeout, make(operator, execution_timeout=None).execution_timeout]
    assert timeouts == [timedelta(minutes=5), None]


@both
def test_default_args_set_the_bound_of_a_try(operator: type) -> None:
    with DAG("a_dag", schedule=None, default_args={"execution_timeout": timedelta(minutes=1)}):
        task = operator(task_id="a_task", campaign_id=7, batch_id=BATCH)
    assert task.execution_timeout == timedelta(minutes=1)


@both
def test_shifts_other_than_a_calendar_are_an_error_at_parse_time(operator: type) -> None:
    with pytest.raises(ISalesArgumentError, match="shifts must be a ShiftCalendar, not '09:00-18:00'"):
        make(operator, shifts="09:00-18:00")


def test_parsing_a_dag_file_imports_no_client() -> None:
    module = "airflow_provider_isales.client.client"
    program = f"import airflow_provider_isales.operators.call_batch, sys; print({module!r} in sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert output.splitlines()[-1] == "False"


def test_the_connection_is_isales_default_unless_named() -> None:
    assert make(PauseCallBatchOperator).isales_conn_id == "isales_default"


SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-18:00"]})


@pytest.mark.parametrize("operator", [PauseCallBatchOperator, PauseCallBatchesOperator])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_lateness": timedelta(minutes=5)}, "max_lateness requires shifts"),
        ({"max_lateness": 5, "shifts": SHIFTS}, "max_lateness must be a timedelta of 0 or more, not 5"),
        ({"max_lateness": timedelta(-1), "shifts": SHIFTS}, "max_lateness must be a timedelta of 0 or more, not "),
        ({"campaign_suspended": "ignore"}, 'campaign_suspended must be "fail" or "skip", not \'ignore\''),
    ],
)
def test_wrong_pause_options_are_an_error_at_parse_time(operator: Any, arguments: dict[str, Any], message: str) -> None:
    more = {"batch_id": BATCH} if operator is PauseCallBatchOperator else {}
    with pytest.raises(ISalesArgumentError) as caught, DAG("a_dag", schedule=None):
        operator(task_id="a_task", campaign_id=7, **more, **arguments)
    assert str(caught.value).startswith(message)


def test_max_lateness_may_be_zero() -> None:
    with DAG("a_dag", schedule=None):
        PauseCallBatchesOperator(task_id="a_task", campaign_id=7, shifts=SHIFTS, max_lateness=timedelta(0))


@pytest.mark.parametrize("operator", [PauseCallBatchesOperator, ResumeCallBatchesOperator])
@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        (None, "exclude must be a list of batch ids, not None"),
        ("7", "exclude must be a list of batch ids, not '7'"),
        ([7], "exclude must be text of digits, not the number 7"),
    ],
)
def test_a_wrong_exclude_is_an_error_at_parse_time(operator: Any, exclude: Any, message: str) -> None:
    with pytest.raises(ISalesArgumentError) as caught, DAG("a_dag", schedule=None):
        operator(task_id="a_task", campaign_id=7, exclude=exclude)
    assert str(caught.value).startswith(message)


def test_a_resume_takes_the_word_remembered() -> None:
    with DAG("a_dag", schedule=None):
        assert ResumeCallBatchesOperator(task_id="a", campaign_id=7, batch_ids="remembered").batch_ids == "remembered"


def test_a_pause_does_not_take_the_word_remembered() -> None:
    with pytest.raises(ISalesArgumentError, match="batch_ids must be a list"), DAG("a_dag", schedule=None):
        PauseCallBatchesOperator(task_id="a", campaign_id=7, batch_ids="remembered")


@pytest.mark.parametrize(
    ("operator", "settings"),
    [
        (
            PauseCallBatchesOperator,
            {"shifts": SHIFTS, "max_lateness": timedelta(0), "remember": True, "exclude": ["1"]},
        ),
        (PauseCallBatchOperator, {"shifts": SHIFTS, "max_lateness": timedelta(0), "campaign_suspended": "skip"}),
    ],
)
def test_the_settings_of_a_pause_may_be_partial(operator: Any, settings: dict[str, Any]) -> None:
    more = {"batch_id": BATCH} if operator is PauseCallBatchOperator else {}
    with DAG("a_dag", schedule=None):
        operator.partial(task_id="a_task", **more, **settings).expand(campaign_id=[1, 2])


PAUSES: list[tuple[Any, dict[str, Any]]] = [
    (PauseCallBatchOperator, {"batch_id": BATCH}),
    (PauseCallBatchesOperator, {"shifts": SHIFTS}),
]
each_pause = pytest.mark.parametrize(("operator", "arguments"), PAUSES)
each_blocking_setting = pytest.mark.parametrize("setting", ["depends_on_past", "wait_for_downstream"])


@each_pause
@each_blocking_setting
def test_a_pause_that_waits_for_earlier_runs_is_an_error_at_parse_time(
    operator: Any, arguments: dict[str, Any], setting: str
) -> None:
    with (
        pytest.raises(ISalesArgumentError, match="depends_on_past and wait_for_downstream must be False for a pause"),
        DAG("a_dag", schedule=None, default_args={setting: True}),
    ):
        operator(task_id="a_task", campaign_id=7, **arguments)


@pytest.mark.filterwarnings("ignore:Task a_task was never mapped")
@each_pause
@each_blocking_setting
def test_a_mapped_pause_that_waits_for_earlier_runs_is_an_error_at_parse_time(
    operator: Any, arguments: dict[str, Any], setting: str
) -> None:
    with (
        pytest.raises(ISalesArgumentError, match="depends_on_past and wait_for_downstream must be False for a pause"),
        DAG("a_dag", schedule=None, default_args={setting: True}),
    ):
        operator.partial(task_id="a_task", **arguments).expand(campaign_id=[7])


def test_a_pause_may_turn_off_what_default_args_set() -> None:
    with DAG("a_dag", schedule=None, default_args={"depends_on_past": True, "wait_for_downstream": True}):
        PauseCallBatchesOperator(task_id="a", campaign_id=7, depends_on_past=False, wait_for_downstream=False)


def test_a_resume_may_wait_for_earlier_runs() -> None:
    with DAG("a_dag", schedule=None, default_args={"depends_on_past": True}):
        ResumeCallBatchesOperator(task_id="a", campaign_id=7)


def watch(reds: int, schedule: Any = None) -> DAG:
    """Return a DAG that runs all night, and that Airflow pauses after so many failed runs in a row."""
    return DAG(
        "a_watch",
        schedule=schedule or ShiftEndTimetable(SHIFTS, repeat=timedelta(minutes=10)),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        max_consecutive_failed_dag_runs=reds,
    )


PAUSED_BY_AIRFLOW = "After 3 failed runs in a row, Airflow pauses the DAG 'a_watch'"


@each_pause
def test_a_watch_that_airflow_would_pause_is_a_warning(operator: Any, arguments: dict[str, Any]) -> None:
    with watch(3), pytest.warns(UserWarning, match=PAUSED_BY_AIRFLOW):
        operator(task_id="a_task", campaign_id=7, **arguments)


@each_pause
def test_a_mapped_watch_that_airflow_would_pause_is_a_warning(operator: Any, arguments: dict[str, Any]) -> None:
    with watch(3), pytest.warns(UserWarning, match=PAUSED_BY_AIRFLOW):
        operator.partial(task_id="a_task", **arguments).expand(campaign_id=[7])


@pytest.mark.parametrize(
    "dag",
    [
        lambda: watch(0),
        lambda: watch(1_000_000),
        lambda: watch(3, schedule=ShiftEndTimetable(SHIFTS)),
        lambda: watch(3, schedule="@daily"),
    ],
    ids=["never", "hardly ever", "no repeat", "another schedule"],
)
def test_other_dags_cause_no_warning(dag: Callable[[], DAG]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with dag():
            PauseCallBatchesOperator(task_id="a_task", campaign_id=7)


@pytest.mark.parametrize(
    "operator", [PauseCallBatchOperator, ResumeCallBatchOperator, PauseCallBatchesOperator, ResumeCallBatchesOperator]
)
def test_an_operator_lists_all_its_arguments_in_its_signature(operator: type[BaseOperator]) -> None:
    listed = {"campaign_id", "vdn_id", "isales_conn_id", "shifts", "execution_timeout", "kwargs"}
    assert listed <= {*inspect.signature(operator).parameters}


def test_a_resume_does_not_take_what_is_for_pauses() -> None:
    with pytest.raises((TypeError, AirflowException), match="nvalid arguments"), DAG("a_dag", schedule=None):
        ResumeCallBatchesOperator(task_id="a", campaign_id=7, shifts=SHIFTS, max_lateness=timedelta(0))


@pytest.mark.parametrize("operator", [PauseCallBatchOperator, PauseCallBatchesOperator])
def test_a_missing_campaign_id_is_an_error_at_parse_time(operator: Any) -> None:
    with pytest.raises((TypeError, AirflowException), match="campaign_id"), DAG("a_dag", schedule=None):
        operator(task_id="a", **({"batch_id": BATCH} if operator is PauseCallBatchOperator else {}))


def test_a_wrong_missing_memory_option_is_an_error_at_parse_time() -> None:
    with (
        pytest.raises(ISalesArgumentError, match='missing_memory must be "warn" or "fail", not None'),
        DAG("a_dag", schedule=None),
    ):
        ResumeCallBatchesOperator(task_id="a", campaign_id=7, missing_memory=None)  # type: ignore[arg-type]
