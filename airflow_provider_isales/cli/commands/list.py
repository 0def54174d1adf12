"""``isales list``: the campaigns of a VDN, or the batches of campaigns."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any

from airflow_provider_isales.cli.at_once import map_each
from airflow_provider_isales.cli.connections import make_campaign_keys, make_client, make_vdn_key
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, say, say_json, warn
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BatchStatus, Campaign, CampaignKey, CampaignStatus
from airflow_provider_isales.client.text import clean_text

PARALLEL = 8

Record = dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    with make_client(arguments, PARALLEL) as client:
        if arguments.campaigns:
            keys = make_campaign_keys(client, arguments.campaigns)
            records = [*map_each(lambda key: _list_batches(client, key, arguments), keys, PARALLEL).values()]
        else:
            records = _list_campaigns(client, arguments)
    if arguments.output == "json":
        say_json(records)
    else:
        _say_all(records, _format_batches if arguments.campaigns else _format_campaign)
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
    vdn, problem = make_vdn_key(client), ""
    status = CampaignStatus[arguments.status.upper()] if arguments.status else None
    campaigns: list[Campaign] = []
    try:
        campaigns.extend(client.list_campaigns(status, arguments.name))
    except ISalesError as error:
        problem = str(error)
    records = [*map_each(lambda campaign: _make_record(client, campaign), campaigns, PARALLEL).values()]
    return [*records, *([{**vars(vdn), "error": problem}] if problem else [])]


def _make_record(client: ISalesClient, campaign: Campaign) -> Record:
    """Return what is known of a campaign; only of one that may be dialling, the batches are counted."""
    status = campaign.status
    record: Record = {
        **vars(client.campaign(campaign.id)),
        "name": campaign.name,
        "status": status.name.lower() if isinstance(status, IntEnum) else status,
        "begin": _format_time(campaign.begin),
        "end": _format_time(campaign.end),
    }
    if status is CampaignStatus.STARTED or not isinstance(status, IntEnum):
        try:
            batches = [batch.status for batch in client.list_call_batches(campaign.id)]
            record |= {"batches": len(batches), "started_batches": batches.count(BatchStatus.STARTED)}
        except ISalesError as error:
            record["error"] = str(error)
    return record


def _format_time(time: datetime | None) -> str | None:
    """Write a time by the platform's clocks, whose zone is not known."""
    return time.isoformat(sep=" ", timespec="minutes") if time else None


def _say_all(records: list[Record], format_lines: Callable[[Record], list[str]]) -> None:
    for record in records:
        for line in format_lines(record):
            say(line)
        if "error" in record:
            warn(f"isales: {record['error']}")


def _format_batches(record: Record) -> list[str]:
    return [
        f"{record['campaign_id']:<8} {batch['id']:<30} {batch['status']:<9} {clean_text(batch['name'])}"
        for batch in record["batches"]
    ]


def _format_campaign(record: Record) -> list[str]:
    if "campaign_id" not in record:
        return []
    if "batches" in record:
        count = f"{record['started_batches']} of {record['batches']} batches started"
        batches = count if record["batches"] else "no batches"
    else:
        batches = "batches not known" if "error" in record else ""
    begin, end = (record[name] or "not known" for name in ("begin", "end"))
    status, name = record["status"], clean_text(record["name"])
    return [f"{record['campaign_id']:<8} {status:<9} {begin:<16} to {end:<16} {batches:<28} {name}"]
