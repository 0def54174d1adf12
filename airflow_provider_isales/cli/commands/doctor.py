"""``isales doctor``."""

from __future__ import annotations

import argparse
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO

from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.diagnosis.reading import make_reading_steps
from airflow_provider_isales.cli.diagnosis.report import to_markdown
from airflow_provider_isales.cli.diagnosis.trial import Trial
from airflow_provider_isales.cli.diagnosis.visit import Finding, State, Step, Visit, examine
from airflow_provider_isales.cli.output import confirm, is_interactive, say, warn
from airflow_provider_isales.cli.statuses import FAILURE, SUCCESS, UsageError
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.models import CampaignKey
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
        return _visit(client, campaign, arguments.write, report)


def _visit(client: ISalesClient, campaign: CampaignKey | None, write: bool, report: TextIO | None) -> int:
    """Carry out all steps, show each as it is done, and write the report, however it ends."""
    trial = Trial(client, campaign) if write and campaign else None
    findings: list[tuple[Step, Finding]] = []

    def show_all(steps: list[Step]) -> None:
        for step, finding in examine(steps):
            findings.append((step, finding))
            private = f" ({clean_text(finding.private)})" if finding.private else ""
            say(f"{finding.state:<9}{step.name:<17}{finding.finding}{private}")
            if finding.advice:
                say(f"{'':<26}-> {finding.advice}")

    try:
        show_all(make_reading_steps(Visit(client, campaign)) + (trial.make_steps() if trial else []))
    finally:
        if trial and trial.is_open:
            with _ignore_interrupts():
                show_all([Step("delete", trial.delete)])
        if report:
            report.write(to_markdown(findings, client))
    counts = Counter(finding.state for _, finding in findings)
    say(f"\n{', '.join(f'{counts[state]} {state}' for state in State if counts[state])}")
    if report:
        warn(f"Wrote {report.name}. Read it before you attach it to an issue.")
    return FAILURE if counts[State.FAIL] else SUCCESS


@contextmanager
def _ignore_interrupts() -> Iterator[None]:
    """Delete the batch that was made even on another Ctrl-C."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
