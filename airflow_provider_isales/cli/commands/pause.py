"""``isales pause``."""

from __future__ import annotations

import argparse
from typing import Any

from airflow_provider_isales.cli.connections import make_client
from airflow_provider_isales.cli.notes import Notes, to_json
from airflow_provider_isales.cli.output import FAILURE, UsageError, confirm, is_interactive, print_error
from airflow_provider_isales.cli.switching import PAUSES, choose_targets, format_targets, switch_all
from airflow_provider_isales.client.models import VdnKey
from airflow_provider_isales.client.text import format_value


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    every_campaign = arguments.all or bool(arguments.name and not arguments.campaigns)
    if bool(arguments.campaigns) == every_campaign:
        more = ", not both" if every_campaign else " for every started campaign of the VDN"
        raise UsageError(f"name campaigns, or add --all{more}")
    if arguments.name and (arguments.batch or (arguments.whole and arguments.campaigns)):
        raise UsageError(
            "--name selects among all batches of the named campaigns, or among all campaigns: omit --batch and --whole"
        )
    with make_client(arguments, arguments.parallel) as client:
        targets = choose_targets(arguments, client, whole=arguments.whole or every_campaign)
        notes = Notes(arguments.save) if arguments.save else None
        if notes:
            notes.add({})
            if notes.problem:
                print_error(f"isales: {notes.problem}. What is paused is printed at the end.")
        named = f", only those whose names contain {format_value(arguments.name)}" if arguments.name else ""
        question = f"Pause {format_targets(targets, arguments.exclude)}{named}?"
        if not arguments.yes and is_interactive() and not confirm(question):
            print_error("Nothing was paused.")
            return FAILURE

        def save(scope: VdnKey, ids: list[Any]) -> None:
            if notes:
                notes.add({scope: ids})

        status, results = switch_all(PAUSES, client, targets, arguments, save, select=arguments.name)
    if arguments.name and not status and not any(result.matched for result in results):
        if len(results) > 1 or arguments.output == "json":  # a single line says it already
            print_error(f"isales: nothing was paused: no name contains {format_value(arguments.name)}")
        status = FAILURE
    if notes:
        # Also what no listing showed as started before it was paused.
        notes.add({result.scope: result.changed for result in results})
        if idle := {result.scope: result.not_running for result in results if result.not_running}:
            notes.remove(idle)
        if notes.problem:
            print_error(f"isales: {notes.problem}. To resume what was started, save this to a file for --from-file:")
            print_error(to_json(notes.added))
            return status or FAILURE
    return status
