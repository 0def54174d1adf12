"""List the batches of a campaign: page by page, and until two listings agree."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType

from airflow_provider_isales.client.answers import Page
from airflow_provider_isales.client.errors import (
    ISalesCampaignEditedError,
    ISalesError,
    ISalesProtocolError,
    ISalesTimeoutError,
)
from airflow_provider_isales.client.models import CallBatch, CampaignKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.threads import Queue, run_threads
from airflow_provider_isales.client.verbs import LIST

PAGE_SIZE = 100
MAX_LISTINGS = 5
# Far above what a campaign holds: 1000 by the reference.
MAX_BATCHES = 100_000

Listed = Mapping[str, CallBatch]
PageAt = Callable[[int], Page]
Batches = Generator[CallBatch, None, ISalesError | None]


def list_batches(
    session: Session,
    campaign: CampaignKey,
    *,
    retry: RetryPolicy | None = None,
    ends: float = math.inf,
    parallel: int = 1,
    selection: Mapping[str, int | str] = MappingProxyType({}),
) -> Iterator[CallBatch]:
    """
    Yield the batches of a campaign, each once. If the pages contradict each other, the error is raised after the last.

    :param retry: the bounds for each page, where they are not the session's
    :param ends: when no more requests are sent, on the ``time.monotonic()`` clock
    :param parallel: how many pages are asked for at once, after the first
    :param selection: the fields of the request that select batches
    :raises ISalesCampaignEditedError: if batches came or went meanwhile, and it was noticed
    """
    action, limit = f"{LIST.doing} {campaign}", PAGE_SIZE
    policy = retry or session.retry

    def page_at(offset: int) -> Page:
        if (left := ends - time.monotonic()) <= 0:
            advice = "The service, or the firewall in front of it, is slow or overloaded: try again later."
            raise ISalesTimeoutError("it took too long", advice=advice).during(action)
        within = replace(policy, total=min(policy.total, left))
        return session.call(LIST, campaign, within, offset=offset, limit=limit, **selection).value

    first = page_at(0)
    if first.total > MAX_BATCHES:
        raise ISalesProtocolError(f"totalCount is {first.total}, more than a campaign holds").during(action)
    if first.total == len(first.batches) == PAGE_SIZE:
        # The reference does not say whether totalCount counts all pages or this one.
        problem = yield from _read_until_short(first, page_at)
    else:
        # The largest page that the server gives is not documented: take what it gives for it.
        limit = min(limit, len(first.batches)) or limit
        problem = yield from _read_to_total(first, page_at, limit, parallel)
    if problem:
        raise problem.during(action)


def list_agreed_batches(session: Session, campaign: CampaignKey) -> list[CallBatch]:
    """Return every batch of a campaign, by :func:`find_agreed_listing`."""

    def list_once() -> Listed:
        return {batch.id: batch for batch in list_batches(session, campaign)}

    try:
        return [*find_agreed_listing(list_once).values()]
    except ISalesCampaignEditedError as error:
        raise error.during(f"{LIST.doing} {campaign}") from None


def find_agreed_listing(
    list_once: Callable[[], Listed], previous: Listed | None = None, ends: float = math.inf
) -> Listed:
    """
    List until two listings in a row have the same batches, and return the second.

    :param list_once: returns the batches of one listing, or raises ``ISalesCampaignEditedError``
    :param previous: an earlier listing that counts as the first
    :param ends: when no more listings begin, on the ``time.monotonic()`` clock
    :raises ISalesCampaignEditedError: if no two agree
    """
    for number in range(MAX_LISTINGS):
        if number and time.monotonic() > ends:
            break
        try:
            listed = list_once()
        except ISalesCampaignEditedError:
            previous = None
            continue
        if previous is not None and previous.keys() == listed.keys():
            return listed
        previous = listed
    raise ISalesCampaignEditedError("the campaign kept changing: no two listings in a row had the same batches")


def _read_to_total(first: Page, page_at: PageAt, limit: int, parallel: int) -> Batches:
    """Yield the batches of all pages up to the first one's totalCount; return what is wrong with them."""
    total, listed = first.total, set[str]()
    problem: ISalesError | None = None
    offsets = range(limit, total, limit)
    # Both begin only when the first page is read.
    others = map(page_at, offsets) if parallel == 1 else _read_at_once(page_at, offsets, parallel)
    for offset, page in chain([(0, first)], zip(offsets, others, strict=True)):
        problem = problem or _check_page(page, offset, limit, total)
        yield from (batch for batch in page.batches if batch.id not in listed)
        listed.update(batch.id for batch in page.batches)
    if not problem and len(listed) != total:
        problem = ISalesCampaignEditedError(f"{len(listed)} different ones came, of {total} in all")
    return problem


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


def _read_until_short(first: Page, page_at: PageAt) -> Batches:
    """Yield the batches of all pages up to one with fewer than were asked for; return what is wrong with them."""
    page, batches = first, {batch.id: batch for batch in first.batches}
    problem: ISalesError | None = None
    while not problem and len(page.batches) == PAGE_SIZE and len(batches) <= MAX_BATCHES:
        before = len(batches)
        page = page_at(before)
        came = len(page.batches)
        batches |= {batch.id: batch for batch in page.batches}
        if len(batches) != before + came or page.total not in ({came, before} if came == 0 else {came}):
            problem = ISalesCampaignEditedError(f"there were {first.total} of them, then {page.total}")
    yield from batches.values()
    return problem


def _read_at_once(page_at: PageAt, offsets: Sequence[int], parallel: int) -> Iterator[Page]:
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

    run_threads(Queue(offsets), work, parallel)
    for offset in offsets:
        if offset not in found:
            raise failed[min(failed)]
        yield found[offset]
