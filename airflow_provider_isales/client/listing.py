"""List the batches of a campaign or the campaigns of a VDN: page by page, and until two listings agree."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar

from airflow_provider_isales.client.errors import (
    ISalesCampaignEditedError,
    ISalesError,
    ISalesProtocolError,
    ISalesTimeoutError,
)
from airflow_provider_isales.client.models import CallBatch, Campaign, VdnKey
from airflow_provider_isales.client.responses import Page
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.threads import Queue, run_threads
from airflow_provider_isales.client.verbs import LIST, Verb

PAGE_SIZE = 100
MAX_LISTINGS = 5
# Far above the batches of a campaign: at most 1000 by the reference.
MAX_ITEMS = 100_000
# "Any" status or device type in the list of campaigns.
ANY = 0

T = TypeVar("T", bound=CallBatch | Campaign)
Fields = Mapping[str, "int | str"]
PageAt = Callable[[int], Page[T]]
Items = Generator[T, None, "ISalesError | None"]


def list_items(
    session: Session,
    verb: Verb[Page[T]],
    target: VdnKey,
    *,
    retry: RetryPolicy | None = None,
    ends: float = math.inf,
    parallel: int = 1,
    selection: Fields = MappingProxyType({}),
) -> Iterator[T]:
    """
    Yield the entries of a list, each once. If its pages contradict each other, raise the error after the last entry.

    :param verb: ``LIST`` for the batches of a campaign, ``LIST_CAMPAIGNS`` for the campaigns of a VDN
    :param retry: other bounds of retries per page than the session's
    :param ends: the deadline for sending requests, on the ``time.monotonic()`` clock
    :param parallel: how many pages after the first are requested at once
    :param selection: more fields of the request
    :raises ISalesCampaignEditedError: entries came or went meanwhile, and it was noticed
    """
    action, limit = f"{verb.doing} {target}", PAGE_SIZE
    policy = retry or session.retry

    def page_at(offset: int) -> Page[T]:
        if (left := ends - time.monotonic()) <= 0:
            advice = "The service, or the firewall in front of it, is slow or overloaded: try again later."
            raise ISalesTimeoutError("the listing took too long", advice=advice).during(action)
        within = replace(policy, total=min(policy.total, left))
        return session.call(verb, target, within, **{**select_page(verb, offset, limit), **selection})

    first = page_at(0)
    if first.total > MAX_ITEMS:
        raise ISalesProtocolError(f"the list claims {first.total} entries, more than there can be").during(action)
    full = min(limit, first.size or limit)
    if first.total == len(first.items) == full:
        # The reference does not say whether the total counts all pages or this one.
        limit = full
        problem = yield from _read_until_short(first, page_at, limit)
    else:
        # The largest page is not documented: assume that the server has just sent one.
        limit = min(limit, len(first.items)) or limit
        problem = yield from _read_to_total(first, page_at, limit, parallel)
    if problem:
        raise problem.during(action)


def select_page(verb: Verb[Any], offset: int, limit: int) -> dict[str, int | str]:
    """Return the fields of a request for one page."""
    if verb is LIST:
        return {"offset": offset, "limit": limit}
    return {"status": ANY, "deviceType": ANY, "curPage": offset // limit + 1, "rowsPerPage": limit}


def list_agreed(session: Session, verb: Verb[Page[T]], target: VdnKey) -> list[T]:
    """Return a whole list, by :func:`list_items` and :func:`find_agreed_listing`."""
    try:
        return [*find_agreed_listing(lambda: {item.id: item for item in list_items(session, verb, target)}).values()]
    except ISalesCampaignEditedError as error:
        raise error.during(f"{verb.doing} {target}") from None


def find_agreed_listing(
    list_once: Callable[[], dict[Any, T]], previous: Mapping[Any, T] | None = None, ends: float = math.inf
) -> dict[Any, T]:
    """
    List until two listings in a row have the same ids, and return the second.

    :param list_once: returns one listing by ids, or raises ``ISalesCampaignEditedError``
    :param previous: an earlier listing that counts as the first
    :param ends: the deadline for beginning a listing, on the ``time.monotonic()`` clock
    :raises ISalesCampaignEditedError: no two listings in a row agree
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
    raise ISalesCampaignEditedError("the list kept changing: no two listings in a row had the same ids")


def _read_to_total(first: Page[T], page_at: PageAt[T], limit: int, parallel: int) -> Items[T]:
    """Yield the items of all pages up to the first one's total; return what is wrong with them."""
    total, listed = first.total, set[object]()
    problem: ISalesError | None = None
    offsets = range(limit, total, limit)
    # Neither sends a request before the first page has been used.
    others = map(page_at, offsets) if parallel == 1 else _read_at_once(page_at, offsets, parallel)
    for offset, page in chain([(0, first)], zip(offsets, others, strict=True)):
        problem = problem or _check_page(page, offset, limit, total)
        yield from (item for item in page.items if item.id not in listed)
        listed.update(item.id for item in page.items)
    if not problem and len(listed) != total:
        problem = ISalesCampaignEditedError(f"the pages have {len(listed)} different entries, but the total is {total}")
    return problem


def _check_page(page: Page[T], offset: int, limit: int, total: int) -> ISalesError | None:
    """Return what is wrong with a page, in itself or compared with the first one."""
    if page.problem:
        return page.problem
    came, expected = len(page.items), min(limit, total - offset)
    if page.total != total:
        return ISalesCampaignEditedError(f"the total changed from {total} to {page.total} while the pages were read")
    if came != expected:
        return ISalesProtocolError(
            f"the page from offset {offset} has {came} entries, not {expected}; the total is {total}"
        )
    return None


def _read_until_short(first: Page[T], page_at: PageAt[T], limit: int) -> Items[T]:
    """Yield the items of all pages up to one with fewer than ``limit``; return what is wrong with them."""
    page, found = first, {item.id: item for item in first.items}
    problem: ISalesError | None = None
    while not problem and len(page.items) == limit and len(found) <= MAX_ITEMS:
        before = len(found)
        page = page_at(before)
        came = len(page.items)
        found.update({item.id: item for item in page.items})
        problem = page.problem
        # The total counts this page alone; that of an empty page may count all.
        is_total = page.total == came or (came == 0 and page.total == before)
        if not problem and not (is_total and len(found) == before + came):
            problem = ISalesCampaignEditedError(
                f"the total changed from {first.total} to {page.total} while the pages were read"
            )
    yield from found.values()
    return problem


def _read_at_once(page_at: PageAt[T], offsets: Sequence[int], parallel: int) -> Iterator[Page[T]]:
    """Request several pages at once and yield them in order; after a failure, request no more."""
    found: dict[int, Page[T]] = {}
    failed: dict[int, Exception] = {}

    def work(queue: Queue[int]) -> None:
        for offset in queue:
            if failed:
                return
            try:
                found[offset] = page_at(offset)
            except Exception as error:  # raised below, in the order of the pages
                failed[offset] = error

    run_threads(Queue(offsets), work, parallel)
    for offset in offsets:
        if offset not in found:
            raise failed[min(failed)]
        yield found[offset]
