"""Carry out calls: through the gate, over the transport, with retries. Private to this package."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from airflow_provider_isales.client.errors import ISalesError, ISalesResultError
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.client.models import VdnKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.client.verbs import Verb

log = logging.getLogger(__name__)

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
        return self.try_repeatedly(action, lambda: self.send(verb, target, **fields), retry, when_unknown=advice)

    def try_repeatedly(
        self, action: str, attempt: Callable[[], T], retry: RetryPolicy | None = None, *, when_unknown: str = ""
    ) -> T:
        """
        Return the result of the first successful attempt.

        :param retry: other bounds of retries than the session's
        :param when_unknown: advice if a request may have taken effect, which is then not sent again
        :raises ISalesError: of the last attempt, if none succeeds
        """
        retry = retry or self.retry
        deadline = time.monotonic() + retry.total
        number, sent = 0, False
        while True:
            number += 1
            try:
                self.gate.pass_through(deadline)
                return attempt()
            except ISalesError as error:
                failure = error.with_traceback(None)  # otherwise this frame and the traceback keep each other alive
            sent |= failure.sent
            wait = retry.draw_wait(failure, number)
            may_repeat = failure.transient and not (failure.sent and when_unknown)
            if not may_repeat or number >= retry.attempts or time.monotonic() + wait >= deadline:
                advice = when_unknown if sent and not isinstance(failure, ISalesResultError) else ""
                raise failure.during(action, number, sent=sent, more_advice=advice)
            log.warning(
                "%s: attempt %d of at most %d failed: %s. Trying again in %.1f s.",
                action,
                number,
                retry.attempts,
                failure.problem,
                wait,
            )
            self.gate.hold_after(failure, wait)
            self.gate.sleep(wait)

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
