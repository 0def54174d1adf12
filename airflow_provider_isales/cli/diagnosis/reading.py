"""The steps that only read: connection, certificate, clock, signature, and the lists of a campaign and a VDN."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow_provider_isales.cli.diagnosis.campaigns import compare_hours, list_vdn, read_details
from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Step, Visit, make_failure
from airflow_provider_isales.cli.output import format_count
from airflow_provider_isales.client.diagnosis import Observation, check_signature, find_accepted_profile
from airflow_provider_isales.client.errors import (
    ISalesAuthenticationError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesError,
    ISalesTLSError,
)
from airflow_provider_isales.client.listing import PAGE_SIZE, list_items
from airflow_provider_isales.client.models import BatchStatus, CallBatch
from airflow_provider_isales.client.responses import MAX_CLOCK_DIFFERENCE_SECONDS, Page
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.verbs import LIST

# Lists one page: (limit, offset=0).
ListPage = Callable[..., Observation[Page[Any]]]

_DAYS_LEFT = 30
# The Date header has whole seconds, and the response takes time: a smaller difference says nothing.
_CLOCK_SECONDS = 5
# The operators' guard waits 15 minutes for a worker's clock.
_CLOCK_MINUTES = 14
_KINDS: dict[type, str] = {int: "a number", str: "text"}
_NO_LIST = Finding(State.SKIPPED, "there is no list")
_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named", "Name one: isales doctor CAMPAIGN")
_NO_VDN = Finding(State.SKIPPED, "no VDN was named", "Set the connection's extra 'vdn_id', or add --vdn-id VDN.")


def make_reading_steps(visit: Visit) -> list[Step]:
    """Return the steps in order: each comes after the one that it needs."""
    connection = [
        Step("settings", partial(_check_settings, visit)),
        Step("connection", partial(_check_connection, visit)),
        Step("certificate", partial(_check_certificate, visit), "connection"),
        Step("response", partial(_check_response, visit), "certificate"),
        Step("clock", partial(_check_clock, visit), "certificate"),
        Step("signature", partial(_check_signature, visit), "response"),
        Step("clock tolerance", partial(_check_clock_tolerance, visit), "signature"),
    ]
    campaign = [
        Step("campaign", partial(_list_campaign, visit), "signature"),
        Step("status", partial(_check_status, visit), "signature"),
        Step("page size", partial(_check_page_size, visit.list_page), "signature"),
        Step("total count", partial(_check_total, visit.list_page), "signature"),
        Step("details", partial(read_details, visit), "campaign"),
        Step("hours", partial(compare_hours, visit), "details"),
    ]
    vdn = [
        Step("vdn", partial(list_vdn, visit), "signature"),
        Step("vdn page size", partial(_check_page_size, visit.list_campaigns), "signature"),
        Step("vdn total count", partial(_check_total, visit.list_campaigns), "signature"),
    ]
    if not visit.has_campaign:
        campaign = [Step(step.name, lambda: _NO_CAMPAIGN) for step in campaign]
    if not (visit.has_campaign or visit.client.vdn_id):
        vdn = [Step(step.name, lambda: _NO_VDN) for step in vdn]
    return connection + campaign + vdn


def _check_settings(visit: Visit) -> Finding:
    client, route = visit.client, visit.client.session.transport.route
    trusted = {True: "certificates are checked against the usual authorities", False: "certificates are not checked"}
    trust = trusted[route.verify] if isinstance(route.verify, bool) else "certificates are checked against a CA bundle"
    timeout, proxy = client.session.transport.timeout, "a proxy" if route.proxy_address else "no proxy"
    found = f"signing profile {client.auth.profile.value!r}, timeout {timeout:g} s, {trust}, {proxy}"
    advice = []
    if route.verify is False:
        advice.append("Set the connection's extra 'verify': anyone on the way can read and change requests.")
    if client.vdn_id is None:
        advice.append("Set the connection's extra 'vdn_id', or set vdn_id in each operator.")
    private = route.base_url if isinstance(route.verify, bool) else f"{route.base_url} {route.verify}"
    return Finding(State.WARN if advice else State.OK, found, " ".join(advice), private)


def _check_connection(visit: Visit) -> Finding:
    if isinstance(error := visit.first.error, ISalesConnectError):
        return make_failure(error)
    is_proxied = visit.client.session.transport.route.proxy_address
    return Finding(State.OK, "connected through the proxy" if is_proxied else "connected")


def _check_certificate(visit: Visit) -> Finding:
    error, peer = visit.first.error, visit.first.peer
    if isinstance(error, (ISalesCertificateError, ISalesTLSError)):
        return make_failure(error)
    if not peer:
        return Finding(State.WARN, "not checked, because there was no response")
    if not peer.certificate:
        return Finding(State.WARN, f"{peer.tls}; not checked", "Set the connection's extra 'verify'.")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(peer.certificate["notAfter"]), UTC)
    left = (until - datetime.now(UTC)).days
    issuer = ", ".join(value for part in peer.certificate.get("issuer", ()) for _, value in part)
    found = f"trusted, {peer.tls}, valid until {until:%Y-%m-%d}, {left} days from now"
    advice = "Ask the platform's operator to renew it before then." if left < _DAYS_LEFT else ""
    return Finding(State.WARN if advice else State.OK, found, advice, f"by {issuer}")


def _check_response(visit: Visit) -> Finding:
    first = visit.first
    if not (first.accepted or isinstance(first.error, ISalesAuthenticationError)):
        found = make_failure(first)
        is_html = "html" in first.headers.get("Content-Type", "").lower()
        page = "; it is an HTML page, as firewalls, proxies and other servers send" if is_html else ""
        return found._replace(text=f"{found.text}{page}")
    return Finding(State.OK, f"HTTP {first.status}, in the format of CC-iSales")


def _check_clock(visit: Visit) -> Finding:
    ahead = visit.first.seconds_ahead
    if ahead is None:
        return Finding(State.SKIPPED, "no response with the server's time", "Run NTP in any case.")
    if abs(ahead) <= _CLOCK_SECONDS:
        return Finding(State.OK, f"within {_CLOCK_SECONDS} s of the server's clock")
    state = State.FAIL if abs(ahead) > MAX_CLOCK_DIFFERENCE_SECONDS else State.WARN
    found = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
    return Finding(state, found, "Synchronise it with NTP: requests are signed with its time, and shifts end by it.")


def _check_signature(visit: Visit) -> Finding:
    first = visit.first
    if first.accepted:
        return Finding(State.OK, f"accepted, signing profile {visit.client.auth.profile.value!r}")
    if accepted := find_accepted_profile(visit.client, visit.campaign):
        advice = f"Set the connection's extra 'signing_profile' to {accepted.value!r}, which is accepted."
    elif abs(first.seconds_ahead or 0) > MAX_CLOCK_DIFFERENCE_SECONDS:
        advice = ""  # the error has its own, about clocks
    else:
        advice = (
            "Check access key and secret key, and whether a proxy drops the body of a GET or changes its Host header."
        )
    return make_failure(first, advice)


def _check_clock_tolerance(visit: Visit) -> Finding:
    found = []
    for minutes, way in ((-_CLOCK_MINUTES, "behind"), (_CLOCK_MINUTES, "ahead")):
        observed = _observe_with_clock_off(visit, timedelta(minutes=minutes))
        if not (observed.accepted or isinstance(observed.error, ISalesAuthenticationError)):
            return make_failure(observed, state=State.WARN)
        found.append(f"{_CLOCK_MINUTES} min {way}: {'accepted' if observed.accepted else 'not accepted'}")
    text = "; ".join(found)
    if "not accepted" not in text:
        return Finding(State.OK, text)
    return Finding(State.WARN, text, f"Run NTP on every worker: the operators rely on 15 min. {REPORT}")


def _observe_with_clock_off(visit: Visit, ahead: timedelta) -> Observation[Page[CallBatch]]:
    """Send a request that is signed by a clock ``ahead`` of the server's."""
    at = datetime.now(UTC) + ahead - timedelta(seconds=visit.first.seconds_ahead or 0)
    return check_signature(visit.client, visit.campaign, visit.client.auth.make_variant(clock=lambda: at))


def _list_campaign(visit: Visit) -> Finding:
    try:
        batches = list(list_items(visit.client.session, LIST, visit.campaign, retry=ONCE))
    except ISalesError as error:
        return make_failure(error)
    started = sum(batch.status is BatchStatus.STARTED for batch in batches)
    return Finding(State.OK, f"{format_count(len(batches), 'batch', 'batches')}, {started} of them started")


def _check_status(visit: Visit) -> Finding:
    success = visit.list_page(PAGE_SIZE).success
    data = success.payload.get("data") if success else None
    found = [batch.get("status") for batch in data if isinstance(batch, dict)] if isinstance(data, list) else []
    if not found:
        return Finding(State.SKIPPED, "no batch is listed", "Name a campaign with batches.")
    kinds = " and ".join(sorted({_KINDS.get(type(value), "something else") for value in found}))
    unknown = {str(value) for value in found} - {str(known.value) for known in BatchStatus}
    if unknown or "something else" in kinds:
        return Finding(State.FAIL, f"{kinds}, with values other than 1 and 2", REPORT, ", ".join(sorted(unknown)))
    return Finding(State.OK, f"{kinds}; the client reads numbers and text")


def _check_page_size(list_page: ListPage) -> Finding:
    page = list_page(PAGE_SIZE).value
    if not page:
        return _NO_LIST
    received = len(page.items)
    found = f"asked for {PAGE_SIZE}, received {received} of {page.total}"
    if received > PAGE_SIZE:
        return Finding(State.FAIL, found, REPORT)
    if received < min(PAGE_SIZE, page.total):
        return Finding(State.WARN, found, "Nothing to do: the client reads pages of the size that it receives.")
    return Finding(State.OK, found)


def _check_total(list_page: ListPage) -> Finding:
    """Find out whether the total counts all items or only those on the page."""
    page, smallest = list_page(PAGE_SIZE).value, list_page(1).value
    if not smallest or not page:
        return _NO_LIST
    beyond = list_page(1, offset=page.total).value
    hidden = bool(beyond and beyond.items)
    if smallest.total < page.total or hidden:
        counts = f"{smallest.total} with a page of 1, {page.total} with a page of {len(page.items)}"
        finding = f"it counts only the page: {counts}"
        if hidden and len(page.items) < PAGE_SIZE:
            return Finding(State.FAIL, f"{finding}; the client misses the rest", REPORT)
        return Finding(State.WARN, finding, "Nothing to do: after a full page the client asks for the next.")
    if page.total < 2:  # noqa: PLR2004 - the page of 1 has all
        return Finding(State.SKIPPED, "unknown: that takes at least two")
    return Finding(State.OK, f"{page.total}, also with a page of 1")
