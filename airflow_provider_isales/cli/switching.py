"""Pausing or resuming the batches of many campaigns at once, and saying what came of it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from rich.live import Live
from rich.text import Text

from airflow_provider_isales.cli.at_once import map_each
from airflow_provider_isales.cli.connections import make_campaign_keys
from airflow_provider_isales.cli.output import format_count, say, say_json, warn
from airflow_provider_isales.cli.statuses import FAILURE, INTERRUPTED, SUCCESS, UsageError
from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BulkResult, CampaignKey
from airflow_provider_isales.client.verbs import Switch

#: How long requests that are under way may take after Ctrl-C.
GRACE_SECONDS = 1.0

Announce = Callable[[Mapping[CampaignKey, list[str]]], None]
Batches = Mapping[CampaignKey, "Collection[str] | Literal['all']"]


class CampaignRun:
    """One campaign's part of a run; ``announce`` is told what is about to be switched before the first request."""

    def __init__(
        self, switch: Switch, client: ISalesClient, campaign: CampaignKey, announce: Announce | None, **settings: Any
    ) -> None:
        self.switch = switch
        self.campaign = campaign
        self.error = ""
        #: The batches that were listed with the opposite status.
        self.opposite: set[str] = set()
        self.interrupted = False
        self.began = self.ended = 0.0
        self._announce = announce
        self._bulk = BulkSwitch(switch, client.session, campaign, announce=self._note, **settings)

    def run(self) -> None:
        """Carry it out; what goes wrong is kept in ``error``."""
        self.began = time.monotonic()
        try:
            self._bulk.run()
        except ISalesError as error:
            self.error = str(error)
        except Exception as error:  # a bug must not keep the other campaigns from being paused
            self.error = f"unexpected {type(error).__name__}: {error}"
        self.ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return (self.ended or time.monotonic()) - self.began if self.began else 0.0

    def result(self) -> BulkResult:
        """Return what is known by now."""
        return self._bulk.result()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as an operator would; with ``error`` if it is not as it was asked for."""
        error = "interrupted" if self.interrupted else self.error
        return {**self.result().to_dict(), **({"error": error} if error else {})}

    def to_line(self) -> str:
        """Return the result in a line."""
        if self.error or not self.began:
            return f"{self.campaign}: {f'FAILED: {self.error}' if self.error else 'not begun'}"
        result = self.result()
        found = {result.already.value.replace("_", " "): result.unchanged, "failed": result.failed, "gone": result.gone}
        counts = [f"{len(result.changed)} {result.done.value}"]
        counts += [f"{len(batches)} {name}" for name, batches in found.items() if batches]
        end = f"confirmed by list ({self.seconds:.1f} s)" if self.ended else "..."
        if self.interrupted:
            counts += [f"{len(result.unknown)} asked but not answered: not known", f"{len(result.not_tried)} not tried"]
            end = "not confirmed by list"
        elif not self.ended:
            counts.append(f"{len(self.opposite.difference(result.changed))} to do")
        return f"{self.campaign}: {', '.join(counts)}; {end}"

    def _note(self, batch_ids: list[str]) -> None:
        self.opposite = {*self.opposite, *batch_ids}
        if self._announce is not None:
            self._announce({self.campaign: batch_ids})


def name_batches(arguments: argparse.Namespace, client: ISalesClient) -> Batches:
    """Return the batches of ``--batch``, else all of each campaign; ``UsageError`` if it is unclear whose they are."""
    campaigns = make_campaign_keys(client, arguments.campaigns)
    if arguments.batch and len(campaigns) > 1:
        raise UsageError("--batch is for the batches of one campaign: name one, and type a line for each other one")
    return dict.fromkeys(campaigns, arguments.batch or ALL)


def switch_batches(
    switch: Switch,
    client: ISalesClient,
    batches: Batches,
    arguments: argparse.Namespace,
    announce: Announce | None = None,
    **settings: Any,
) -> tuple[int, list[BulkResult]]:
    """
    Pause or resume batches of many campaigns, verify it and say so.

    :param announce: is told what is about to be switched, before the first request for it is sent
    :param settings: more of ``BulkSwitch``
    :return: the exit status, and the result of each campaign
    """
    at_once = max(1, min(arguments.parallel, len(batches)))
    settings |= {"exclude": arguments.exclude, "max_parallel_requests": arguments.parallel // at_once}
    runs = [
        CampaignRun(switch, client, campaign, announce, batch_ids=batch_ids, **settings)
        for campaign, batch_ids in batches.items()
    ]
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    display = (_Json if arguments.output == "json" else _LiveLines if on_terminal else _Lines)(runs)
    try:
        with display:
            map_each(CampaignRun.run, runs, at_once, display.update)
    except KeyboardInterrupt:
        client.stop()
        _wait_for_those_under_way(runs)
        display.show_interrupted()
        status = INTERRUPTED
    else:
        display.show_end()
        status = FAILURE if any(run.error for run in runs) else SUCCESS
    return status, [run.result() for run in runs]


def _wait_for_those_under_way(runs: Sequence[CampaignRun]) -> None:
    for run in runs:
        run.interrupted = not run.ended
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(run.began and not run.ended for run in runs):
        time.sleep(0.02)


class _Json:
    """Says what came of each campaign once all is over, for scripts."""

    def __init__(self, runs: Sequence[CampaignRun]) -> None:
        self.runs = runs
        self._began = time.monotonic()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def update(self) -> None: ...

    def show_end(self) -> None:
        say_json([run.to_dict() for run in self.runs])

    def show_interrupted(self) -> None:
        warn("isales: interrupted; see `unknown` for what was asked for but not answered")
        self.show_end()


class _Lines(_Json):
    """Says what came of each campaign as soon as it is over, in a line."""

    def __init__(self, runs: Sequence[CampaignRun]) -> None:
        super().__init__(runs)
        self._shown: set[CampaignKey] = set()

    def update(self) -> None:
        for run in self.runs:
            if run.ended and run.campaign not in self._shown:
                self._shown.add(run.campaign)
                say(run.to_line())

    def show_end(self) -> None:
        if len(self.runs) < 2:  # noqa: PLR2004 - its line says it all
            return
        count = format_count(sum(len(run.result().changed) for run in self.runs), "batch", "batches")
        changed, took = f"{count} {self.runs[0].switch.done.value}", f"({time.monotonic() - self._began:.1f} s)"
        if failed := [str(run.campaign.campaign_id) for run in self.runs if run.error]:
            say(f"NOT DONE in {len(failed)} of {len(self.runs)} campaigns: {', '.join(failed)}. {changed} {took}")
        else:
            say(f"{len(self.runs)} campaigns: {changed}, all confirmed by list {took}")

    def show_interrupted(self) -> None:
        say("Interrupted: nothing more is sent.")
        for run in self.runs:
            if run.campaign not in self._shown:
                say(run.to_line())


class _LiveLines(_Lines):
    """Keeps the lines of all campaigns up to date on a terminal."""

    def __init__(self, runs: Sequence[CampaignRun]) -> None:
        super().__init__(runs)
        self._live = Live(auto_refresh=False)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # as of a terminal that is gone: the pausing goes on
            self._live.stop()

    def update(self) -> None:
        lines = [Text(run.to_line(), "bold red" if run.error else "") for run in self.runs]
        with suppress(OSError):
            self._live.update(Text("\n").join(lines), refresh=True)
