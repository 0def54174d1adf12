"""Read the parameters of a request, or refuse it with a result code."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import datetime

from airflow_provider_isales.client.models import BatchStatus
from airflow_provider_isales.client.text import format_value
from airflow_provider_isales.simulator.campaign import parse_time

PARAMETER_ERROR = "0200001"


class RefusedError(Exception):
    """
    A request gets another result code than success.

    :param code: the result code
    :param description: what ``resultDesc`` says
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code, self.description = code, description


def read_text(parameters: Mapping[str, object], name: str) -> str:
    """Return a mandatory text."""
    value = parameters.get(name)
    if value in (None, ""):
        raise RefusedError("02000001", name)
    if not isinstance(value, str):
        raise RefusedError(PARAMETER_ERROR, f"{name} must be a string")
    return value


def read_count(body: Mapping[str, object], name: str) -> int:
    """Return a mandatory number of a body."""
    value = body.get(name)
    if value is None:
        raise RefusedError("02000001", name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RefusedError(PARAMETER_ERROR, f"{name} must be an integer from 0")
    return value


def read_batch_status(body: Mapping[str, object]) -> BatchStatus | None:
    """Return the optional status of a batch."""
    value = body.get("status")
    if value is None:
        return None
    if type(value) is not int or value not in tuple(BatchStatus):
        raise RefusedError(PARAMETER_ERROR, "status must be 1 or 2")
    return BatchStatus(value)


def read_number(query: Mapping[str, str], name: str, allowed: Container[int] | None = None) -> int:
    """Return a mandatory number of a query."""
    text = read_text(query, name)
    if not re.fullmatch("-?[0-9]{1,9}", text) or not (allowed is None or int(text) in allowed):
        raise RefusedError(PARAMETER_ERROR, f"{name} must not be {format_value(text)}")
    return int(text)


def read_time(query: Mapping[str, str], name: str) -> datetime | None:
    """Return an optional time of a query."""
    text = query.get(name)
    time = parse_time(text) if text else None
    if text and time is None:
        raise RefusedError(PARAMETER_ERROR, f"{name} must be a time, not {format_value(text)}")
    return time
