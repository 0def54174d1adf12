"""``isales doctor``: runs the steps, prints what each one finds, and writes a report that names no platform."""

from __future__ import annotations

import argparse
import platform
import signal
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version

from airflow_provider_isales import __version__
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.diagnosis.reading import make_reading_steps
from airflow_provider_isales.cli.diagnosis.trial import Trial
from airflow_provider_isales.cli.diagnosis.visit import Finding, State, Step, Visit, examine
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UsageError, confirm, is_interactive, say, warn
from airflow_provider_isales.client.text import clean_text


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    if arguments.write and not arguments.campaigns:
        raise UsageError("--write needs a campaign in which to make a batch: isales doctor CAMPAIGN --write")
    with ExitStack() as stack:
        client = stack.enter_context(make_client(arguments))
        campaign = make_campaign_keys(client, [arguments.campaigns])[0] if arguments.campaigns else None
        if arguments.write and not arguments.yes:
            if not is_interactive():
                raise UsageError("--write changes the platform, and there is no terminal to ask: add --yes")
            if not confirm(f"Make a batch without numbers in {campaign}, resume and pause it twice, and delete it?"):
                raise UsageError("nothing was done")
        try:  # before anything is done: it would be a pity to find out afterwards that it can't be written
            path = arguments.report
            report = stack.enter_context(open(path, "w", encoding="utf-8")) if path else None
        except OSError as error:
            raise UsageError(f"the report can't be written: {error}") from None
        trial = Trial(client, campaign) if arguments.write and campaign else None
        findings: list[tuple[Step, Finding]] = []
        try:
            _show_all(make_reading_steps(Visit(client, campaign)) + (trial.make_steps() if trial else []), findings)
        finally:
            if trial and trial.is_open:
                for number in (signal.SIGINT, signal.SIGTERM):  # delete it even on another Ctrl-C
                    signal.signal(number, signal.SIG_IGN)
                _show_all([Step("delete", trial.delete)], findings)
            if report:
                report.write(_make_report(findings))
    counts = Counter(finding.state for _, finding in findings)
    say(f"\n{', '.join(f'{counts[state]} {state}' for state in State if counts[state])}")
    if report:
        warn(f"Wrote {report.name}. Read it before you attach it to an issue.")
    return FAILURE if counts[State.FAIL] else SUCCESS


def _show_all(steps: Sequence[Step], findings: list[tuple[Step, Finding]]) -> None:
    """Carry out steps; print what each one finds, and add it to the findings."""
    for step, finding in examine(steps):
        findings.append((step, finding))
        private = f" ({clean_text(finding.private)})" if finding.private else ""
        say(_format_finding(step, finding, private))


def _format_finding(step: Step, finding: Finding, private: str = "") -> str:
    text = f"{finding.state:<9}{step.name:<17}{finding.finding}{private}"
    return f"{text}\n{'':<26}-> {finding.advice}" if finding.advice else text


def _make_report(findings: Sequence[tuple[Step, Finding]]) -> str:
    """Return what was printed, without what is private, and the versions."""
    libraries = f"{ssl.OPENSSL_VERSION}, requests {version('requests')}, urllib3 {version('urllib3')}"
    about = [
        f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}, airflow-provider-isales {__version__}",
        f"Python {platform.python_version()} on {platform.system()}, {libraries}",
    ]
    return "\n".join([*about, "", *(_format_finding(*found) for found in findings), ""])
