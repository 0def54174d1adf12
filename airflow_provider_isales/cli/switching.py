"""Pausing or resuming the batches of many campaigns at once, and printing the results."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from airflow_provider_isales.cli import output
from airflow_provider_isales.cli.at_once import format_error, map_each
from airflow_provider_isales.cli.connections import make_campaign_keys
from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.models import BulkResult, CampaignKey
from airflow_provider_isales.client.verbs import Switch

#: How long requests that are under way may take after Ctrl-C.
GRACE_SECONDS = 1.0

Announce = Callable[[Mapping[CampaignKey, list[str]]], None]
Batches = Mapping[CampaignKey, "Collection[str] | Literal['all']"]


@dataclass(eq=False)
class CampaignRun:
    """One campaign's part of a run; ``error`` says why the campaign is not as it was asked for."""

    campaign: CampaignKey
    bulk: BulkSwitch
    error: str = ""
    has_begun: bool = False
    has_ended: bool = False

    def run(self) -> None:
        """Carry it out; an error is kept."""
        self.has_begun = True
        try:
            self.bulk.run()
        except Exception as error:
            self.error = format_error(error)
        self.has_ended = True

    def format_result(self) -> str:
        """Return the result in a line."""
        if self.error:
            return f"{self.campaign}: FAILED: {self.error}"
        if not self.has_begun:
            return f"{self.campaign}: not begun"
        result = self.bulk.result()
        found = {result.already.value.replace("_", " "): result.unchanged, "failed": result.failed, "gone": result.gone}
        counts = [f"{len(result.changed)} {result.done.value}"]
        counts += [f"{len(batches)} {name}" for name, batches in found.items() if batches]
        if self.has_ended:
            return f"{self.campaign}: {', '.join(counts)}; confirmed by list"
        counts += [f"{len(result.unknown)} asked but not answered: not known", f"{len(result.not_tried)} not tried"]
        return f"{self.campaign}: {', '.join(counts)}; not confirmed by list"


def name_batches(arguments: argparse.Namespace, client: ISalesClient) -> Batches:
    """Return the batches of ``--batch``, else all of each campaign; ``UsageError`` if it is unclear whose they are."""
    campaigns = make_campaign_keys(client, arguments.campaigns)
    if arguments.batch and len(campaigns) > 1:
        raise output.UsageError("--batch is for the batches of one campaign: name one campaign")
    return dict.fromkeys(campaigns, arguments.batch or ALL)


def switch_batches(
    switch: Switch,
    client: ISalesClient,
    batches: Batches,
    arguments: argparse.Namespace,
    announce: Announce = lambda batches: None,
    **settings: Any,
) -> tuple[int, list[BulkResult]]:
    """
    Pause or resume batches of many campaigns, verify it and print the results.

    :param announce: called with the batches that are about to be switched, before the first request for them is sent
    :param settings: more of ``BulkSwitch``
    :return: the exit status, and the result of each campaign
    """
    at_once = max(1, min(arguments.parallel, len(batches)))
    settings |= {"exclude": arguments.exclude, "max_parallel_requests": arguments.parallel // at_once}

    def wrap(campaign: CampaignKey) -> Callable[[list[str]], None]:
        return lambda batch_ids: announce({campaign: batch_ids})

    runs = [
        CampaignRun(campaign, BulkSwitch(switch, client.session, campaign, ids, announce=wrap(campaign), **settings))
        for campaign, ids in batches.items()
    ]
    status = _carry_out(client, runs, at_once, is_text=arguments.output == "text")
    results = [run.bulk.result() for run in runs]
    if arguments.output == "json":
        _say_as_json(runs, results)
    elif status == output.INTERRUPTED:
        for run in runs:
            if not run.has_ended:
                output.say(run.format_result())
    elif len(runs) > 1:
        _say_summary(runs)
    return status, results


def _carry_out(client: ISalesClient, runs: list[CampaignRun], at_once: int, *, is_text: bool) -> int:
    """Carry out the runs, and print each result as text; return the exit status."""

    def run_and_say(run: CampaignRun) -> None:
        run.run()
        if is_text:
            output.say(run.format_result())

    try:
        map_each(run_and_say, runs, at_once)
    except KeyboardInterrupt:
        client.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(run.has_begun and not run.has_ended for run in runs):
            time.sleep(0.02)
        output.warn("isales: interrupted: nothing more is sent")
        return output.INTERRUPTED
    return output.FAILURE if any(run.error for run in runs) else output.SUCCESS


def _say_as_json(runs: list[CampaignRun], results: list[BulkResult]) -> None:
    errors = [run.error if run.has_ended else "interrupted" for run in runs]
    records = zip(results, errors, strict=True)
    output.say_json([result.to_dict() | ({"error": error} if error else {}) for result, error in records])


def _say_summary(runs: list[CampaignRun]) -> None:
    if failed := [str(run.campaign.campaign_id) for run in runs if run.error]:
        output.say(f"NOT DONE in {len(failed)} of {len(runs)} campaigns: {', '.join(failed)}")
    else:
        output.say(f"All {len(runs)} campaigns: confirmed by list")
