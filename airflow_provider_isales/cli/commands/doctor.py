"""``isales doctor``: runs the steps and prints what each one finds."""

from __future__ import annotations

import argparse
import platform
import signal
import ssl
from collections import Counter
from importlib.metadata import version

from airflow_provider_isales import __version__
from airflow_provider_isales.cli.commands.shifts import read_calendar
from airflow_provider_isales.cli.connections import make_campaign_key, make_client
from airflow_provider_isales.cli.diagnosis.campaigns import CampaignChecks, make_vdn_steps
from airflow_provider_isales.cli.diagnosis.connection import ConnectionChecks
from airflow_provider_isales.cli.diagnosis.steps import Finding, State, Step, run_steps
from airflow_provider_isales.cli.diagnosis.trial import BatchTrial, CampaignTrial
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UsageError, confirm, print_line
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.client.text import clean_text
from airflow_provider_isales.shifts import ShiftCalendar

_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named", "Name one: isales doctor CAMPAIGN")
_NO_VDN = Finding(State.SKIPPED, "no VDN was named", "Set the connection's extra 'vdn_id', or add --vdn-id VDN.")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if arguments.write and not arguments.campaigns:
        raise UsageError("--write needs a campaign to create a batch in: isales doctor CAMPAIGN --write")
    if arguments.switch and not arguments.write:
        raise UsageError("--switch suspends and resumes a campaign: add --write")
    shifts = read_calendar(arguments.shifts) if arguments.shifts else None
    counts = Counter[State]()
    with make_client(arguments) as client:
        campaign = make_campaign_key(client, arguments.campaigns) if arguments.campaigns else None
        trials: list[BatchTrial | CampaignTrial] = []
        question = ""
        if arguments.write and campaign:
            trials.append(BatchTrial(client, campaign))
            question = f"Create a batch without numbers in {campaign}, resume and pause it twice, then delete it"
        if arguments.switch:
            switched = make_campaign_key(client, arguments.switch)
            trials.append(CampaignTrial(client, switched))
            question += f", and suspend {switched} as a whole and resume it, twice each"
        if trials and not arguments.yes and not confirm(f"{question}?", "--write changes the platform"):
            raise UsageError("nothing was changed")
        print_line(f"airflow-provider-isales {__version__}, Python {platform.python_version()} on {platform.system()}")
        print_line(f"{ssl.OPENSSL_VERSION}, requests {version('requests')}, urllib3 {version('urllib3')}\n")
        steps = make_reading_steps(client, campaign, shifts)
        for trial in trials:
            steps += trial.make_steps()
        try:
            _run_and_print(steps, counts, public=arguments.public)
        finally:
            if closing := [Step(trial.closing, trial.close) for trial in trials if trial.is_open]:
                for number in (signal.SIGINT, signal.SIGTERM):  # finish even on another Ctrl-C
                    signal.signal(number, signal.SIG_IGN)
                _run_and_print(closing, counts, public=arguments.public)
    print_line(f"\n{', '.join(f'{counts[state]} {state}' for state in State if counts[state])}")
    return FAILURE if counts[State.FAIL] else SUCCESS


def make_reading_steps(client: ISalesClient, campaign: CampaignKey | None, shifts: ShiftCalendar | None) -> list[Step]:
    """Return the steps that change nothing; a single one that is skipped in place of those about nothing."""
    steps = ConnectionChecks(client).make_steps()
    if campaign is None:
        steps.append(Step("campaign", lambda: _NO_CAMPAIGN))
    else:
        steps += CampaignChecks(client, campaign, shifts).make_steps()
    if client.vdn_id is None:
        steps.append(Step("vdn", lambda: _NO_VDN))
    else:
        steps += make_vdn_steps(client, client.vdn())
    return steps


def _run_and_print(steps: list[Step], counts: Counter[State], *, public: bool) -> None:
    """Run steps, print each finding (without its private part if ``public``), and count the states."""
    for step, finding in run_steps(steps):
        counts[finding.state] += 1
        private = f" ({clean_text(finding.private)})" if finding.private and not public else ""
        print_line(f"{finding.state:<9}{step.name:<20}{finding.text}{private}")
        if finding.advice:
            print_line(f"{'':<29}-> {finding.advice}")
