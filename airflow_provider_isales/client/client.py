"""``ISalesClient``: the call batch interfaces of CC-iSales, one method for each."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from airflow_provider_isales.client.answers import SUCCESS, Answer, Page, read_answer
from airflow_provider_isales.client.arguments import (
    ALL,
    HTTPS_PORT,
    batch_key,
    campaign_key,
    check_instant,
    check_vdn_id,
    hides_variables,
)
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.bulk import KEPT_CHANGING, MAX_LISTINGS, BulkSwitch
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesCampaignEditedError,
    ISalesError,
    ISalesHTTPStatusError,
    ISalesProtocolError,
    ISalesResultError,
)
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.client.look import Look
from airflow_provider_isales.client.models import (
    BatchKey,
    BatchStatus,
    BulkResult,
    CallBatch,
    CallBatchResult,
    CampaignKey,
)
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.text import Secret, shown
from airflow_provider_isales.client.threads import Queue, work_off
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.client.verbs import CREATE, DELETE, LIST, PAUSE, RESUME, UPDATE, Switch, Verb

log = logging.getLogger(__name__)

_TO_JSON = json.JSONEncoder(ensure_ascii=False)

T = TypeVar("T")

DEFAULT_TIMEOUT = 10.0
# What a request takes besides: between the gate and the wire, and from the wire to the service.
_SPARE = timedelta(seconds=5)
PAGE_SIZE = 100
# Far above what a campaign holds: 1000 by the reference.
MAX_BATCHES = 100_000


@dataclass(frozen=True)
class _Reply(Generic[T]):
    code: str
    description: str
    value: T
    attempts: int
    asked_at: datetime


class ISalesClient:
    """
    Speaks to one CC-iSales server over one keep-alive HTTPS session. Use it as a context manager, or ``close`` it.

    Every method checks its arguments before anything is sent (``ISalesArgumentError``), tries again within the bounds
    of ``retry`` where that is safe, and raises an ``ISalesError`` unless the server explicitly reported success.

    Campaigns are positive integers or their digits as text; batch ids are text of digits; VDNs are 1 to 9999.

    :param host: the server's name or address, without scheme or port
    :param access_key: the access key (AK)
    :param secret_key: the secret key (SK); it appears in no log, exception or repr
    :param vdn_id: the VDN of calls that name none
    :param port: the server's port
    :param verify: True to trust the usual authorities, the path of a CA bundle to trust that one, False to trust
        anybody; a path wins over ``REQUESTS_CA_BUNDLE`` in the environment
    :param timeout: the seconds that one request may take, from connecting to the last byte of its answer
    :param signing_profile: ``current`` or ``legacy``
    :param proxies: proxies by scheme, as ``requests`` takes them, added to those of the environment
    :param retry: the bounds of trying again within one call
    :param max_connections: how many connections are kept open: as many as threads use the client at once
    :raises ISalesArgumentError: for a setting that cannot work
    """

    @hides_variables
    def __init__(
        self,
        host: str,
        access_key: str,
        secret_key: str | Secret,
        *,
        vdn_id: int | str | None = None,
        port: int = HTTPS_PORT,
        verify: bool | str = True,
        timeout: float = DEFAULT_TIMEOUT,
        signing_profile: SigningProfile | str = SigningProfile.CURRENT,
        proxies: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        max_connections: int = 8,
    ) -> None:
        secret_key = Secret.of(secret_key)  # before anything can go wrong: tracebacks may show variables
        self.auth = C2Auth(access_key, secret_key, signing_profile)
        self.vdn_id = None if vdn_id is None else check_vdn_id(vdn_id)
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise ISalesArgumentError(f"retry must be a RetryPolicy, not {shown(retry)}")
        self.retry = RetryPolicy() if retry is None else retry
        self._gate = Gate()
        self.transport = Transport(
            host,
            port,
            self.auth,
            verify=verify,
            timeout=timeout,
            proxies={} if proxies is None else proxies,
            max_connections=max_connections,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "transport"):
            return f"<{type(self).__name__} that could not be made>"
        return f"{type(self).__name__}({self.transport.base_url!r}, {self.auth!r})"

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def stop(self) -> None:
        """Send nothing more: calls under way end with ``ISalesStoppedError`` unless they get their answer."""
        self._gate.stop()

    def stop_before(self, edge: datetime) -> None:
        """
        Send nothing more from :attr:`margin` before an instant on; for calls that would do harm after it.

        :param edge: the instant, an aware datetime
        :raises ISalesArgumentError: for anything else
        """
        self._gate.close_at(check_instant("edge", edge) - self.margin)

    @property
    def margin(self) -> timedelta:
        """How long a request may take effect after it was sent: more than the timeout, after which it is given up."""
        return timedelta(seconds=self.transport.timeout) + _SPARE

    def pause_call_batch(
        self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None
    ) -> CallBatchResult:
        """
        Suspend a batch. A batch that is already suspended counts as success.

        A request whose answer is lost is sent again, which is safe: the second answer says whether the batch is
        suspended by then. Source: "Suspending an Outbound Call Batch".
        """
        return self.switch(PAUSE, batch_key(self._vdn(vdn_id), campaign_id, batch_id))

    def resume_call_batch(
        self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None
    ) -> CallBatchResult:
        """
        Resume a suspended batch. A batch that is already started counts as success.

        The code for "already started" is not documented, so when the server refuses, ``list`` is asked whether the
        batch is started. Source: "Outbound Call Batch Interfaces".
        """
        batch = batch_key(self._vdn(vdn_id), campaign_id, batch_id)
        try:
            return self.switch(RESUME, batch)
        except ISalesResultError as refusal:
            if not self._is_started(batch):
                raise
            now = self.now()
            return CallBatchResult(batch, RESUME.already, refusal.code, refusal.description, refusal.attempts, now, now)

    def pause_call_batches(
        self,
        campaign_id: int | str,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        *,
        exclude: Collection[str] = (),
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
    ) -> BulkResult:
        """
        Suspend many batches of a campaign in parallel; see :class:`.BulkSwitch` for how, and for what it found so far.

        :param batch_ids: the batches, each done once; ``"all"`` for every batch that ``list`` has as started
        :param exclude: batches to leave alone, whatever their status
        :param max_parallel_requests: how many requests are under way at once, 1 to 64; make the client with as many
            ``max_connections``
        :return: the result, if every batch is as wanted
        :raises ISalesBulkError: if any is not, after all were tried; it has the result
        """
        campaign = self.campaign(campaign_id, vdn_id)
        return BulkSwitch(PAUSE, self, campaign, batch_ids, max_parallel_requests, exclude=exclude).run()

    def resume_call_batches(
        self,
        campaign_id: int | str,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        *,
        exclude: Collection[str] = (),
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
    ) -> BulkResult:
        """
        Resume many batches of a campaign in parallel; in all else as :meth:`pause_call_batches`.

        :param batch_ids: the batches, each done once; ``"all"`` for every batch that ``list`` has as suspended
        """
        campaign = self.campaign(campaign_id, vdn_id)
        return BulkSwitch(RESUME, self, campaign, batch_ids, max_parallel_requests, exclude=exclude).run()

    def create_call_batch(
        self,
        campaign_id: int | str,
        name: str,
        status: BatchStatus | int = BatchStatus.SUSPENDED,
        vdn_id: int | str | None = None,
    ) -> CallBatch:
        """
        Create a batch. Source: "Outbound Call Batch Interfaces".

        A request that may have reached the server is never sent twice: it could create two batches.

        :param name: 1 to 255 characters, none of ``<>!@#$%^&*?;"~/\\``, unique in the campaign
        :param status: the batch's first status
        """
        reply = self._call(CREATE, self.campaign(campaign_id, vdn_id), name=name, status=status)
        return CallBatch(reply.value, name, BatchStatus(status))

    def update_call_batch(
        self, campaign_id: int | str, batch_id: str, name: str, vdn_id: int | str | None = None
    ) -> None:
        """
        Rename a batch. Source: "Outbound Call Batch Interfaces".

        :param name: the new name, by the rules of :meth:`create_call_batch`
        """
        self._call(UPDATE, batch_key(self._vdn(vdn_id), campaign_id, batch_id), id=batch_id, name=name)

    def delete_call_batch(self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None) -> None:
        """
        Delete a batch. Source: "Outbound Call Batch Interfaces".

        When an answer is lost and the next one says that the batch is not found, that is raised as it is: nobody can
        tell whether the first request deleted it or it never was there.
        """
        self._call(DELETE, batch_key(self._vdn(vdn_id), campaign_id, batch_id), id=batch_id)

    def list_call_batches(
        self,
        campaign_id: int | str,
        *,
        status: BatchStatus | int | None = None,
        name: str | None = None,
        vdn_id: int | str | None = None,
    ) -> Iterator[CallBatch]:
        """
        List a campaign's batches, page by page as they are asked for. Source: "Outbound Call Batch Interfaces".

        Pages are counted from the front: when batches enter or leave the selection meanwhile, some may be missed, which
        is not always noticed. To change the batches that are listed, read the whole list first.

        :param status: only batches with this status
        :param name: only batches whose name contains this
        :raises ISalesCampaignEditedError: if it is noticed, while the pages are read
        """
        given = {field: value for field, value in {"status": status, "name": name}.items() if value is not None}
        return self._pages(self.campaign(campaign_id, vdn_id), LIST.body(**given))

    def campaign(self, campaign_id: int | str, vdn_id: int | str | None = None) -> CampaignKey:
        """Return which campaign that is, in the client's VDN unless another one is named."""
        return campaign_key(self._vdn(vdn_id), campaign_id)

    def switch(self, switch: Switch, batch: BatchKey) -> CallBatchResult:
        """
        Carry out one pause or resume, and ask nothing else.

        :param switch: ``PAUSE`` or ``RESUME`` of :mod:`.verbs`
        :param batch: the batch
        """
        reply = self._call(switch, batch, id=batch.batch_id)
        return self._switched(switch, batch, reply)

    def switch_once(self, switch: Switch, batch: BatchKey, timeout: float | None = None) -> CallBatchResult:
        """
        Carry out one pause or resume by one request, without waiting at the gate.

        :param switch: ``PAUSE`` or ``RESUME`` of :mod:`.verbs`
        :param batch: the batch
        :param timeout: the seconds that it may take, where this is less than the client's
        """
        asked_at = self.now()
        try:
            answer, value = self._attempt(switch, batch, _json(switch, {"id": batch.batch_id}), timeout)
        except ISalesHTTPStatusError as error:
            if error.asks_to_slow_down:
                self._gate.hold(self.retry.wait_after(error, attempt=1), too_fast=error.too_fast)
            raise
        return self._switched(switch, batch, _Reply(answer.code, answer.description, value, 1, asked_at))

    def look(self, verb: Verb[T], target: CampaignKey, auth: C2Auth | None = None, **fields: object) -> Look[T]:
        """
        Send one request, once and whatever the gate says, and tell all that is to be seen of how it is answered.

        It raises nothing of what can go wrong on the way; to find out how a platform answers, not to rely on it.

        :param verb: the interface, one of :mod:`.verbs`
        :param target: the campaign
        :param auth: signs this request, if not as all others
        :param fields: the fields of the request body
        """
        return Look.at(self.transport, verb, target, _json(verb, fields), auth or self.auth)

    def batches_of(
        self, campaign: CampaignKey, *, retry: RetryPolicy | None = None, parallel: int = 1
    ) -> Iterator[CallBatch]:
        """
        List every batch of a campaign: the first page, and then the others.

        :param campaign: the campaign
        :param retry: the bounds of trying again for each page; the client's when None
        :param parallel: how many pages are asked for at once
        """
        return self._pages(campaign, {}, retry, parallel)

    def agreed_batches(self, campaign: CampaignKey, parallel: int = 1) -> list[CallBatch]:
        """
        List every batch of a campaign, until two listings in a row have the same batches; return the last one.

        :param campaign: the campaign
        :param parallel: how many pages are asked for at once
        :raises ISalesCampaignEditedError: if no two agree
        """
        previous: set[str] | None = None
        for _ in range(MAX_LISTINGS):
            try:
                listed = list(self.batches_of(campaign, parallel=parallel))
            except ISalesCampaignEditedError:
                previous = None
                continue
            if previous == (previous := {batch.id for batch in listed}):
                return listed
        raise ISalesCampaignEditedError(KEPT_CHANGING).during(f"{LIST.doing} {campaign}")

    def wait_at_gate(self, deadline: float) -> None:
        """Wait while requests are held back; see :meth:`.Gate.pass_through`."""
        self._gate.pass_through(deadline)

    def sleep(self, seconds: float) -> None:
        """Wait, but not once stopped."""
        self._gate.sleep(seconds)

    def now(self) -> datetime:
        """Return the time in UTC, by this machine's clock."""
        return self._gate.now()

    def _vdn(self, vdn_id: int | str | None) -> int | str:
        if vdn_id is None and self.vdn_id is None:
            raise ISalesArgumentError("no vdn_id: name it in the call, or set the connection's extra 'vdn_id'")
        return self.vdn_id if vdn_id is None else vdn_id  # type: ignore[return-value]  # one is there

    def _pages(
        self,
        campaign: CampaignKey,
        selection: Mapping[str, int | str],
        retry: RetryPolicy | None = None,
        parallel: int = 1,
    ) -> Iterator[CallBatch]:
        def page_at(offset: int) -> Page:
            return self._call(LIST, campaign, retry, offset=offset, limit=limit, **selection).value

        action, listed, limit = f"{LIST.doing} {campaign}", set[str](), PAGE_SIZE
        first = page_at(0)
        if first.total == len(first.batches) == PAGE_SIZE:
            # The reference does not say whether totalCount counts all pages or this one.
            yield from _read_until_short(first, page_at, action)
            return
        total = first.total
        if total > MAX_BATCHES:
            raise ISalesProtocolError(f"totalCount is {total}, more than a campaign holds").during(action)
        # The largest page that the server gives is not documented: take what it gives for it.
        limit = min(limit, len(first.batches)) or limit
        offsets = range(limit, total, limit)
        # Both begin only when the first page is read.
        others = map(page_at, offsets) if parallel == 1 else _at_once(page_at, offsets, parallel)
        problem: ISalesError | None = None
        for offset, page in chain([(0, first)], zip(offsets, others, strict=True)):
            problem = problem or _check_page(page, offset, limit, total)
            yield from (batch for batch in page.batches if batch.id not in listed)
            listed.update(batch.id for batch in page.batches)
        if not problem and len(listed) != total:
            problem = ISalesCampaignEditedError(f"{len(listed)} different ones came, of {total} in all")
        if problem:  # only now, so that callers have all that could be read
            raise problem.during(action)

    def _is_started(self, batch: BatchKey) -> bool:
        try:
            started = self._pages(CampaignKey(batch.vdn_id, batch.campaign_id), LIST.body(status=BatchStatus.STARTED))
            return any(listed.id == batch.batch_id for listed in started)
        except ISalesError as error:
            log.warning("Whether %s is already started could not be found out. %s", batch, error)
            return False

    def _call(
        self, verb: Verb[T], target: CampaignKey, retry: RetryPolicy | None = None, /, **fields: object
    ) -> _Reply[T]:
        """Carry out one call with its retries."""
        retry = retry or self.retry
        action = f"{verb.doing} {target}"
        body = _json(verb, fields)
        sent, asked_at = False, self.now()
        deadline = time.monotonic() + retry.total
        retrying = retry.retrying(action, self._gate, repeatable=verb.repeatable)

        def attempt() -> tuple[Answer, T]:
            nonlocal sent, asked_at
            try:
                self._gate.pass_through(deadline)
                asked_at = self.now()
                return self._attempt(verb, target, body)
            except ISalesError as error:
                sent |= error.sent
                raise

        try:
            answer, value = retrying(attempt)
        except ISalesError as error:
            unknown = sent and not isinstance(error, ISalesResultError)
            raise error.during(
                action,
                retrying.statistics["attempt_number"],
                sent=sent,
                more_advice=verb.when_unknown.format(**fields) if unknown else "",
            ) from None
        return _Reply(answer.code, answer.description, value, retrying.statistics["attempt_number"], asked_at)

    def _switched(self, switch: Switch, batch: BatchKey, reply: _Reply[Any]) -> CallBatchResult:
        outcome = switch.done if reply.code == SUCCESS else switch.already
        return CallBatchResult(
            batch, outcome, reply.code, reply.description, reply.attempts, reply.asked_at, self.now()
        )

    def _attempt(
        self, verb: Verb[T], target: CampaignKey, body: bytes, timeout: float | None = None
    ) -> tuple[Answer, T]:
        answer = self.transport.exchange(
            verb.method,
            verb.path(target),
            body,
            lambda response: read_answer(response, verb.also_success),
            timeout,
        )
        return answer, verb.read(answer)


def _check_page(page: Page, offset: int, limit: int, total: int) -> ISalesError | None:
    """Return what is wrong with a page beside the first one."""
    came = len(page.batches)
    if page.total != total:
        return ISalesCampaignEditedError(f"there were {total} of them, then {page.total}")
    if came != min(limit, total - offset):
        return ISalesProtocolError(
            f"{came} came from offset {offset} on, of {total} in all, where at most {limit} were asked for"
        )
    return None


def _read_until_short(first: Page, page_at: Callable[[int], Page], action: str) -> Iterator[CallBatch]:
    """Yield the batches of a page and of those after it, until one has fewer than were asked for."""
    page, batches = first, {batch.id: batch for batch in first.batches}
    problem = None
    while not problem and len(page.batches) == PAGE_SIZE and len(batches) <= MAX_BATCHES:
        before = len(batches)
        page = page_at(before)
        came = len(page.batches)
        batches |= {batch.id: batch for batch in page.batches}
        if len(batches) != before + came or page.total not in ({came, before} if came == 0 else {came}):
            problem = ISalesCampaignEditedError(f"there were {first.total} of them, then {page.total}")
    yield from batches.values()
    if problem:
        raise problem.during(action)


def _at_once(page_at: Callable[[int], Page], offsets: Sequence[int], parallel: int) -> Iterator[Page]:
    """Yield pages in order that are asked for several at once; after one that fails, no more are asked for."""
    found: dict[int, Page] = {}
    failed: dict[int, Exception] = {}

    def work(queue: Queue[int]) -> None:
        for offset in queue:
            if failed:
                return
            try:
                found[offset] = page_at(offset)
            except Exception as error:  # raised below, where the pages are read
                failed[offset] = error

    work_off(Queue(offsets), work, parallel)
    for offset in offsets:
        if offset not in found:
            raise failed[min(failed)]
        yield found[offset]


def _json(verb: Verb[Any], fields: Mapping[str, object]) -> bytes:
    return _TO_JSON.encode(verb.body(**fields)).encode()
