"""Steps, their findings, and how errors become findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from airflow_provider_isales.client.diagnosis import Observation
from airflow_provider_isales.client.errors import (
    ISalesError,
    ISalesHTTPStatusError,
    ISalesProtocolError,
    ISalesResultError,
)

#: The advice for a response that the client does not expect.
REPORT = "Open an issue with the output of --public: this version does not handle that."

_QUOTED = re.compile(r"(?<!\w)'[^']*'")
_PROXY_REASON = re.compile(r"(Tunnel connection failed: \d+).*")

# Better advice than the error's own, by a part of its text.
_ADVICE = {
    "refused": "The machine answers, but nothing listens there: check the connection's port.",
    "handshake timed out": "Check the connection's port: what listens there may not speak TLS. If it is right, ask the "
    "platform's operator: a firewall may block this machine's address, or the server is overloaded.",
    "timed out": "Something drops the packets: ask the platform's operator to allow-list this machine's address.",
    "Tunnel": "The proxy refuses host and port: ask its operator to allow them, or check the extra 'proxies'.",
}


class State(StrEnum):
    """The state of a step; with ``WARN`` things work, but somebody should look at it."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Finding(NamedTuple):
    """What a step found and what to do; ``private`` (names, the server's words) is omitted with ``--public``."""

    state: State
    text: str
    advice: str = ""
    private: str = ""


class Step(NamedTuple):
    """One check; it is skipped unless the step that it ``needs`` succeeded."""

    name: str
    find: Callable[[], Finding]
    needs: str = ""


def run_steps(steps: Sequence[Step]) -> Iterator[tuple[Step, Finding]]:
    """Run the steps in order and yield their findings; skip those that need a step that failed."""
    done = {""}
    for step in steps:
        if step.needs not in done:
            finding = Finding(State.SKIPPED, f'needs "{step.needs}"')
        else:
            try:
                finding = step.find()
            except ISalesError as error:
                finding = make_failure(error)
            except Exception as error:  # a bug: the next steps may still show what is wrong
                finding = Finding(State.FAIL, f"the check failed: {type(error).__name__}", private=str(error))
        if finding.state in (State.OK, State.WARN):
            done.add(step.name)
        yield step, finding


def split_error(error: ISalesError) -> tuple[str, str]:
    """Return what went wrong in our own words, and separately the server's words, which may name anybody."""
    if isinstance(error, ISalesResultError):
        return f"[{error.code}] {error.meaning}", error.description
    if isinstance(error, ISalesHTTPStatusError):
        problem = ISalesHTTPStatusError(error.status).problem
        return problem, error.problem.removeprefix(problem).lstrip(", ")
    if isinstance(error, ISalesProtocolError):
        return "a response that is not in the documented format", error.problem
    # Quotes hold the name of the server or proxy, and a proxy may add any text after its status.
    problem = _PROXY_REASON.sub(r"\1", _QUOTED.sub("'...'", error.problem))
    return problem, "" if problem == error.problem else error.problem


def make_failure(what: Observation[Any] | ISalesError, advice: str = "", state: State = State.FAIL) -> Finding:
    """Return the finding for an error, with the error's own advice unless there is a better one."""
    error = (what.error if isinstance(what, Observation) else what) or ISalesError("nothing went wrong")
    finding, private = split_error(error)
    better = next((text for part, text in _ADVICE.items() if part in error.problem), error.advice)
    return Finding(state, finding, advice or better, private)
