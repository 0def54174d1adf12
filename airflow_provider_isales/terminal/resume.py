"""``isales resume``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from airflow_provider_isales.terminal import connections, options
from airflow_provider_isales.terminal.connections import UsageError
from airflow_provider_isales.terminal.output import counted, warn
from airflow_provider_isales.terminal.status import FAILURE, SUCCESS

if TYPE_CHECKING:
    from airflow_provider_isales.client import ISalesClient
    from airflow_provider_isales.terminal.notes import Notes
    from airflow_provider_isales.terminal.switching import Batches

SUMMARY = "Start calling again: resume batches, and make sure by list that it was done."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    options.add_campaigns(parser, required=False, more="; with --from-file, all that it has if none is named")
    options.add_switched(parser, "resume")
    parser.add_argument("--from-file", metavar="FILE", help="resume what `isales pause --save FILE` noted")
    parser.add_argument(
        "--all",
        action="store_true",
        help="resume all that is suspended, also what somebody suspended on purpose; needs --yes",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask; needed without a terminal")
    options.add_output(parser)
    connections.add_arguments(parser)
    options.add_examples(
        parser,
        """
        isales resume --from-file before.json   # what `isales pause` stopped
        isales resume 1001 --batch 174712034211433247704877116507
        isales resume 1001 --all --yes          # whoever suspended it
        """,
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.client.verbs import RESUME  # noqa: PLC0415
    from airflow_provider_isales.terminal.notes import Notes  # noqa: PLC0415
    from airflow_provider_isales.terminal.switching import Switching  # noqa: PLC0415

    _check(arguments)
    notes = Notes(arguments.from_file) if arguments.from_file else None
    with connections.client_of(arguments, max_connections=arguments.parallel) as client:
        batches = _batches(arguments, client, notes)
        if not batches:
            warn("Nothing to resume.")
            return SUCCESS
        if not arguments.yes and not _confirmed(batches):
            warn("Nothing was resumed.")
            return FAILURE
        switching = Switching(
            client, RESUME, batches, arguments.parallel, exclude=arguments.exclude, deleted_is_gone=notes and True
        )
        status = switching.carry_out(arguments.output)
    if notes:
        results = [run.result() for run in switching.runs]
        for result in results:
            if result.gone and not (result.changed or result.unchanged):
                warn(
                    f"isales: {result.campaign} has none of the batches in {notes.path}, which keeps them: is it of "
                    "this platform?"
                )
                status = status or FAILURE
        notes.remove({result.campaign: result.confirmed for result in results if result.changed or result.unchanged})
        if notes.problem:
            warn(f"isales: {notes.problem}. Correct it, or what is started now is resumed once more by it.")
            return status or FAILURE
    return status


def _check(arguments: argparse.Namespace) -> None:
    if sum(map(bool, (arguments.batch, arguments.from_file, arguments.all))) != 1:
        raise UsageError("say what to resume, in one way: --batch ID, --from-file FILE, or --all --yes")
    if arguments.all and not arguments.yes:
        raise UsageError(
            "--all has everybody called who is in a suspended batch, also in one that was suspended on purpose. If "
            "that is meant, add --yes"
        )
    if not arguments.from_file and not arguments.campaigns:
        raise UsageError("name a campaign")


def _batches(arguments: argparse.Namespace, client: ISalesClient, notes: Notes | None) -> Batches:
    from airflow_provider_isales.terminal.switching import named_batches  # noqa: PLC0415 - for the start-up

    if not notes:
        return named_batches(arguments, client)
    noted = {campaign: batch_ids for campaign, batch_ids in notes.read().items() if batch_ids}
    if not arguments.campaigns:
        return noted
    named = connections.campaigns_of(arguments, client)
    for campaign in named:
        if campaign not in noted:
            raise UsageError(f"{notes.path} notes nothing of {campaign}")
    return {campaign: noted[campaign] for campaign in named}


def _confirmed(batches: Batches) -> bool:
    from airflow_provider_isales.terminal.asking import confirm, somebody_is_there  # noqa: PLC0415 - for the start-up

    if not somebody_is_there():
        raise UsageError("a resume has people called, and there is no terminal to ask: add --yes")
    for campaign, batch_ids in batches.items():
        warn(f"  {campaign}: {len(batch_ids)}")
    named = counted(sum(map(len, batches.values())), "batch", "batches")
    return confirm(f"Resume {named} of {counted(len(batches), 'campaign', 'campaigns')}?")
