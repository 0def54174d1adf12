"""``isales resume``."""

from __future__ import annotations

import argparse

from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.notes import Notes
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UsageError, confirm, format_count, warn
from airflow_provider_isales.cli.switching import Batches, name_batches, switch_batches
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.models import BulkResult
from airflow_provider_isales.client.verbs import RESUME


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    _check_choice(arguments)
    notes = Notes(arguments.from_file) if arguments.from_file else None
    with make_client(arguments, arguments.parallel) as client:
        batches = _choose_noted(arguments, client, notes) if notes else name_batches(arguments, client)
        if not batches:
            warn("Nothing to resume.")
            return SUCCESS
        if not arguments.yes and not _ask(batches):
            warn("Nothing was resumed.")
            return FAILURE
        status, results = switch_batches(RESUME, client, batches, arguments, deleted_is_gone=notes and True)
    return _forget(notes, results, status) if notes else status


def _check_choice(arguments: argparse.Namespace) -> None:
    if sum(map(bool, (arguments.batch, arguments.from_file, arguments.all))) != 1:
        raise UsageError("say what to resume, in one way: --batch ID, --from-file FILE, or --all --yes")
    if arguments.all and not arguments.yes:
        raise UsageError("--all also resumes what somebody suspended on purpose. If that is meant, add --yes")
    if not arguments.from_file and not arguments.campaigns:
        raise UsageError("name a campaign")


def _choose_noted(arguments: argparse.Namespace, client: ISalesClient, notes: Notes) -> Batches:
    noted = {campaign: batch_ids for campaign, batch_ids in notes.read().items() if batch_ids}
    if not arguments.campaigns:
        return noted
    named = make_campaign_keys(client, arguments.campaigns)
    for campaign in named:
        if campaign not in noted:
            raise UsageError(f"{notes.path} notes nothing of {campaign}")
    return {campaign: noted[campaign] for campaign in named}


def _ask(batches: Batches) -> bool:
    for campaign, batch_ids in batches.items():
        warn(f"  {campaign}: {len(batch_ids)}")
    named = format_count(sum(map(len, batches.values())), "batch", "batches")
    campaigns = format_count(len(batches), "campaign", "campaigns")
    return confirm(f"Resume {named} of {campaigns}?", "a resume has people called")


def _forget(notes: Notes, results: list[BulkResult], status: int) -> int:
    """Remove from the notes what is started again, and return the exit status."""
    lost = [result for result in results if result.gone and not (result.changed or result.unchanged)]
    for result in lost:
        warn(f"isales: {result.campaign} has none of the batches in {notes.path}: is it of this platform?")
    notes.remove({result.campaign: result.confirmed for result in results if result not in lost})
    status = status or (FAILURE if lost else SUCCESS)
    if notes.problem:
        warn(f"isales: {notes.problem}. Correct it, or what is started now is resumed once more by it.")
        status = status or FAILURE
    return status
