"""What a bulk run switches: the batches of a campaign, or the campaigns of a VDN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_provider_isales.client.arguments import (
    check_batch_id,
    check_batch_ids,
    check_campaign_exclude,
    check_campaign_id,
    check_campaign_ids,
    check_exclude,
)
from airflow_provider_isales.client.models import BatchKey, CampaignKey, VdnKey
from airflow_provider_isales.client.verbs import LIST, LIST_CAMPAIGNS, Verb


@dataclass(frozen=True)
class Targets:
    """
    One kind of targets. Ids are text of digits for batches, and integers for campaigns.

    :param name: the word for them in messages
    :param list_verb: lists those of a scope: a campaign, or a VDN
    :param make_key: returns the key of one from the scope and an id
    :param check_ids: returns ``"all"``, or a list whose entries are for ``check_id``
    :param check_id: returns a valid id; like the other checks it raises ``ISalesArgumentError``
    :param check_exclude: returns a list of valid ids
    """

    name: str
    list_verb: Verb[Any]
    make_key: Callable[[Any, Any], CampaignKey]
    check_ids: Callable[[object], Any]
    check_id: Callable[[object], Any]
    check_exclude: Callable[[object], list[Any]]


BATCHES = Targets(
    name="call batches",
    list_verb=LIST,
    make_key=lambda campaign, batch_id: BatchKey(campaign.vdn_id, campaign.campaign_id, batch_id),
    check_ids=check_batch_ids,
    check_id=check_batch_id,
    check_exclude=check_exclude,
)
CAMPAIGNS = Targets(
    name="campaigns",
    list_verb=LIST_CAMPAIGNS,
    make_key=lambda vdn, campaign_id: CampaignKey(vdn.vdn_id, campaign_id),
    check_ids=check_campaign_ids,
    check_id=check_campaign_id,
    check_exclude=check_campaign_exclude,
)


def find_targets(scope: VdnKey) -> Targets:
    """Return the kind of targets in a campaign or a VDN."""
    return BATCHES if isinstance(scope, CampaignKey) else CAMPAIGNS
