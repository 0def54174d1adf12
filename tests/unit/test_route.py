"""The settings of the way to a server: what is allowed, and what the error says otherwise."""

from __future__ import annotations

import errno
import os
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

from airflow_provider_isales.client import ISalesArgumentError
from airflow_provider_isales.client.route import Route, check_host, check_proxy, make_context


@pytest.mark.parametrize(
    ("value", "in_url"),
    [
        ("isales.example.com", "isales.example.com"),
        ("isales.example.com.", "isales.example.com."),
        ("10.22.26.181", "10.22.26.181"),
        ("::1", "[::1]"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
    ],
)
def test_a_host_is_a_name_or_an_address_as_it_stands_in_a_url(value: str, in_url: str) -> None:
    assert check_host(value) == in_url


@pytest.mark.parametrize("value", [None, 7, b"h", "", "a b", "fe80::1%eth0", "https://h", "h/x", "h:1", "user@h"])
def test_any_other_host_is_refused(value: object) -> None:
    with pytest.raises(ISalesArgumentError, match="host must be a bare name or address, not"):
        check_host(value)


class TestVerify:
    @pytest.mark.parametrize(
        ("value", "mode"),
        [(True, ssl.CERT_REQUIRED), (False, ssl.CERT_NONE), (certifi.where(), ssl.CERT_REQUIRED)],
    )
    def test_verify_is_a_boolean_or_a_ca_bundle(self, value: bool | str, mode: ssl.VerifyMode) -> None:
        assert make_context(value).verify_mode == mode

    def test_a_ca_bundle_is_loaded_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        load, loaded = ssl.SSLContext.load_verify_locations, []

        def count(self: ssl.SSLContext, cafile: Any = None, *more: Any) -> None:
            loaded.append(cafile)
            load(self, cafile, *more)

        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", count)
        Route("isales.example.com", 443, verify=certifi.where())
        assert loaded == [certifi.where()]

    def test_verify_may_be_a_directory_of_certificates_under_hashed_names(self, tmp_path: Path) -> None:
        (tmp_path / "5ed36f99.0").touch()
        assert make_context(str(tmp_path)).verify_mode == ssl.CERT_REQUIRED

    def test_verify_directory_without_hashed_names_is_refused_with_the_command_to_run(self, tmp_path: Path) -> None:
        (tmp_path / "ca.pem").touch()
        with pytest.raises(ISalesArgumentError, match="openssl rehash") as caught:
            make_context(str(tmp_path))
        assert caught.value.retryable

    def test_an_unreadable_verify_directory_is_retryable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: str) -> list[str]:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

        monkeypatch.setattr("os.listdir", refuse)  # root, as whom tests may run, can read all
        with pytest.raises(ISalesArgumentError, match="verify names no CA bundle that can be read: ") as caught:
            make_context(str(tmp_path))
        assert caught.value.retryable

    def test_an_unreadable_ca_bundle_is_retryable_because_another_worker_may_have_it(self) -> None:
        with pytest.raises(ISalesArgumentError) as caught:
            make_context("/no/such.pem")
        assert caught.value.retryable

    def test_verify_cannot_be_empty_which_openssl_takes_for_the_usual_authorities(self) -> None:
        with pytest.raises(ISalesArgumentError, match="verify must be true, false or the path of a CA bundle, not ''"):
            Route("isales.example.com", 443, verify="")

    def test_verify_cannot_have_a_zero_byte_in_its_path(self) -> None:
        with pytest.raises(ISalesArgumentError, match="verify names no CA bundle that can be read"):
            make_context("a\x00b")


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy",
        "https://proxy.example.com:1",
        "http://user:p%40ss@10.0.0.1:3128/",
        "http://[::1]:3128",
    ],
)
def test_a_proxy_is_a_url_with_or_without_user_and_password(url: str) -> None:
    assert check_proxy(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        b"http://proxy",
        "",
        "proxy:3128",
        "http://",
        "ftp://proxy",
        "http://proxy/path",
        "http://proxy?x=secret",
        "http://proxy#secret",
        "http://user:sec ret@proxy",
        "http://user:sec\\ret@proxy",
        "http://user:sec\nret@proxy",
        "http://user:sec\x7fret@proxy",
        "http://user:seçret@proxy",
        "http://user:sec@ret@proxy",
        "http://user:sec/ret@proxy",
        "http://bad!host",
        "http://proxy:0",
        "http://proxy:65536",
        "http://user:sec[ret@proxy",
        "http://[::1",
    ],
)
def test_any_other_proxy_is_refused_without_showing_it(url: object) -> None:
    with pytest.raises(ISalesArgumentError) as caught:
        check_proxy(url)
    assert str(caught.value) == (
        "proxies must be URLs such as http://proxy.example.com:3128, whose user name and password have characters "
        "such as # @ / ? percent-encoded. The value is not shown: it may hold a password"
    )


def test_a_refused_host_or_bundle_is_shown() -> None:
    with pytest.raises(ISalesArgumentError, match="'a host'"):
        check_host("a host")
    with pytest.raises(ISalesArgumentError, match=r"7\.5"):
        Route("a-host", 443, verify=7.5)  # type: ignore[arg-type]
    with pytest.raises(ISalesArgumentError, match=r"'/no/such\.pem'"):
        make_context("/no/such.pem")
