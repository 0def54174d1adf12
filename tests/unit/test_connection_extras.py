"""The TLS settings in a connection's extra: as JSON, or as text in a connection from a URI."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from airflow_provider_isales.client import ISalesArgumentError, ISalesClient
from airflow_provider_isales.support.settings import read_client_settings


def read_settings(**extra: object) -> dict[str, Any]:
    connection = {"conn_id": "isales_default", "host": "h", "port": None, "login": "ak", "password": "sk"}
    return read_client_settings(SimpleNamespace(**connection, extra=json.dumps(extra)))


@pytest.mark.parametrize(("written", "read"), [(False, False), ("false", False), ("True", True), (True, True)])
def test_verify_strict_is_a_boolean_or_its_name(written: object, read: bool) -> None:
    assert read_settings(verify_strict=written)["verify_strict"] is read


def test_any_other_verify_strict_is_refused() -> None:
    with pytest.raises(ISalesArgumentError, match="verify_strict must be true or false, not 'maybe'"):
        ISalesClient(**read_settings(verify_strict="maybe"))


def test_client_cert_is_the_path_of_a_certificate_with_its_key(tmp_path: Any) -> None:
    path = tmp_path / "client.pem"
    trustme.CA().issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(path))
    assert read_settings(client_cert=str(path))["client_cert"] == str(path)


def test_a_missing_client_cert_is_retryable_because_another_worker_may_have_it() -> None:
    with pytest.raises(ISalesArgumentError, match="client_cert names no certificate with its key") as caught:
        ISalesClient(**read_settings(client_cert="/no/such.pem"))
    assert caught.value.retryable
