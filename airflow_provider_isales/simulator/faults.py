"""Faults that the simulator commits on request, each for the next so many calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from airflow_provider_isales.client.verbs import VERBS

MAX_SECONDS = 600
KINDS = ("delay", "close_before", "close_after", "truncate", "answer", "result")


@dataclass(frozen=True)
class Fault:
    """
    One fault.

    ``delay``
        answers rightly, ``seconds`` late
    ``close_before``, ``close_after``
        closes the connection without an answer, before or after the request took effect
    ``truncate``
        carries out the request, then breaks off in the middle of the answer
    ``answer``
        does nothing and answers with ``status``, ``headers`` and ``body``, by default an HTML page
    ``result``
        does nothing and answers with the result code ``code``

    :param kind: one of the above
    :param times: for how many calls
    :param verb: only for calls of this interface; for every one if empty
    :param seconds: of ``delay``
    :param status: of ``answer``: the HTTP status
    :param headers: of ``answer``: more headers, ``Retry-After`` for example
    :param body: of ``answer``
    :param code: of ``result``
    :raises ValueError: for a value that is not allowed
    """

    kind: str
    times: int = 1
    verb: str = ""
    seconds: float = 0.0
    status: int = 502
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "<html><head><title>Blocked</title></head><body>Web application firewall</body></html>"
    code: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if type(self.times) is not int or self.times < 1:
            raise ValueError(f"times must be an integer from 1, not {self.times!r}")
        if self.verb not in ("", *VERBS):
            raise ValueError(f"verb must be one of {', '.join(VERBS)}, not {self.verb!r}")
        if type(self.seconds) not in (int, float) or not 0 <= self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds must be a number from 0 to {MAX_SECONDS}, not {self.seconds!r}")
        if type(self.status) is not int or not 200 <= self.status <= 599:  # noqa: PLR2004
            raise ValueError(f"status must be an HTTP status from 200 to 599, not {self.status!r}")
        headers = [*self.headers, *self.headers.values()] if isinstance(self.headers, Mapping) else [None]
        if not all(isinstance(text, str) for text in (self.body, self.code, *headers)):
            raise ValueError("body and code must be text, headers a JSON object of text")
        if self.kind == "result" and not self.code:
            raise ValueError("a fault of kind 'result' needs a code")

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """
        Read a fault from a JSON object with the names of the parameters above.

        :raises ValueError: for an unknown name or a value that is not allowed
        """
        names = [known.name for known in fields(cls)]
        if not isinstance(value, dict) or "kind" not in value or set(value) - set(names):
            raise ValueError(f"a fault is a JSON object with kind and any of {', '.join(names[1:])}, not {value!r}")
        return cls(**value)


NO_FAULT = Fault("delay")


class FaultPlan:
    """The faults still to be committed, in the order in which they were injected."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def inject(self, fault: Fault) -> None:
        """Add a fault for the next calls that it fits."""
        self._waiting.extend([fault] * fault.times)

    def clear(self) -> None:
        """Drop all faults."""
        self._waiting.clear()

    def take(self, verb: str) -> Fault | None:
        """Return the fault for a call that just came in, and count it as committed."""
        for fault in self._waiting:
            if fault.verb in ("", verb):
                self._waiting.remove(fault)
                return fault
        return None

    def to_json(self) -> list[dict[str, Any]]:
        """Return the waiting faults as JSON."""
        return [{"kind": fault.kind, "verb": fault.verb} for fault in self._waiting]
