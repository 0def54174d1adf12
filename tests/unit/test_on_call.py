"""The page for the person on call: a message leads to one row, which says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_isales.client.errors import ISalesHTTPStatusError, make_result_error

REPOSITORY = Path(__file__).parents[2]
STEP_3 = (REPOSITORY / "docs" / "on-call.md").read_text().partition("## 3. ")[2].partition("## Colours")[0]
ROWS = [line.strip("| ").split(" | ") for line in STEP_3.splitlines() if line.startswith("| `")]
ACTS = {quote: row[-1] for row in ROWS for quote in re.findall(r"`([^`]+)`", row[0])}
CERTIFICATES = STEP_3.partition("### The certificate")[2]
# What OpenSSL says, and not we.
OPENSSL = {"has expired", "unable to get local issuer certificate", "self-signed certificate"}
# What the code puts together from parts, and what Airflow says.
COMPOSED = {
    "Pausing the campaigns of VDN",
    "Pausing the call batches",
    "not remembered: it was started after the pause of",
    "Not paused: this run is for the end of a shift at",
    "AirflowTaskTimeout",
}
NOT_ALL_PAUSED = (
    "Pausing the campaigns of VDN 25 failed: 19 paused, 1 failed. 1 of them, 1001 (renewals): accepted, but"
)
UNSIGNED = "HTTP 401: the server did not accept the signature"


def act_for(message: str) -> str:
    """Return what the row says whose quote fits best."""
    fitting = [quote for quote in ACTS if all(part.strip() in message for part in quote.split("..."))]
    return ACTS[max(fitting, key=len)]


@pytest.mark.parametrize(
    ("message", "act"),
    [
        (NOT_ALL_PAUSED, "Step 2. The reason"),
        (str(make_result_error("0200007", "")), "Look for the campaign **in the console**"),
        (UNSIGNED, "Suspend the campaigns **in the console**"),
        (f"{UNSIGNED}; this machine's clock is 90 s behind the server's", "Step 2 from a machine whose clock is right"),
        (str(ISalesHTTPStatusError(404)), "Suspend the campaigns **in the console**"),
        (str(ISalesHTTPStatusError(403)), "Step 2 from another machine"),
        (str(ISalesHTTPStatusError(418)), "Step 2 from another machine"),
    ],
)
def test_the_row_for_a_message_begins_with_the_right_act(message: str, act: str) -> None:
    assert act_for(message).startswith(act)


@pytest.mark.parametrize("quote", sorted({*re.findall(r"^\| `(.+?)`", CERTIFICATES, re.MULTILINE)} - OPENSSL))
def test_what_is_quoted_of_certificates_is_what_the_client_says(quote: str) -> None:
    client = " ".join(path.read_text() for path in (REPOSITORY / "airflow_provider_isales" / "client").glob("*.py"))
    assert quote.removesuffix(" ...") in client


def quoted_words() -> set[str]:
    """Return what the first table quotes of messages, without numbers and what varies."""
    quotes = {quote for quote in ACTS if quote not in CERTIFICATES}
    parts = {part.strip(" .:") for quote in quotes for part in re.split(r"\.\.\.|\[\d+\]|\b\d[\d:]*\b|[;,]", quote)}
    return parts - COMPOSED - {""}


@pytest.mark.parametrize("words", sorted(quoted_words()))
def test_what_is_quoted_of_messages_is_in_the_code(words: str) -> None:
    package = "".join(path.read_text() for path in (REPOSITORY / "airflow_provider_isales").rglob("*.py"))
    assert words in re.sub(r'"\s+f?"', "", package)
