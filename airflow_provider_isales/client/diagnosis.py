"""Diagnostic requests: each is sent once, and everything observable about its response is returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesError, ISalesResultError
from airflow_provider_isales.client.http_response import Response
from airflow_provider_isales.client.models import CallBatch, CampaignKey, VdnKey
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.responses import Page, Success, measure_seconds_ahead
from airflow_provider_isales.client.tls_socket import Peer
from airflow_provider_isales.client.verbs import LIST, Verb

T = TypeVar("T")

# Any ids do: an authenticated call gets HTTP 200 even if they do not exist.
PROBED_VDN = 1
PROBED_CAMPAIGN = 1


@dataclass
class Observation(Generic[T]):
    """
    What is known after one request.

    :param error: why the request failed; None if the response says success
    :param value: the response's data, if it says success
    :param success: a response that says success, even if its data can't be read
    :param status: the HTTP status; None without a response
    :param headers: the headers of the response
    :param seconds_ahead: how far this machine's clock is ahead of the server's; None if the server sent no time
    :param peer: the other end of the connection
    """

    error: ISalesError | None = None
    value: T | None = None
    success: Success | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds_ahead: float | None = None
    peer: Peer | None = None

    @property
    def code(self) -> str:
        """The result code, empty if there is none."""
        if self.success:
            return self.success.code
        return self.error.code if isinstance(self.error, ISalesResultError) else ""

    @property
    def accepted(self) -> bool:
        """Whether the signature was accepted: any result code proves it."""
        return bool(self.code)


def observe_call(
    client: ISalesClient, verb: Verb[T], target: VdnKey, auth: C2Auth | None = None, **fields: object
) -> Observation[T]:
    """
    Send one request without gate and retries; raise nothing for network and protocol errors.

    :param auth: signs this request instead of the client's
    :param target: the VDN, campaign or batch
    :param fields: more fields of the request
    """
    observed = Observation[T]()

    def read(response: Response) -> None:
        observed.status, observed.headers = response.status, response.headers
        observed.seconds_ahead, observed.peer = measure_seconds_ahead(response), response.peer
        observed.success = verb.parse(response)
        observed.value = verb.read(observed.success)

    try:
        path, body = verb.make_request(target, fields)
        client.session.transport.exchange(verb.method, path, body, read, auth=auth)
    except ISalesError as error:
        observed.error = error.with_traceback(None)  # its frames hold the signature
    return observed


def check_signature(client: ISalesClient, auth: C2Auth | None = None) -> Observation[Page[CallBatch]]:
    """Ask for the first batch of a campaign, which need not exist: does the server accept the signature?"""
    campaign = CampaignKey(client.vdn_id or PROBED_VDN, PROBED_CAMPAIGN)
    return observe_call(client, LIST, campaign, auth, offset=0, limit=1)


def find_accepted_profile(client: ISalesClient) -> SigningProfile | None:
    """Return another signing profile that the server accepts; None if there is none."""
    for profile in SigningProfile:
        auth = client.auth.make_variant(profile=profile)
        if profile is not client.auth.profile and check_signature(client, auth).accepted:
            return profile
    return None
