"""``ISalesClient``: one method for each interface of CC-iSales for campaigns and call batches."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import (
    ALL,
    check_batch_id,
    check_batch_name,
    check_batch_status,
    check_campaign_id,
    check_campaign_name,
    check_campaign_status,
    check_instant,
    check_timezone,
    check_vdn_id,
    hide_variables,
)
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.errors import ISalesArgumentError, ISalesError, ISalesResultError
from airflow_provider_isales.client.listing import list_items
from airflow_provider_isales.client.models import (
    BatchKey,
    BatchStatus,
    BulkResult,
    CallBatch,
    CallBatchResult,
    Campaign,
    CampaignKey,
    CampaignResult,
    CampaignStatus,
    SpecialDate,
    VdnKey,
)
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.route import HTTPS_PORT, Route
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.switching import get_campaign, switch_batch, switch_campaign
from airflow_provider_isales.client.text import Secret, format_value
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.client.verbs import (
    CREATE,
    DELETE,
    LIST,
    LIST_CAMPAIGNS,
    LIST_SPECIAL_DATES,
    PAUSE,
    PAUSE_CAMPAIGN,
    RESUME,
    RESUME_CAMPAIGN,
    UPDATE,
    Switch,
)

log = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 10.0
# Extra time for a request on top of its timeout: queueing on our side and transit to the service.
_SPARE = timedelta(seconds=5)


class ISalesClient:
    """
    A client of one CC-iSales server, with kept connections. Use it as a context manager, or ``close`` it.

    Every method checks its arguments before anything is sent (``ISalesArgumentError``), retries within the bounds of
    ``retry`` where that is safe, and raises an ``ISalesError`` unless the server explicitly reported success.

    Campaigns are positive integers or their digits as text; batch ids are text of digits; VDNs are 1 to 9999.
    Source: Huawei Cloud CEC API Reference, "Outbound Call Batch Interfaces" and "Outbound Campaign" interfaces.

    :param host: the server's name or address, without scheme or port
    :param access_key: the access key (AK)
    :param secret_key: the secret key (SK); it appears in no log, exception or repr
    :param vdn_id: the VDN for calls without one
    :param port: the server's port
    :param verify: True to trust the usual authorities, the path of a CA bundle, or False to trust any certificate; a
        path wins over ``REQUESTS_CA_BUNDLE`` in the environment
    :param verify_strict: False to accept certificates that fail the strict checks of Python 3.13
    :param client_cert: the path of a file with a certificate and its key, for a server that asks for one
    :param timeout: the most seconds for one request, from connecting to the last byte of its response
    :param signing_profile: ``current`` or ``legacy``
    :param proxies: proxies by scheme, as ``requests`` takes them, added to those of the environment
    :param retry: the bounds of retries within one call
    :param timezone: the platform's time zone, an IANA name such as ``Asia/Shanghai``; needed to distinguish a campaign
        that can't be paused because it has not begun from one that is dialling
    :param max_connections: how many connections are kept open: as many as threads use the client at once
    :raises ISalesArgumentError: a setting cannot work
    """

    @hide_variables
    def __init__(
        self,
        host: str,
        access_key: str,
        secret_key: str | Secret,
        *,
        vdn_id: int | str | None = None,
        port: int = HTTPS_PORT,
        verify: bool | str = True,
        verify_strict: bool = True,
        client_cert: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        signing_profile: SigningProfile | str = SigningProfile.CURRENT,
        proxies: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        timezone: str | ZoneInfo | None = None,
        max_connections: int = 8,
    ) -> None:
        secret_key = Secret.of(secret_key)  # before anything raises: tracebacks may show variables
        self.auth = C2Auth(access_key, secret_key, signing_profile)
        self.vdn_id = None if vdn_id is None else check_vdn_id(vdn_id)
        self.timezone = None if timezone is None else check_timezone(timezone)
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise ISalesArgumentError(f"retry must be a RetryPolicy, not {format_value(retry)}")
        route = Route(host, port, verify=verify, verify_strict=verify_strict, client_cert=client_cert, proxies=proxies)
        #: Carries out the calls; private to this package.
        self.session = Session(Transport(route, self.auth, timeout, max_connections), retry or RetryPolicy())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "session"):
            return f"<{type(self).__name__} that could not be made>"
        return f"{type(self).__name__}({self.session.transport.route.base_url!r}, {self.auth!r})"

    def close(self) -> None:
        """Close the connections."""
        self.session.transport.close()

    def stop(self) -> None:
        """Send no more requests: calls under way end with ``ISalesStoppedError`` unless their response arrives."""
        self.session.gate.stop()

    def stop_before(self, edge: datetime) -> None:
        """Send no more requests from :attr:`margin` before ``edge``, an aware datetime: they could act after it."""
        self.session.gate.close_at(check_instant("edge", edge) - self.margin)

    @property
    def margin(self) -> timedelta:
        """How long after it was sent a request may still take effect: the timeout plus a margin."""
        return timedelta(seconds=self.session.transport.timeout) + _SPARE

    def pause_call_batch(
        self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None
    ) -> CallBatchResult:
        """
        Suspend a batch. A batch that is already suspended counts as success.

        A request whose response is lost is safely sent again: the second response says whether the batch is suspended
        by then.
        """
        return switch_batch(self.session, PAUSE, self._batch(campaign_id, batch_id, vdn_id))

    def resume_call_batch(
        self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None
    ) -> CallBatchResult:
        """
        Resume a suspended batch. A batch that is already started counts as success.

        The code for "already started" is not documented: if the server refuses, ``list`` decides.
        """
        batch = self._batch(campaign_id, batch_id, vdn_id)
        try:
            return switch_batch(self.session, RESUME, batch)
        except ISalesResultError as refusal:
            if not self._is_started(batch):
                raise
            now = clock.utc_now()
            return CallBatchResult(batch, RESUME.already, refusal.code, refusal.description, refusal.attempts, now, now)

    def pause_call_batches(
        self,
        campaign_id: int | str,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        *,
        exclude: Collection[str] = (),
        select: str | None = None,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
    ) -> BulkResult:
        """
        Suspend many batches of a campaign in parallel; see :class:`.BulkSwitch` for how.

        :param batch_ids: the batches; ``"all"`` for every batch that is listed as started
        :param exclude: batches to leave alone, whatever their status
        :param select: with ``"all"``, only batches whose name contains this text, whatever its case
        :param max_parallel_requests: 1 to 64; give the client as many ``max_connections``
        :raises ISalesBulkError: after all were tried, a batch is not suspended; the error has the result
        """
        return self._run(
            PAUSE, self.campaign(campaign_id, vdn_id), batch_ids, max_parallel_requests, exclude=exclude, select=select
        )

    def resume_call_batches(
        self,
        campaign_id: int | str,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        *,
        exclude: Collection[str] = (),
        select: str | None = None,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
    ) -> BulkResult:
        """Resume many batches in parallel, as :meth:`pause_call_batches` does; ``"all"`` are the suspended ones."""
        return self._run(
            RESUME, self.campaign(campaign_id, vdn_id), batch_ids, max_parallel_requests, exclude=exclude, select=select
        )

    def create_call_batch(
        self,
        campaign_id: int | str,
        name: str,
        status: BatchStatus | int = BatchStatus.SUSPENDED,
        vdn_id: int | str | None = None,
    ) -> CallBatch:
        """
        Create a batch. A request that may have reached the server is never sent twice: it could create two batches.

        :param name: 1 to 255 characters, none of ``<>!@#$%^&*?;"~/\\``, unique in the campaign
        :param status: the initial status
        """
        fields = {"name": check_batch_name(name), "status": check_batch_status(status)}
        batch_id = self.session.call(CREATE, self.campaign(campaign_id, vdn_id), **fields)
        return CallBatch(batch_id, name, BatchStatus(status))

    def update_call_batch(
        self, campaign_id: int | str, batch_id: str, name: str, vdn_id: int | str | None = None
    ) -> None:
        """Rename a batch; the rules for names are those of :meth:`create_call_batch`."""
        self.session.call(UPDATE, self._batch(campaign_id, batch_id, vdn_id), name=check_batch_name(name))

    def delete_call_batch(self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None) -> None:
        """
        Delete a batch.

        If a response is lost and the next one says that the batch is not found, that is raised: the first request may
        or may not have deleted it.
        """
        self.session.call(DELETE, self._batch(campaign_id, batch_id, vdn_id))

    def list_call_batches(
        self,
        campaign_id: int | str,
        *,
        status: BatchStatus | int | None = None,
        name: str | None = None,
        vdn_id: int | str | None = None,
    ) -> Iterator[CallBatch]:
        """
        Yield a campaign's batches, requesting pages as needed.

        Batches may be missed if others enter or leave the selection meanwhile, which is not always noticed. To change
        listed batches, read the whole list first.

        :param status: only batches with this status
        :param name: only batches whose name contains this
        :raises ISalesCampaignEditedError: while pages are read, if such a change is noticed
        """
        selection: dict[str, int | str] = {} if status is None else {"status": check_batch_status(status)}
        if name is not None:
            selection["name"] = check_batch_name(name)
        return list_items(self.session, LIST, self.campaign(campaign_id, vdn_id), selection=selection)

    def list_campaigns(
        self,
        status: CampaignStatus | int | None = None,
        name: str | None = None,
        vdn_id: int | str | None = None,
    ) -> Iterator[Campaign]:
        """
        Yield a VDN's campaigns, requesting pages as needed.

        Campaigns may be missed if others enter or leave the selection meanwhile, as with :meth:`list_call_batches`.
        Source: "Querying All Outbound Campaigns".

        :param status: only campaigns with this status: started, suspended or completed
        :param name: only campaigns whose name contains this
        :raises ISalesCampaignEditedError: while pages are read, if they contradict each other
        """
        selection: dict[str, int | str] = {} if status is None else {"status": int(check_campaign_status(status))}
        if name is not None:
            selection["name"] = check_campaign_name(name)
        return list_items(self.session, LIST_CAMPAIGNS, self.vdn(vdn_id), selection=selection)

    def get_campaign(self, campaign_id: int | str, vdn_id: int | str | None = None) -> Campaign:
        """
        Return a campaign's details, with the hours in which the platform lets it dial.

        Source: "Querying Details About an Outbound Campaign".
        """
        return get_campaign(self.session, self.campaign(campaign_id, vdn_id))

    def list_special_dates(self, campaign_id: int | str, vdn_id: int | str | None = None) -> list[SpecialDate]:
        """
        Return the days on which a campaign dials at its ``special_day_hours``.

        Source: "Querying the Special Date List of an Outbound Campaign".
        """
        return self.session.call(LIST_SPECIAL_DATES, self.campaign(campaign_id, vdn_id))

    def pause_campaign(self, campaign_id: int | str, vdn_id: int | str | None = None) -> CampaignResult:
        """
        Suspend a campaign as a whole; its batches keep their status. Its details afterwards decide the outcome.

        A campaign that calls nobody without being suspended counts as success, with the outcome ``not_running``: it is
        a draft, completed, or begins later. Source: "Suspending an Outbound Campaign".

        :raises ISalesUnchangedError: the details still show it as started, or a status that is not documented
        """
        return switch_campaign(self.session, PAUSE_CAMPAIGN, self.campaign(campaign_id, vdn_id), self.timezone)

    def resume_campaign(self, campaign_id: int | str, vdn_id: int | str | None = None) -> CampaignResult:
        """
        Resume a campaign as a whole: it dials its started batches again. Its details afterwards decide the outcome.

        Source: "Resuming an Outbound Campaign".
        """
        return switch_campaign(self.session, RESUME_CAMPAIGN, self.campaign(campaign_id, vdn_id), self.timezone)

    def pause_campaigns(
        self,
        campaign_ids: Collection[int | str] | Literal["all"],
        *,
        exclude: Collection[int | str] = (),
        select: str | None = None,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
    ) -> BulkResult:
        """
        Suspend many campaigns of a VDN as a whole, in parallel; see :class:`.BulkSwitch` and :meth:`pause_campaign`.

        :param campaign_ids: the campaigns; ``"all"`` for all that are listed as started, or with a status that is not
            documented, including those that somebody starts meanwhile
        :param exclude: campaigns to leave alone, whatever their status
        :param select: with ``"all"``, only campaigns whose name contains this text, whatever its case
        :param max_parallel_requests: 1 to 64; give the client as many ``max_connections``
        :raises ISalesBulkError: after all were tried, a campaign may be dialling; the error has the result
        """
        return self._run(
            PAUSE_CAMPAIGN, self.vdn(vdn_id), campaign_ids, max_parallel_requests, exclude=exclude, select=select
        )

    def resume_campaigns(
        self,
        campaign_ids: Collection[int | str],
        *,
        exclude: Collection[int | str] = (),
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
    ) -> BulkResult:
        """
        Resume many campaigns as a whole, in parallel, as :meth:`pause_campaigns` does.

        ``"all"`` is an error: some campaigns may be suspended on purpose.
        """
        return self._run(RESUME_CAMPAIGN, self.vdn(vdn_id), campaign_ids, max_parallel_requests, exclude=exclude)

    def vdn(self, vdn_id: int | str | None = None) -> VdnKey:
        """Return the key of a VDN, by default the client's."""
        if vdn_id is None and self.vdn_id is None:
            raise ISalesArgumentError("no vdn_id: name it in the call, or set the connection's extra 'vdn_id'")
        return VdnKey(check_vdn_id(self.vdn_id if vdn_id is None else vdn_id))

    def campaign(self, campaign_id: int | str, vdn_id: int | str | None = None) -> CampaignKey:
        """Return the key of a campaign, by default in the client's VDN."""
        return CampaignKey(self.vdn(vdn_id).vdn_id, check_campaign_id(campaign_id))

    def _batch(self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None) -> BatchKey:
        campaign = self.campaign(campaign_id, vdn_id)
        return BatchKey(campaign.vdn_id, campaign.campaign_id, check_batch_id(batch_id))

    def _run(
        self, switch: Switch, scope: VdnKey, ids: Collection[Any] | Literal["all"], parallel: int, **settings: Any
    ) -> BulkResult:
        return BulkSwitch(switch, self.session, scope, ids, parallel, timezone=self.timezone, **settings).run()

    def _is_started(self, batch: BatchKey) -> bool:
        try:
            campaign = CampaignKey(batch.vdn_id, batch.campaign_id)
            started = list_items(self.session, LIST, campaign, selection={"status": BatchStatus.STARTED})
            return any(listed.id == batch.batch_id for listed in started)
        except ISalesError as error:
            log.warning("Could not find out whether %s is already started. %s", batch, error)
            return False
