"""``isales list``."""

from __future__ import annotations

import argparse
from typing import Any

from airflow_provider_isales.cli.at_once import map_each
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, say, say_json, warn
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BatchStatus, CampaignKey
from airflow_provider_isales.client.text import clean_text

PARALLEL = 8


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    status = BatchStatus[arguments.status.upper()] if arguments.status else None
    with make_client(arguments, PARALLEL) as client:

        def read(campaign: CampaignKey) -> dict[str, Any]:
            record: dict[str, Any] = {**vars(campaign), "batches": []}
            try:
                for batch in client.list_call_batches(
                    campaign.campaign_id, status=status, name=arguments.name, vdn_id=campaign.vdn_id
                ):
                    entry = {"id": batch.id, "name": batch.name, "status": batch.status.name.lower()}
                    record["batches"].append(entry)
            except ISalesError as error:
                record["error"] = str(error)
            return record

        records = list(map_each(read, make_campaign_keys(client, arguments.campaigns), PARALLEL).values())
    if arguments.output == "json":
        say_json(records)
    else:
        for record in records:
            for batch in record["batches"]:
                say(f"{record['campaign_id']:<8} {batch['id']:<30} {batch['status']:<9} {clean_text(batch['name'])}")
            if "error" in record:
                warn(f"isales: {record['error']}")
    return FAILURE if any("error" in record for record in records) else SUCCESS
