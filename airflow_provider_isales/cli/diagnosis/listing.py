"""How a campaign is listed: its batches, their status, and its pages."""

from __future__ import annotations

from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Visit, make_failure
from airflow_provider_isales.client import BatchStatus, ISalesError
from airflow_provider_isales.client.answers import Page
from airflow_provider_isales.client.listing import PAGE_SIZE
from airflow_provider_isales.client.look import Look

PAGE_SIZES = (1, PAGE_SIZE, 1000)
_KINDS: dict[type, str] = {int: "a number", str: "text"}
_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named")


def list_campaign(visit: Visit) -> Finding:
    """List the campaign's batches, as a pause of all of them does."""
    if not visit.campaign:
        return _NO_CAMPAIGN._replace(advice="Name one: isales doctor CAMPAIGN")
    try:
        batches = list(visit.client.list_call_batches(visit.campaign.campaign_id, vdn_id=visit.campaign.vdn_id))
    except ISalesError as error:
        return make_failure(error)
    started = sum(batch.status is BatchStatus.STARTED for batch in batches)
    return Finding(State.OK, f"all batches listed: {len(batches)}, of which {started} started")


def check_status(visit: Visit) -> Finding:
    """Find out how a list writes the status of a batch."""
    if not visit.campaign:
        return _NO_CAMPAIGN
    data = visit.first_page.answer.payload.get("data") if visit.first_page.answer else None
    found = [batch.get("status") for batch in data if isinstance(batch, dict)] if isinstance(data, list) else []
    if not found:
        return Finding(State.SKIPPED, "no batch is listed, so there is none to see", "Name a campaign with batches.")
    kinds = sorted({_KINDS.get(type(value), "neither a number nor text") for value in found})
    unknown = {str(value) for value in found} - {str(known.value) for known in BatchStatus}
    if unknown or not {*kinds} <= {*_KINDS.values()}:
        finding = f"it comes as {' and '.join(kinds)}, and not only 1 and 2"
        return Finding(State.FAIL, finding, REPORT, ", ".join(sorted(unknown)))
    return Finding(State.OK, f"it comes as {' and '.join(kinds)}; the client reads both")


def check_page_sizes(visit: Visit) -> Finding:
    """Find out how many batches a page of a list has at most."""
    if not visit.campaign:
        return _NO_CAMPAIGN
    pages = {limit: visit.list_page(limit) for limit in PAGE_SIZES}
    if pages[PAGE_SIZES[0]].error:
        return Finding(State.SKIPPED, "no list of this campaign comes")
    if pages[PAGE_SIZE].error:
        return make_failure(pages[PAGE_SIZE], f"The client asks for {PAGE_SIZE} at a time. {REPORT}")
    told = [f"{limit} asked, {_count_batches(page)}" for limit, page in pages.items()]
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


def check_total_count(visit: Visit) -> Finding:
    """Find out whether ``totalCount`` counts the batches of the campaign, or only those of the page."""
    if not visit.campaign:
        return _NO_CAMPAIGN
    smallest, page = visit.list_page(1).value, visit.first_page.value
    if not smallest or not page:
        return Finding(State.SKIPPED, "no list of this campaign comes")
    beyond = visit.list_page(1, offset=page.total).value
    if smallest.total < page.total or (beyond and beyond.batches):
        finding = f"it is that of the page: {smallest.total} of a page of 1, {page.total} of one of {len(page.batches)}"
        if len(page.batches) < PAGE_SIZE and beyond and beyond.batches:
            return Finding(State.FAIL, f"{finding}; batches beyond it are not seen", REPORT)
        return Finding(
            State.WARN, finding, "The client reads on after a full page. Please attach a report to an issue."
        )
    if page.total < 2:  # noqa: PLR2004 - one page
        return Finding(State.SKIPPED, "not known: it takes two batches", "Name a campaign with more batches.")
    return Finding(State.OK, f"it is the campaign's, {page.total}, also on a page of 1")


def _count_batches(page: Look[Page]) -> str:
    return f"{len(page.value.batches)} came" if page.value else make_failure(page).finding
