"""``isales doctor``: runs the steps, and prints what each one finds."""

from __future__ import annotations

import argparse
import platform
import signal
import ssl
from collections import Counter
from importlib.metadata import version

from airflow_provider_isales import __version__
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.diagnosis.reading import make_reading_steps
from airflow_provider_isales.cli.diagnosis.trial import Trial
from airflow_provider_isales.cli.diagnosis.visit import State, Step, Visit, examine
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UsageError, confirm, say
from airflow_provider_isales.client.text import clean_text


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    if arguments.write and not arguments.campaigns:
        raise UsageError("--write needs a campaign in which to make a batch: isales doctor CAMPAIGN --write")
    with make_client(arguments) as client:
        campaign = make_campaign_keys(client, [arguments.campaigns])[0] if arguments.campaigns else None
        if arguments.write and not arguments.yes:
            question = f"Make a batch without numbers in {campaign}, resume and pause it twice, and delete it?"
            if not confirm(question, "--write changes the platform"):
                raise UsageError("nothing was done")
        say(f"airflow-provider-isales {__version__}, Python {platform.python_version()} on {platform.system()}")
        say(f"{ssl.OPENSSL_VERSION}, requests {version('requests')}, urllib3 {version('urllib3')}\n")
        trial = Trial(client, campaign) if arguments.write and campaign else None
        steps = make_reading_steps(Visit(client, campaign)) + (trial.make_steps() if trial else [])
        counts: Counter[State] = Counter()
        try:
            _show_all(steps, counts, arguments.public)
        finally:
            if trial and trial.is_open:
                for number in (signal.SIGINT, signal.SIGTERM):  # delete it even on another Ctrl-C
                    signal.signal(number, signal.SIG_IGN)
                _show_all([Step("delete", trial.delete)], counts, arguments.public)
    say(f"\n{', '.join(f'{counts[state]} {state}' for state in State if counts[state])}")
    return FAILURE if counts[State.FAIL] else SUCCESS


def _show_all(steps: list[Step], counts: Counter[State], public: bool) -> None:
    """Carry out steps; print what each one finds, without what is private if it is ``public``, and count it."""
    for step, finding in examine(steps):
        counts[finding.state] += 1
        private = f" ({clean_text(finding.private)})" if finding.private and not public else ""
        say(f"{finding.state:<9}{step.name:<17}{finding.finding}{private}")
        if finding.advice:
            say(f"{'':<26}-> {finding.advice}")
