"""The settings of a client: their effect, and which are refused."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import timedelta
from typing import Any

import certifi
import pytest

from airflow_provider_isales.client import (
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesClient,
    Outcome,
    SigningProfile,
)
from airflow_provider_isales.client.errors import ISalesCertificateError
from airflow_provider_isales.simulator import Simulator


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(simulator: Simulator) -> None:
    with simulator.client(verify=True) as client, pytest.raises(ISalesCertificateError, match="is not trusted"):
        client.pause_call_batch(7, "1")


def test_a_named_bundle_wins_over_requests_ca_bundle(
    simulator: Simulator, batch_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with simulator.client() as client:
        assert client.pause_call_batch(7, batch_id).outcome is Outcome.PAUSED


def test_requests_ca_bundle_counts_when_verify_is_true(
    simulator: Simulator, batch_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(simulator.ca_file))
    with simulator.client(verify=True) as client:
        assert client.pause_call_batch(7, batch_id).outcome is Outcome.PAUSED


@pytest.mark.parametrize("profile", list(SigningProfile))
def test_the_server_accepts_both_signing_profiles(simulator: Simulator, batch_id: str, profile: SigningProfile) -> None:
    with simulator.client(signing_profile=profile) as client:
        assert client.pause_call_batch(7, batch_id).outcome is Outcome.PAUSED


def test_a_wrong_secret_key_is_an_authentication_error_that_does_not_show_it(simulator: Simulator) -> None:
    with simulator.client(secret_key="wrong-secret") as client:
        with pytest.raises(ISalesAuthenticationError) as caught:
            client.pause_call_batch(7, "1")
        assert "wrong-secret" not in repr(vars(caught.value)) + str(caught.value) + repr(client)


def test_a_wrong_clock_is_named_as_the_cause() -> None:
    with (
        Simulator(clock_offset=timedelta(minutes=20)) as simulator,
        simulator.client() as client,
        pytest.raises(ISalesAuthenticationError, match=r"this machine's clock is 1[12]\d\d s behind the server's"),
    ):
        client.pause_call_batch(7, "1")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"host": "http://isales.example.com"}, "host must be a bare name or address"),
        ({"host": "isales.example.com/rest"}, "host must be a bare name or address"),
        ({"host": "isales.example.com:8443"}, "host must be a bare name or address"),
        ({"host": ""}, "host must be a bare name or address"),
        ({"port": 0}, "port must be an integer from 1 to 65535, not 0"),
        ({"port": "8443"}, "port must be an integer from 1 to 65535, not '8443'"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0, up to 600, not 0"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds above 0, up to 600, not nan"),
        ({"timeout": "soon"}, "timeout must be a number of seconds above 0, up to 600, not 'soon'"),
        ({"timeout": 1e300}, "timeout must be a number of seconds above 0, up to 600, not 1e\\+300"),
        ({"max_connections": 0}, "max_connections must be an integer from 1 to 64, not 0"),
        ({"host": "10.22.26.181:28080"}, "host must be a bare name or address"),
        ({"host": "face:8080"}, "host must be a bare name or address"),
        ({"host": "a..b"}, "host must be a bare name or address"),
        ({"host": "x" * 64}, "host must be a bare name or address"),
        ({"access_key": "secret/with/slashes"}, "the access key must be visible ASCII characters"),
        ({"verify": 1}, "verify must be true, false or the path of a CA bundle, not 1"),
        ({"verify": "/no/such.pem"}, "verify names no CA bundle that can be read: '/no/such.pem'"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ISalesArgumentError, match=complaint):
        ISalesClient(**{"host": "isales.example.com", "access_key": "ak", "secret_key": "sk", **settings})


def test_a_client_shows_itself_without_its_secret_key() -> None:
    with ISalesClient("isales.example.com", "ak", "the-secret", port=8443) as client:
        shown = "ISalesClient('https://isales.example.com:8443', C2Auth(access_key='ak', profile='current'))"
        assert repr(client) == shown


def test_a_client_that_could_not_be_made_can_be_shown() -> None:
    assert repr(ISalesClient.__new__(ISalesClient)) == "<ISalesClient that could not be made>"


def test_no_log_however_verbose_shows_key_or_signature(
    simulator: Simulator, batch_id: str, caplog: pytest.LogCaptureFixture, no_waiting: list[float]
) -> None:
    simulator.inject("close_after")
    with caplog.at_level(logging.DEBUG), simulator.client() as client:
        client.pause_call_batch(7, batch_id)
    shown = (word in caplog.text for word in ("callbatch/7/pause", "simulator-secret-key", "auth-v2"))
    assert tuple(shown) == (True, False, False)


def test_the_client_imports_nothing_of_airflow() -> None:
    program = "import sys, airflow_provider_isales.client; print('airflow' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
