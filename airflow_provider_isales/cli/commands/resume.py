"""``isales resume``."""

from __future__ import annotations

import argparse
from typing import Any

from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.notes import Notes
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UsageError, confirm, print_error
from airflow_provider_isales.cli.switching import RESUMES, Targets, choose_targets, format_targets, switch_all
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.models import BulkResult, CampaignKey, VdnKey
from airflow_provider_isales.client.text import join_first


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    _check_choice(arguments)
    notes = Notes(arguments.from_file) if arguments.from_file else None
    with make_client(arguments, arguments.parallel) as client:
        if notes:
            targets = _choose_noted(arguments, client, notes)
        else:
            targets = choose_targets(arguments, client, whole=arguments.whole)
        if not targets:
            print_error("Nothing to resume.")
            return SUCCESS
        if not arguments.yes and not _ask(targets, arguments.exclude):
            print_error("Nothing was resumed.")
            return FAILURE
        status, results = switch_all(RESUMES, client, targets, arguments, deleted_is_gone=True if notes else None)
    return _forget(notes, results, status) if notes else status


def _check_choice(arguments: argparse.Namespace) -> None:
    if sum(map(bool, (arguments.batch, arguments.from_file, arguments.all, arguments.whole))) != 1:
        raise UsageError("say what to resume with one of --batch ID, --from-file FILE, --whole, or --all --yes")
    if arguments.all and not arguments.yes:
        raise UsageError("--all also resumes batches that somebody suspended on purpose. If you mean that, add --yes")
    if not arguments.from_file and not arguments.campaigns:
        raise UsageError("name a campaign")


def _choose_noted(arguments: argparse.Namespace, client: ISalesClient, notes: Notes) -> Targets:
    noted = {
        scope: ids
        for scope, ids in notes.read().items()
        if ids and not (isinstance(scope, CampaignKey) and scope.campaign_id in map(int, arguments.exclude))
    }
    if not arguments.campaigns:
        return noted
    chosen: dict[VdnKey, list[Any]] = {}
    for campaign in make_campaign_keys(client, arguments.campaigns):
        vdn = VdnKey(campaign.vdn_id)
        is_noted_whole = campaign.campaign_id in noted.get(vdn, ())
        if campaign not in noted and not is_noted_whole:
            raise UsageError(f"{notes.path} has no entry for {campaign}")
        if campaign in noted:
            chosen[campaign] = noted[campaign]
        if is_noted_whole:
            chosen.setdefault(vdn, []).append(campaign.campaign_id)
    return chosen


def _ask(targets: Targets, exclude: list[str]) -> bool:
    for scope, ids in targets.items():
        is_batches = isinstance(scope, CampaignKey)
        print_error(f"  {scope}: {len(ids) if is_batches else join_first(ids)}")
    return confirm(f"Resume {format_targets(targets, exclude)}?", "a resume starts calls")


def _forget(notes: Notes, results: list[BulkResult], status: int) -> int:
    """Remove what is started again from the notes; return the exit status."""
    lost = [each for each in results if each.gone and not each.found_any]
    for result in lost:
        kind = "batches" if isinstance(result.scope, CampaignKey) else "campaigns"
        print_error(f"isales: {result.scope} has none of the {kind} in {notes.path}: is the file from this platform?")
    notes.remove({result.scope: result.confirmed for result in results if result not in lost})
    status = status or (FAILURE if lost else SUCCESS)
    if notes.problem:
        print_error(f"isales: {notes.problem}. Fix the file: it still lists what has been resumed.")
        status = status or FAILURE
    return status
