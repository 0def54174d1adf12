"""``isales pause``."""

from __future__ import annotations

import argparse

from airflow_provider_isales.cli.connections import make_client
from airflow_provider_isales.cli.notes import Notes, to_json
from airflow_provider_isales.cli.output import FAILURE, confirm, format_count, is_interactive, warn
from airflow_provider_isales.cli.switching import name_batches, switch_batches
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
        named = format_count(len(arguments.batch), "batch", "batches") if arguments.batch else "all batches"
        question = f"Pause {named} of {format_count(len(batches), 'campaign', 'campaigns')}?"
        if not arguments.yes and is_interactive() and not confirm(question):
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
