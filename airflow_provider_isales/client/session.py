"""Carry out calls: through the gate, over the transport, with retries. Private to this package."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from airflow_provider_isales.client.errors import ISalesError, ISalesResultError
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.client.models import VdnKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.client.verbs import Verb

T = TypeVar("T")


class Session:
    """What all calls of one client share; safe to use from many threads."""

    def __init__(self, transport: Transport, retry: RetryPolicy) -> None:
        self.transport = transport
        self.retry = retry
        self.gate = Gate()

    def call(self, verb: Verb[T], target: VdnKey, retry: RetryPolicy | None = None, /, **fields: object) -> T:
        """
        Carry out one call with its retries; return the response's data.

        :param target: the VDN, campaign or batch
        :param retry: other bounds of retries than the session's
        :param fields: more fields of the request, already checked
        :raises ISalesError: unless the response says success
        """
        return self.try_repeatedly(
            f"{verb.doing} {target}",
            lambda: self.send(verb, target, **fields),
            retry,
            repeatable=verb.repeatable,
            when_unknown=verb.when_unknown.format(**fields),
        )

    def try_repeatedly(
        self,
        action: str,
        attempt: Callable[[], T],
        retry: RetryPolicy | None = None,
        *,
        repeatable: bool = True,
        when_unknown: str = "",
    ) -> T:
        """
        Return the result of the first successful attempt.

        :param retry: other bounds of retries than the session's
        :param repeatable: whether a request that may have reached the server may be sent again
        :param when_unknown: advice if a request may have taken effect
        :raises ISalesError: of the last attempt, if none succeeds
        """
        sent, retry = False, retry or self.retry
        deadline = time.monotonic() + retry.total
        retrying = retry.make_retrying(action, self.gate, repeatable=repeatable)

        def attempt_after_gate() -> T:
            nonlocal sent
            try:
                self.gate.pass_through(deadline)
                return attempt()
            except ISalesError as error:
                sent |= error.sent
                raise

        try:
            return retrying(attempt_after_gate)
        except ISalesError as error:
            unknown = sent and not isinstance(error, ISalesResultError)
            raise error.during(
                action,
                retrying.statistics["attempt_number"],
                sent=sent,
                more_advice=when_unknown if unknown else "",
            ) from None

    def send(self, verb: Verb[T], target: VdnKey, timeout: float | None = None, /, **fields: object) -> T:
        """
        Send one request, without waiting at the gate; return the response's data.

        :param target: the VDN, campaign or batch
        :param timeout: in seconds, if shorter than the transport's
        :param fields: more fields of the request, already checked
        :raises ISalesError: unless the response says success
        """
        path, body = verb.make_request(target, fields)
        return verb.read(self.transport.exchange(verb.method, path, body, verb.parse, timeout))
