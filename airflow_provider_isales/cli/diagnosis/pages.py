"""The steps about the pages of a list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from airflow_provider_isales.cli.diagnosis.steps import REPORT, Finding, State
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import Observation, observe_call
from airflow_provider_isales.client.listing import PAGE_SIZE, select_page
from airflow_provider_isales.client.models import VdnKey
from airflow_provider_isales.client.responses import Page
from airflow_provider_isales.client.verbs import Verb

_NO_LIST = Finding(State.SKIPPED, "the list can't be read")


@dataclass
class PageChecks:
    """Tells how a platform divides a list into pages: the batches of a campaign, or the campaigns of a VDN."""

    client: ISalesClient
    verb: Verb[Page[Any]]
    target: VdnKey

    @cached_property
    def first(self) -> Observation[Page[Any]]:
        """The response to the request for a page of the size that the client asks for."""
        return self._request_page(PAGE_SIZE)

    def check_size(self) -> Finding:
        """Find out whether a page has as many items as were asked for."""
        page = self.first.value
        if not page:
            return _NO_LIST
        received = len(page.items)
        found = f"asked for {PAGE_SIZE}, received {received} of {page.total}"
        if received > PAGE_SIZE:
            return Finding(State.FAIL, found, REPORT)
        if received < min(PAGE_SIZE, page.total):
            return Finding(State.WARN, found, "Nothing to do: the client reads pages of the size that it receives.")
        return Finding(State.OK, found)

    def check_total(self) -> Finding:
        """Find out whether the total counts all items or only those on the page."""
        page, smallest = self.first.value, self._request_page(1).value
        if not page or not smallest:
            return _NO_LIST
        beyond = self._request_page(1, offset=page.total).value
        hidden = bool(beyond and beyond.items)
        if smallest.total < page.total or hidden:
            counts = f"{smallest.total} with a page of 1, {page.total} with a page of {len(page.items)}"
            finding = f"it counts only the page: {counts}"
            if hidden and len(page.items) < PAGE_SIZE:
                return Finding(State.FAIL, f"{finding}; the client misses the rest", REPORT)
            return Finding(State.WARN, finding, "Nothing to do: after a full page the client asks for the next.")
        if page.total < 2:  # noqa: PLR2004 - the page of 1 has all
            return Finding(State.SKIPPED, "unknown: fewer than two are listed")
        return Finding(State.OK, f"{page.total}, also with a page of 1")

    def _request_page(self, limit: int, offset: int = 0) -> Observation[Page[Any]]:
        return observe_call(self.client, self.verb, self.target, None, **select_page(self.verb, offset, limit))
