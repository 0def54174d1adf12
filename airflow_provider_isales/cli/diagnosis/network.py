"""The way to the server: name, connection, certificate, and what answers."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from ipaddress import ip_address

from airflow_provider_isales.cli.diagnosis.visit import Finding, State, Visit, explain, make_failure
from airflow_provider_isales.client import (
    ISalesAuthenticationError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesError,
    ISalesTLSError,
)

_DAYS_LEFT = 30
# Source: Huawei Cloud WAF, "Why Do Cookies Contain the HWWAFSESID or HWWAFSESTIME field?"
_WAF_COOKIE = "HWWAFSESID"

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


def check_settings(visit: Visit) -> Finding:
    """Say what the connection says."""
    client, transport = visit.client, visit.client.session.transport
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


def look_up_name(visit: Visit) -> Finding:
    """Look the server's name up."""
    transport = visit.client.session.transport
    if transport.goes_through_a_proxy:
        return Finding(State.OK, "left to the proxy")
    try:
        ip_address(transport.host)
        return Finding(State.OK, "the connection has an address, so there is none to look up")
    except ValueError:
        addresses = transport.addresses()
    if not addresses:
        return Finding(
            State.FAIL,
            "the host's name has no address",
            "Check the connection's host, and this machine's DNS: an internal name may need an internal name server.",
            transport.host,
        )
    count = "1 address" if len(addresses) == 1 else f"{len(addresses)} addresses"
    return Finding(State.OK, count, private=f"{transport.host}: {', '.join(addresses)}")


def check_connection(visit: Visit) -> Finding:
    """Find out whether anything listens."""
    error = visit.first.error
    if isinstance(error, ISalesConnectError):
        return make_failure(error, _choose_advice(_CONNECT_ADVICE, error))
    is_proxied = visit.client.session.transport.goes_through_a_proxy
    return Finding(State.OK, "the proxy connects" if is_proxied else "it listens")


def check_certificate(visit: Visit) -> Finding:
    """Find out whether the server is who it says."""
    error, peer = visit.first.error, visit.first.peer
    if isinstance(error, ISalesCertificateError):
        return make_failure(error, _choose_advice(_CERTIFICATE_ADVICE, error))
    if isinstance(error, ISalesTLSError):
        return make_failure(error)
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


def check_answer(visit: Visit) -> Finding:
    """Find out whether it is CC-iSales that answers, or something in front of it."""
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


def _choose_advice(advice: dict[str, str], error: ISalesError) -> str:
    return next((text for part, text in advice.items() if part in error.problem), "")
