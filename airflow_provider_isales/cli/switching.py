"""Pausing or resuming the batches of many campaigns at once, and printing the results."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from airflow_provider_isales.cli.at_once import map_each
from airflow_provider_isales.cli.connections import make_campaign_keys
from airflow_provider_isales.cli.output import format_count, say, say_json, warn
from airflow_provider_isales.cli.statuses import FAILURE, INTERRUPTED, SUCCESS, UsageError
from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BulkResult, CampaignKey
from airflow_provider_isales.client.verbs import Switch

#: How long requests that are under way may take after Ctrl-C.
GRACE_SECONDS = 1.0

Announce = Callable[[Mapping[CampaignKey, list[str]]], None]
Batches = Mapping[CampaignKey, "Collection[str] | Literal['all']"]


class CampaignRun:
    """One campaign's part of a run."""

    def __init__(self, bulk: BulkSwitch) -> None:
        self.campaign = bulk.campaign
        #: Why the campaign is not as it was asked for; empty if it is.
        self.error = ""
        self.began = self.ended = 0.0
        self._bulk = bulk

    def run(self) -> None:
        """Carry it out; keep what goes wrong in ``error``."""
        self.began = time.monotonic()
        try:
            self._bulk.run()
        except ISalesError as error:
            self.error = str(error)
        except Exception as error:  # a bug must not keep the other campaigns from being paused
            self.error = f"unexpected {type(error).__name__}: {error}"
        self.ended = time.monotonic()

    def result(self) -> BulkResult:
        """Return what is known by now."""
        return self._bulk.result()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as an operator would; with ``error`` if it is not as it was asked for."""
        error = self.error if self.ended else "interrupted"
        return {**self.result().to_dict(), **({"error": error} if error else {})}

    def to_line(self) -> str:
        """Return the result in a line."""
        if self.error or not self.began:
            return f"{self.campaign}: {f'FAILED: {self.error}' if self.error else 'not begun'}"
        result = self.result()
        found = {result.already.value.replace("_", " "): result.unchanged, "failed": result.failed, "gone": result.gone}
        counts = [f"{len(result.changed)} {result.done.value}"]
        counts += [f"{len(batches)} {name}" for name, batches in found.items() if batches]
        if self.ended:
            end = f"confirmed by list ({self.ended - self.began:.1f} s)"
        else:
            counts += [f"{len(result.unknown)} asked but not answered: not known", f"{len(result.not_tried)} not tried"]
            end = "not confirmed by list"
        return f"{self.campaign}: {', '.join(counts)}; {end}"


def name_batches(arguments: argparse.Namespace, client: ISalesClient) -> Batches:
    """Return the batches of ``--batch``, else all of each campaign; ``UsageError`` if it is unclear whose they are."""
    campaigns = make_campaign_keys(client, arguments.campaigns)
    if arguments.batch and len(campaigns) > 1:
        raise UsageError("--batch is for the batches of one campaign: name one, and type a line for each other one")
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

    def make_run(campaign: CampaignKey) -> CampaignRun:
        def announce_ids(batch_ids: list[str]) -> None:
            announce({campaign: batch_ids})

        settings_ = settings | {"batch_ids": batches[campaign], "announce": announce_ids}
        return CampaignRun(BulkSwitch(switch, client.session, campaign, **settings_))

    def run_and_say(run: CampaignRun) -> None:
        run.run()
        if arguments.output == "text":
            say(run.to_line())

    runs, began = [make_run(campaign) for campaign in batches], time.monotonic()
    try:
        map_each(run_and_say, runs, at_once)
        status = FAILURE if any(run.error for run in runs) else SUCCESS
    except KeyboardInterrupt:
        client.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(run.began and not run.ended for run in runs):
            time.sleep(0.02)
        warn("isales: interrupted: nothing more is sent")
        status = INTERRUPTED
    results = [run.result() for run in runs]
    if arguments.output == "json":
        say_json([run.to_dict() for run in runs])
    elif status == INTERRUPTED:
        for run in runs:
            if not run.ended:
                say(run.to_line())
    elif len(runs) > 1:
        count = format_count(sum(len(result.changed) for result in results), "batch", "batches")
        changed, took = f"{count} {switch.done.value}", f"({time.monotonic() - began:.1f} s)"
        if failed := [str(run.campaign.campaign_id) for run in runs if run.error]:
            say(f"NOT DONE in {len(failed)} of {len(runs)} campaigns: {', '.join(failed)}. {changed} {took}")
        else:
            say(f"{len(runs)} campaigns: {changed}, all confirmed by list {took}")
    return status, results
