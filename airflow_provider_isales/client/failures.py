"""What went wrong on the way to a server, said so that a person can act on it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from urllib3.exceptions import HTTPError

from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)
from airflow_provider_isales.client.route import Route
from airflow_provider_isales.client.text import clean_text
from airflow_provider_isales.client.tls_socket import limits

# X509_V_ERR_... of OpenSSL, as SSLCertVerificationError.verify_code has them.
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME = (62, 64)
_STRICT = range(79, 95)

_CLIENT_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "The server asks for a client certificate: get one from the platform's "
    "operator, and set the connection's extra 'client_cert' to its path.",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "The server may ask for a client certificate, which the connection's extra "
    "'client_cert' names, or speak no version of TLS that this machine does: ask the platform's operator.",
}


def explain_failure(error: Exception, route: Route) -> ISalesTransportError:
    """Return the error for an exception that came while a request was sent or its response was read."""
    cause = _find_cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        problem = f"the server's certificate is not trusted: {_format_reason(cause)}"
        return ISalesCertificateError(problem, advice=_advise(cause.verify_code, route))
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        failure = ISalesTLSError(
            f"TLS failed: {_format_reason(cause)}", advice=_CLIENT_CERTIFICATE.get(cause.reason or "")
        )
        failure.sent = limits.sent
        return failure
    if not limits.sent:
        in_handshake = isinstance(cause, TimeoutError) and "handshake" in str(cause)
        reason = "something listens, but the TLS handshake timed out" if in_handshake else _format_reason(cause)
        return ISalesConnectError(f"no connection could be made: {reason}")
    if isinstance(cause, TimeoutError):
        return ISalesTimeoutError(f"no answer in time: {_format_reason(cause)}")
    return ISalesConnectionLostError(f"the connection broke: {_format_reason(cause)}")


def _find_cause(error: BaseException) -> BaseException:
    """Return the exception that those of urllib3 wrap."""
    while isinstance(error, HTTPError):
        wrapped = (*error.args, error.__cause__, error.__context__)
        inner = next((cause for cause in wrapped if isinstance(cause, BaseException)), None)
        if inner is None:
            break
        error = inner
    return error


def _advise(code: int, route: Route) -> str | None:
    """Return what to do about a certificate, None if it is to trust another authority."""
    certificate = _look_at_certificate(route)
    names = [clean_text(str(value)) for _, value in certificate.get("subjectAltName", ())]
    advice = None
    if code == _NOT_YET_VALID:
        advice = "It is not valid yet: check this machine's date."
    elif code == _EXPIRED and _has_expired(certificate):
        advice = f"It expired on {certificate['notAfter']}: ask the platform's operator to renew it."
    elif code == _EXPIRED:
        advice = "It, or one of an authority, has expired: ask the platform's operator, and check this machine's date."
    elif code in _OTHER_NAME and names:
        advice = f"It is made out to {', '.join(names[:5])}: put one of these into the connection's host."
    elif code in _OTHER_NAME:
        advice = (
            "It has no subject alternative name, and its common name does not count: ask the platform's operator for a "
            "certificate that has one."
        )
    elif code in _STRICT and route.context.verify_flags & ssl.VERIFY_X509_STRICT:
        advice = (
            "Python checks the form of certificates strictly from 3.13 on (RFC 5280): ask the platform's operator for "
            "one that passes. Until then, set the connection's extra 'verify_strict' to false."
        )
    return advice


def _look_at_certificate(route: Route) -> Mapping[str, Any]:
    """Connect once more and return the certificate; empty behind a proxy, or if its authority is not trusted."""
    with suppress(OSError, ValueError):
        if not route.proxy_address:
            context = route.make_lenient_context()
            with (
                socket.create_connection(route.address, limits.seconds_left) as connection,
                context.wrap_socket(connection, server_hostname=route.address[0].rstrip(".")) as tls,
            ):
                return tls.getpeercert() or {}
    return {}


def _has_expired(certificate: Mapping[str, Any]) -> bool:
    return bool(certificate) and ssl.cert_time_to_seconds(certificate["notAfter"]) < time.time()


def _format_reason(error: BaseException) -> str:
    return clean_text(str(error)).strip() or type(error).__name__
