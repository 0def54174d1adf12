"""Parse HTTP responses of CC-iSales. One that is not a success in every respect is an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Generic, NamedTuple, TypeVar

from airflow_provider_isales.client.errors import (
    ISalesAuthenticationError,
    ISalesHTTPStatusError,
    ISalesProtocolError,
    make_result_error,
)
from airflow_provider_isales.client.http_response import Response
from airflow_provider_isales.client.models import BatchStatus, CallBatch
from airflow_provider_isales.client.result_codes import RESULT_CODES, ResultCode
from airflow_provider_isales.client.text import clean_text, format_value
from airflow_provider_isales.client.tls_socket import MAX_RESPONSE_BYTES, TOO_LARGE

T = TypeVar("T")

SUCCESS = "0200000"
MAX_CLOCK_DIFFERENCE_SECONDS = 60

# The reference gives the values of a status, but not whether they are numbers or text.
_STATUSES: dict[int | str, BatchStatus] = {
    value: status for status in BatchStatus for value in (status.value, str(status.value))
}


@dataclass(frozen=True)
class Success:
    """A response that says success, with the whole JSON object as ``payload``."""

    code: str
    description: str
    payload: dict[str, Any]


def parse_response(
    response: Response, counts_as_success: str | None = None, documented: tuple[ResultCode, ...] = RESULT_CODES
) -> Success:
    """
    Parse a response.

    :param counts_as_success: one more result code that counts as success
    :param documented: the failure codes of the interface
    :raises ISalesError: the response is not a success
    :raises Exception: the body could not be read
    """
    if response.status != HTTPStatus.OK:
        unauthorized = response.status == HTTPStatus.UNAUTHORIZED
        raise _make_authentication_error(response) if unauthorized else _make_status_error(response)
    payload = _parse_json_object(_check_body(response))
    code = _find_result_code(payload)
    description = clean_text(read_text(payload, "resultDesc") or read_text(payload, "returnDesc"))
    if code not in (SUCCESS, counts_as_success):
        raise make_result_error(clean_text(code), description, documented)
    return Success(code, description, payload)


def measure_seconds_ahead(response: Response) -> float | None:
    """Return how far this machine's clock is ahead of the server's, to a second; None if the server sent no time."""
    server_time = _parse_http_date(response.headers.get("Date"))
    return None if server_time is None else (datetime.now(UTC) - server_time).total_seconds()


class Page(NamedTuple, Generic[T]):
    """
    One page of a list.

    :param items: its batches or campaigns
    :param total: the number on all pages, or on this one
    :param size: the most that a page holds, if the response says so
    :param problem: why an entry was left out of the items
    """

    items: list[T]
    total: int
    size: int | None = None
    problem: ISalesProtocolError | None = None


def read_success(success: Success) -> Success:
    """Return the response itself: code and description are all that counts."""
    return success


def read_batch_page(success: Success) -> Page[CallBatch]:
    """Return one page of batches; raise ``ISalesProtocolError`` if it is not as documented."""
    total, data = success.payload.get("totalCount"), success.payload.get("data")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise ISalesProtocolError(f"totalCount is {format_value(total)}, not a count")
    items, problem = read_entries(data, "batches", _read_batch)
    return Page(items, total, problem=problem)


def read_entries(
    data: object, kind: str, read_entry: Callable[[object], T]
) -> tuple[list[T], ISalesProtocolError | None]:
    """
    Return the readable entries of a page, and why the first unreadable one is left out.

    One unreadable entry must not stop the others from being paused.
    """
    if not isinstance(data, list):
        raise ISalesProtocolError(f"data is {format_value(data)}, not a list of {kind}")
    items: list[T] = []
    problem = None
    for entry in data:
        try:
            items.append(read_entry(entry))
        except ISalesProtocolError as error:
            problem = problem or error
    return items, problem


def read_created_id(success: Success) -> str:
    """Return the id of the created batch; raise ``ISalesProtocolError`` if there is none."""
    created = success.payload.get("returnObject")
    if isinstance(created, dict) and _is_batch_id(created.get("id")):
        return str(created["id"])
    raise ISalesProtocolError(f"returnObject is {format_value(created)}, without the new batch's id")


def _read_batch(entry: object) -> CallBatch:
    if isinstance(entry, dict) and _is_batch_id(entry.get("id")):
        status = entry.get("status")
        if isinstance(status, int | str) and status is not True and status in _STATUSES:
            return CallBatch(entry["id"], read_text(entry, "name"), _STATUSES[status])
    raise ISalesProtocolError(f"the list holds {format_value(entry)}, which is not a batch with id and status 1 or 2")


def _is_batch_id(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit()


def _check_body(response: Response) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise ISalesProtocolError(f"the response is compressed ({clean_text(encoding)}), which was not asked for")
    if len(response.body) > MAX_RESPONSE_BYTES:
        raise ISalesProtocolError(TOO_LARGE)
    return response.body


def _parse_json_object(body: bytes) -> dict[str, Any]:
    payload: object = None
    with suppress(ValueError, RecursionError):  # raise outside: the decoder's exception keeps the body alive
        payload = _FROM_JSON.decode(body.decode("utf-8-sig"))
    if not isinstance(payload, dict):
        raise ISalesProtocolError(f"the response is not a JSON object: {format_value(body.decode(errors='replace'))}")
    return payload


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_duplicates(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(payload := dict(fields)) < len(fields):
        raise ISalesProtocolError("the response has a field twice")
    return payload


_FROM_JSON = json.JSONDecoder(object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)


def _find_result_code(payload: dict[str, Any]) -> str:
    codes = {field: payload[field] for field in ("resultCode", "returnCode") if payload.get(field) not in (None, "")}
    if not codes:
        raise ISalesProtocolError("the response has neither a resultCode nor a returnCode")
    for field, code in codes.items():
        if not isinstance(code, str):
            raise ISalesProtocolError(f"{field} is {format_value(code)}, which is not text")
    code, *others = codes.values()
    if others and others != [code]:
        raise ISalesProtocolError(f"the response contradicts itself: {format_value(codes)}")
    return str(code)


def read_text(payload: dict[str, Any], field: str) -> str:
    """Return the text of a field; empty if it holds none."""
    value = payload.get(field)
    return value if isinstance(value, str) else ""


def _make_authentication_error(response: Response) -> ISalesAuthenticationError:
    problem = "HTTP 401: the server did not accept the signature"
    ahead = measure_seconds_ahead(response)
    if ahead is None:
        return ISalesAuthenticationError(problem, retryable=True)
    if abs(ahead) <= MAX_CLOCK_DIFFERENCE_SECONDS:
        return ISalesAuthenticationError(problem, retryable=False)
    return ISalesAuthenticationError(
        f"{problem}; this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's",
        advice="Set this machine's clock right (NTP): signatures are only valid for a short time.",
        retryable=True,
    )


def _make_status_error(response: Response) -> ISalesHTTPStatusError:
    location = response.headers.get("Location")
    detail = f", a redirect to {format_value(location)}, which is not followed" if location else ""
    return ISalesHTTPStatusError(response.status, detail, _parse_retry_after(response.headers.get("Retry-After")))


def _parse_retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    if at := _parse_http_date(value):
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    return None


def _parse_http_date(value: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
