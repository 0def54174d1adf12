"""Finding out whether a server accepts the signature, with requests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_isales.client.answers import Page
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.look import Look
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.verbs import LIST

# Any VDN and campaign do: an authenticated call is answered with HTTP 200 whatever it asks for.
PROBED_VDN = 1
PROBED_CAMPAIGN = 1


def probe(client: ISalesClient, campaign: CampaignKey | None = None, auth: C2Auth | None = None) -> Look[Page]:
    """
    Ask for the first batch of a campaign.

    :param client: knows the server
    :param campaign: the campaign, which need not exist
    :param auth: signs this request, if not as the client's others
    """
    campaign = campaign or CampaignKey(client.vdn_id or PROBED_VDN, PROBED_CAMPAIGN)
    return Look.at(client.session, LIST, campaign, auth, offset=0, limit=1)


def by_other_profiles(
    client: ISalesClient, campaign: CampaignKey | None = None
) -> Iterator[tuple[SigningProfile, Look[Page]]]:
    """Probe with each signing profile that the client does not use, one after the other."""
    for profile in SigningProfile:
        if profile is not client.auth.profile:
            yield profile, probe(client, campaign, client.auth.variant(profile=profile))
