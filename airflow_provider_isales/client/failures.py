"""What went wrong on the way to a server, said so that a person can act on it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from airflow_provider_isales.client.connection import Connection
from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)
from airflow_provider_isales.client.route import Route
from airflow_provider_isales.client.text import clean

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


def explain_no_connection(error: Exception, route: Route, deadline: float) -> ISalesTransportError:
    """Return the error for an exception that came before the request was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = f"the server's certificate is not trusted: {_reason(error)}"
        return ISalesCertificateError(problem, advice=_advise(error.verify_code, route, deadline))
    if _is_about_tls(error):
        return _tls_error(error, sent=False)
    return ISalesConnectError(f"no connection could be made: {_reason(error)}")


def explain_no_answer(error: Exception) -> ISalesTransportError:
    """Return the error for an exception that came when the request may have been sent."""
    if isinstance(error, TimeoutError):
        return ISalesTimeoutError(f"no answer in time: {_reason(error)}")
    if _is_about_tls(error):
        return _tls_error(error, sent=True)
    return ISalesConnectionLostError(f"the connection broke: {_reason(error)}")


def _is_about_tls(error: Exception) -> bool:
    return isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))


def _tls_error(error: Exception, *, sent: bool) -> ISalesTLSError:
    advice = _CLIENT_CERTIFICATE.get(getattr(error, "reason", None) or "")
    failure = ISalesTLSError(f"TLS failed: {_reason(error)}", advice=advice)
    failure.sent = sent
    return failure


def _advise(code: int, route: Route, deadline: float) -> str | None:
    """Return what to do about a certificate, None if it is to trust another authority."""
    certificate = _look_at_the_certificate(route, deadline)
    names = [clean(str(value)) for _, value in certificate.get("subjectAltName", ())]
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


def _look_at_the_certificate(route: Route, deadline: float) -> Mapping[str, Any]:
    """Connect once more, send nothing, and return the certificate; empty if its authority is not trusted."""
    with suppress(HTTPException, OSError, ValueError, ISalesError):
        connection = Connection(route.to_look_at_the_certificate(), deadline)
        connection.close()
        return connection.peer.certificate
    return {}


def _has_expired(certificate: Mapping[str, Any]) -> bool:
    return bool(certificate) and ssl.cert_time_to_seconds(certificate["notAfter"]) < time.time()


def _reason(error: Exception) -> str:
    return clean(str(error)).strip() or type(error).__name__
