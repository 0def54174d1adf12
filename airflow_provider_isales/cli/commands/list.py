"""``isales list``."""

from __future__ import annotations

import argparse
from typing import Any

from airflow_provider_isales.cli.at_once import run_each
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.output import say, say_json, warn
from airflow_provider_isales.cli.statuses import FAILURE, SUCCESS
from airflow_provider_isales.client import BatchStatus, CallBatch, CampaignKey, ISalesError
from airflow_provider_isales.client.text import clean

PARALLEL = 8


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    status = BatchStatus[arguments.status.upper()] if arguments.status else None
    listed: dict[CampaignKey, list[CallBatch]] = {}
    errors: dict[CampaignKey, str] = {}
    with make_client(arguments, PARALLEL) as client:

        def read(campaign: CampaignKey) -> None:
            try:
                found = client.list_call_batches(
                    campaign.campaign_id, status=status, name=arguments.name, vdn_id=campaign.vdn_id
                )
                listed[campaign] = list(found)
            except ISalesError as error:
                errors[campaign] = str(error)

        campaigns = make_campaign_keys(client, arguments.campaigns)
        run_each(read, campaigns, PARALLEL)
    if arguments.output == "json":
        say_json([_to_dict(campaign, listed.get(campaign, []), errors.get(campaign)) for campaign in campaigns])
    else:
        for campaign in campaigns:
            for batch in listed.get(campaign, []):
                status_name = batch.status.name.lower()
                say(f"{campaign.campaign_id:<8} {batch.id:<30} {status_name:<9} {clean(batch.name)}")
            if campaign in errors:
                warn(f"isales: {errors[campaign]}")
    return FAILURE if errors else SUCCESS


def _to_dict(campaign: CampaignKey, batches: list[CallBatch], error: str | None) -> dict[str, Any]:
    entries = [{"id": batch.id, "name": batch.name, "status": batch.status.name.lower()} for batch in batches]
    return {**vars(campaign), "batches": entries, **({"error": error} if error else {})}
