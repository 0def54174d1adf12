"""A report that is fit to attach to an issue: nothing in it says whose platform it is about."""

from __future__ import annotations

import platform
import re
import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from ipaddress import ip_address

from airflow_provider_isales import __version__
from airflow_provider_isales.cli.diagnosis.visit import Finding, Step
from airflow_provider_isales.client.client import ISalesClient

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"\b(?:{_LABEL}\.)+[A-Za-z]{{2,}}\b")
_IPV4 = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_MAYBE_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
# Result codes have 7 or 8 digits, and so has a date.
_NUMBER = re.compile(r"\+?\d(?:[ ()/-]{0,2}\d){8,}")
_OWN_NAME = re.compile(r"isales-doctor-\d{8}-\d{6}")
_ESCAPED = r"\\\1"
_MARKDOWN = re.compile(r"([\\`*_|<>\[\]#])")


def to_markdown(findings: Iterable[tuple[Step, Finding]], client: ISalesClient) -> str:
    """Return the report as Markdown, without the client's host and access key."""
    about = {
        "when": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "airflow-provider-isales": __version__,
        "Python": f"{platform.python_version()} on {platform.system()}",
        "libraries": f"{ssl.OPENSSL_VERSION}, requests {version('requests')}, urllib3 {version('urllib3')}",
    }
    lines = ["# isales doctor", "", _format_row("", ""), "|---|---|", *(_format_row(*item) for item in about.items())]
    lines += ["", _format_row("step", "state", "what was found", "what to do"), "|---|---|---|---|"]
    for step, finding in findings:
        told = (redact(text, client) for text in (finding.finding, finding.advice))
        lines.append(_format_row(step.name, finding.state, *told))
    return "\n".join([*lines, ""])


def redact(text: str, client: ISalesClient) -> str:
    """Return a text without what says whose it is. Little of it gets here: findings keep it in a field of its own."""
    for known in (
        client.session.transport.route.base_url,
        client.session.transport.route.address[0],
        client.auth.access_key,
    ):
        text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", "***", text, flags=re.IGNORECASE)
    text = _IPV4.sub("***", _HOST_NAME.sub("***", text))
    text = _MAYBE_IPV6.sub(lambda found: "***" if _is_address(found[0]) else found[0], text)
    return _NUMBER.sub("***", _OWN_NAME.sub("isales-doctor-...", text))


def _is_address(text: str) -> bool:
    with suppress(ValueError):
        return bool(ip_address(text.strip(".")))
    return False


def _format_row(*cells: str) -> str:
    return f"| {' | '.join(_MARKDOWN.sub(_ESCAPED, cell) for cell in cells)} |"
