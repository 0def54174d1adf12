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
        action, advice = f"{verb.doing} {target}", verb.when_unknown.format(**fields)
        return self.try_repeatedly(
            action,
            lambda: self.send(verb, target, **fields),
            retry,
            when_unknown=advice,
            changes=verb.method != "GET",
        )

    def try_repeatedly(
        self,
        action: str,
        attempt: Callable[[], T],
        retry: RetryPolicy | None = None,
        *,
        when_unknown: str = "",
        changes: bool = True,
    ) -> T:
        """
        Return the result of the first successful attempt.

        :param retry: other bounds of retries than the session's
        :param when_unknown: advice if a request may have taken effect, which is then not sent again
        :param changes: whether the requests change anything on the server
        :raises ISalesError: of the last attempt, if none succeeds
        """
        sent, retry = False, retry or self.retry
        deadline = time.monotonic() + retry.total
        retrying = retry.make_retrying(action, self.gate, repeatable=not when_unknown)

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
            advice = when_unknown if sent and not isinstance(error, ISalesResultError) else ""
            attempts = retrying.statistics["attempt_number"]
            raise error.during(action, attempts, sent=sent, changes=changes, more_advice=advice) from None

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
