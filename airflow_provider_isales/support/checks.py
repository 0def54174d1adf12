"""Checks of the operators' arguments, some of which may be templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.text import format_value
from airflow_provider_isales.support.failures import InvalidArgumentError
from airflow_provider_isales.support.templates import is_templated, read_rendered


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
