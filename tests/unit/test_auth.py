"""C2 signing, against requests that the vendor's own code signed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_isales.client import C2Auth, ISalesArgumentError, SigningProfile
from airflow_provider_isales.client.auth import build_canonical_request, format_timestamp, make_authorization

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "c2_vectors.json").read_text(encoding="utf-8"))
by_name = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
SIGNED_AT = datetime(2026, 3, 4, 5, 6, 7, 891999, tzinfo=UTC)


def test_there_are_sixteen_vectors() -> None:
    assert len(VECTORS) == 16


@by_name
def test_a_vector_is_matched_byte_for_byte(vector: dict[str, Any]) -> None:
    timestamp = format_timestamp(datetime.fromisoformat(vector["timestamp"]), vector["precision"])
    assert (
        make_authorization(
            vector["access_key"],
            vector["secret_key"],
            timestamp,
            method=vector["method"],
            path=vector["path"],
            query=(vector["query"] or {}).items(),
            headers=vector["signed_headers"],
            body=vector["body"] or "",
        )
        == vector["authorization"]
    )


@by_name
def test_a_prepared_request_is_signed_as_in_the_vector(vector: dict[str, Any]) -> None:
    headers = vector["signed_headers"]
    profile = SigningProfile.LEGACY if list(headers) == ["host"] else SigningProfile.CURRENT
    assert profile.timespec == vector["precision"]
    request = requests.Request(
        vector["method"],
        f"https://{headers['host']}{vector['path']}",
        params=vector["query"],
        headers={"Content-Type": "application/json; charset=UTF-8"},
        data=(vector["body"] or "").encode(),
        auth=C2Auth(
            vector["access_key"],
            vector["secret_key"],
            profile,
            clock=lambda: datetime.fromisoformat(vector["timestamp"]),
        ),
    ).prepare()
    assert request.headers["Authorization"] == vector["authorization"]


def test_the_current_profile_signs_milliseconds_and_three_headers() -> None:
    assert signed().headers["Authorization"].split("/")[2:4] == [
        "2026-03-04T05:06:07.891Z",
        "content-length;content-type;host",
    ]


def test_the_legacy_profile_signs_seconds_and_the_host_alone() -> None:
    assert signed("legacy").headers["Authorization"].split("/")[2:4] == ["2026-03-04T05:06:07Z", "host"]


def test_the_timestamp_is_in_utc_wherever_the_clock_is() -> None:
    at = datetime(2026, 1, 1, 7, 59, 59, 999999, tzinfo=timezone(timedelta(hours=8)))
    assert format_timestamp(at, "milliseconds") == "2025-12-31T23:59:59.999Z"


@pytest.fixture
def machine_in_shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("machine_in_shanghai")
def test_the_timestamp_is_in_utc_wherever_the_machine_is() -> None:
    assert format_timestamp(SIGNED_AT, "seconds") == "2026-03-04T05:06:07Z"


@pytest.mark.parametrize(
    ("netloc", "host"),
    [
        ("isales.example.com", "isales.example.com"),
        ("isales.example.com:443", "isales.example.com"),
        ("isales.example.com:8443", "isales.example.com:8443"),
        ("10.22.26.181:28080", "10.22.26.181:28080"),
        ("[::1]:8443", "[::1]:8443"),
        ("user:password@isales.example.com:8443", "isales.example.com:8443"),
    ],
)
def test_the_host_header_has_the_port_where_it_is_not_443(netloc: str, host: str) -> None:
    assert signed(url=f"https://{netloc}/x").headers["Host"] == host


def test_the_host_header_of_plain_http_has_no_port_80() -> None:
    assert signed(url="http://isales.example.com:80/x").headers["Host"] == "isales.example.com"


def test_without_a_query_its_line_is_left_out() -> None:
    assert build_canonical_request("get", "/a b", [], {"Host": " h "}, "") == "GET\n/a b\nhost\nhost:h\n"


def test_query_parameters_are_encoded_and_sorted_as_text() -> None:
    text = build_canonical_request("GET", "/", [("b", "2"), ("a", "外 1~"), ("B", "*")], {"host": "h"}, "")
    assert text.split("\n")[2] == "B=%2A&a=%E5%A4%96%201~&b=2"


def test_a_query_parameter_without_a_value_is_signed_too() -> None:
    request = signed("legacy", url="https://h/x?b=1&a=")
    assert request.headers["Authorization"] == make_authorization(
        "ak",
        "sk",
        "2026-03-04T05:06:07Z",
        method="POST",
        path="/x",
        query=[("a", ""), ("b", "1")],
        headers={"host": "h"},
        body=b"{}",
    )


def test_without_a_body_none_is_signed() -> None:
    without = make_authorization("ak", "sk", "now", method="GET", path="/x", headers={"host": "h"})
    assert without == make_authorization("ak", "sk", "now", method="GET", path="/x", headers={"host": "h"}, body="")


def test_a_header_in_bytes_is_signed_as_the_text_that_is_sent() -> None:
    def signature(content_type: str | bytes) -> str:
        auth = C2Auth("ak", "sk", clock=lambda: SIGNED_AT)
        headers = {"Content-Type": content_type}
        return (
            requests.Request("POST", "https://h/x", headers=headers, data=b"{}", auth=auth)
            .prepare()
            .headers["Authorization"]
        )

    assert signature("text/plain; x=é".encode("latin-1")) == signature("text/plain; x=é")


@pytest.mark.parametrize(("profile", "length"), [("current", "0"), ("legacy", None)])
def test_a_request_without_a_body_says_its_length_only_where_that_is_signed(profile: str, length: str | None) -> None:
    request = requests.Request(
        "GET", "https://h/x", headers={"Content-Type": "application/json"}, auth=C2Auth("ak", "sk", profile)
    ).prepare()
    assert request.headers.get("Content-Length") == length


def test_a_request_without_content_type_cannot_be_signed_with_the_current_profile() -> None:
    with pytest.raises(ISalesArgumentError, match="signs the content-type header, which this request lacks"):
        requests.Request("POST", "https://h/x", data=b"{}", auth=C2Auth("ak", "sk")).prepare()


def test_a_streamed_body_cannot_be_signed() -> None:
    with pytest.raises(ISalesArgumentError, match="only text or bytes can be signed as a body, not generator"):
        requests.Request(
            "POST", "https://h/x", data=(b"{}" for _ in range(1)), auth=C2Auth("ak", "sk", "legacy")
        ).prepare()


def test_the_secret_key_is_not_in_the_repr() -> None:
    assert repr(C2Auth("ak", "the-secret")) == "C2Auth(access_key='ak', profile='current')"


@pytest.mark.parametrize("access_key", ["", "a/b", "a b", "a\nb", "ключ"])
def test_an_access_key_that_would_spoil_the_header_is_refused(access_key: str) -> None:
    with pytest.raises(ISalesArgumentError) as caught:
        C2Auth(access_key, "sk")
    assert str(caught.value) == "the access key must be visible ASCII characters without spaces or slashes"


def test_an_empty_secret_key_is_refused() -> None:
    with pytest.raises(ISalesArgumentError, match="the secret key must not be empty"):
        C2Auth("ak", "")


@pytest.mark.parametrize("secret_key", ["sk\n", " sk", "sk\r\n", "sk\u3000"])
def test_a_secret_key_with_white_space_around_it_is_refused_without_showing_it(secret_key: str) -> None:
    with pytest.raises(ISalesArgumentError, match="must not begin or end with white space") as caught:
        C2Auth("ak", secret_key)
    assert "sk" not in str(caught.value)


def test_a_clock_that_is_no_function_is_refused() -> None:
    with pytest.raises(ISalesArgumentError, match="the clock must be a function that returns an aware datetime"):
        C2Auth("ak", "sk", clock=SIGNED_AT)  # type: ignore[arg-type]


def test_an_unknown_signing_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ISalesArgumentError, match="signing_profile must be 'current' or 'legacy', not 'v3'"):
        C2Auth("ak", "sk", "v3")


def signed(profile: str = "current", url: str = "https://isales.example.com:8443/x") -> requests.PreparedRequest:
    return requests.Request(
        "POST",
        url,
        headers={"Content-Type": "application/json; charset=UTF-8"},
        data=b"{}",
        auth=C2Auth("ak", "sk", profile, clock=lambda: SIGNED_AT),
    ).prepare()
