"""Checks of the operators' arguments, some of which may be templates, and of their DAG."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.text import format_value
from airflow_provider_isales.support.failures import InvalidArgumentError
from airflow_provider_isales.support.templates import is_templated, read_rendered

# More failed runs in a row than ever occur. Not 0, which Airflow 2.11 and 3.0 replace by the configured value.
NEVER = 1_000_000


def check_dag(dag: Any, *, blocks: bool, holds: bool) -> None:
    """
    Refuse, or warn of, settings of a DAG that would stop later pauses from running.

    :param blocks: whether the task depends on past runs
    :param holds: whether it may have a hold
    """
    if blocks:
        raise InvalidArgumentError(
            "depends_on_past and wait_for_downstream must be False for a pause: after one failed run, no other "
            "would pause. If default_args set them, set both to False for the task"
        )
    timetable = getattr(dag, "timetable", None)
    if holds and getattr(timetable, "repeat", timedelta()) is None:
        raise InvalidArgumentError(
            "hold requires a DAG that runs again: give its ShiftEndTimetable repeat=timedelta(minutes=10), or "
            "nothing pauses when a hold is over"
        )
    repeats = getattr(timetable, "repeat", None) is not None
    if repeats and 0 < (most := dag.max_consecutive_failed_dag_runs) < NEVER:
        warnings.warn(
            f"After {most} failed runs in a row, Airflow pauses the DAG {dag.dag_id!r}, and nothing stops calls "
            f"that are restarted. Set max_consecutive_failed_dag_runs={NEVER:_} for the DAG.",
            stacklevel=3,
        )


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise an ``InvalidArgumentError`` unless the value is one of these words."""
    if value not in allowed:
        choices = " or ".join(f'"{choice}"' for choice in allowed)
        raise InvalidArgumentError(f"{name} must be {choices}, not {value!r}")


def check_unless_templated(check: Callable[[Any], object], value: object) -> None:
    """Check a value now unless a template gives it; an ``InvalidArgumentError`` if it is wrong."""
    if not is_templated(value):
        run_check(check, value)


def run_check(check: Callable[[Any], object], value: object) -> None:
    """Check a value; an ``InvalidArgumentError`` instead of the client's error if it is wrong."""
    try:
        check(value)
    except ISalesArgumentError as error:
        raise InvalidArgumentError(error.problem) from None


def check_ids_unless_templated(
    name: str, ids: object, check_ids: Callable[[object], object], check_id: Callable[[object], object]
) -> None:
    """Check ids: each id of a list unless a template gives it, or any other value as a whole."""
    if isinstance(ids, Iterator):
        # Checking would use it up: the task would pause nothing and succeed.
        raise InvalidArgumentError(f"{name} must be a list, not {ids!r}, which can be read only once")
    if isinstance(ids, list | tuple):
        for each in ids:
            check_unless_templated(check_id, each)
    else:
        check_unless_templated(check_ids, ids)


def read_rendered_list(name: str, ids: Any, kind: str) -> Any:
    """
    Return the list that a template rendered as text; other values unchanged.

    :param kind: what the ids are of, for the error: ``batch`` or ``campaign``
    :raises InvalidArgumentError: the text is neither a list nor ``"all"``
    """
    found = read_rendered(ids)
    if isinstance(ids, str) and found != ALL and not isinstance(found, list | tuple):
        raise InvalidArgumentError(
            f"{name} must be a list of {kind} ids, not {format_value(ids)}. A template must render it as JSON or as a "
            'Python list, such as ["1001", "1002"]'
        )
    return found
