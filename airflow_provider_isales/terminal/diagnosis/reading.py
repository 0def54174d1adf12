"""The steps that change nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from airflow_provider_isales.terminal.diagnosis import listing, signing, way
from airflow_provider_isales.terminal.diagnosis.findings import Finding, Step, Visit


def reading_steps(visit: Visit) -> list[Step]:
    """Return the steps in the order in which one builds on the other."""

    def step(name: str, find: Callable[[Visit], Finding], *needs: str) -> Step:
        return Step(name, partial(find, visit), needs)

    return [
        step("settings", way.settings),
        step("name", way.name),
        step("connection", way.connection, "name"),
        step("certificate", way.certificate, "connection"),
        step("answer", way.answer, "certificate"),
        step("clock", signing.clock, "certificate"),
        step("signature", signing.signature, "answer"),
        step("other profile", signing.other_signing_profile, "answer"),
        step("clock tolerance", signing.clock_tolerance, "signature"),
        step("campaign", listing.campaign, "signature"),
        step("status", listing.status, "signature"),
        step("page sizes", listing.page_sizes, "signature"),
        step("latency", listing.latency, "signature"),
        step("at once", listing.at_once, "latency"),
    ]
