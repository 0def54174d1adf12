"""How a campaign is listed: its pages, the status of batches, and how fast."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from airflow_provider_isales.client import ISalesError
from airflow_provider_isales.client.answers import Page
from airflow_provider_isales.client.client import PAGE_SIZE
from airflow_provider_isales.client.look import Look
from airflow_provider_isales.client.models import BatchStatus
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.terminal.diagnosis.findings import REPORT, Finding, State, Visit, failed, milliseconds

PAGE_SIZES = (1, PAGE_SIZE, 1000)
LISTS = 20
AT_ONCE = (2, 4, 8)
_ROUNDS = 3
_KINDS: dict[type, str] = {int: "a number", str: "text"}
_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named")


def campaign(visit: Visit) -> Finding:
    """List the campaign's batches, as a pause of all of them does."""
    if not visit.campaign:
        return _NO_CAMPAIGN._replace(advice="Name one: isales doctor CAMPAIGN")
    try:
        batches = list(visit.client.batches_of(visit.campaign, retry=ONCE))
    except ISalesError as error:
        return failed(error)
    started = sum(batch.status is BatchStatus.STARTED for batch in batches)
    return Finding(State.OK, f"all batches listed: {len(batches)}, of which {started} started")


def status(visit: Visit) -> Finding:
    """Find out how a list writes the status of a batch."""
    if not visit.campaign:
        return _NO_CAMPAIGN
    data = visit.first_page.answer.payload.get("data") if visit.first_page.answer else None
    found = [batch.get("status") for batch in data if isinstance(batch, dict)] if isinstance(data, list) else []
    if not found:
        return Finding(State.SKIPPED, "no batch is listed, so there is none to see", "Name a campaign with batches.")
    kinds = sorted({_KINDS.get(type(value), "neither a number nor text") for value in found})
    unknown = {str(value) for value in found} - {str(known.value) for known in BatchStatus}
    if unknown or not {*kinds} <= {"a number", "text"}:
        return Finding(
            State.FAIL, f"it comes as {' and '.join(kinds)}, and not only 1 and 2", REPORT, ", ".join(sorted(unknown))
        )
    return Finding(State.OK, f"it comes as {' and '.join(kinds)}; the client reads both")


def page_sizes(visit: Visit) -> Finding:
    """Find out how many batches a page of a list has at the most."""
    if not visit.campaign:
        return _NO_CAMPAIGN
    pages = {limit: visit.list_page(limit) for limit in PAGE_SIZES}
    if pages[PAGE_SIZES[0]].error:
        return Finding(State.SKIPPED, "no list of this campaign comes")
    if pages[PAGE_SIZE].error:
        return failed(pages[PAGE_SIZE], f"The client asks for {PAGE_SIZE} at a time. {REPORT}")
    told = [f"{limit} asked, {_came(page)}" for limit, page in pages.items()]
    asked = pages[PAGE_SIZE].value or Page([], 0)
    if any(page.value and len(page.value.batches) > limit for limit, page in pages.items()):
        return Finding(State.FAIL, "; ".join(told), REPORT)
    if len(asked.batches) < min(PAGE_SIZE, asked.total):
        advice = "Nothing to set: the client takes as many at a time as the first page has."
        return Finding(State.WARN, f"{'; '.join(told)}; there are {asked.total}", advice)
    largest = max(len(page.value.batches) for page in pages.values() if page.value)
    if largest == asked.total < PAGE_SIZES[-1]:
        told.append(f"there are {asked.total}, so what a page has at the most is not known")
    return Finding(State.OK, "; ".join(told))


def _came(page: Look[Page]) -> str:
    return f"{len(page.value.batches)} came" if page.value else failed(page).finding


def latency(visit: Visit) -> Finding:
    """Measure how long one small list takes."""
    looks = [visit.probe() for _ in range(LISTS)]
    seconds = sorted(look.seconds for look in looks if look.accepted)
    if not seconds:
        return _not_all(looks)
    slowest = seconds[math.ceil(len(seconds) * 0.95) - 1]
    median = milliseconds(statistics.median(seconds))
    found = f"median {median}, 95th percentile {milliseconds(slowest)} of {len(seconds)} lists"
    if len(seconds) < LISTS:
        bad = _not_all(looks)
        return bad._replace(state=State.WARN, finding=f"{found}; {bad.finding}")
    if slowest > visit.client.transport.timeout / 2:
        return Finding(State.WARN, found, "Raise the connection's extra 'timeout' to at least four times as much.")
    return Finding(State.OK, found)


def at_once(visit: Visit) -> Finding:
    """Find out how many requests at once are served."""
    told: list[str] = []
    served = 1
    for parallel in AT_ONCE:
        with ThreadPoolExecutor(parallel) as executor:
            looks = list(executor.map(lambda _: visit.probe(), range(parallel * _ROUNDS)))
        if not all(look.accepted for look in looks):
            bad = _not_all(looks)
            return Finding(
                State.WARN,
                "; ".join([*told, f"{parallel} at once: {bad.finding}"]),
                f"Set max_parallel_requests of operators, and --parallel of isales pause and resume, to {served}.",
                bad.private,
            )
        median = statistics.median(look.seconds for look in looks)
        told.append(f"{parallel} at once: all served, median {milliseconds(median)}")
        served = parallel
    return Finding(State.OK, "; ".join(told))


def _not_all(looks: Sequence[Look[Page]]) -> Finding:
    """Say how many were not answered, and why the first was not."""
    errors = [look.error for look in looks if look.error and not look.accepted]
    found = failed(errors[0])
    return found._replace(finding=f"{len(errors)} of {len(looks)} failed: {found.finding}")
