"""One request and all that is to be seen of how it is answered: for finding out how a platform answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

from airflow_provider_isales.client.answers import Answer, read_answer, seconds_ahead
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.errors import ISalesError, ISalesResultError
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.client.response import Peer, Response
from airflow_provider_isales.client.session import Session, encode_body
from airflow_provider_isales.client.verbs import Verb

T = TypeVar("T")


@dataclass
class Look(Generic[T]):
    """
    What came of one request, as far as it came.

    :param error: why the answer is of no use; None if it says success
    :param value: what the answer holds, if it says success
    :param answer: an answer that says success, also when what it holds can't be read
    :param status: the HTTP status; None if nothing answered
    :param headers: the headers of the answer
    :param seconds_ahead: how far this machine's clock is ahead of the server's, None if it told no time
    :param peer: the other end of the connection
    :param seconds: how long it took
    """

    error: ISalesError | None = None
    value: T | None = None
    answer: Answer | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds_ahead: float | None = None
    peer: Peer | None = None
    seconds: float = 0.0

    @classmethod
    def at(
        cls, session: Session, verb: Verb[T], target: CampaignKey, auth: C2Auth | None = None, **fields: object
    ) -> Self:
        """
        Send one diagnostic request without gate and retries; return everything observable about the response.

        Never raises for network or protocol errors. Meant for diagnosis, not for production calls.

        :param session: has the transport
        :param verb: the interface, one of :mod:`.verbs`
        :param target: the campaign or batch
        :param auth: signs this request, if not as all others
        :param fields: more fields of the request body
        """
        look = cls()
        began = time.monotonic()

        def read(response: Response) -> None:
            look.status, look.headers = response.status, response.headers
            look.seconds_ahead, look.peer = seconds_ahead(response), response.peer
            look.answer = read_answer(response, verb.also_success)
            look.value = verb.read(look.answer)

        try:
            body = encode_body(verb, target, fields)
            session.transport.exchange(verb.method, verb.path(target), body, read, auth=auth)
        except ISalesError as error:
            look.error = error.with_traceback(None)  # its frames hold the signature
        look.seconds = time.monotonic() - began
        return look

    @property
    def code(self) -> str:
        """The result code, empty if there is none."""
        if self.answer:
            return self.answer.code
        return self.error.code if isinstance(self.error, ISalesResultError) else ""

    @property
    def accepted(self) -> bool:
        """Whether the signature was: any result code proves it."""
        return bool(self.code)
