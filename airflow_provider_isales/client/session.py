"""Carry out calls: through the gate, over the transport, with retries. Private to this package."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from airflow_provider_isales import clock
from airflow_provider_isales.client.answers import Answer, read_answer
from airflow_provider_isales.client.errors import ISalesError, ISalesResultError
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.client.models import VdnKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.client.verbs import Verb

T = TypeVar("T")


@dataclass(frozen=True)
class Reply(Generic[T]):
    """
    The result of a successful call.

    :param answer: the response
    :param value: what it holds besides code and description
    :param attempts: how many requests it took
    :param asked_at: when the request that was answered was sent, in UTC
    """

    answer: Answer
    value: T
    attempts: int
    asked_at: datetime


class Session:
    """What all calls of one client share; safe to use from many threads."""

    def __init__(self, transport: Transport, retry: RetryPolicy) -> None:
        self.transport = transport
        self.retry = retry
        self.gate = Gate()

    def call(self, verb: Verb[T], target: VdnKey, retry: RetryPolicy | None = None, /, **fields: object) -> Reply[T]:
        """
        Carry out one call with its retries.

        :param target: the VDN, campaign or batch
        :param retry: the bounds of retries, where they are not the session's
        :param fields: what is sent besides, already checked
        :raises ISalesError: unless the response says success
        """
        path, body = verb.make_request(target, fields)
        asked_at = clock.utc_now()

        def attempt(deadline: float) -> tuple[Answer, T]:
            nonlocal asked_at
            asked_at = clock.utc_now()
            return self._send(verb, path, body)

        (answer, value), attempts = self.try_repeatedly(
            f"{verb.doing} {target}",
            attempt,
            retry or self.retry,
            repeatable=verb.repeatable,
            when_unknown=verb.when_unknown.format(**fields),
        )
        return Reply(answer, value, attempts, asked_at)

    def try_repeatedly(
        self,
        action: str,
        attempt: Callable[[float], T],
        retry: RetryPolicy,
        *,
        repeatable: bool = True,
        when_unknown: str = "",
    ) -> tuple[T, int]:
        """
        Return the result of the first attempt that does not fail transiently, and how many it took.

        :param attempt: gets when to give up at the gate, on the ``time.monotonic()`` clock
        :param repeatable: whether a request that may have reached the server may be sent again
        :param when_unknown: advice when a request may have taken effect
        """
        sent = False
        deadline = time.monotonic() + retry.total
        retrying = retry.retrying(action, self.gate, repeatable=repeatable)

        def pass_and_attempt() -> T:
            nonlocal sent
            try:
                self.gate.pass_through(deadline)
                return attempt(deadline)
            except ISalesError as error:
                sent |= error.sent
                raise

        try:
            return retrying(pass_and_attempt), retrying.statistics["attempt_number"]
        except ISalesError as error:
            unknown = sent and not isinstance(error, ISalesResultError)
            raise error.during(
                action,
                retrying.statistics["attempt_number"],
                sent=sent,
                more_advice=when_unknown if unknown else "",
            ) from None

    def call_once(self, verb: Verb[T], target: VdnKey, timeout: float | None = None) -> tuple[Answer, T]:
        """
        Carry out one call with one request, without waiting at the gate.

        :param timeout: the timeout in seconds, where this is less than the transport's
        :return: the response, and what it holds besides code and description
        :raises ISalesError: unless the response says success
        """
        try:
            return self._send(verb, *verb.make_request(target, {}), timeout)
        except ISalesError as error:
            self.gate.hold_after(error, self.retry.wait_after(error, attempt=1))
            raise

    def _send(self, verb: Verb[T], path: str, body: bytes, timeout: float | None = None) -> tuple[Answer, T]:
        answer = self.transport.exchange(
            verb.method,
            path,
            body,
            lambda response: read_answer(response, verb.also_success, verb.codes),
            timeout,
        )
        return answer, verb.read(answer)
