"""Faults that the simulator injects on request into the next calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from airflow_provider_isales.client.text import SURROGATES, format_value
from airflow_provider_isales.simulator.interfaces import INTERFACES

MAX_SECONDS = 600
KINDS = ("delay", "close_before", "close_after", "truncate", "answer", "result")

# RFC 9110, 5.1 and 5.5.
_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"(?![ \t])[\t\x20-\x7e\x80-\xff]*(?<![ \t])")
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True)
class Fault:
    """
    One fault.

    ``delay``
        responds correctly, ``seconds`` late
    ``close_before``, ``close_after``
        closes the connection without a response, before or after the request took effect
    ``truncate``
        carries out the request, then breaks off in the middle of the response
    ``answer``
        does nothing, and responds with ``status``, ``headers`` and ``body``, by default an HTML page
    ``result``
        does nothing, and responds with the result code ``code``, which may be that of success

    :param kind: one of the above
    :param times: how many calls it affects
    :param verb: affects only calls of this interface, one of :data:`.INTERFACES`; all calls if empty
    :param seconds: of ``delay``
    :param status: of ``answer``: the HTTP status
    :param headers: of ``answer``: more headers, such as ``Retry-After``
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
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {format_value(self.kind)}")
        if type(self.times) is not int or self.times < 1:
            raise ValueError(f"times must be an integer from 1, not {format_value(self.times)}")
        if self.verb not in ("", *INTERFACES):
            raise ValueError(f"verb must be one of {', '.join(INTERFACES)}, not {format_value(self.verb)}")
        if type(self.seconds) not in (int, float) or not 0 <= self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds must be a number from 0 to {MAX_SECONDS}, not {format_value(self.seconds)}")
        if type(self.status) is not int or not 200 <= self.status <= 599:  # noqa: PLR2004
            raise ValueError(f"status must be an HTTP status from 200 to 599, not {format_value(self.status)}")
        headers = [*self.headers, *self.headers.values()] if isinstance(self.headers, Mapping) else [None]
        if not all(isinstance(text, str) for text in (self.body, self.code, *headers)):
            raise ValueError("body and code must be text, headers a JSON object of text")
        self._check_sendable()
        if self.kind == "result" and not self.code:
            raise ValueError("a fault of kind 'result' needs a code")

    def _check_sendable(self) -> None:
        if not (SURROGATES.isdisjoint(self.body) and SURROGATES.isdisjoint(self.code)):
            raise ValueError("body and code must be text that UTF-8 can express")
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"a header's name must be a word such as Retry-After, not {format_value(name)}")
            if not _HEADER_VALUE.fullmatch(value):
                raise ValueError(
                    f"a header's value must be Latin-1 text without line breaks and outer spaces, "
                    f"not {format_value(value)}"
                )
            if name.lower() in ("content-length", "transfer-encoding"):
                raise ValueError(f"headers must not have {name}: the simulator sets it")
        if self.kind == "answer" and self.status in _WITHOUT_BODY and self.body:
            raise ValueError(f"a response with status {self.status} has no body: give body as ''")

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """
        Read a fault from a JSON object with the names of the parameters above.

        :raises ValueError: for an unknown name or a value that is not allowed
        """
        names = [known.name for known in fields(cls)]
        if not isinstance(value, dict) or "kind" not in value or set(value) - set(names):
            raise ValueError(
                f"a fault is a JSON object with kind and any of {', '.join(names[1:])}, not {format_value(value)}"
            )
        return cls(**value)


NO_FAULT = Fault("delay")


class FaultPlan:
    """The faults still to come, in the order in which they were injected."""

    def __init__(self) -> None:
        # One entry per fault, with the times left: an entry per time would fill the memory.
        self._waiting: list[Fault] = []

    def inject(self, fault: Fault) -> None:
        """Add a fault for the next calls that it fits."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Drop all faults."""
        self._waiting.clear()

    def take(self, verb: str) -> Fault | None:
        """Return the fault for an incoming call, and count it off."""
        for index, fault in enumerate(self._waiting):
            if fault.verb in ("", verb):
                self._waiting[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None

    def to_json(self) -> list[dict[str, Any]]:
        """Return the waiting faults as JSON."""
        return [{"kind": fault.kind, "verb": fault.verb, "times": fault.times} for fault in self._waiting]
