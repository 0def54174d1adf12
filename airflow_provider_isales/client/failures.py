"""Turn exceptions of ``ssl``, ``http.client`` and ``urllib3`` into errors that say what to do."""

from __future__ import annotations

import ssl

from urllib3.exceptions import HTTPError

from airflow_provider_isales.client.errors import (
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
)
from airflow_provider_isales.client.text import clean_text
from airflow_provider_isales.client.tls_socket import limits

_EXPIRED = "Check this machine's date. If it is right, ask the platform's operator to renew the certificate."
_OTHER_NAME = (
    "The certificate does not name the connection's host. Set host to a name that `openssl s_client -connect HOST:PORT "
    "</dev/null | openssl x509 -noout -ext subjectAltName` shows; if there is none, ask the platform's operator for a "
    "certificate with a name."
)
_STRICT = (
    "Python 3.13 and later check certificates more strictly (RFC 5280). Set the connection's extra 'verify_strict' to "
    "false, and ask the platform's operator for a certificate that passes."
)
# Keys are SSLCertVerificationError.verify_code: OpenSSL's X509_V_ERR_...
_CERTIFICATE = {
    9: "Check this machine's date: the certificate is not valid yet.",
    10: _EXPIRED,
    **dict.fromkeys((62, 64), _OTHER_NAME),
    **dict.fromkeys(range(79, 95), _STRICT),
}
_CLIENT_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "The server asks for a client certificate: get one from the platform's "
    "operator, and set the connection's extra 'client_cert' to its path.",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "The server may ask for a client certificate (the connection's extra "
    "'client_cert'), or for another version of TLS: ask the platform's operator.",
}


def explain_failure(error: Exception) -> ISalesTransportError:
    """Return the error for an exception raised while a request was sent or its response was read."""
    cause = _find_cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        problem = f"the server's certificate is not trusted: {_format_reason(cause)}"
        return ISalesCertificateError(problem, advice=_CERTIFICATE.get(cause.verify_code))
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
        return ISalesTimeoutError(f"no response in time: {_format_reason(cause)}")
    return ISalesConnectionLostError(f"the connection broke: {_format_reason(cause)}")


def _find_cause(error: BaseException) -> BaseException:
    """Return the innermost exception that urllib3 wrapped."""
    while isinstance(error, HTTPError):
        wrapped = (*error.args, error.__cause__, error.__context__)
        inner = next((cause for cause in wrapped if isinstance(cause, BaseException)), None)
        if inner is None:
            break
        error = inner
    return error


def _format_reason(error: BaseException) -> str:
    return clean_text(str(error)).strip() or type(error).__name__
