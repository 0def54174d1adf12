"""The steps that change nothing: the way to the server, its signatures, and how it lists a campaign and a VDN."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow_provider_isales.cli.diagnosis.campaigns import compare_hours, list_vdn, read_details
from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Step, Visit, make_failure
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

# Asks for a page of so many, from an offset on.
ListPage = Callable[..., Observation[Page[Any]]]

_DAYS_LEFT = 30
# What the Date header, which has whole seconds, and a slow answer can't explain.
_CLOCK_SECONDS = 5
# The operators' guard waits 15 minutes for a worker's clock.
_CLOCK_MINUTES = 14
_KINDS: dict[type, str] = {int: "a number", str: "text"}
_NO_LIST = Finding(State.SKIPPED, "no list comes")
_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named", "Name one: isales doctor CAMPAIGN")
_NO_VDN = Finding(State.SKIPPED, "no VDN is named", "Set the connection's extra 'vdn_id', or add --vdn-id VDN.")


def make_reading_steps(visit: Visit) -> list[Step]:
    """Return the steps in the order in which one builds on the other."""
    way = [
        Step("settings", partial(_check_settings, visit)),
        Step("connection", partial(_check_connection, visit)),
        Step("certificate", partial(_check_certificate, visit), "connection"),
        Step("answer", partial(_check_answer, visit), "certificate"),
        Step("clock", partial(_check_clock, visit), "certificate"),
        Step("signature", partial(_check_signature, visit), "answer"),
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
    return way + campaign + vdn


def _check_settings(visit: Visit) -> Finding:
    client, route = visit.client, visit.client.session.transport.route
    trusted = {True: "the usual authorities are trusted", False: "anybody is trusted"}
    trust = trusted[route.verify] if isinstance(route.verify, bool) else "a CA bundle is trusted"
    timeout, proxy = client.session.transport.timeout, "a proxy" if route.proxy_address else "no proxy"
    said = f"signing profile {client.auth.profile.value!r}, timeout {timeout:g} s, {trust}, {proxy}"
    advice = []
    if route.verify is False:
        advice.append("Set the connection's extra 'verify': whoever sits in between can read and change the calls.")
    if client.vdn_id is None:
        advice.append("Set the connection's extra 'vdn_id', or name it in each operator.")
    private = route.base_url if isinstance(route.verify, bool) else f"{route.base_url} {route.verify}"
    return Finding(State.WARN if advice else State.OK, said, " ".join(advice), private)


def _check_connection(visit: Visit) -> Finding:
    if isinstance(error := visit.first.error, ISalesConnectError):
        return make_failure(error)
    is_proxied = visit.client.session.transport.route.proxy_address
    return Finding(State.OK, "the proxy connects" if is_proxied else "it listens")


def _check_certificate(visit: Visit) -> Finding:
    error, peer = visit.first.error, visit.first.peer
    if isinstance(error, (ISalesCertificateError, ISalesTLSError)):
        return make_failure(error)
    if not peer:
        return Finding(State.WARN, "not seen, because no answer came")
    if not peer.certificate:
        return Finding(State.WARN, f"{peer.tls}; not checked", "Set the connection's extra 'verify'.")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(peer.certificate["notAfter"]), UTC)
    left = (until - datetime.now(UTC)).days
    issuer = ", ".join(value for part in peer.certificate.get("issuer", ()) for _, value in part)
    found = f"trusted, {peer.tls}, valid until {until:%Y-%m-%d}, {left} days from now"
    advice = "Have the platform's operator renew it in time." if left < _DAYS_LEFT else ""
    return Finding(State.WARN if advice else State.OK, found, advice, f"by {issuer}")


def _check_answer(visit: Visit) -> Finding:
    look = visit.first
    if not (look.accepted or isinstance(look.error, ISalesAuthenticationError)):
        found = make_failure(look)
        is_html = "html" in look.headers.get("Content-Type", "").lower()
        page = "; a page of HTML, as firewalls, proxies and other servers send" if is_html else ""
        return found._replace(finding=f"{found.finding}{page}")
    return Finding(State.OK, f"answers as CC-iSales does, HTTP {look.status}")


def _check_clock(visit: Visit) -> Finding:
    ahead = visit.first.seconds_ahead
    if ahead is None:
        return Finding(State.SKIPPED, "no answer came that tells the server's time", "Run NTP anyway.")
    if abs(ahead) <= _CLOCK_SECONDS:
        return Finding(State.OK, "agrees with the server's to a few seconds")
    state = State.FAIL if abs(ahead) > MAX_CLOCK_DIFFERENCE_SECONDS else State.WARN
    found = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
    return Finding(state, found, "Set it right (NTP): signatures hold the time, and shifts end by it.")


def _check_signature(visit: Visit) -> Finding:
    look = visit.first
    if look.accepted:
        return Finding(State.OK, f"accepted, signing profile {visit.client.auth.profile.value!r}")
    if accepted := find_accepted_profile(visit.client, visit.campaign):
        advice = f"Set the connection's extra 'signing_profile' to {accepted.value!r}, which is accepted."
    elif abs(look.seconds_ahead or 0) > MAX_CLOCK_DIFFERENCE_SECONDS:
        advice = ""  # the error's own, which is about clocks
    else:
        advice = (
            "Check access key and secret key, and whether a proxy drops the body of a GET or changes its Host header."
        )
    return make_failure(look, advice)


def _check_clock_tolerance(visit: Visit) -> Finding:
    found = []
    for minutes, way in ((-_CLOCK_MINUTES, "behind"), (_CLOCK_MINUTES, "ahead")):
        look = _check_signature_when_off(visit, timedelta(minutes=minutes))
        if not (look.accepted or isinstance(look.error, ISalesAuthenticationError)):
            return make_failure(look, state=State.WARN)
        found.append(f"{_CLOCK_MINUTES} min {way} is {'accepted' if look.accepted else 'not accepted'}")
    text = "; ".join(found)
    if "not accepted" not in text:
        return Finding(State.OK, text)
    return Finding(State.WARN, text, f"Run NTP on every worker: the operators count on 15 min. {REPORT}")


def _check_signature_when_off(visit: Visit, shift: timedelta) -> Observation[Page[CallBatch]]:
    """Send a request that is signed by a clock that differs from the server's."""
    at = datetime.now(UTC) + shift - timedelta(seconds=visit.first.seconds_ahead or 0)
    return check_signature(visit.client, visit.campaign, visit.client.auth.make_variant(clock=lambda: at))


def _list_campaign(visit: Visit) -> Finding:
    try:
        batches = list(list_items(visit.client.session, LIST, visit.campaign, retry=ONCE))
    except ISalesError as error:
        return make_failure(error)
    started = sum(batch.status is BatchStatus.STARTED for batch in batches)
    return Finding(State.OK, f"all batches listed: {len(batches)}, of which {started} started")


def _check_status(visit: Visit) -> Finding:
    success = visit.list_page(PAGE_SIZE).success
    data = success.payload.get("data") if success else None
    found = [batch.get("status") for batch in data if isinstance(batch, dict)] if isinstance(data, list) else []
    if not found:
        return Finding(State.SKIPPED, "no batch is listed, so there is none to see", "Name a campaign with batches.")
    kinds = " and ".join(sorted({_KINDS.get(type(value), "something else") for value in found}))
    unknown = {str(value) for value in found} - {str(known.value) for known in BatchStatus}
    if unknown or "something else" in kinds:
        return Finding(State.FAIL, f"it comes as {kinds}, and not only 1 and 2", REPORT, ", ".join(sorted(unknown)))
    return Finding(State.OK, f"it comes as {kinds}; the client reads both")


def _check_page_size(list_page: ListPage) -> Finding:
    page = list_page(PAGE_SIZE).value
    if not page:
        return _NO_LIST
    came = len(page.items)
    found = f"{PAGE_SIZE} asked, {came} came; there are {page.total}"
    if came > PAGE_SIZE:
        return Finding(State.FAIL, found, REPORT)
    if came < min(PAGE_SIZE, page.total):
        return Finding(State.WARN, found, "Nothing to set: the client takes as many at a time as the first page has.")
    return Finding(State.OK, found)


def _check_total(list_page: ListPage) -> Finding:
    """Find out whether the total counts all, or those on the page."""
    page, smallest = list_page(PAGE_SIZE).value, list_page(1).value
    if not smallest or not page:
        return _NO_LIST
    beyond = list_page(1, offset=page.total).value
    hidden = bool(beyond and beyond.items)
    if smallest.total < page.total or hidden:
        finding = f"it is that of the page: {smallest.total} of a page of 1, {page.total} of one of {len(page.items)}"
        if hidden and len(page.items) < PAGE_SIZE:
            return Finding(State.FAIL, f"{finding}; what is beyond it is not seen", REPORT)
        return Finding(State.WARN, finding, "Nothing to set: the client reads on after a full page.")
    if page.total < 2:  # noqa: PLR2004 - the page of 1 has all
        return Finding(State.SKIPPED, "not known: it takes two")
    return Finding(State.OK, f"it counts all, {page.total}, also on a page of 1")
