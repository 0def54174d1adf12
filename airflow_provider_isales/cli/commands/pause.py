"""``isales pause``."""

from __future__ import annotations

import argparse

from airflow_provider_isales.cli.at_once import map_each
from airflow_provider_isales.cli.connections import make_client
from airflow_provider_isales.cli.notes import Notes, to_json
from airflow_provider_isales.cli.output import FAILURE, confirm, format_count, is_interactive, warn
from airflow_provider_isales.cli.switching import Batches, name_batches, switch_batches
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.listing import list_batches
from airflow_provider_isales.client.models import BatchStatus, CampaignKey
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.verbs import PAUSE


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    with make_client(arguments, arguments.parallel) as client:
        batches = name_batches(arguments, client)
        notes = Notes(arguments.save) if arguments.save else None
        if notes:
            notes.add({})
            if notes.problem:
                warn(f"isales: {notes.problem}. What is paused is said at the end.")
        if not arguments.yes and is_interactive() and not _ask(client, batches, arguments):
            warn("Nothing was paused.")
            return FAILURE
        settings = {"announce": notes.add} if notes else {}
        status, results = switch_batches(PAUSE, client, batches, arguments, **settings)
    if notes:
        # Also what no listing had as started before it was paused.
        notes.add({result.campaign: result.changed for result in results})
        if notes.problem:
            warn(f"isales: {notes.problem}. To resume what was started, save this to a file for --from-file:")
            warn(to_json(notes.added))
            return status or FAILURE
    return status


def _ask(client: ISalesClient, batches: Batches, arguments: argparse.Namespace) -> bool:
    """Say how many batches of which campaigns will be paused, and ask."""

    def count(campaign: CampaignKey) -> int | str:
        wanted = batches[campaign]
        try:
            listed = list_batches(client.session, campaign, retry=ONCE)
            started = {batch.id for batch in listed if batch.status is BatchStatus.STARTED}
            return len((started if wanted == "all" else started.intersection(wanted)).difference(arguments.exclude))
        except Exception as error:  # also a bug: it must not keep anybody from pausing
            return f"what is started is not known. {error}"

    counts = map_each(count, batches, arguments.parallel)
    if not any(counts.values()):
        return True  # there is nothing to ask, but the pause makes sure of it
    for campaign, found in counts.items():
        warn(f"  {campaign}: {found}")
    started = sum(found for found in counts.values() if isinstance(found, int))
    asked = format_count(started, "started batch", "started batches")
    return confirm(f"Pause {asked} of {format_count(len(batches), 'campaign', 'campaigns')}?")
