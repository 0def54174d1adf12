"""Asking whoever sits at the terminal, before anything is switched."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BatchStatus, CampaignKey
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.terminal.at_once import each
from airflow_provider_isales.terminal.output import counted, warn

if TYPE_CHECKING:
    from airflow_provider_isales.client import ISalesClient
    from airflow_provider_isales.terminal.switching import Batches


def somebody_is_there() -> bool:
    """Whether there is a terminal at which somebody could answer."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def confirm(question: str) -> bool:
    """Ask, on standard error, and return whether the answer is yes."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def may_pause(client: ISalesClient, batches: Batches, exclude: Collection[str], parallel: int) -> bool:
    """
    Say how many batches of which campaigns a pause will stop, and ask.

    :param client: lists them
    :param batches: those that are to be paused
    :param exclude: those that are not
    :param parallel: how many campaigns are listed at once
    """
    counts: dict[CampaignKey, int] = {}
    problems: dict[CampaignKey, str] = {}

    def count(campaign: CampaignKey) -> None:
        wanted = batches[campaign]
        try:
            counts[campaign] = sum(
                batch.status is BatchStatus.STARTED
                and batch.id not in exclude
                and (wanted == "all" or batch.id in wanted)
                for batch in client.batches_of(campaign, retry=ONCE)
            )
        except ISalesError as error:
            problems[campaign] = str(error)

    each(count, batches, parallel)
    if not any(counts.values()) and not problems:
        return True  # there is nothing to ask, but the pause makes sure of it
    for campaign in batches:
        told = f"what is started is not known. {problems[campaign]}" if campaign in problems else counts[campaign]
        warn(f"  {campaign}: {told}")
    found = counted(sum(counts.values()), "started batch", "started batches")
    return confirm(f"Pause {found} of {counted(len(batches), 'campaign', 'campaigns')}?")
