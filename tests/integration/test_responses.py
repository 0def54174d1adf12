"""What counts as success, and the errors of all other responses."""

from __future__ import annotations

import json

import pytest

from airflow_provider_isales.client import ISalesClient, ISalesProtocolError, ISalesResultError, Outcome
from airflow_provider_isales.client.errors import ISalesHTTPStatusError
from airflow_provider_isales.simulator import Simulator

SUCCESS = {"resultCode": "0200000", "resultDesc": "ok", "returnCode": "0200000", "returnDesc": "ok"}


@pytest.mark.parametrize(
    "answer",
    [
        {"resultCode": "0200000"},
        {"returnCode": "0200000"},
        {"resultCode": "0200000", "returnCode": ""},
        {"resultCode": None, "returnCode": "0200000"},
    ],
)
def test_success_is_the_success_code_in_every_code_field_that_is_filled(
    client: ISalesClient, simulator: Simulator, answer: dict[str, object]
) -> None:
    simulator.inject("answer", status=200, body=json.dumps(answer))
    assert client.pause_call_batch(7, "1").outcome is Outcome.PAUSED


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("{}", "neither a resultCode nor a returnCode"),
        ('{"resultCode": "", "returnCode": null}', "neither a resultCode nor a returnCode"),
        ('{"resultCode": "0200000", "returnCode": "0200006"}', "contradicts itself"),
        ('{"resultCode": "03000006", "returnCode": "0200000"}', "contradicts itself"),
        ('{"resultCode": "0200006", "resultCode": "0200000"}', "has a field twice"),
        ('{"resultCode": 200000}', "resultCode is 200000, which is not text"),
        ('{"resultCode": "0200000", "returnCode": 200000}', "returnCode is 200000, which is not text"),
        ('{"resultCode": false}', "resultCode is False, which is not text"),
        ('["0200000"]', "not a JSON object"),
        ('"0200000"', "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"resultCode": "0200000"', "not a JSON object"),
        ("<html>welcome</html>", "not a JSON object: '<html>welcome</html>'"),
        ("", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        (json.dumps(SUCCESS | {"padding": "x" * 2**21}), "larger than 1024 KiB"),
    ],
)
def test_any_other_response_is_a_protocol_error(
    client: ISalesClient, simulator: Simulator, body: str, complaint: str
) -> None:
    simulator.inject("answer", status=200, body=body, times=8)
    with pytest.raises(ISalesProtocolError, match=complaint):
        client.pause_call_batch(7, "1")


@pytest.mark.parametrize("status", [201, 202, 204, 304])
def test_an_http_status_other_than_200_is_never_success(
    client: ISalesClient, simulator: Simulator, status: int
) -> None:
    simulator.inject("answer", status=status, body="" if status in (204, 304) else json.dumps(SUCCESS))
    with pytest.raises(ISalesHTTPStatusError, match=f"HTTP {status}"):
        client.pause_call_batch(7, "1")


def test_a_redirect_is_not_followed(client: ISalesClient, simulator: Simulator, batch_id: str) -> None:
    simulator.inject("answer", status=307, headers={"Location": "/elsewhere"})
    with pytest.raises(ISalesHTTPStatusError, match="a redirect to '/elsewhere', which is not followed"):
        client.pause_call_batch(7, batch_id)


def test_the_body_of_a_redirect_is_not_read(client: ISalesClient, simulator: Simulator) -> None:
    simulator.inject("answer", status=302, headers={"Location": "https://[bad"}, body="x" * 2**22)
    with pytest.raises(ISalesHTTPStatusError, match="HTTP 302 Found, a redirect to"):
        client.pause_call_batch(7, "1")


@pytest.mark.parametrize("echo", ["resultDesc", "resultCode"])
def test_a_signature_echoed_by_the_server_is_not_shown(client: ISalesClient, simulator: Simulator, echo: str) -> None:
    answer = {"resultCode": "0200001", "resultDesc": "no"} | {echo: "bad\nauth-v2/ak/now/host/5167 header"}
    simulator.inject("answer", status=200, body=json.dumps(answer))
    with pytest.raises(ISalesResultError, match=r"bad auth-v2/\*\*\* header"):
        client.pause_call_batch(7, "1")


def test_a_long_description_is_cut(client: ISalesClient, simulator: Simulator) -> None:
    simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"resultDesc": "x" * 9000}))
    assert len(client.pause_call_batch(7, "1").result_desc) < 250
