"""``isales pause``."""

from __future__ import annotations

import argparse

from airflow_provider_isales.cli.connections import make_client
from airflow_provider_isales.cli.notes import Notes, to_json
from airflow_provider_isales.cli.output import FAILURE, UsageError, confirm, is_interactive, warn
from airflow_provider_isales.cli.switching import PAUSES, choose_targets, format_targets, switch_all


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    if bool(arguments.campaigns) == arguments.all:
        raise UsageError("name campaigns, or pause --all campaigns of the VDN")
    with make_client(arguments, arguments.parallel) as client:
        targets = choose_targets(arguments, client, whole=arguments.whole or arguments.all)
        notes = Notes(arguments.save) if arguments.save else None
        if notes:
            notes.add({})
            if notes.problem:
                warn(f"isales: {notes.problem}. What is paused is said at the end.")
        if not arguments.yes and is_interactive() and not confirm(f"Pause {format_targets(targets)}?"):
            warn("Nothing was paused.")
            return FAILURE
        announce = notes.add if notes else lambda found: None
        status, results = switch_all(PAUSES, client, targets, arguments, announce)
    if notes:
        # Also what no listing had as started before it was paused.
        notes.add({result.scope: result.changed for result in results})
        if notes.problem:
            warn(f"isales: {notes.problem}. To resume what was started, save this to a file for --from-file:")
            warn(to_json(notes.added))
            return status or FAILURE
    return status
