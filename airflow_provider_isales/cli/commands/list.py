"""``isales list``: the campaigns of a VDN, or the batches of campaigns."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from airflow_provider_isales.cli.connections import make_campaign_keys, make_client, make_vdn_key
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, print_error, print_json, print_line
from airflow_provider_isales.cli.parallel import map_each
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BatchStatus, Campaign, CampaignKey, CampaignStatus
from airflow_provider_isales.client.text import clean_text

Record = dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    with make_client(arguments) as client:
        if arguments.campaigns:
            keys = make_campaign_keys(client, arguments.campaigns)
            records = [*map_each(lambda key: _list_batches(client, key, arguments), keys).values()]
        else:
            records = _list_campaigns(client, arguments)
    if arguments.output == "json":
        print_json(records)
    else:
        for record in records:
            for line in _format_lines(record):
                print_line(line)
            if "error" in record:
                print_error(f"isales: {record['error']}")
    return FAILURE if any("error" in record for record in records) else SUCCESS


def _list_batches(client: ISalesClient, campaign: CampaignKey, arguments: argparse.Namespace) -> Record:
    status = BatchStatus[arguments.status.upper()] if arguments.status else None
    record: Record = {**vars(campaign), "batches": []}
    try:
        for batch in client.list_call_batches(campaign.campaign_id, status=status, name=arguments.name):
            record["batches"].append({"id": batch.id, "name": batch.name, "status": batch.status.name.lower()})
    except ISalesError as error:
        record["error"] = str(error)
    return record


def _list_campaigns(client: ISalesClient, arguments: argparse.Namespace) -> list[Record]:
    vdn = make_vdn_key(client)
    status = CampaignStatus[arguments.status.upper()] if arguments.status else None
    campaigns: list[Campaign] = []
    failed: list[Record] = []
    try:
        campaigns.extend(client.list_campaigns(status, arguments.name))  # on an error, those listed before it
    except ISalesError as error:
        failed.append({**vars(vdn), "error": str(error)})
    return [*map_each(lambda each: _make_record(client, each), campaigns).values(), *failed]


def _make_record(client: ISalesClient, campaign: Campaign) -> Record:
    """Return the record of a campaign; its batches are counted only if it may be dialling."""
    status = campaign.status
    record: Record = {
        **vars(client.campaign(campaign.id)),
        "name": campaign.name,
        "status": status.name.lower() if isinstance(status, IntEnum) else status,
        "begin": campaign.begin and f"{campaign.begin:%Y-%m-%d %H:%M}",
        "end": campaign.end and f"{campaign.end:%Y-%m-%d %H:%M}",
    }
    if campaign.may_be_dialling:
        try:
            batches = [batch.status for batch in client.list_call_batches(campaign.id)]
            record |= {"batch_count": len(batches), "started_batch_count": batches.count(BatchStatus.STARTED)}
        except ISalesError as error:
            record["error"] = str(error)
    return record


def _format_lines(record: Record) -> Iterator[str]:
    """Yield a line for each batch, or one for the campaign; none if the campaigns could not be listed."""
    for batch in record.get("batches", ()):
        yield f"{record['campaign_id']:<8} {batch['id']:<30} {batch['status']:<9} {clean_text(batch['name'])}"
    if "name" in record:
        if "error" in record:
            batches = "batches unknown"
        elif "batch_count" not in record:
            batches = "suspended as a whole" if record["status"] == "suspended" else "batches not counted"
        elif record["batch_count"] == 0:
            batches = "no batches"
        else:
            batches = f"{record['started_batch_count']} of {record['batch_count']} batches started"
        times = f"{record['begin'] or 'unknown':<16} to {record['end'] or 'unknown':<16}"
        yield f"{record['campaign_id']:<8} {record['status']:<9} {times} {batches:<28} {clean_text(record['name'])}"
