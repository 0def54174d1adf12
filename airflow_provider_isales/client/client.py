"""``ISalesClient``: the call batch interfaces of CC-iSales, one method for each."""

from __future__ import annotations

import itertools
import json
import logging
import math
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from airflow_provider_isales import __version__
from airflow_provider_isales.client.answers import Answer, read_answer, read_batch_page, read_created_id
from airflow_provider_isales.client.arguments import (
    BatchKey,
    CampaignKey,
    batch_key,
    campaign_key,
    check_batch_name,
    check_status,
)
from airflow_provider_isales.client.auth import C2Auth, SigningProfile
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
    ISalesTransportError,
)
from airflow_provider_isales.client.models import BatchStatus, CallBatch, Outcome, PauseResult, ResumeResult
from airflow_provider_isales.client.retry import RetryPolicy

log = logging.getLogger(__name__)

HTTPS_PORT = 443
MAX_PORT = 65535
DEFAULT_TIMEOUT = 10.0
PAGE_SIZE = 100

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
        self._session = requests.Session()
        self._session.auth = C2Auth(access_key, secret_key, signing_profile)
        self._session.headers["User-Agent"] = f"airflow-provider-isales/{__version__}"
        self._session.headers["Content-Type"] = "application/json; charset=UTF-8"
        self._session.mount(self._base_url, HTTPAdapter(pool_connections=1, pool_maxsize=max_connections))
        # Merged here because a session's own `verify` loses against REQUESTS_CA_BUNDLE in the environment.
        self._send_settings: dict[str, Any] = dict(
            self._session.merge_environment_settings(
                self._base_url, dict(proxies or {}), stream=True, verify=_checked_verify(verify), cert=None
            )
        )

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
            vdn_id=batch.vdn_id,
            campaign_id=batch.campaign_id,
            batch_id=batch.batch_id,
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
        try:
            answer, attempts = self._call("resume", batch, {"id": batch.batch_id})
            outcome, code, description = Outcome.RESUMED, answer.code, answer.description
        except ISalesResultError as error:
            if not self._is_started(batch):
                raise
            outcome, code, description = Outcome.ALREADY_STARTED, error.code, error.description
            attempts = error.attempts
        return ResumeResult(
            vdn_id=batch.vdn_id,
            campaign_id=batch.campaign_id,
            batch_id=batch.batch_id,
            outcome=outcome,
            result_code=code,
            result_desc=description,
            attempts=attempts,
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

    def _pages(self, campaign: CampaignKey, selection: dict[str, int | str]) -> Iterator[CallBatch]:
        listed: set[str] = set()
        for offset in itertools.count(0, PAGE_SIZE):
            answer, _ = self._call("list", campaign, {"offset": offset, "limit": PAGE_SIZE, **selection})
            page, total = read_batch_page(answer)
            if len(page) < min(PAGE_SIZE, total - offset):
                raise ISalesProtocolError(
                    f"Listing the batches of {campaign}: {len(page)} came from offset {offset} on, of {total} in all"
                )
            for batch in page:
                if batch.id not in listed:
                    yield batch
            listed.update(batch.id for batch in page)
            if offset + PAGE_SIZE >= total:
                return

    def _is_started(self, batch: BatchKey) -> bool:
        try:
            started = self._pages(batch, {"status": BatchStatus.STARTED.value})
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
        retrying = self._retry.retrying(action, repeatable=repeatable)
        try:
            answer = retrying(self._attempt, request, counts_as_success)
        except ISalesError as error:
            error.action = action
            error.attempts = retrying.statistics["attempt_number"]
            raise
        return answer, retrying.statistics["attempt_number"]

    def _attempt(self, request: requests.Request, counts_as_success: str | None) -> Answer:
        prepared = self._session.prepare_request(request)
        try:
            with self._session.send(
                prepared, timeout=self._timeout, allow_redirects=False, **self._send_settings
            ) as response:
                return read_answer(response, counts_as_success)
        except requests.RequestException as error:
            raise _transport_error(error) from error


def _base_url(host: str, port: int) -> str:
    if not isinstance(host, str) or not re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?", host):
        raise ISalesArgumentError(
            f"host must be a bare name or address, without scheme, port or path, not {host!r} (HTTPS is always used)"
        )
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= MAX_PORT:
        raise ISalesArgumentError(f"port must be an integer from 1 to {MAX_PORT}, not {port!r}")
    name = f"[{host.strip('[]')}]" if ":" in host else host
    return f"https://{name}" if port == HTTPS_PORT else f"https://{name}:{port}"


def _checked_timeout(timeout: float) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise ISalesArgumentError(f"timeout must be a number of seconds above 0, not {timeout!r}")
    return timeout


def _checked_verify(verify: bool | str) -> bool | str:
    if not isinstance(verify, (bool, str)):
        raise ISalesArgumentError(f"verify must be true, false or the path of a CA bundle, not {verify!r}")
    if isinstance(verify, str) and not Path(verify).exists():
        raise ISalesArgumentError(f"verify names a CA bundle that does not exist: {verify!r}")
    if isinstance(verify, str) and Path(verify).is_file():
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(verify)
        except OSError as error:  # also what ssl raises
            raise ISalesArgumentError(f"verify names a file that is not a CA bundle: {verify!r} ({error})") from None
    return verify


def _transport_error(error: requests.RequestException) -> ISalesTransportError:
    causes = list(_causes(error))
    reason = str(causes[-1]) or type(causes[-1]).__name__

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(ssl.SSLCertVerificationError):
        return ISalesCertificateError(f"the server's certificate is not trusted: {reason}")
    if caused_by(NewConnectionError, requests.ConnectTimeout, requests.exceptions.ProxyError):
        return ISalesConnectError(f"no connection could be made: {reason}")
    if caused_by(requests.Timeout, ReadTimeoutError):
        return ISalesTimeoutError(f"no answer in time: {reason}")
    return ISalesConnectionLostError(f"the connection broke: {reason}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
