"""
The errors of a call to CC-iSales::

    ISalesError
        ISalesArgumentError: a bad argument; nothing was sent
        ISalesStoppedError: the client was stopped
        ISalesCampaignEditedError: batches were created or deleted while they were listed
        ISalesBulkError: some batches of many failed; ISalesUnchangedError is one of the reasons
        ISalesTransportError: no usable response
            ISalesConnectError, ISalesCertificateError, ISalesHeldBackError: nothing was sent
            ISalesTLSError, ISalesTimeoutError, ISalesConnectionLostError: the request may have taken effect
            ISalesHTTPStatusError: an HTTP status other than 200
        ISalesAuthenticationError: HTTP 401
        ISalesProtocolError: an unreadable response; the request may have taken effect
        ISalesResultError: a failure code, whose meaning is in result_codes.py
"""

from __future__ import annotations

import copy
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from airflow_provider_isales.client.result_codes import RESULT_CODES, ResultCode, find_meaning

if TYPE_CHECKING:
    from airflow_provider_isales.client.models import BulkResult


class ISalesError(Exception):
    """
    The root of all errors of this package. ``problem`` is a clause without a full stop.

    ``advice`` and ``retryable`` are only given where they differ from those of the class.
    """

    #: What a person can do about it; one or more sentences.
    advice: str = ""
    #: Whether the same call may succeed later. An operator then fails the try, so that Airflow's retries apply.
    retryable: bool = False
    #: Whether it is likely to pass within seconds. The client then retries within the call.
    transient: bool = False
    #: Whether the request may have reached the server.
    sent: bool = False
    #: Whether a request that was sent may have taken effect, although no response says so.
    effect_unknown: bool = False
    #: What was being done, with VDN, campaign and batch.
    action: str = ""
    #: How many requests were made before giving up.
    attempts: int = 1

    def __init__(self, problem: str, *, advice: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        if advice is not None:
            self.advice = advice
        if retryable is not None:
            self.retryable = retryable

    def during(
        self, action: str, attempts: int = 1, *, sent: bool = False, changes: bool = False, more_advice: str = ""
    ) -> Self:
        """
        Return a copy of this error that names the action it ended.

        :param sent: whether any of the requests may have reached the server
        :param changes: whether they change anything there
        :param more_advice: added to the advice
        """
        error = copy.copy(self)
        error.action, error.attempts, error.sent = action, attempts, self.sent or sent
        effect = ""
        if changes and self.effect_unknown:
            effect = "The request may have taken effect."
        elif changes and sent and not self.sent:
            effect = "An earlier attempt may have taken effect."
        error.advice = " ".join(filter(None, (effect, self.advice, more_advice)))
        return error

    def __str__(self) -> str:
        headline = f"{self.action} failed: {self.problem}" if self.action else self.problem
        if self.attempts > 1:
            headline += f" ({self.attempts} attempts)"
        return f"{headline}. {self.advice}" if self.advice else headline


class ISalesArgumentError(ISalesError, ValueError):
    """A value that CC-iSales cannot accept; nothing was sent."""


class ISalesStoppedError(ISalesError):
    """The client was stopped, so nothing more was sent."""

    retryable = True


class ISalesCampaignEditedError(ISalesError):
    """Batches or campaigns were created or deleted while a listing's pages were read, so it may be incomplete."""

    advice = "Somebody, or a program, is creating or deleting batches or campaigns: try again when that is done."
    retryable = True


class ISalesUnchangedError(ISalesError):
    """A batch or campaign does not have the wanted status, whatever the response to its pause or resume said."""

    advice = "Check it in the console."
    retryable = True
    sent = True


class ISalesBulkError(ISalesError):
    """Some of many batches or campaigns failed. ``result`` has the outcome of each."""

    sent = True

    def __init__(self, problem: str, result: BulkResult, *, retryable: bool = False) -> None:
        super().__init__(problem, advice="It is safe to try again." if retryable else "", retryable=retryable)
        self.args = (problem, result)
        self.result = result


class ISalesTransportError(ISalesError):
    """No usable response came."""

    retryable = True
    transient = True


class ISalesHeldBackError(ISalesTransportError):
    """The server asked to slow down for longer than the call may take; nothing was sent."""

    advice = "The service or the firewall in front of it is overloaded: try again later."
    transient = False


class ISalesConnectError(ISalesTransportError):
    """No connection could be made; nothing was sent."""

    advice = "Check host and port of the connection, and that this machine may reach them (DNS, firewall, proxy)."


class ISalesCertificateError(ISalesTransportError):
    """The server's certificate is not trusted; nothing was sent."""

    advice = (
        "Get a file with the certificates of its authorities from the platform's operator, and set the connection's "
        "extra 'verify' to its path on every worker."
    )
    # Retryable: it may be one node of several, or about to be renewed.
    transient = False


class ISalesTLSError(ISalesTransportError):
    """TLS failed, but not because of the certificate. If it failed before the request, nothing was sent."""

    advice = "Check host and port of the connection, and which versions of TLS the server speaks."
    sent = True


class ISalesTimeoutError(ISalesTransportError):
    """The request was sent but no response came in time; it may have taken effect."""

    advice = "If this recurs, raise the connection's extra 'timeout'."
    sent = effect_unknown = True


class ISalesConnectionLostError(ISalesTransportError):
    """The connection broke before the whole response was read; the request may have taken effect."""

    sent = effect_unknown = True


class ISalesHTTPStatusError(ISalesTransportError):
    """
    An HTTP status other than 200. It comes from a firewall, a proxy or another server, so a later attempt may succeed.

    :param detail: added to the message, such as a redirect's target
    :param retry_after: the seconds that the response asked to wait, if it did
    """

    sent = True
    _TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
    # 418 is how Huawei Cloud's own firewall blocks a request; others return 403, 405 or 406.
    _FIREWALL = frozenset({403, 405, 406, 418})

    def __init__(self, status: int, detail: str = "", retry_after: float | None = None) -> None:
        phrase = f" {HTTPStatus(status).phrase}" if status in tuple(HTTPStatus) else ""
        super().__init__(f"HTTP {status}{phrase}{detail}", advice=self._advice(status))
        self.args = (status, detail, retry_after)
        self.status = status
        self.retry_after = retry_after
        self.transient = status in self._TRANSIENT

    @property
    def too_fast(self) -> bool:
        """Whether requests should follow one another more slowly."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS

    @classmethod
    def _advice(cls, status: int) -> str:
        if status in cls._FIREWALL:
            return (
                "A firewall in front of CC-iSales blocked the request: ask the platform's operator to allow-list this "
                "machine's address."
            )
        if status in cls._TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "The service or the firewall in front of it is overloaded or down: try again later."
        return "This is not how CC-iSales answers: check host and port of the connection."


class ISalesAuthenticationError(ISalesError):
    """HTTP 401: the server did not accept the signature. Only if the clocks agree, the keys are certainly wrong."""

    advice = "Check access key and secret key of the connection, and its extra 'signing_profile'."
    sent = True


class ISalesProtocolError(ISalesError):
    """A response that the interface's reference does not describe; it counts as no response."""

    advice = "Check host and port of the connection."
    retryable = True
    transient = True
    sent = effect_unknown = True


class ISalesResultError(ISalesError):
    """
    A response with a failure code.

    :param description: the response's ``resultDesc``
    :param code: the response's ``resultCode``, as received; that of the class if empty
    :param documented: the failure codes of the interface: each interface gives them its own meaning
    """

    #: The result code.
    code: str = ""
    sent = True

    def __init__(
        self,
        description: str,
        code: str = "",
        *,
        retryable: bool | None = None,
        documented: tuple[ResultCode, ...] = RESULT_CODES,
    ) -> None:
        code = code or self.code
        meaning = find_meaning(code, documented)
        says_more = description and description != meaning.meaning
        super().__init__(
            f"[{code}] {meaning.meaning}" + (f" ({description})" if says_more else ""),
            advice=meaning.advice,
            retryable=meaning.retryable if retryable is None else retryable,
        )
        self.args = (description, code)
        self.code, self.description = code, description
        self.meaning, self.transient = meaning.meaning, meaning.transient


class ISalesCampaignNotFoundError(ISalesResultError):
    """The campaign does not exist."""

    code = "0200007"


class ISalesNotAllowedError(ISalesResultError):
    """The campaign's present state does not allow it."""

    code = "03000002"


class ISalesBatchNotFoundError(ISalesResultError):
    """The batch does not exist."""

    code = "03000004"


def make_result_error(
    code: str, description: str, documented: tuple[ResultCode, ...] = RESULT_CODES
) -> ISalesResultError:
    """Return the error for a failure code of an interface that has the ``documented`` codes."""
    kinds = ISalesResultError.__subclasses__() if any(known.code == code for known in documented) else []
    kind = next((kind for kind in kinds if kind.code == code), ISalesResultError)
    return kind(description, code, documented=documented)
