"""Nothing of a connection that is secret is shown when reading it or calling with it fails, however it is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from leaks import everything_logged, leaks, shown_of

from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.simulator import Simulator

CONN = "AIRFLOW_CONN_ISALES_DEFAULT"
SECRET = "this-is-the-secret-key"
PASSWORD = "this-is-the-proxy-password"
PROXY = f"http://user:{PASSWORD}@127.0.0.1:1"

# Without values of other types than text: Airflow itself refuses those.
WRONG: dict[str, dict[str, Any]] = {
    "host empty": {"host": ""},
    "host with a scheme": {"host": "https://isales.example.com"},
    "port of words": {"port": "many"},
    "port too large": {"port": 70000},
    "login empty": {"login": ""},
    "login that is the secret key, with a slash": {"login": f"{SECRET}/x"},
    "password empty, login the secret key": {"login": SECRET, "password": ""},
    "extra that is no object": {"extra": [PROXY]},
    "extra that is no JSON": {"extra": "{" + PROXY},
    "vdn_id": {"extra": {"vdn_id": "x", "proxies": {"https": PROXY}}},
    "verify": {"extra": {"verify": "/no/such.pem", "proxies": {"https": PROXY}}},
    "timeout": {"extra": {"timeout": "soon", "proxies": {"https": PROXY}}},
    "signing_profile": {"extra": {"signing_profile": "v9", "proxies": {"https": PROXY}}},
    "proxies as text": {"extra": {"proxies": PROXY}},
    "proxies as a list": {"extra": {"proxies": [PROXY]}},
    "proxies of an unknown scheme": {"extra": {"proxies": {"HTTPS": PROXY}}},
    "proxies with a bad port": {"extra": {"proxies": {"https": PROXY + "x"}}},
    "proxies with a hash in the password": {"extra": {"proxies": {"https": f"http://user:#{PASSWORD}@127.0.0.1:1"}}},
    "proxies of another protocol": {"extra": {"proxies": {"https": PROXY.replace("http", "socks5")}}},
    "proxies without a scheme": {"extra": {"proxies": {"https": PROXY.removeprefix("http://")}}},
    "proxies as JSON in text": {"extra": {"proxies": json.dumps({"https": PROXY + "/x"})}},
    "wrong host beside good proxies": {"host": "", "extra": {"proxies": {"https": PROXY}}},
    "wrong maximum of connections": {"extra": {"proxies": {"https": PROXY}}},
}


def shown_by(action: Callable[[], object]) -> tuple[dict[str, str], str]:
    with everything_logged() as log:
        try:
            action()
        except Exception as error:
            return shown_of(error) | {"log": log.getvalue()}, type(error).__name__
    return {"log": log.getvalue()}, "success"


def connect(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    connection = {"conn_type": "isales", "host": "127.0.0.1", "port": 1, "login": "ak", "password": SECRET, **changes}
    monkeypatch.setenv(CONN, json.dumps(connection))
    monkeypatch.setenv("NO_PROXY", "")


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_connection_shows_no_secret(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, WRONG[what])
    hook = ISalesHook(max_connections=0) if "maximum" in what else ISalesHook()
    shown, kind = shown_by(hook.get_conn)
    assert kind != "success"
    assert leaks(shown, [SECRET, PASSWORD]) == []


@pytest.mark.parametrize("what", WRONG)
def test_the_test_of_a_wrong_connection_shows_no_secret(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, WRONG[what])
    hook = ISalesHook(max_connections=0) if "maximum" in what else ISalesHook()
    told: list[object] = []
    shown, _ = shown_by(lambda: told.append(hook.test_connection()))
    assert leaks(shown | {"told": str(told)}, [SECRET, PASSWORD]) == []


@pytest.mark.parametrize(
    "changes", [{}, {"extra": {"proxies": {"https": PROXY}}}, {"host": "no-such-host.invalid"}], ids=str
)
def test_a_failing_call_of_a_hook_shows_no_secret(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, changes)
    monkeypatch.setattr("airflow_provider_isales.client.gate.Gate.sleep", lambda self, seconds: None)
    shown, kind = shown_by(lambda: ISalesHook().get_conn().pause_call_batch(7, "1", 25))
    assert (leaks(shown, [SECRET, PASSWORD]), kind) == ([], "ISalesConnectError")


def test_a_refused_signature_shows_no_secret(isales_simulator: Simulator) -> None:
    connection = json.loads(os.environ[CONN]) | {"password": SECRET}
    os.environ[CONN] = json.dumps(connection)
    shown, kind = shown_by(lambda: ISalesHook().get_conn().pause_call_batch(7, "1"))
    assert (leaks(shown, [SECRET]), kind) == ([], "ISalesAuthenticationError")
