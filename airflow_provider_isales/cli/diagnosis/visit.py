"""What a step is, what it finds, and what all steps share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import (
    PROBED_CAMPAIGN,
    PROBED_VDN,
    Observation,
    check_signature,
    observe_call,
)
from airflow_provider_isales.client.errors import (
    ISalesError,
    ISalesHTTPStatusError,
    ISalesProtocolError,
    ISalesResultError,
)
from airflow_provider_isales.client.listing import ANY
from airflow_provider_isales.client.models import CallBatch, Campaign, CampaignKey, VdnKey
from airflow_provider_isales.client.responses import Page
from airflow_provider_isales.client.verbs import GET_CAMPAIGN, LIST, LIST_CAMPAIGNS
from airflow_provider_isales.shifts import ShiftCalendar

T = TypeVar("T")

#: The advice where an answer is one that the client does not expect.
REPORT = "Attach the output with --public to an issue: it takes another version to deal with that."

# How long a list or details may go on saying what was, in seconds.
_WAITS = (0.0, 0.5, 2.0)
_QUOTED = re.compile(r"(?<!\w)'[^']*'")
_PROXY_REASON = re.compile(r"(Tunnel connection failed: \d+).*")


#: Advice that names no host, by a part of an error's text.
_ADVICE = {
    "refused": "The machine answers, but nothing listens there: check the connection's port.",
    "timed out": "Something drops the packets: ask the platform's operator to allow-list this machine's address.",
    "Tunnel": "The proxy refuses host and port: ask its operator to allow them, or check the extra 'proxies'.",
}


class State(StrEnum):
    """How well it is: a warning works, but somebody should look at it."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class Finding(NamedTuple):
    """What was found, and what to do; ``private`` (names, the server's words) is left out with ``--public``."""

    state: State
    finding: str
    advice: str = ""
    private: str = ""


class Step(NamedTuple):
    """One question; it makes no sense without the success of the step that it ``needs``."""

    name: str
    find: Callable[[], Finding]
    needs: str = ""


class Visit:
    """One visit to a platform, perhaps to a campaign: what its steps share, so that nothing is asked twice."""

    def __init__(self, client: ISalesClient, campaign: CampaignKey | None, shifts: ShiftCalendar | None = None) -> None:
        self.client = client
        self.shifts = shifts
        self.has_campaign = campaign is not None
        #: Any campaign will do to see whether the signature is accepted.
        self.campaign = campaign or CampaignKey(client.vdn_id or PROBED_VDN, PROBED_CAMPAIGN)

    @cached_property
    def first(self) -> Observation[Page[CallBatch]]:
        """The first answer."""
        return check_signature(self.client, self.campaign)

    @cached_property
    def details(self) -> Observation[Campaign]:
        """The details of the campaign."""
        return observe_call(self.client, GET_CAMPAIGN, self.campaign)

    def list_page(self, limit: int, offset: int = 0) -> Observation[Page[CallBatch]]:
        """Ask for a page of so many batches of the campaign."""
        return observe_call(self.client, LIST, self.campaign, offset=offset, limit=limit)

    def list_campaigns(self, limit: int, offset: int = 0) -> Observation[Page[Campaign]]:
        """Ask for a page of so many campaigns of the VDN."""
        vdn, page = VdnKey(self.campaign.vdn_id), offset // limit + 1
        return observe_call(
            self.client, LIST_CAMPAIGNS, vdn, status=ANY, deviceType=ANY, curPage=page, rowsPerPage=limit
        )


def examine(steps: Sequence[Step]) -> Iterator[tuple[Step, Finding]]:
    """Carry out steps in order; one that fails keeps only those from running that need it."""
    done = {""}
    for step in steps:
        if step.needs not in done:
            finding = Finding(State.SKIPPED, f'not tried: it needs "{step.needs}"')
        else:
            try:
                finding = step.find()
            except Exception as error:  # at a customer's site, the next step may still say what is wrong
                problem = explain(error) if isinstance(error, ISalesError) else (type(error).__name__, str(error))
                finding = Finding(State.FAIL, f"could not be found out: {problem[0]}", private=problem[1])
        if finding.state in (State.OK, State.WARN):
            done.add(step.name)
        yield step, finding


def wait_for(client: ISalesClient, find: Callable[[], T], is_enough: Callable[[T], bool]) -> tuple[T, float]:
    """Return what is found, when it is as it should be or at last, and the seconds waited."""
    waited = 0.0
    for wait in _WAITS:
        client.session.gate.sleep(wait)
        waited += wait
        found = find()
        if is_enough(found):
            break
    return found, waited


def explain(error: ISalesError) -> tuple[str, str]:
    """Return what went wrong in words of our own, and apart from them those of the server, which may say anything."""
    if isinstance(error, ISalesResultError):
        return f"[{error.code}] {error.meaning}", error.description
    if isinstance(error, ISalesHTTPStatusError):
        problem = ISalesHTTPStatusError(error.status).problem
        return problem, error.problem.removeprefix(problem).lstrip(", ")
    if isinstance(error, ISalesProtocolError):
        return "an answer that cannot be read as the reference describes it", error.problem
    # What is quoted is the name of the server or of a proxy, and a proxy says anything after its status.
    problem = _PROXY_REASON.sub(r"\1", _QUOTED.sub("'...'", error.problem))
    return problem, "" if problem == error.problem else error.problem


def make_failure(what: Observation[Any] | ISalesError, advice: str = "", state: State = State.FAIL) -> Finding:
    """Return the finding that something went wrong, with the error's own advice unless there is a better one."""
    error = (what.error if isinstance(what, Observation) else what) or ISalesError("nothing went wrong")
    finding, private = explain(error)
    nameless = next((text for part, text in _ADVICE.items() if part in f"{error.problem} {error.advice}"), "")
    return Finding(state, finding, advice or nameless or error.advice, private)
