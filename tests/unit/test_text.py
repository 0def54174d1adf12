"""How values and external texts are shown."""

from __future__ import annotations

import pytest

from airflow_provider_isales.client.text import Secret, clean_text, format_value

SIGNATURE = "0123456789abcdef" * 4


class TestATextOfOthers:
    @pytest.mark.parametrize(
        "echo",
        [
            f"auth-v2/ak/now/host/{SIGNATURE}",
            f"AUTH-V2/ak/now/host/{SIGNATURE}",
            f"auth-v2\\/ak\\/now\\/host\\/{SIGNATURE}",
            f"auth-v2%2Fak%2Fnow%2Fhost%2F{SIGNATURE}",
        ],
    )
    def test_external_text_is_shown_without_a_signature(self, echo: str) -> None:
        assert clean_text(f"bad {echo} header").lower() == "bad auth-v2/*** header"

    @pytest.mark.parametrize("signature", [SIGNATURE, SIGNATURE.upper()])
    def test_external_text_is_shown_without_a_part_of_a_signature(self, signature: str) -> None:
        assert clean_text(f"expected {signature}, got none") == "expected ***, got none"

    def test_external_text_is_shown_without_credentials_of_a_url(self) -> None:
        assert clean_text("no route to http://user:pass@proxy:3128") == "no route to http://***@proxy:3128"

    @pytest.mark.parametrize("scheme", ["Basic", "bearer", "DIGEST"])
    def test_external_text_is_shown_without_credentials_of_another_scheme(self, scheme: str) -> None:
        assert (
            clean_text(f"the proxy refused {scheme} dXNlcjpwYXNz+/=_.~- again")
            == f"the proxy refused {scheme} *** again"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "basic needs",
            "the bearer of news",
            "unbasic 12345678x",
            "Basic Constraints of CA cert not marked critical",
            "Basic authentication, bearer certificates.",
            "BASIC constraints",
        ],
    )
    def test_external_text_keeps_words_that_only_look_like_credentials(self, text: str) -> None:
        assert clean_text(text) == text

    def test_external_text_is_shown_on_one_line(self) -> None:
        assert clean_text("a\nb\x00c\x1bd") == "a b c d"

    def test_external_text_of_200_characters_is_shown_in_full(self) -> None:
        assert clean_text("x" * 200) == "x" * 200

    def test_external_text_of_more_than_200_characters_is_cut(self) -> None:
        assert clean_text("x" * 201) == "x" * 200 + "..."


class TestAValue:
    def test_a_value_is_shown_as_its_repr(self) -> None:
        assert format_value("it's") == '"it\'s"'

    def test_a_value_without_a_repr_is_shown_as_its_type(self) -> None:
        assert format_value(10**5000) == "<int>"


class TestASecret:
    @pytest.mark.parametrize("show", [str, repr, "{}".format])
    def test_a_secret_is_shown_as_stars(self, show: object) -> None:
        assert callable(show)
        assert show(Secret("sk")) == "***"

    def test_a_secret_is_revealed_on_request(self) -> None:
        assert Secret("sk").reveal() == "sk"

    def test_a_secret_is_not_wrapped_twice(self) -> None:
        secret = Secret("sk")
        assert Secret.of(secret) is secret
        assert Secret.of("sk").reveal() == "sk"

    @pytest.mark.parametrize(("text", "usable"), [("sk", True), ("", False), (None, False), ("\ud800", False)])
    def test_a_secret_must_be_text_that_utf_8_can_express(self, text: str, usable: bool) -> None:
        assert bool(Secret(text)) is usable
