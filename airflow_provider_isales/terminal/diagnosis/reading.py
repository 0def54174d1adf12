"""The steps that change nothing."""

from __future__ import annotations

import math
import ssl
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address

from airflow_provider_isales.client import (
    ISalesAuthenticationError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesError,
    ISalesTLSError,
)
from airflow_provider_isales.client.answers import MAX_CLOCK_DIFFERENCE_SECONDS, Page
from airflow_provider_isales.client.client import PAGE_SIZE
from airflow_provider_isales.client.look import Look
from airflow_provider_isales.client.models import BatchStatus
from airflow_provider_isales.client.probe import other_profile, probe
from airflow_provider_isales.terminal.diagnosis.findings import Finding, State, Step, Visit, explained, failed

PAGE_SIZES = (1, PAGE_SIZE, 1000)
LISTS = 20
AT_ONCE = (2, 4, 8)
_ROUNDS = 3
_DAYS_LEFT = 30
# What the Date header, which has whole seconds, and a slow answer can't explain.
_CLOCK_SECONDS = 5
# Source: Huawei Cloud WAF, "Why Do Cookies Contain the HWWAFSESID or HWWAFSESTIME field?"
_WAF_COOKIE = "HWWAFSESID"
# That of the operators' guard: a pause of a worker whose clock is further off is given up.
_ASSUMED_CLOCK_MINUTES = 15
_CLOCK_MINUTES = (1, 5, 14, 16, 60)

_REPORT = "Attach a report (--report) to an issue: it takes another version to deal with that."

_NO_CAMPAIGN = Finding(State.SKIPPED, "no campaign was named")

_CONNECT_ADVICE = {
    "refused": "The machine answers, but nothing listens there: check the connection's port.",
    "timed out": (
        "Something on the way drops the packets. Have the way to host and port opened, and ask the platform's operator "
        "to allow-list this machine's address."
    ),
    "Tunnel": "The proxy does not make the connection: have it allow host and port, or check the extra 'proxies'.",
}
_CERTIFICATE_ADVICE = {
    "expired": "Ask the platform's operator to renew the certificate, and check this machine's date.",
    "not yet valid": "Check this machine's date.",
    "mismatch": "Put the name that the certificate is made out to into the connection's host, or ask the operator.",
    "self-signed": "Get the authority's certificate from the operator: the connection's extra 'verify' is its path.",
    "local issuer": (
        "Get the authority's certificates from the operator, those in between too: the connection's extra 'verify' is "
        "the path of the file."
    ),
}


def reading_steps(visit: Visit) -> list[Step]:
    """Return the steps in the order in which one builds on the other."""

    def step(name: str, find: Callable[[Visit], Finding], *needs: str) -> Step:
        return Step(name, partial(find, visit), needs)

    return [
        step("settings", settings),
        step("name", name),
        step("connection", connection, "name"),
        step("certificate", certificate, "connection"),
        step("answer", answer, "certificate"),
        step("clock", clock, "certificate"),
        step("signature", signature, "answer"),
        step("other profile", other_signing_profile, "answer"),
        step("clock tolerance", clock_tolerance, "signature"),
        step("campaign", campaign, "signature"),
        step("status", status, "signature"),
        step("page sizes", page_sizes, "signature"),
        step("latency", latency, "signature"),
        step("at once", at_once, "latency"),
    ]


def settings(visit: Visit) -> Finding:
    """Say what the connection says."""
    client, transport = visit.client, visit.client.transport
    trusted = {True: "the usual authorities are trusted", False: "anybody is trusted"}
    bundle = "" if isinstance(transport.verify, bool) else transport.verify
    said = [
        f"signing profile {client.auth.profile.value!r}",
        f"timeout {transport.timeout:g} s",
        "a CA bundle is trusted" if bundle else trusted[bool(transport.verify)],
        "a proxy" if transport.goes_through_a_proxy else "no proxy",
    ]
    advice = []
    if transport.verify is False:
        advice.append("Set the connection's extra 'verify': whoever sits in between can read and change the calls.")
    if client.vdn_id is None:
        said.append("no vdn_id")
        advice.append("Set the connection's extra 'vdn_id', or name it in each operator.")
    return Finding(
        State.WARN if advice else State.OK, ", ".join(said), " ".join(advice), f"{transport.base_url} {bundle}".strip()
    )


def name(visit: Visit) -> Finding:
    """Look the server's name up."""
    transport = visit.client.transport
    if transport.goes_through_a_proxy:
        return Finding(State.OK, "left to the proxy")
    try:
        ip_address(transport.host)
        return Finding(State.OK, "the connection has an address, so there is none to look up")
    except ValueError:
        began = time.monotonic()
    addresses = transport.addresses()
    took = f"{_milliseconds(time.monotonic() - began)} ms"
    if not addresses:
        return Finding(
            State.FAIL,
            f"the host's name has no address ({took})",
            "Check the connection's host, and this machine's DNS: an internal name may need an internal name server.",
            transport.host,
        )
    count = "1 address" if len(addresses) == 1 else f"{len(addresses)} addresses"
    return Finding(State.OK, f"{count} ({took})", private=f"{transport.host}: {', '.join(addresses)}")


def connection(visit: Visit) -> Finding:
    """Find out whether anything listens."""
    error = visit.first.error
    if isinstance(error, ISalesConnectError):
        return failed(error, _fitting(_CONNECT_ADVICE, error))
    return Finding(State.OK, "the proxy connects" if visit.client.transport.goes_through_a_proxy else "it listens")


def certificate(visit: Visit) -> Finding:
    """Find out whether the server is who it says."""
    error, peer = visit.first.error, visit.first.peer
    if isinstance(error, ISalesCertificateError):
        return failed(error, _fitting(_CERTIFICATE_ADVICE, error))
    if isinstance(error, ISalesTLSError):
        return failed(error)
    if not peer:
        return Finding(State.WARN, "not seen, because no answer came")
    if not peer.certificate:
        return Finding(State.WARN, f"{peer.tls}; not checked", "Set the connection's extra 'verify'.")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(peer.certificate["notAfter"]), UTC)
    left = (until - datetime.now(UTC)).days
    issuer = ", ".join(value for part in peer.certificate.get("issuer", ()) for _, value in part)
    found = f"trusted, {peer.tls}, valid until {until:%Y-%m-%d}, {left} days from now"
    if left < _DAYS_LEFT:
        return Finding(State.WARN, found, "Have the platform's operator renew it in time.", f"by {issuer}")
    return Finding(State.OK, found, private=f"by {issuer}")


def answer(visit: Visit) -> Finding:
    """Find out whether it is CC-iSales that answers, or something in front of it."""
    look = visit.first
    if not (look.accepted or isinstance(look.error, ISalesAuthenticationError)):
        found = failed(look)
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
        return Finding(State.WARN, f"{told}, but first: {explained(last)[0]}", last.advice)
    return Finding(State.OK, told)


def clock(visit: Visit) -> Finding:
    """Compare this machine's clock with the server's."""
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


def signature(visit: Visit) -> Finding:
    """Find out whether the server accepts the connection's keys and signing profile."""
    look, used, other = visit.first, visit.client.auth.profile, other_profile(visit.client)
    if look.accepted:
        return Finding(State.OK, f"accepted, signing profile {used.value!r}")
    if visit.by_other_profile.accepted:
        advice = f"Set the connection's extra 'signing_profile' to {other.value!r}, which is accepted."
    elif abs(look.seconds_ahead or 0) > MAX_CLOCK_DIFFERENCE_SECONDS:
        advice = ""  # the error's own, which is about clocks
    else:
        advice = (
            f"Check access key and secret key: profile {other.value!r} is not accepted either. A proxy that drops the "
            "body of a GET, or changes the Host header, has the same effect."
        )
    return failed(look, advice)


def other_signing_profile(visit: Visit) -> Finding:
    """Find out whether the server accepts the other signing profile too."""
    look, other = visit.by_other_profile, other_profile(visit.client)
    if look.accepted:
        return Finding(State.OK, f"signing profile {other.value!r} is accepted")
    if isinstance(look.error, ISalesAuthenticationError):
        if not visit.first.accepted:
            return Finding(State.SKIPPED, "not known: neither is accepted, so this says nothing of the profile")
        return Finding(State.OK, f"signing profile {other.value!r} is not accepted")
    return failed(look, state=State.WARN)


def clock_tolerance(visit: Visit) -> Finding:
    """Find out how far a clock may be off, by signing as of another time; each way ends at the first refusal."""
    ahead = timedelta(seconds=visit.first.seconds_ahead or 0)
    told, narrowest = [], math.inf
    for sign, way in ((-1, "behind"), (1, "ahead")):
        accepted = 0
        for minutes in _CLOCK_MINUTES:
            shift = sign * timedelta(minutes=minutes) - ahead
            auth = visit.client.auth.variant(clock=lambda shift=shift: datetime.now(UTC) + shift)  # type: ignore[misc]
            look = probe(visit.client, visit.campaign, auth)
            if isinstance(look.error, ISalesAuthenticationError):
                narrowest = min(narrowest, minutes)
                told.append(
                    f"{accepted} min {way} is accepted, {minutes} is not"
                    if accepted
                    else f"{minutes} min {way} is not accepted"
                )
                break
            if look.error and not look.accepted:
                return failed(look, state=State.WARN)
            accepted = minutes
        else:
            told.append(f"even {accepted} min {way} is accepted")
    if narrowest < _ASSUMED_CLOCK_MINUTES:
        advice = f"Run NTP on every worker: the operators count on {_ASSUMED_CLOCK_MINUTES} min. {_REPORT}"
        return Finding(State.WARN, "; ".join(told), advice)
    return Finding(State.OK, "; ".join(told))


def campaign(visit: Visit) -> Finding:
    """List the campaign's batches, as a pause of all of them does."""
    if not visit.campaign:
        return _NO_CAMPAIGN._replace(advice="Name one: isales doctor CAMPAIGN")
    try:
        batches = list(visit.client.batches_of(visit.campaign, patient=False))
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
            State.FAIL, f"it comes as {' and '.join(kinds)}, and not only 1 and 2", _REPORT, ", ".join(sorted(unknown))
        )
    return Finding(State.OK, f"it comes as {' and '.join(kinds)}; the client reads both")


_KINDS: dict[type, str] = {int: "a number", str: "text"}


def page_sizes(visit: Visit) -> Finding:
    """Find out how many batches a page of a list has at the most."""
    if not visit.campaign:
        return _NO_CAMPAIGN
    pages = {limit: visit.list_page(limit) for limit in PAGE_SIZES}
    if pages[PAGE_SIZES[0]].error:
        return Finding(State.SKIPPED, "no list of this campaign comes")
    if pages[PAGE_SIZE].error:
        return failed(pages[PAGE_SIZE], f"The client asks for {PAGE_SIZE} at a time. {_REPORT}")
    told = [f"{limit} asked, {_came(page)}" for limit, page in pages.items()]
    asked = pages[PAGE_SIZE].value or Page([], 0)
    if any(page.value and len(page.value.batches) > limit for limit, page in pages.items()):
        return Finding(State.FAIL, "; ".join(told), _REPORT)
    if len(asked.batches) < min(PAGE_SIZE, asked.total):
        advice = "Nothing to set: the client takes as many at a time as the first page has."
        return Finding(State.WARN, f"{'; '.join(told)}; there are {asked.total}", advice)
    if asked.total < PAGE_SIZES[-1]:
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
    median = _milliseconds(statistics.median(seconds))
    found = f"median {median} ms, 95th percentile {_milliseconds(slowest)} ms of {len(seconds)} lists"
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
        told.append(f"{parallel} at once: all served, median {_milliseconds(median)} ms")
        served = parallel
    return Finding(State.OK, "; ".join(told))


def _not_all(looks: Iterable[Look[Page]]) -> Finding:
    """Say how many were not answered, and why the first was not."""
    looks = list(looks)
    errors = [look.error for look in looks if look.error and not look.accepted]
    found = failed(errors[0])
    return found._replace(finding=f"{len(errors)} of {len(looks)} failed: {found.finding}")


def _fitting(advice: dict[str, str], error: ISalesError) -> str:
    return next((text for part, text in advice.items() if part in error.problem), "")


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
