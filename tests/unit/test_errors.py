"""The error tree and the table of result codes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from airflow_provider_isales import client
from airflow_provider_isales.client import (
    BulkResult,
    ISalesAuthenticationError,
    ISalesBulkError,
    ISalesCampaignEditedError,
    ISalesError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesStoppedError,
    ISalesTransportError,
    Outcome,
)
from airflow_provider_isales.client.errors import ISalesHTTPStatusError, make_result_error
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.client.result_codes import RESULT_CODES

DOCUMENTED_FAILURES = [
    "0200001", "0200006", "0200007",
    "02000001", "02000002", "02000003",
    "03000001", "03000002", "03000003", "03000004", "03000006",
]  # fmt: skip


def test_every_documented_failure_code_has_one_row() -> None:
    assert sorted(known.code for known in RESULT_CODES) == sorted(DOCUMENTED_FAILURES)


@pytest.mark.parametrize("code", DOCUMENTED_FAILURES)
def test_a_documented_code_knows_its_meaning_and_what_to_do(code: str) -> None:
    error = make_result_error(code, "")
    assert error.code == code
    assert bool(error.meaning)
    assert error.advice.endswith(".")


@pytest.mark.parametrize("code", DOCUMENTED_FAILURES)
def test_the_database_error_is_the_only_retryable_documented_code(code: str) -> None:
    assert make_result_error(code, "").retryable == (code == "0200006")


def test_seven_and_eight_digit_codes_are_different_codes() -> None:
    assert make_result_error("0200001", "").meaning != make_result_error("02000001", "").meaning


@pytest.mark.parametrize("code", ["02000004", "02000011", "02000099"])
def test_an_unlisted_eight_digit_02000_code_is_a_parameter_error(code: str) -> None:
    error = make_result_error(code, "")
    assert str(error).startswith(f"[{code}] a complaint about a parameter. ")
    assert not error.retryable


@pytest.mark.parametrize("code", ["0200002", "03000005", "200001", "0200000 ", "", "OK"])
def test_an_unknown_code_is_a_generic_error_that_shows_it_as_received(code: str) -> None:
    error = make_result_error(code, "as received")
    assert type(error) is ISalesResultError
    assert str(error).split(". ")[0] == f"[{code}] a result code that is not documented (as received)"


@pytest.mark.parametrize("kind", [ISalesCampaignEditedError, ISalesStoppedError])
def test_what_may_be_over_at_the_next_try_is_retryable(kind: type[ISalesError]) -> None:
    assert kind("").retryable


def test_an_unknown_code_is_retryable_but_not_within_the_call() -> None:
    error = make_result_error("09999999", "")
    assert error.retryable
    assert not error.transient


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_http_status_is_retried_within_the_call(status: int) -> None:
    assert ISalesHTTPStatusError(status).transient


@pytest.mark.parametrize("status", [301, 302, 400, 404, 421, 431])
def test_an_http_status_of_another_server_advises_to_check_host_and_port(status: int) -> None:
    assert ISalesHTTPStatusError(status).advice.endswith("check host and port of the connection.")


@pytest.mark.parametrize("status", [403, 405, 406, 418])
def test_an_http_status_of_a_firewall_advises_to_allow_list_the_address(status: int) -> None:
    assert "allow-list this machine's address" in ISalesHTTPStatusError(status).advice


@pytest.mark.parametrize("status", [103, 301, 400, 403, 404, 405, 418, 421, 431, 501, 520])
def test_any_other_http_status_is_retryable_but_not_within_the_call(status: int) -> None:
    error = ISalesHTTPStatusError(status)
    assert error.retryable
    assert not error.transient


@pytest.mark.parametrize(
    "kind", [ISalesTransportError, ISalesAuthenticationError, ISalesProtocolError, ISalesResultError]
)
def test_all_errors_have_one_root(kind: type[ISalesError]) -> None:
    assert issubclass(kind, ISalesError)


def test_a_message_says_what_failed_why_and_what_to_do() -> None:
    error = make_result_error("0200007", "no such task").during("Pausing call batch 1 of campaign 7 (VDN 25)")
    assert str(error) == (
        "Pausing call batch 1 of campaign 7 (VDN 25) failed: [0200007] the outbound campaign does not exist "
        "(no such task). Check campaign_id and vdn_id."
    )


BULK_RESULT = BulkResult(
    scope=CampaignKey(25, 7),
    done=Outcome.PAUSED,
    already=Outcome.ALREADY_PAUSED,
    changed=[],
    unchanged=[],
    failed={"1": "why"},
)


def every_error() -> list[ISalesError]:
    kinds = {getattr(client, name) for name in client.__all__ if name.endswith("Error")}
    special = {
        ISalesHTTPStatusError: ISalesHTTPStatusError(429, ", busy", 3.0),
        ISalesResultError: make_result_error("9", "x"),
        ISalesBulkError: ISalesBulkError("1 failed", BULK_RESULT),
    }
    return [special.get(kind) or kind("a problem") for kind in sorted(kinds, key=lambda kind: kind.__name__)]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("copied", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])  # noqa: S301
def test_an_error_survives_copying_and_pickling(
    error: ISalesError, copied: Callable[[ISalesError], ISalesError]
) -> None:
    error = error.during("Pausing it", 3)
    assert str(copied(error)) == str(error)
    assert vars(copied(error)) == vars(error)
