"""The steps about the way to the platform: settings, connection, certificate, response, clock and signature."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from airflow_provider_isales.cli.diagnosis.steps import REPORT, Finding, State, Step, make_failure
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import Observation, check_signature, find_accepted_profile
from airflow_provider_isales.client.errors import (
    ISalesAuthenticationError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesTLSError,
)
from airflow_provider_isales.client.models import CallBatch
from airflow_provider_isales.client.responses import MAX_CLOCK_DIFFERENCE_SECONDS, Page

_DAYS_LEFT = 30
# The Date header has whole seconds, and the response takes time: a smaller difference says nothing.
_CLOCK_SECONDS = 5
# The operators' guard waits 15 minutes for a worker's clock.
_CLOCK_MINUTES = 14


@dataclass
class ConnectionChecks:
    """Tells how far a request gets. All steps but the last look at the response to the same request."""

    client: ISalesClient

    @cached_property
    def first(self) -> Observation[Page[CallBatch]]:
        """The response to the first request."""
        return check_signature(self.client)

    def make_steps(self) -> list[Step]:
        """Return the steps in order: each comes after the one that it needs."""
        return [
            Step("settings", self._check_settings),
            Step("connection", self._check_connection),
            Step("certificate", self._check_certificate, "connection"),
            Step("response", self._check_response, "certificate"),
            Step("clock", self._check_clock, "certificate"),
            Step("signature", self._check_signature, "response"),
            Step("clock tolerance", self._check_clock_tolerance, "signature"),
        ]

    def _check_settings(self) -> Finding:
        client, transport = self.client, self.client.session.transport
        verify, private, advice = transport.route.verify, transport.route.base_url, []
        if verify is True:
            trust = "certificates are checked against the usual authorities"
        elif verify is False:
            trust = "certificates are not checked"
            advice.append("Set the connection's extra 'verify': anyone on the way can read and change requests.")
        else:
            trust = "certificates are checked against a CA bundle"
            private += f" {verify}"
        if client.vdn_id is None:
            advice.append("Set the connection's extra 'vdn_id', or set vdn_id in each operator.")
        proxy = "a proxy" if transport.route.has_proxy else "no proxy"
        found = f"signing profile {client.auth.profile.value!r}, timeout {transport.timeout:g} s, {trust}, {proxy}"
        return Finding(State.WARN if advice else State.OK, found, " ".join(advice), private)

    def _check_connection(self) -> Finding:
        if isinstance(error := self.first.error, ISalesConnectError):
            return make_failure(error)
        has_proxy = self.client.session.transport.route.has_proxy
        return Finding(State.OK, "connected through the proxy" if has_proxy else "connected")

    def _check_certificate(self) -> Finding:
        error, peer = self.first.error, self.first.peer
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

    def _check_response(self) -> Finding:
        first = self.first
        if first.accepted or isinstance(first.error, ISalesAuthenticationError):
            return Finding(State.OK, f"HTTP {first.status}, in the format of CC-iSales")
        failure = make_failure(first)
        is_html = "html" in first.headers.get("Content-Type", "").lower()
        page = "; it is an HTML page, as firewalls, proxies and other servers send" if is_html else ""
        return failure._replace(text=f"{failure.text}{page}")

    def _check_clock(self) -> Finding:
        ahead = self.first.seconds_ahead
        if ahead is None:
            return Finding(State.SKIPPED, "no response with the server's time", "Run NTP in any case.")
        if abs(ahead) <= _CLOCK_SECONDS:
            return Finding(State.OK, f"within {_CLOCK_SECONDS} s of the server's clock")
        state = State.FAIL if abs(ahead) > MAX_CLOCK_DIFFERENCE_SECONDS else State.WARN
        found = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
        advice = "Synchronise it with NTP: requests are signed with its time, and shifts end by it."
        return Finding(state, found, advice)

    def _check_signature(self) -> Finding:
        first = self.first
        if first.accepted:
            return Finding(State.OK, f"accepted, signing profile {self.client.auth.profile.value!r}")
        if accepted := find_accepted_profile(self.client):
            advice = f"Set the connection's extra 'signing_profile' to {accepted.value!r}, which is accepted."
        elif abs(first.seconds_ahead or 0) > MAX_CLOCK_DIFFERENCE_SECONDS:
            advice = ""  # the error has its own, about clocks
        else:
            advice = (
                "Check access key and secret key, and whether a proxy drops the body of a GET or changes its Host "
                "header."
            )
        return make_failure(first, advice)

    def _check_clock_tolerance(self) -> Finding:
        found = []
        for minutes, way in ((-_CLOCK_MINUTES, "behind"), (_CLOCK_MINUTES, "ahead")):
            observed = self._sign_with_clock_off(timedelta(minutes=minutes))
            if not (observed.accepted or isinstance(observed.error, ISalesAuthenticationError)):
                return make_failure(observed, state=State.WARN)
            found.append(f"{_CLOCK_MINUTES} min {way}: {'accepted' if observed.accepted else 'not accepted'}")
        text = "; ".join(found)
        if "not accepted" not in text:
            return Finding(State.OK, text)
        return Finding(State.WARN, text, f"Run NTP on every worker: the operators rely on 15 min. {REPORT}")

    def _sign_with_clock_off(self, ahead: timedelta) -> Observation[Page[CallBatch]]:
        """Send a request that is signed by a clock ``ahead`` of the server's."""
        at = datetime.now(UTC) + ahead - timedelta(seconds=self.first.seconds_ahead or 0)
        return check_signature(self.client, self.client.auth.make_variant(clock=lambda: at))
