"""``isales doctor``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from airflow_provider_isales.client.arguments import check_campaign_id
from airflow_provider_isales.client.text import clean
from airflow_provider_isales.terminal import connections, options
from airflow_provider_isales.terminal.connections import UsageError
from airflow_provider_isales.terminal.output import say, warn
from airflow_provider_isales.terminal.status import FAILURE, INTERRUPTED, SUCCESS, UNUSABLE

if TYPE_CHECKING:
    from airflow_provider_isales.client import CampaignKey, ISalesClient
    from airflow_provider_isales.terminal.diagnosis.findings import Finding, Step
    from airflow_provider_isales.terminal.diagnosis.trial import Trial

SUMMARY = "Find out how a platform answers, step by step, and what to do where something is wrong."

STATUSES = {
    SUCCESS: "nothing is wrong; have a look at what is a warning",
    FAILURE: "something is wrong; what to do was said",
    UNUSABLE: "it could not run: what was typed, or the connection, cannot be used",
    INTERRUPTED: "interrupted; a batch that was made is deleted, or named",
}

_STATE_WIDTH, _NAME_WIDTH = 9, 17
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "campaigns",
        nargs="?",
        type=lambda text: [options.checked(check_campaign_id)(text)],
        default=[],
        metavar="CAMPAIGN",
        help="a campaign to list; without one, some steps are skipped",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="also make a batch without numbers in the campaign, resume and pause it twice each, and delete it",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before --write")
    parser.add_argument(
        "--report",
        metavar="FILE",
        help="write what was found as Markdown, without keys, host names, addresses and phone numbers",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say on standard error what is being done")
    connections.add_arguments(parser)
    options.add_examples(
        parser,
        """
        isales doctor                                  # does it accept the keys?
        isales doctor 1001                             # how does it list batches?
        isales doctor 1001 --write --report visit.md   # and pause and resume them?
        """,
        STATUSES,
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    if arguments.write and not arguments.campaigns:
        raise UsageError("--write needs a campaign in which to make a batch: isales doctor CAMPAIGN --write")
    with connections.client_of(arguments) as client:
        campaign = connections.campaigns_of(arguments, client)[0] if arguments.campaigns else None
        if arguments.write and not _may_write(campaign, yes=arguments.yes):
            raise UsageError("nothing was done")
        with _opened(arguments.report) as report:
            return _visit(client, campaign, arguments.write, report)


def _visit(client: ISalesClient, campaign: CampaignKey | None, write: bool, report: TextIO | None) -> int:
    """Carry out all steps, show each as it is done, and write the report, however it ends."""
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.terminal.diagnosis.findings import Visit, examine  # noqa: PLC0415
    from airflow_provider_isales.terminal.diagnosis.reading import reading_steps  # noqa: PLC0415
    from airflow_provider_isales.terminal.diagnosis.report import written  # noqa: PLC0415
    from airflow_provider_isales.terminal.diagnosis.trial import Trial  # noqa: PLC0415

    trial = Trial(client, campaign) if write and campaign else None
    steps = reading_steps(Visit(client, campaign)) + (trial.steps() if trial else [])
    findings: list[tuple[Step, Finding]] = []
    # As in the command itself, but not where Airflow runs it: what was made is deleted, however it ends.
    with _signals(signal.default_int_handler, signal.SIGTERM), _signals(signal.SIG_IGN, signal.SIGHUP):
        try:
            for found in examine(steps):
                findings.append(found)
                _show(*found)
        finally:
            if trial and trial.is_open:
                findings.append(_deleted(trial))
                _show(*findings[-1])
            if report:
                report.write(written(findings, client))
    return _summed_up(findings, report)


def _deleted(trial: Trial) -> tuple[Step, Finding]:
    """Delete the batch that was made; another Ctrl-C does not keep it from being deleted."""
    from airflow_provider_isales.terminal.diagnosis.findings import Step, examine  # noqa: PLC0415 - for the start-up

    with _signals(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):
        return next(examine([Step("delete", trial.delete)]))


@contextmanager
def _signals(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    """Have signals handled in a way within the block."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _may_write(campaign: CampaignKey | None, *, yes: bool) -> bool:
    from airflow_provider_isales.terminal import asking  # noqa: PLC0415 - for the start-up of `isales --help`

    if yes:
        return True
    if not asking.somebody_is_there():
        raise UsageError("--write changes the platform, and there is no terminal to ask: add --yes")
    return asking.confirm(f"Make a batch without numbers in {campaign}, resume and pause it twice each, and delete it?")


@contextmanager
def _opened(path: str | None) -> Iterator[TextIO | None]:
    """Open the report before anything is done: it would be a pity to find out afterwards that it can't be written."""
    if path is None:
        yield None
        return
    try:
        stream = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"the report can't be written: {error}") from None
    with stream:
        yield stream


def _show(step: Step, finding: Finding) -> None:
    told = f"{finding.finding} ({clean(finding.private)})" if finding.private else finding.finding
    if sys.stdout.isatty():
        with suppress(ImportError, OSError):  # also a terminal that was closed
            _show_in_colour(step, finding, told)
            return
    say(f"{finding.state:<{_STATE_WIDTH}}{step.name:<{_NAME_WIDTH}}{told}")
    if finding.advice:
        say(f"{'':<{_STATE_WIDTH}}{'':<{_NAME_WIDTH}}-> {finding.advice}")


def _show_in_colour(step: Step, finding: Finding, told: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - on terminals only, and where it is installed
    from rich.table import Table  # noqa: PLC0415 - likewise
    from rich.text import Text  # noqa: PLC0415 - likewise

    line = Table.grid()
    line.add_column(width=_STATE_WIDTH)
    line.add_column(width=_NAME_WIDTH)
    line.add_column()
    line.add_row(Text(finding.state, style=_STYLES[finding.state]), Text(step.name), Text(told))
    if finding.advice:
        line.add_row("", "", Text(f"-> {finding.advice}", style="bold"))
    Console(file=sys.stdout).print(line)


def _summed_up(findings: list[tuple[Step, Finding]], report: TextIO | None) -> int:
    from airflow_provider_isales.terminal.diagnosis.findings import State  # noqa: PLC0415 - for the start-up

    counts = Counter(finding.state for _, finding in findings)
    say(f"\n{', '.join(f'{counts[state]} {state}' for state in State if counts[state])}")
    if report:
        warn(f"Wrote {report.name}. Read it before you attach it to an issue.")
    return FAILURE if counts[State.FAIL] else SUCCESS
