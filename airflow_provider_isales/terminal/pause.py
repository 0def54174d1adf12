"""``isales pause``."""

from __future__ import annotations

import argparse

from airflow_provider_isales.terminal import connections, options
from airflow_provider_isales.terminal.output import warn
from airflow_provider_isales.terminal.status import FAILURE

SUMMARY = "Stop calling: suspend what is started in campaigns, and make sure by list that it was done."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    options.add_campaigns(parser)
    options.add_switched(parser, "pause only")
    parser.add_argument(
        "--save", metavar="FILE", help="note what was started before, for `isales resume --from-file FILE`"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask; without a terminal, nobody is asked")
    options.add_output(parser)
    connections.add_arguments(parser)
    options.add_examples(
        parser,
        """
        isales pause 1001 1002 1003                  # all that is started in them
        isales pause 1001 --yes --save before.json   # unasked; notes what was started
        isales pause 1001 --exclude 174712034211433247704877116507
        isales pause 1001 --batch 174712034211433247704877116507
        """,
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.client.verbs import PAUSE  # noqa: PLC0415
    from airflow_provider_isales.terminal import asking  # noqa: PLC0415
    from airflow_provider_isales.terminal.notes import Notes, to_json  # noqa: PLC0415
    from airflow_provider_isales.terminal.switching import Switching, named_batches  # noqa: PLC0415

    exclude, parallel = arguments.exclude, arguments.parallel
    with connections.client_of(arguments, max_connections=parallel) as client:
        batches = named_batches(arguments, client)
        notes = Notes(arguments.save) if arguments.save else None
        if notes:
            notes.add({})
            if notes.problem:
                warn(f"isales: {notes.problem}. What is paused is said at the end.")
        must_ask = not arguments.yes and asking.somebody_is_there()
        if must_ask and not asking.may_pause(client, batches, exclude, parallel):
            warn("Nothing was paused.")
            return FAILURE
        switching = Switching(client, PAUSE, batches, parallel, notes.add if notes else None, exclude=exclude)
        status = switching.carry_out(arguments.output)
    if notes:
        # Also what no listing had as started before it was paused.
        notes.add({run.campaign: run.result().changed for run in switching.runs})
        if notes.problem:
            warn(f"isales: {notes.problem}. To resume what was started, save this to a file for --from-file:")
            warn(to_json(notes.added))
            return status or FAILURE
    return status
