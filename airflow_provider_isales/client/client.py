"""``ISalesClient``: the call batch interfaces of CC-iSales, one method for each."""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import IPv6Address
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from airflow_provider_isales import __version__
from airflow_provider_isales.client.answers import SUCCESS, Answer, clean, read_answer, read_batch_page, read_created_id
from airflow_provider_isales.client.arguments import (
    BatchKey,
    CampaignKey,
    batch_key,
    campaign_key,
    check_batch_name,
    check_status,
)
from airflow_provider_isales.client.auth import C2Auth, SigningProfile
from airflow_provider_isales.client.bulk import PAUSE, RESUME, BulkSwitch, Direction
from airflow_provider_isales.client.errors import (
    ISalesAlreadySuspendedError,
    ISalesArgumentError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.client.models import BatchStatus, BulkResult, CallBatch, Outcome, PauseResult, ResumeResult
from airflow_provider_isales.client.retry import RetryPolicy

log = logging.getLogger(__name__)

HTTPS_PORT = 443
MAX_PORT = 65535
DEFAULT_TIMEOUT = 10.0
MAX_TIMEOUT = 600
PAGE_SIZE = 100

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_DOING = {
    "pause": "Pausing",
    "resume": "Resuming",
    "create": "Creating a call batch in",
    "update": "Renaming",
    "delete": "Deleting",
    "list": "Listing the batches of",
}


class ISalesClient:
    """
    Speaks to one CC-iSales server over one keep-alive HTTPS session. Use it as a context manager, or ``close`` it.

    Every method checks its arguments before anything is sent (``ISalesArgumentError``), tries again within the bounds
    of ``retry`` where that is safe, and raises an ``ISalesError`` unless the server said success in so many words.

    :param host: the server's name or address, without scheme or port
    :param access_key: the access key (AK)
    :param secret_key: the secret key (SK); it appears in no log, exception or repr
    :param port: the server's port
    :param verify: True to trust the usual authorities, the path of a CA bundle to trust that one, False to trust
        anybody; a path wins over ``REQUESTS_CA_BUNDLE`` in the environment
    :param timeout: the seconds to wait for a connection, and for each next part of an answer
    :param signing_profile: ``current`` or ``legacy``
    :param proxies: proxies by scheme, as ``requests`` takes them, added to those of the environment
    :param retry: the bounds of trying again within one call
    :param max_connections: how many connections are kept open: as many as threads use the client at once
    :raises ISalesArgumentError: for a setting that cannot work
    """

    def __init__(
        self,
        host: str,
        access_key: str,
        secret_key: str,
        *,
        port: int = HTTPS_PORT,
        verify: bool | str = True,
        timeout: float = DEFAULT_TIMEOUT,
        signing_profile: SigningProfile | str = SigningProfile.CURRENT,
        proxies: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        max_connections: int = 8,
    ) -> None:
        self._base_url = _base_url(host, port)
        self._timeout = _checked_timeout(timeout)
        self._retry = retry or RetryPolicy()
        self._gate = Gate()
        self._session = _Session()
        self._session.auth = C2Auth(access_key, secret_key, signing_profile)
        self._session.headers["User-Agent"] = f"airflow-provider-isales/{__version__}"
        self._session.headers["Content-Type"] = "application/json; charset=UTF-8"
        self._session.mount(self._base_url, HTTPAdapter(pool_connections=1, pool_maxsize=max_connections))
        # Merged here because a session's own `verify` loses against REQUESTS_CA_BUNDLE in the environment.
        self._send_settings: dict[str, Any] = dict(
            self._session.merge_environment_settings(
                self._base_url, dict(proxies or {}), stream=True, verify=verify, cert=None
            )
        )
        _check_verify(self._send_settings["verify"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r}, {self._session.auth!r})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def stop(self) -> None:
        """Send nothing more: calls under way end with ``ISalesStoppedError`` unless they get their answer."""
        self._gate.stop()

    def stop_in(self, seconds: float) -> None:
        """
        Send nothing more after some time; for calls that would do harm when they are tried again too late.

        :param seconds: from now
        """
        self._gate.close_in(seconds)

    def pause_call_batch(self, vdn_id: int | str, campaign_id: int | str, batch_id: str) -> PauseResult:
        """
        Suspend a batch; a batch that is suspended already is as good. Source: "Suspending an Outbound Call Batch".

        A request whose answer is lost is sent again, which is safe: the second answer says whether the batch is
        suspended by then.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param batch_id: text of digits
        """
        batch = batch_key(vdn_id, campaign_id, batch_id)
        answer, attempts = self._call(
            "pause", batch, {"id": batch.batch_id}, counts_as_success=ISalesAlreadySuspendedError.code
        )
        already = answer.code == ISalesAlreadySuspendedError.code
        return PauseResult(
            **vars(batch),
            outcome=Outcome.ALREADY_PAUSED if already else Outcome.PAUSED,
            result_code=answer.code,
            result_desc=answer.description,
            attempts=attempts,
        )

    def resume_call_batch(self, vdn_id: int | str, campaign_id: int | str, batch_id: str) -> ResumeResult:
        """
        Resume a suspended batch; a batch that is started already is as good.

        The code for "already started" is not documented, so when the server refuses, ``list`` is asked whether the
        batch is started. Source: "Outbound Call Batch Interfaces".

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param batch_id: text of digits
        """
        batch = batch_key(vdn_id, campaign_id, batch_id)
        refusal = None
        try:
            answer, attempts = self._call("resume", batch, {"id": batch.batch_id})
            outcome, code, description = Outcome.RESUMED, answer.code, answer.description
        except ISalesResultError as error:
            refusal, attempts = error, error.attempts
            outcome, code, description = Outcome.ALREADY_STARTED, error.code, error.description
        if refusal and not self._is_started(batch):
            raise refusal
        return ResumeResult(
            **vars(batch),
            outcome=outcome,
            result_code=code,
            result_desc=description,
            attempts=attempts,
        )

    def pause_call_batches(
        self,
        vdn_id: int | str,
        campaign_id: int | str,
        batch_ids: Collection[str] | None = None,
        *,
        max_parallel_requests: int = 8,
        on_interrupt: Callable[[BulkResult], None] | None = None,
    ) -> BulkResult:
        """
        Suspend many batches of a campaign in parallel.

        All are tried, however many fail. Afterwards ``list`` is asked, and has the last word: a batch that it has as
        started is tried once more, then counts as failed, whatever its answer said; one whose answer was a failure
        but that it has as suspended counts as suspended. Without ``batch_ids`` this catches batches that were started
        meanwhile.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param batch_ids: the batches, each done once; None for every batch that ``list`` has as started
        :param max_parallel_requests: how many requests are under way at once, 1 to 64; make the client with as many
            ``max_connections``
        :param on_interrupt: is given what was done when an exception from outside interrupts it, a timeout for example
        :return: the result, if every batch is as wanted
        :raises ISalesBulkError: if any is not, after all were tried; it has the result
        """
        return self._switch_call_batches(
            PAUSE, vdn_id, campaign_id, batch_ids, max_parallel_requests, on_interrupt=on_interrupt
        )

    def resume_call_batches(
        self,
        vdn_id: int | str,
        campaign_id: int | str,
        batch_ids: Collection[str] | None = None,
        *,
        max_parallel_requests: int = 8,
        on_interrupt: Callable[[BulkResult], None] | None = None,
    ) -> BulkResult:
        """
        Resume many batches of a campaign in parallel; in all else as :meth:`pause_call_batches`.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param batch_ids: the batches, each done once; None for every batch that ``list`` has as suspended
        :param max_parallel_requests: how many requests are under way at once
        :param on_interrupt: is given what was done when an exception from outside interrupts it
        :return: the result, if every batch is as wanted
        :raises ISalesBulkError: if any is not, after all were tried; it has the result
        """
        return self._switch_call_batches(
            RESUME, vdn_id, campaign_id, batch_ids, max_parallel_requests, on_interrupt=on_interrupt
        )

    def create_call_batch(
        self,
        vdn_id: int | str,
        campaign_id: int | str,
        name: str,
        status: BatchStatus | int = BatchStatus.SUSPENDED,
    ) -> CallBatch:
        """
        Create a batch. Source: "Outbound Call Batch Interfaces".

        A request that may have reached the server is never sent twice, lest two batches come of it.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param name: 1 to 255 characters, none of ``<>!@#$%^&*?;"~/\\``, unique in the campaign
        :param status: the batch's first status
        """
        campaign = campaign_key(vdn_id, campaign_id)
        name, status = check_batch_name(name), check_status(status)
        try:
            answer, _ = self._call("create", campaign, {"name": name, "status": status.value}, repeatable=False)
            return CallBatch(read_created_id(answer), name, status)
        except ISalesError as error:
            error.action = error.action or f"Creating a call batch in {campaign}"
            if error.sent and not isinstance(error, ISalesResultError):
                error.advice = f"{error.advice} Look for {name!r} with list before you create it again.".strip()
            raise

    def update_call_batch(self, vdn_id: int | str, campaign_id: int | str, batch_id: str, name: str) -> None:
        """
        Rename a batch. Source: "Outbound Call Batch Interfaces".

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param batch_id: text of digits
        :param name: the new name, by the rules of :meth:`create_call_batch`
        """
        batch = batch_key(vdn_id, campaign_id, batch_id)
        self._call("update", batch, {"id": batch.batch_id, "name": check_batch_name(name)})

    def delete_call_batch(self, vdn_id: int | str, campaign_id: int | str, batch_id: str) -> None:
        """
        Delete a batch. Source: "Outbound Call Batch Interfaces".

        When an answer is lost and the next one says that the batch is not found, that is raised as it is: whether the
        first request deleted it or it never was there cannot be told.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param batch_id: text of digits
        """
        batch = batch_key(vdn_id, campaign_id, batch_id)
        self._call("delete", batch, {"id": batch.batch_id})

    def list_call_batches(
        self,
        vdn_id: int | str,
        campaign_id: int | str,
        *,
        status: BatchStatus | int | None = None,
        name: str | None = None,
    ) -> Iterator[CallBatch]:
        """
        List a campaign's batches, page by page as they are asked for. Source: "Outbound Call Batch Interfaces".

        Pages are counted from the front: when batches enter or leave the selection meanwhile, some may be missed. To
        change the batches that are listed, read the whole list first.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :param status: only batches with this status
        :param name: only batches whose name contains this
        """
        campaign = campaign_key(vdn_id, campaign_id)
        selection: dict[str, int | str] = {}
        if status is not None:
            selection["status"] = check_status(status).value
        if name is not None:
            selection["name"] = check_batch_name(name)
        return self._pages(campaign, selection)

    def check_access(self, vdn_id: int | str, campaign_id: int | str) -> None:
        """
        Return if the server accepts the signature of a ``list`` for one batch, which changes nothing.

        :param vdn_id: 1 to 9999
        :param campaign_id: a positive integer
        :raises ISalesResultError: with a failure code, which too means that the signature was accepted
        """
        self._call("list", campaign_key(vdn_id, campaign_id), {"offset": 0, "limit": 1})

    def _switch_call_batches(
        self,
        direction: Direction,
        vdn_id: int | str,
        campaign_id: int | str,
        batch_ids: Collection[str] | None,
        max_parallel_requests: int,
        *,
        on_interrupt: Callable[[BulkResult], None] | None,
    ) -> BulkResult:
        def switch(batch: BatchKey) -> Outcome:
            # Not resume_call_batch(): it would list the whole campaign for each refusal, and list is asked at the end.
            answer, attempts = self._call(
                direction.verb, batch, {"id": batch.batch_id}, counts_as_success=direction.counts_as_success
            )
            # Listed as started a moment ago, and an earlier attempt may have taken effect: then it was this one.
            ours = batch_ids is None and attempts > 1
            return direction.done if answer.code == SUCCESS or ours else direction.already

        campaign = campaign_key(vdn_id, campaign_id)
        return BulkSwitch(
            direction,
            campaign,
            batch_ids,
            max_parallel_requests,
            switch,
            lambda status: self.list_call_batches(campaign.vdn_id, campaign.campaign_id, status=status),
            self.stop,
            on_interrupt,
        ).run()

    def _pages(self, campaign: CampaignKey, selection: dict[str, int | str]) -> Iterator[CallBatch]:
        listed: set[str] = set()
        offset, limit = 0, PAGE_SIZE
        while True:
            answer, _ = self._call("list", campaign, {"offset": offset, "limit": limit, **selection})
            page, total = read_batch_page(answer)
            if offset == 0 and page:
                # The largest page that the server gives is not documented: take what it gives for it.
                limit = min(limit, len(page))
            elif len(page) < min(limit, total - offset):
                raise ISalesProtocolError(
                    f"Listing the batches of {campaign}: {len(page)} came from offset {offset} on, of {total} in all"
                )
            for batch in page:
                if batch.id not in listed:
                    yield batch
            listed.update(batch.id for batch in page)
            offset += limit
            if offset >= total:
                break
        if len(listed) < total:
            raise ISalesProtocolError(f"Listing the batches of {campaign}: only {len(listed)} of {total} came")

    def _is_started(self, batch: BatchKey) -> bool:
        try:
            started = self.list_call_batches(batch.vdn_id, batch.campaign_id, status=BatchStatus.STARTED)
            return any(listed.id == batch.batch_id for listed in started)
        except ISalesError as error:
            log.warning("Whether %s is started already could not be found out. %s", batch, error)
            return False

    def _call(
        self,
        verb: str,
        target: CampaignKey,
        body: Mapping[str, int | str],
        *,
        repeatable: bool = True,
        counts_as_success: str | None = None,
    ) -> tuple[Answer, int]:
        """Perform one call with its retries; give the answer and the number of attempts."""
        method = "GET" if verb == "list" else "POST"
        url = f"{self._base_url}/rest/isales/v1/openapi/campaigns/{target.vdn_id}/callbatch/{target.campaign_id}/{verb}"
        request = requests.Request(method, url, data=json.dumps(body, ensure_ascii=False).encode())
        action = f"{_DOING[verb]} {target}"
        retrying = self._retry.retrying(action, self._gate, repeatable=repeatable)
        try:
            answer = retrying(self._attempt, request, counts_as_success)
        except ISalesError as error:
            error.action = action
            error.attempts = retrying.statistics["attempt_number"]
            raise
        return answer, retrying.statistics["attempt_number"]

    def _attempt(self, request: requests.Request, counts_as_success: str | None) -> Answer:
        outside = sys.exception()
        self._gate.pass_through()
        try:
            prepared = self._session.prepare_request(request)
            with self._session.send(
                prepared, timeout=self._timeout, allow_redirects=False, **self._send_settings
            ) as response:
                return read_answer(response, counts_as_success)
        except ISalesError:
            raise
        # Not all that requests and urllib3 raise for broken answers is of their own kinds.
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # None: the frames of urllib3 hold the signature, and some log formats show their variables.
            raise _transport_error(error, outside) from None


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Say that there is none: requests would read the whole body of a redirect, even of one not followed."""
        return None


def _base_url(host: str, port: int) -> str:
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= MAX_PORT:
        raise ISalesArgumentError(f"port must be an integer from 1 to {MAX_PORT}, not {port!r}")
    name = _host_in_url(host)
    if name is None:
        raise ISalesArgumentError(
            f"host must be a bare name or address, not {host!r}: leave out the scheme (it is always https) and any "
            "path, and give the port in its own field"
        )
    return f"https://{name}" if port == HTTPS_PORT else f"https://{name}:{port}"


def _host_in_url(host: object) -> str | None:
    if not isinstance(host, str):
        return None
    try:
        return f"[{IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    except ValueError:
        return host if _HOST_NAME.fullmatch(host) else None


def _checked_timeout(timeout: float) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= MAX_TIMEOUT:
        raise ISalesArgumentError(f"timeout must be a number of seconds above 0, up to {MAX_TIMEOUT}, not {timeout!r}")
    return timeout


def _check_verify(verify: object) -> None:
    if not isinstance(verify, (bool, str)):
        raise ISalesArgumentError(f"verify must be true, false or the path of a CA bundle, not {verify!r}")
    if isinstance(verify, str) and not os.path.isdir(verify):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(verify)
        except OSError as error:  # also what ssl raises
            unusable = ISalesArgumentError(f"verify names no CA bundle that can be read: {verify!r} ({error})")
            unusable.retryable = True  # another worker may have the file
            raise unusable from None


def _transport_error(error: Exception, outside: BaseException | None) -> ISalesTransportError:
    causes = list(_causes(error, outside))
    reason = clean(str(causes[-1])) or type(causes[-1]).__name__

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ssl.SSLCertVerificationError):
        return ISalesCertificateError(f"the server's certificate is not trusted: {reason}")
    # A ProxyError alone does not tell: urllib3 raises it too when the connection through a proxy is lost later.
    if caused_by(NewConnectionError, ConnectTimeoutError) or reason.startswith("Tunnel connection failed"):
        return ISalesConnectError(f"no connection could be made: {reason}")
    if caused_by(requests.Timeout, ReadTimeoutError):
        return ISalesTimeoutError(f"no answer in time: {reason}")
    if caused_by(ssl.SSLError) and not caused_by(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return ISalesTLSError(f"TLS failed: {reason}")
    return ISalesConnectionLostError(f"the connection broke: {reason}")


def _causes(error: BaseException | None, outside: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and what led to it, up to what the caller of this client was already handling."""
    while error is not None and error is not outside:
        yield error
        error = error.__cause__ or error.__context__
