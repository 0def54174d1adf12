"""Reading a response alone, without a client: what its headers say, and what pages and new batches look like."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import HTTPResponse, IncompleteRead
from socket import socket
from typing import cast

import pytest
import time_machine
import urllib3
from urllib3.exceptions import HTTPError

from airflow_provider_isales.client import BatchStatus, CallBatch, ISalesAuthenticationError, ISalesProtocolError
from airflow_provider_isales.client.errors import ISalesHTTPStatusError
from airflow_provider_isales.client.http_response import Response, read_response
from airflow_provider_isales.client.responses import Page, Success, parse_response, read_batch_page, read_created_id
from airflow_provider_isales.client.tls_socket import Peer

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


class Wire(io.BytesIO):
    """A server's response, whose body may break off."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes | Exception = b"") -> None:
        lines = [f"HTTP/1.1 {status} as it is", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.fault = body if isinstance(body, Exception) else None
        super().__init__("\r\n".join(lines).encode("latin-1") + (b"" if isinstance(body, Exception) else body))

    def makefile(self, *_: object) -> Wire:
        return self

    def read(self, size: int | None = -1) -> bytes:
        if self.fault:
            raise self.fault
        return super().read(size)

    def close(self) -> None:
        """Stay open, so that a test can see how much was read."""


def response_on(wire: Wire) -> Response:
    received = HTTPResponse(cast("socket", wire))
    received.begin()
    response, _ = read_response(
        urllib3.HTTPResponse(
            body=received,
            headers=urllib3.HTTPHeaderDict(received.headers.items()),
            status=received.status,
            preload_content=False,
            original_response=received,
        ),
        Peer("TLSv1.3", {}),
    )
    return response


def response(status: int, headers: dict[str, str], body: bytes | Exception = b"") -> Response:
    return response_on(Wire(status, headers, body))


class TestA401:
    def error(self, headers: dict[str, str]) -> ISalesAuthenticationError:
        with pytest.raises(ISalesAuthenticationError) as caught:
            parse_response(response(401, headers))
        return caught.value

    def dated(self, seconds: int) -> ISalesAuthenticationError:
        """Return the error of a server whose clock is so far ahead."""
        return self.error({"Date": format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)})

    @pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "soon"}])
    def test_a_401_without_the_servers_time_is_retryable(self, headers: dict[str, str]) -> None:
        error = self.error(headers)
        assert error.problem == "HTTP 401: the server did not accept the signature"
        assert error.retryable

    @pytest.mark.parametrize("seconds", [-60, 0, 60])
    def test_a_401_is_permanent_if_the_clocks_agree(self, seconds: int) -> None:
        error = self.dated(seconds)
        assert error.problem == "HTTP 401: the server did not accept the signature"
        assert not error.retryable

    @pytest.mark.parametrize(
        ("seconds", "told"), [(-61, "61 s ahead of the server's"), (3600, "3600 s behind the server's")]
    )
    def test_a_401_is_retryable_and_names_the_clock_if_the_clocks_differ(self, seconds: int, told: str) -> None:
        error = self.dated(seconds)
        assert error.problem == f"HTTP 401: the server did not accept the signature; this machine's clock is {told}"
        assert error.advice.startswith("Set this machine's clock right (NTP)")
        assert error.retryable

    @pytest.mark.parametrize("date", ["Wed, 25 Nov 2026 12:00:00 +0800", "Wed, 25 Nov 2026 04:00:00 -0000"])
    def test_a_401_may_have_its_date_in_another_time_zone(self, date: str) -> None:
        assert "clock" not in self.error({"Date": date}).problem


class TestAnotherStatus:
    def error(self, headers: dict[str, str], body: bytes | Exception = b"") -> ISalesHTTPStatusError:
        with pytest.raises(ISalesHTTPStatusError) as caught:
            parse_response(response(503, headers, body))
        return caught.value

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7.0),
            ("0", 0.0),
            ("9" * 400, 999999999.0),
            ("Wed, 25 Nov 2026 04:00:07 GMT", 7.0),
            ("Wed, 25 Nov 2026 03:00:00 GMT", 0.0),
            ("²", None),
            ("soon", None),
            ("", None),
        ],
    )
    def test_retry_after_is_read_as_seconds_or_as_a_date(self, value: str, seconds: float | None) -> None:
        assert self.error({"Retry-After": value}).retry_after == seconds

    def test_missing_retry_after_is_not_zero(self) -> None:
        assert self.error({}).retry_after is None

    def test_a_status_error_has_the_name_of_the_status(self) -> None:
        assert self.error({}).problem == "HTTP 503 Service Unavailable"

    def test_a_status_error_has_the_location_of_a_redirect(self) -> None:
        told = self.error({"Location": "https://elsewhere/"}).problem
        assert told == "HTTP 503 Service Unavailable, a redirect to 'https://elsewhere/', which is not followed"

    @pytest.mark.parametrize("length", ["5", "99999"])
    def test_a_short_error_body_is_drained_for_connection_reuse(self, length: str) -> None:
        wire = Wire(503, {"Content-Length": length}, b"x" * int(length))
        response_on(wire)
        assert wire.read() == b""

    @pytest.mark.parametrize("headers", [{"Content-Length": "100000"}, {"Content-Length": "²"}, {}])
    def test_a_long_error_body_is_not_read(self, headers: dict[str, str]) -> None:
        wire = Wire(503, headers, b"x" * 100_000)
        response_on(wire)
        assert wire.read() == b"x" * 100_000

    @pytest.mark.parametrize("fault", [TimeoutError(), ConnectionResetError(), IncompleteRead(b"")])
    def test_status_error_wins_over_a_truncated_body(self, fault: Exception) -> None:
        assert self.error({"Content-Length": "100"}, fault).status == 503


class TestA200:
    def read(self, **fields: object) -> Success:
        return parse_response(response(200, {}, json.dumps(fields).encode()))

    def test_either_description_is_read(self) -> None:
        assert self.read(resultCode="0200000", resultDesc="成功", returnDesc="other").description == "成功"
        assert self.read(returnCode="0200000", returnDesc="成功").description == "成功"

    def test_a_missing_description_is_empty(self) -> None:
        assert self.read(resultCode="0200000", resultDesc=7).description == ""

    def test_codes_that_contradict_each_other_are_shown(self) -> None:
        with pytest.raises(ISalesProtocolError, match=r"'resultCode': '0200000', 'returnCode': '0200006'"):
            self.read(resultCode="0200000", returnCode="0200006")

    def test_a_compressed_response_is_refused(self) -> None:
        with pytest.raises(ISalesProtocolError, match=r"the response is compressed \(gzip\), which was not asked for"):
            parse_response(response(200, {"Content-Encoding": "gzip"}, b"..."))

    def test_identity_encoding_is_accepted(self) -> None:
        body = b'{"resultCode": "0200000"}'
        assert parse_response(response(200, {"Content-Encoding": "Identity"}, body)).code == "0200000"

    def test_a_response_of_1024_kib_is_accepted(self) -> None:
        body = b'{"resultCode": "0200000"}'.ljust(1024 * 1024)
        assert parse_response(response(200, {}, body)).code == "0200000"

    def test_a_response_of_one_byte_more_than_1024_kib_is_refused(self) -> None:
        body = b'{"resultCode": "0200000"}'.ljust(1024 * 1024 + 1)
        with pytest.raises(ISalesProtocolError, match="the response is larger than 1024 KiB"):
            parse_response(response(200, {}, body))

    def test_a_read_error_of_the_body_is_raised(self) -> None:
        with pytest.raises(HTTPError, match="Connection broken"):
            parse_response(response(200, {}, ConnectionResetError()))

    def test_a_body_shorter_than_its_length_is_incomplete_even_if_it_is_json(self) -> None:
        with pytest.raises(HTTPError, match="1 more expected"):
            parse_response(response(200, {"Content-Length": "26"}, b'{"resultCode": "0200000"}'))

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b'{"resultCode": "0200000", "x": NaN}', "the response is not a JSON object: "),
            (b"\xff{", r"the response is not a JSON object: '\ufffd\{'"),
            (b'["x"]', r"""the response is not a JSON object: '\["x"\]'"""),
        ],
    )
    def test_a_body_that_is_not_a_json_object_is_shown(self, body: bytes, told: str) -> None:
        with pytest.raises(ISalesProtocolError, match=told):
            parse_response(response(200, {}, body))


def success(**payload: object) -> Success:
    return Success("0200000", "", payload)


class TestAPage:
    def test_a_page_has_batches_and_the_total_of_all_pages(self) -> None:
        page = read_batch_page(success(totalCount=7, data=[{"id": "012", "name": "a", "status": 2}]))
        assert page == Page([CallBatch("012", "a", BatchStatus.SUSPENDED)], 7)

    @pytest.mark.parametrize("total", ["1", True, False, 1.0, -1, None])
    def test_a_total_count_that_is_not_a_count_is_refused(self, total: object) -> None:
        with pytest.raises(ISalesProtocolError) as caught:
            read_batch_page(success(totalCount=total, data=[]))
        assert caught.value.problem == f"totalCount is {total!r}, not a count"

    @pytest.mark.parametrize("data", ["[]", {}, None])
    def test_a_page_without_a_list_is_refused(self, data: object) -> None:
        with pytest.raises(ISalesProtocolError) as caught:
            read_batch_page(success(totalCount=0, data=data))
        assert caught.value.problem == f"data is {data!r}, not a list of batches"

    @pytest.mark.parametrize(
        "entry",
        [
            "1",
            {"name": "a", "status": 1},
            {"id": 1, "name": "a", "status": 1},
            {"id": "", "name": "a", "status": 1},
            {"id": "1a", "name": "a", "status": 1},
            {"id": "1²", "name": "a", "status": 1},
            {"id": "1", "name": "a", "status": 3},
            {"id": "1", "name": "a", "status": True},
            {"id": "1", "name": "a", "status": "started"},
            {"id": "1", "name": "a"},
        ],
    )
    def test_a_page_leaves_out_entries_without_id_and_status(self, entry: object) -> None:
        page = read_batch_page(success(totalCount=2, data=[entry, {"id": "1", "name": "a", "status": 1}]))
        assert page.items == [CallBatch("1", "a", BatchStatus.STARTED)]
        problem = f"the list holds {entry!r}, which is not a batch with id and status 1 or 2"
        assert str(page.problem).startswith(problem)


@pytest.mark.parametrize("created", [None, "1", {}, {"id": None}, {"id": 1}, {"id": "1a"}, {"id": ""}])
def test_a_created_batch_without_an_id_is_refused(created: object) -> None:
    with pytest.raises(ISalesProtocolError) as caught:
        read_created_id(success(returnObject=created))
    assert caught.value.problem == f"returnObject is {created!r}, without the new batch's id"
