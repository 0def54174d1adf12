"""Carry out calls: through the gate, over the transport, with retries. Private to this package."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from airflow_provider_isales import clock
from airflow_provider_isales.client.answers import Answer, read_answer
from airflow_provider_isales.client.errors import ISalesError, ISalesResultError
from airflow_provider_isales.client.gate import Gate
from airflow_provider_isales.client.models import BatchKey, CampaignKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.transport import Transport
from airflow_provider_isales.client.verbs import Verb

T = TypeVar("T")

_TO_JSON = json.JSONEncoder(ensure_ascii=False)


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

    def call(
        self, verb: Verb[T], target: CampaignKey, retry: RetryPolicy | None = None, /, **fields: object
    ) -> Reply[T]:
        """
        Carry out one call with its retries.

        :param target: the campaign or batch
        :param retry: the bounds of retries, where they are not the session's
        :param fields: more fields of the request body, already checked
        :raises ISalesError: unless the response says success
        """
        retry = retry or self.retry
        action = f"{verb.doing} {target}"
        body = encode_body(target, fields)
        sent, asked_at = False, clock.utc_now()
        deadline = time.monotonic() + retry.total
        retrying = retry.retrying(action, self.gate, repeatable=verb.repeatable)

        def attempt() -> tuple[Answer, T]:
            nonlocal sent, asked_at
            try:
                self.gate.pass_through(deadline)
                asked_at = clock.utc_now()
                return self._send(verb, target, body)
            except ISalesError as error:
                sent |= error.sent
                raise

        try:
            answer, value = retrying(attempt)
        except ISalesError as error:
            unknown = sent and not isinstance(error, ISalesResultError)
            raise error.during(
                action,
                retrying.statistics["attempt_number"],
                sent=sent,
                more_advice=verb.when_unknown.format(**fields) if unknown else "",
            ) from None
        return Reply(answer, value, retrying.statistics["attempt_number"], asked_at)

    def call_once(self, verb: Verb[T], target: CampaignKey, timeout: float | None = None) -> Answer:
        """
        Carry out one call with one request, without waiting at the gate.

        :param timeout: the timeout in seconds, where this is less than the transport's
        :raises ISalesError: unless the response says success
        """
        try:
            return self._send(verb, target, encode_body(target, {}), timeout)[0]
        except ISalesError as error:
            self.gate.hold_after(error, self.retry.wait_after(error, attempt=1))
            raise

    def _send(self, verb: Verb[T], target: CampaignKey, body: bytes, timeout: float | None = None) -> tuple[Answer, T]:
        answer = self.transport.exchange(
            verb.method,
            verb.path(target),
            body,
            lambda response: read_answer(response, verb.also_success),
            timeout,
        )
        return answer, verb.read(answer)


def encode_body(target: CampaignKey, fields: dict[str, Any]) -> bytes:
    """Return the body of a request to a campaign or a batch."""
    return _TO_JSON.encode({"id": target.batch_id, **fields} if isinstance(target, BatchKey) else fields).encode()
