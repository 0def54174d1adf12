"""``isales list``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from airflow_provider_isales.terminal import connections, options
from airflow_provider_isales.terminal.output import say, say_json, warn
from airflow_provider_isales.terminal.status import FAILURE, SUCCESS

if TYPE_CHECKING:
    from airflow_provider_isales.client import CallBatch, CampaignKey

SUMMARY = "Say which batches campaigns have, and which are started; changes nothing."

PARALLEL = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    options.add_campaigns(parser)
    parser.add_argument("--status", choices=("started", "suspended"), help="only batches with this status")
    parser.add_argument("--name", metavar="TEXT", help="only batches whose name contains this")
    options.add_output(parser)
    connections.add_arguments(parser)
    options.add_examples(
        parser,
        """
        isales list 1001 1002 --status started   # a line for each batch
        isales list 1001 --name retry --output json
        """,
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.client import BatchStatus, ISalesError  # noqa: PLC0415
    from airflow_provider_isales.terminal.at_once import each  # noqa: PLC0415

    status = BatchStatus[arguments.status.upper()] if arguments.status else None
    listed: dict[CampaignKey, list[CallBatch]] = {}
    failed: dict[CampaignKey, str] = {}
    with connections.client_of(arguments, max_connections=PARALLEL) as client:

        def read(campaign: CampaignKey) -> None:
            try:
                found = client.list_call_batches(
                    campaign.campaign_id, status=status, name=arguments.name, vdn_id=campaign.vdn_id
                )
                listed[campaign] = list(found)
            except ISalesError as error:
                failed[campaign] = str(error)

        campaigns = connections.campaigns_of(arguments, client)
        each(read, campaigns, PARALLEL)
    if arguments.output == "json":
        say_json([_as_json(campaign, listed.get(campaign), failed.get(campaign)) for campaign in campaigns])
    else:
        for campaign in campaigns:
            _say(campaign, listed.get(campaign, []))
            if campaign in failed:
                warn(f"isales: {failed[campaign]}")
    return FAILURE if failed else SUCCESS


def _say(campaign: CampaignKey, batches: list[CallBatch]) -> None:
    from airflow_provider_isales.client.text import clean  # noqa: PLC0415 - for the start-up

    for batch in batches:
        say(f"{campaign.campaign_id:<8} {batch.id:<30} {batch.status.name.lower():<9} {clean(batch.name)}")


def _as_json(campaign: CampaignKey, batches: list[CallBatch] | None, error: str | None) -> dict[str, Any]:
    told = [{"id": batch.id, "name": batch.name, "status": batch.status.name.lower()} for batch in batches or []]
    return {**vars(campaign), "batches": told, **({"error": error} if error else {})}
