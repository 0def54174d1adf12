"""The steps that change nothing: the way to the server, its signatures, and how it lists a campaign."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address

from airflow_provider_isales.cli.diagnosis.visit import REPORT, Finding, State, Step, Visit, explain, make_failure
from airflow_provider_isales.client.answers import MAX_CLOCK_DIFFERENCE_SECONDS, Page
from airflow_provider_isales.client.diagnosis import Observation, check_signature
from airflow_provider_isales.client.errors import (
    ISalesAuthenticationError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesError,
    ISalesTLSError,
)
from airflow_provider_isales.client.listing import PAGE_SIZE, list_batches
from airflow_provider_isales.client.models import BatchStatus
from airflow_provider_isales.client.retry import ONCE
from airflow_provider_isales.client.route import find_addresses

_DAYS_LEFT = 30
# Source: Huawei Cloud WAF, "Why Do Cookies Contain the HWWAFSESID or HWWAFSESTIME field?"
_WAF_COOKIE = "HWWAFSESID"
# What the Date header, which has whole seconds, and a slow answer can't explain.
_CLOCK_SECONDS = 5
# That of the operators' guard: a pause of a worker whose clock is further off is given up.
_ASSUMED_CLOCK_MINUTES = 15
_CLOCK_MINUTES = (1, 5, 14, 16, 60)
_PAGE_SIZES = (1, PAGE_SIZE, 1000)
_KINDS: dict[type, str] = {int: "a number", str: "text"}
_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named", "Name one: isales doctor CAMPAIGN")

_ADVICE = {
    "refused": "The machine answers, but nothing listens there: check the connection's port.",
    "timed out": (
        "Something on the way drops the packets. Have the way to host and port opened, and ask the platform's operator "
        "to allow-list this machine's address."
    ),
    "Tunnel": "The proxy does not make the connection: have it allow host and port, or check the extra 'proxies'.",
    # Without the names, which the report does not show.
    "It is made out to": "Put the name that the certificate is for into the connection's host, or ask the operator.",
}


def make_reading_steps(visit: Visit) -> list[Step]:
    """Return the steps in the order in which one builds on the other."""
    steps: list[tuple[str, Callable[[Visit], Finding], str]] = [
        ("settings", _check_settings, ""),
        ("name", _look_up_name, ""),
        ("connection", _check_connection, "name"),
        ("certificate", _check_certificate, "connection"),
        ("answer", _check_answer, "certificate"),
        ("clock", _check_clock, "certificate"),
        ("signature", _check_signature, "answer"),
        ("other profile", _check_other_profile, "answer"),
        ("clock tolerance", _check_clock_tolerance, "signature"),
        ("campaign", _list_campaign, "signature"),
        ("status", _check_status, "signature"),
        ("page sizes", _check_page_sizes, "signature"),
        ("total count", _check_total_count, "signature"),
    ]
    if not visit.campaign:
        steps[-4:] = [(name, lambda _: _NO_CAMPAIGN, needs) for name, _, needs in steps[-4:]]
    return [Step(name, partial(find, visit), needs) for name, find, needs in steps]


def _check_settings(visit: Visit) -> Finding:
    client, route = visit.client, visit.client.session.transport.route
    trusted = {True: "the usual authorities are trusted", False: "anybody is trusted"}
    bundle = "" if isinstance(route.verify, bool) else route.verify
    said = [
        f"signing profile {client.auth.profile.value!r}",
        f"timeout {client.session.transport.timeout:g} s",
        "a CA bundle is trusted" if bundle else trusted[bool(route.verify)],
        "a proxy" if route.proxy_address else "no proxy",
    ]
    advice = []
    if route.verify is False:
        advice.append("Set the connection's extra 'verify': whoever sits in between can read and change the calls.")
    if client.vdn_id is None:
        said.append("no vdn_id")
        advice.append("Set the connection's extra 'vdn_id', or name it in each operator.")
    private = f"{route.base_url} {bundle}".strip()
    return Finding(State.WARN if advice else State.OK, ", ".join(said), " ".join(advice), private)


def _look_up_name(visit: Visit) -> Finding:
    route = visit.client.session.transport.route
    host, port = route.address
    if route.proxy_address:
        return Finding(State.OK, "left to the proxy")
    try:
        ip_address(host)
        return Finding(State.OK, "the connection has an address, so there is none to look up")
    except ValueError:
        addresses = list[str]()
    with suppress(OSError, ValueError):
        addresses = list(dict.fromkeys(address for address, _ in find_addresses(host, port)))
    if not addresses:
        advice = (
            "Check the connection's host and this machine's DNS: an internal name may need an internal name server."
        )
        return Finding(State.FAIL, "the host's name has no address", advice, host)
    count = "1 address" if len(addresses) == 1 else f"{len(addresses)} addresses"
    return Finding(State.OK, count, private=f"{host}: {', '.join(addresses)}")


def _check_connection(visit: Visit) -> Finding:
    if isinstance(error := visit.first.error, ISalesConnectError):
        return make_failure(error, _choose_advice(error))
    is_proxied = visit.client.session.transport.route.proxy_address
    return Finding(State.OK, "the proxy connects" if is_proxied else "it listens")


def _check_certificate(visit: Visit) -> Finding:
    error, peer = visit.first.error, visit.first.peer
    if isinstance(error, (ISalesCertificateError, ISalesTLSError)):
        return make_failure(error, _choose_advice(error))
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
        if "html" in look.headers.get("Content-Type", "").lower():
            page = "a page of HTML, as firewalls, proxies and other servers send"
            found = found._replace(finding=f"{found.finding}; {page}")
        return found
    told = f"answers as CC-iSales does, HTTP {look.status}"
    if _WAF_COOKIE in look.headers.get("Set-Cookie", ""):
        told += ", with Huawei Cloud's firewall in front"
    if "Via" in look.headers:
        told += ", with a proxy in front"
    if visit.in_vain:
        last = visit.in_vain[-1]
        return Finding(State.WARN, f"{told}, but first: {explain(last)[0]}", last.advice)
    return Finding(State.OK, told)


def _check_clock(visit: Visit) -> Finding:
    ahead = visit.first.seconds_ahead
    if ahead is None:
        return Finding(State.SKIPPED, "no answer came that tells the server's time", "Run NTP anyway.")
    if abs(ahead) <= _CLOCK_SECONDS:
        return Finding(State.OK, "agrees with the server's to a few seconds")
    return Finding(
        State.FAIL if abs(ahead) > MAX_CLOCK_DIFFERENCE_SECONDS else State.WARN,
        f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's",
        "Set it right (NTP): signatures hold the time, and shifts end by it.",
    )


def _check_signature(visit: Visit) -> Finding:
    look, others = visit.first, visit.by_other_profiles
    if look.accepted:
        return Finding(State.OK, f"accepted, signing profile {visit.client.auth.profile.value!r}")
    if accepted := next((profile for profile, other in others.items() if other.accepted), None):
        advice = f"Set the connection's extra 'signing_profile' to {accepted.value!r}, which is accepted."
    elif abs(look.seconds_ahead or 0) > MAX_CLOCK_DIFFERENCE_SECONDS:
        advice = ""  # the error's own, which is about clocks
    else:
        advice = (
            f"Check access key and secret key: {' or '.join(f'profile {profile.value!r}' for profile in others)} is "
            "not accepted either. A proxy that drops the body of a GET or changes the Host header has the same effect."
        )
    return make_failure(look, advice)


def _check_other_profile(visit: Visit) -> Finding:
    others = visit.by_other_profiles
    for look in others.values():
        if not (look.accepted or isinstance(look.error, ISalesAuthenticationError)):
            return make_failure(look, state=State.WARN)
    if not any(look.accepted for look in (visit.first, *others.values())):
        return Finding(State.SKIPPED, "not known: none is accepted, so this says nothing of the profile")
    told = {True: "is accepted", False: "is not accepted"}
    found = (f"signing profile {profile.value!r} {told[look.accepted]}" for profile, look in others.items())
    return Finding(State.OK, "; ".join(found))


def _check_clock_tolerance(visit: Visit) -> Finding:
    told, refused = [], []
    for sign, way in ((-1, "behind"), (1, "ahead")):
        accepted = 0
        for minutes in _CLOCK_MINUTES:
            error = _find_error_when_off(visit, timedelta(minutes=sign * minutes))
            if isinstance(error, ISalesAuthenticationError):
                told.append(f"{accepted} min {way} is accepted, {minutes} is not")
                refused.append(minutes)
                break
            if error:
                return make_failure(error, state=State.WARN)
            accepted = minutes
        else:
            told.append(f"even {accepted} min {way} is accepted")
    if refused and min(refused) < _ASSUMED_CLOCK_MINUTES:
        advice = f"Run NTP on every worker: the operators count on {_ASSUMED_CLOCK_MINUTES} min. {REPORT}"
        return Finding(State.WARN, "; ".join(told), advice)
    return Finding(State.OK, "; ".join(told))


def _list_campaign(visit: Visit) -> Finding:
    try:
        batches = list(list_batches(visit.client.session, visit.get_campaign(), retry=ONCE))
    except ISalesError as error:
        return make_failure(error)
    started = sum(batch.status is BatchStatus.STARTED for batch in batches)
    return Finding(State.OK, f"all batches listed: {len(batches)}, of which {started} started")


def _check_status(visit: Visit) -> Finding:
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


def _check_page_sizes(visit: Visit) -> Finding:
    pages = {limit: visit.list_page(limit) for limit in _PAGE_SIZES}
    if pages[_PAGE_SIZES[0]].error:
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
    if largest == asked.total < _PAGE_SIZES[-1]:
        told.append(f"there are {asked.total}, so what a page has at the most is not known")
    return Finding(State.OK, "; ".join(told))


def _check_total_count(visit: Visit) -> Finding:
    smallest, page = visit.list_page(1).value, visit.first_page.value
    if not smallest or not page:
        return Finding(State.SKIPPED, "no list of this campaign comes")
    beyond = visit.list_page(1, offset=page.total).value
    hidden = bool(beyond and beyond.batches)
    if smallest.total < page.total or hidden:
        finding = f"it is that of the page: {smallest.total} of a page of 1, {page.total} of one of {len(page.batches)}"
        if hidden and len(page.batches) < PAGE_SIZE:
            return Finding(State.FAIL, f"{finding}; batches beyond it are not seen", REPORT)
        return Finding(State.WARN, finding, "The client reads on after a full page. Attach a report to an issue.")
    if page.total < 2:  # noqa: PLR2004 - the page of 1 has all
        return Finding(State.SKIPPED, "not known: it takes two batches", "Name a campaign with more batches.")
    return Finding(State.OK, f"it is the campaign's, {page.total}, also on a page of 1")


def _choose_advice(error: ISalesError) -> str:
    return next((advice for part, advice in _ADVICE.items() if part in f"{error.problem} {error.advice}"), "")


def _find_error_when_off(visit: Visit, shift: timedelta) -> ISalesError | None:
    """Return what goes wrong with a request that is signed by a clock that is off the server's by so much."""
    ahead = timedelta(seconds=visit.first.seconds_ahead or 0)
    auth = visit.client.auth.variant(clock=lambda: datetime.now(UTC) + shift - ahead)
    look = check_signature(visit.client, visit.campaign, auth)
    return None if look.accepted else look.error


def _count_batches(page: Observation[Page]) -> str:
    return f"{len(page.value.batches)} came" if page.value else make_failure(page).finding
