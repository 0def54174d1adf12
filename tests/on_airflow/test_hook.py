"""``ISalesHook``: what it reads of a connection, and what its connection test says."""

from __future__ import annotations

import json
import logging
import os
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_isales.client import BatchStatus, ISalesArgumentError, Outcome, SigningProfile
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.simulator import Simulator

CONN = "AIRFLOW_CONN_ISALES_DEFAULT"


def change_connection(extra: dict[str, Any] | None = None, **fields: Any) -> None:
    """Change fields of the connection to the simulator; None leaves a field out."""
    connection = json.loads(os.environ[CONN])
    connection["extra"] |= extra or {}
    connection |= fields
    os.environ[CONN] = json.dumps({name: value for name, value in connection.items() if value is not None})


@pytest.fixture
def batch_id(isales_simulator: Simulator) -> str:
    return next(iter(isales_simulator.add_campaign(7, batches=2).batches))


class TestCalls:
    def test_the_client_of_a_hook_has_the_six_interfaces(self, batch_id: str) -> None:
        with ISalesHook().get_conn() as client:
            assert client.pause_call_batch(7, batch_id).outcome is Outcome.PAUSED
            assert client.resume_call_batch(7, batch_id).outcome is Outcome.RESUMED
            created = client.create_call_batch(7, "new", BatchStatus.STARTED)
            client.update_call_batch(7, created.id, "newer")
            assert [batch.name for batch in client.list_call_batches(7, name="newer")] == ["newer"]
            client.delete_call_batch(7, created.id)

    def test_the_vdn_is_the_connections(self, batch_id: str) -> None:
        assert ISalesHook().get_conn().pause_call_batch(7, batch_id).batch.vdn_id == 25

    def test_the_vdn_of_a_call_wins_over_the_connections(self, batch_id: str) -> None:
        change_connection({"vdn_id": 26})
        assert ISalesHook().get_conn().pause_call_batch(7, batch_id, vdn_id=25).batch.vdn_id == 25

    def test_without_any_vdn_the_error_says_where_to_put_one(self, batch_id: str) -> None:
        change_connection({"vdn_id": None})
        with pytest.raises(ISalesArgumentError, match="no vdn_id: name it in the call, or set the"):
            ISalesHook().get_conn().pause_call_batch(7, batch_id)

    def test_a_hook_makes_its_client_once(self, isales_simulator: Simulator) -> None:
        hook = ISalesHook()
        assert hook.get_conn() is hook.get_conn()


class TestReadingTheConnection:
    def test_a_connection_written_as_a_uri_works(self, isales_simulator: Simulator, batch_id: str) -> None:
        os.environ[CONN] = (
            f"isales://simulator:simulator-secret-key@127.0.0.1:{isales_simulator.port}"
            f"/?vdn_id=25&timeout=5&signing_profile=legacy&verify={isales_simulator.ca_file}"
        )
        assert ISalesHook().get_conn().pause_call_batch(7, batch_id).outcome is Outcome.PAUSED

    def test_the_port_is_443_when_empty(self, isales_simulator: Simulator) -> None:
        change_connection(port=None)
        assert "'https://127.0.0.1'" in repr(ISalesHook().get_conn())

    def test_empty_extra_fields_as_the_form_stores_them_mean_nothing(self, batch_id: str) -> None:
        change_connection({"timeout": None, "signing_profile": "", "proxies": ""})
        assert ISalesHook().get_conn().pause_call_batch(7, batch_id).outcome is Outcome.PAUSED

    @pytest.mark.parametrize("verify", [False, "false", "False"])
    def test_verify_false_trusts_anybody_and_warns(
        self, batch_id: str, verify: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        change_connection({"verify": verify})
        with caplog.at_level(logging.WARNING):
            assert ISalesHook().get_conn().pause_call_batch(7, batch_id).outcome is Outcome.PAUSED
        assert "Connection 'isales_default' has verify=false: anyone on the network path" in caplog.text

    def test_an_unknown_extra_field_is_named_in_a_warning(
        self, batch_id: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        change_connection({"time_out": 5})
        with caplog.at_level(logging.WARNING):
            ISalesHook().get_conn()
        assert "has the unknown extra field 'time_out', which is ignored. Known: vdn_id, verify, timeout" in caplog.text

    @pytest.mark.parametrize(
        ("extra", "fields", "complaint"),
        [
            ({"vdn_id": 10000}, {}, "vdn_id must be an integer from 1 to 9999, not 10000"),
            ({"timeout": "soon"}, {}, "timeout must be a number of seconds above 0, up to 600, not 'soon'"),
            ({"timeout": -1}, {}, "timeout must be a number of seconds above 0, up to 600, not -1"),
            ({"verify": "/no/such.pem"}, {}, "verify names no CA bundle that can be read: '/no/such.pem'"),
            ({"signing_profile": "v3"}, {}, "signing_profile must be 'current' or 'legacy', not 'v3'"),
            ({"proxies": "http://proxy"}, {}, "proxies must be JSON such as"),
            ({"proxies": {"https": 1}}, {}, "proxies must be URLs such as"),
            ({"proxies": {"HTTPS": "http://proxy:3128"}}, {}, "proxies must be JSON such as"),
            ({"proxies": {"https": "proxy:3128"}}, {}, "proxies must be URLs such as"),
            ({"proxies": {"https": "http://[::1"}}, {}, "proxies must be URLs such as"),
            ({}, {"host": None}, "host must be a bare name or address"),
            ({}, {"host": "https://isales.example.com"}, "host must be a bare name or address"),
            ({}, {"login": None}, "login, the access key, is empty"),
            ({}, {"password": None}, "password, the secret key, is empty"),
        ],
    )
    def test_a_wrong_value_is_an_error_that_names_connection_key_and_value(
        self, isales_simulator: Simulator, extra: dict[str, Any], fields: dict[str, Any], complaint: str
    ) -> None:
        change_connection(extra, **fields)
        with pytest.raises(ISalesArgumentError, match="Reading connection 'isales_default' failed: ") as caught:
            ISalesHook().get_conn()
        assert complaint in str(caught.value)

    def test_proxies_are_used(self, isales_simulator: Simulator, batch_id: str) -> None:
        change_connection({"proxies": '{"https": "http://127.0.0.1:1"}'})
        ok, message = ISalesHook().test_connection()
        assert not ok
        assert "no connection could be made" in message

    def test_the_secret_key_is_masked_in_logs(self, isales_simulator: Simulator) -> None:
        from airflow.providers.common.compat.sdk import redact

        ISalesHook().get_conn()
        assert redact("the key is simulator-secret-key") == "the key is ***"


class TestTheConnectionTest:
    def message(self, expected: bool) -> str:
        ok, message = ISalesHook().test_connection()
        assert ok is expected, message
        return message

    def test_the_connection_test_succeeds_if_the_signature_is_accepted(self, isales_simulator: Simulator) -> None:
        assert self.message(True).startswith("CC-iSales accepted the signature (signing profile 'current').")

    def test_the_connection_test_changes_nothing(self, isales_simulator: Simulator) -> None:
        self.message(True)
        assert set(isales_simulator.requests) == {"list"}

    def test_the_connection_test_says_that_the_connection_has_no_vdn(self, isales_simulator: Simulator) -> None:
        change_connection({"vdn_id": None})
        assert "The connection names no vdn_id, so every operator must." in self.message(True)

    def test_the_connection_test_names_the_signing_profile_that_the_server_accepts(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Simulator(profiles=[SigningProfile.LEGACY]) as simulator:
            monkeypatch.setenv(CONN, simulator.connection())
            assert "Set the connection's extra 'signing_profile' to 'legacy'." in self.message(False)

    def test_the_connection_test_reports_a_wrong_key(self, isales_simulator: Simulator) -> None:
        change_connection(password="not-the-key")
        assert self.message(False).startswith("HTTP 401: the server did not accept the signature. Check access key")

    def test_the_connection_test_reports_a_wrong_clock(
        self, isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(isales_simulator, "clock_offset", timedelta(minutes=-20))
        assert "s ahead of the server's. Set this machine's clock right (NTP)" in self.message(False)

    def test_the_connection_test_reports_a_closed_port(self, isales_simulator: Simulator) -> None:
        change_connection(port=1)
        assert self.message(False).startswith("no connection could be made: [Errno 111] Connection refused. Check host")

    def test_the_connection_test_reports_an_unknown_host(self, isales_simulator: Simulator) -> None:
        change_connection(host="no-such-host.invalid")
        assert self.message(False).startswith("no connection could be made: ")

    def test_the_connection_test_reports_an_untrusted_certificate(self, isales_simulator: Simulator) -> None:
        change_connection({"verify": True})
        assert self.message(False).startswith("the server's certificate is not trusted: ")

    def test_the_connection_test_reports_a_port_without_tls(self, isales_simulator: Simulator) -> None:
        with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
            threading.Thread(target=server.serve_forever, args=(0.01,)).start()
            change_connection(port=server.server_address[1])
            message = self.message(False)
            server.shutdown()
        assert message.startswith("TLS failed: [SSL: ")

    def test_the_connection_test_reports_an_invalid_ca_bundle(
        self, isales_simulator: Simulator, tmp_path: Path
    ) -> None:
        (tmp_path / "not.pem").write_text("not a certificate")
        change_connection({"verify": str(tmp_path / "not.pem")})
        assert self.message(False).startswith("verify names no CA bundle that can be read: ")

    def test_the_connection_test_reports_a_firewall(self, isales_simulator: Simulator) -> None:
        isales_simulator.inject("answer", status=403)
        assert "ask the platform's operator to allow-list this machine's address" in self.message(False)

    @pytest.mark.parametrize("answer", [{"status": 404}, {"status": 200, "body": "<html>hello</html>"}])
    def test_the_connection_test_reports_another_server(
        self, isales_simulator: Simulator, answer: dict[str, Any]
    ) -> None:
        isales_simulator.inject("answer", **answer)
        assert "heck host and port of the connection" in self.message(False)

    def test_the_connection_test_reports_a_wrong_setting(self, isales_simulator: Simulator) -> None:
        change_connection({"timeout": "soon"})
        assert self.message(False) == "timeout must be a number of seconds above 0, up to 600, not 'soon'"
