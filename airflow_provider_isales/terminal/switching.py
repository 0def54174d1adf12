"""Pausing or resuming the batches of many campaigns at once, and saying what came of it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import BulkResult, CampaignKey
from airflow_provider_isales.terminal.at_once import each
from airflow_provider_isales.terminal.connections import UsageError, campaigns_of
from airflow_provider_isales.terminal.output import counted, say, say_json, warn
from airflow_provider_isales.terminal.status import FAILURE, INTERRUPTED, SUCCESS

if TYPE_CHECKING:
    from airflow_provider_isales.client import BulkSwitch, ISalesClient
    from airflow_provider_isales.client.verbs import Switch

#: How long requests that are under way may take after Ctrl-C.
GRACE_SECONDS = 1.0

Announce = Callable[[Mapping[CampaignKey, list[str]]], None]
Batches = Mapping[CampaignKey, "Collection[str] | Literal['all']"]


class Run:
    """
    One run over the batches of one campaign.

    :param campaign: the campaign
    :param new_bulk_switch: makes what carries it out, given ``announce``
    :param announce: is told what is about to be switched, before the first request for it is sent
    """

    def __init__(
        self, campaign: CampaignKey, new_bulk_switch: Callable[..., BulkSwitch], announce: Announce | None
    ) -> None:
        self.campaign = campaign
        #: What went wrong.
        self.error = ""
        #: The batches that were listed with the opposite status; None before they were listed.
        self.found: set[str] | None = None
        self.interrupted = False
        self._began = self._ended = 0.0
        self._announce = announce
        self._bulk = new_bulk_switch(announce=self._note)

    def run(self) -> None:
        """Carry it out; what goes wrong is kept in ``error``."""
        self._began = time.monotonic()
        try:
            self._bulk.run()
        except ISalesError as error:
            self.error = str(error)
        except Exception as error:  # a bug must not keep the other campaigns from being paused
            self.error = f"unexpected {type(error).__name__}: {error}"
        self._ended = time.monotonic()

    @property
    def has_begun(self) -> bool:
        return bool(self._began)

    @property
    def is_over(self) -> bool:
        return bool(self._ended)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return (self._ended or time.monotonic()) - self._began if self._began else 0.0

    def result(self) -> BulkResult:
        """Return what is known by now."""
        return self._bulk.result()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as an operator would; with ``error`` if it is not as it was asked for."""
        error = "interrupted" if self.interrupted else self.error
        return {**self.result().to_dict(), **({"error": error} if error else {})}

    def _note(self, batch_ids: list[str]) -> None:
        self.found = {*(self.found or ()), *batch_ids}
        if self._announce is not None:
            self._announce({self.campaign: batch_ids})


class Switching:
    """
    One run over many campaigns.

    :param client: carries out the calls
    :param switch: ``PAUSE`` or ``RESUME``
    :param batches: which batches of which campaigns
    :param parallel: how many requests are under way at once, over all campaigns
    :param announce: is told what is about to be switched, before the first request for it is sent
    :param settings: more of ``BulkSwitch``
    """

    def __init__(
        self,
        client: ISalesClient,
        switch: Switch,
        batches: Batches,
        parallel: int,
        announce: Announce | None = None,
        **settings: Any,
    ) -> None:
        from airflow_provider_isales.client import BulkSwitch  # noqa: PLC0415 - for the start-up of `isales --help`

        self.switch = switch
        self._client = client
        self._at_once = max(1, min(parallel, len(batches)))
        settings["max_parallel_requests"] = parallel // self._at_once
        self.runs = [
            Run(campaign, partial(BulkSwitch, switch, client, campaign, batch_ids, **settings), announce)
            for campaign, batch_ids in batches.items()
        ]

    def carry_out(self, output: str) -> int:
        """
        Switch all, verify it and say so.

        :param output: ``text`` or ``json``
        :return: the exit status
        """
        telling = _telling(self, output)
        try:
            with telling:
                each(Run.run, self.runs, self._at_once, telling.tick)
        except KeyboardInterrupt:
            self._stop()
            telling.interrupted()
            return INTERRUPTED
        telling.end()
        return FAILURE if any(run.error for run in self.runs) else SUCCESS

    def _stop(self) -> None:
        """Send nothing more, and wait a little for what is under way."""
        self._client.stop()
        for run in self.runs:
            run.interrupted = not run.is_over
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(run.has_begun and not run.is_over for run in self.runs):
            time.sleep(0.02)


def named_batches(arguments: argparse.Namespace, client: ISalesClient) -> Batches:
    """
    Return what was typed: the batches of ``--batch``, else all of each campaign.

    :raises UsageError: for batches of several campaigns: nobody could tell which are whose
    """
    campaigns = campaigns_of(arguments, client)
    if arguments.batch and len(campaigns) > 1:
        raise UsageError("--batch is for the batches of one campaign: name one, and type a line for each other one")
    return dict.fromkeys(campaigns, arguments.batch or ALL)


class _Json:
    """Says what came of each campaign once all is over, for scripts."""

    def __init__(self, switching: Switching) -> None:
        self._switching = switching

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def tick(self) -> None: ...

    def end(self) -> None:
        say_json([run.to_dict() for run in self._switching.runs])

    def interrupted(self) -> None:
        warn("isales: interrupted; see `unknown` for what was asked for but not answered")
        self.end()


class _Lines:
    """Says what came of each campaign as soon as it is over, in a line."""

    def __init__(self, switching: Switching) -> None:
        self._switching = switching
        self._began = time.monotonic()
        self._told: set[CampaignKey] = set()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def tick(self) -> None:
        for run in self._switching.runs:
            if run.is_over and run.campaign not in self._told:
                self._told.add(run.campaign)
                say(_line(run))

    def end(self) -> None:
        if len(runs := self._switching.runs) > 1:
            say(_summary(runs, time.monotonic() - self._began))

    def interrupted(self) -> None:
        say("Interrupted: nothing more is sent.")
        for run in self._switching.runs:
            if run.campaign not in self._told:
                say(_line_of_interrupted(run) if run.interrupted else _line(run))


class _Table(_Lines):
    """Shows all campaigns in a table that is kept up to date; what went wrong follows below it."""

    def __init__(self, switching: Switching) -> None:
        super().__init__(switching)
        from rich.live import Live  # noqa: PLC0415 - only for a terminal

        self._live = Live(self._table(), auto_refresh=False)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # as of a terminal that is gone: the pausing goes on
            self._live.stop()

    def tick(self) -> None:
        with suppress(OSError):
            self._live.update(self._table(), refresh=True)

    def end(self) -> None:
        for run in self._switching.runs:
            if run.error:
                say(_line(run))
        super().end()

    def _table(self) -> Any:
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - likewise
        from rich.table import Table  # noqa: PLC0415 - likewise

        table = Table(box=SIMPLE_HEAD)
        table.add_column("campaign")
        switch = self._switching.switch
        for name in (switch.opposite.name.lower(), switch.done.value, "failed", "seconds"):
            table.add_column(name, justify="right")
        table.add_column("")
        for run in self._switching.runs:
            table.add_row(*_cells(run), style="bold red" if run.error else "")
        return table


def _telling(switching: Switching, output: str) -> _Json | _Lines:
    if output == "json":
        return _Json(switching)
    if sys.stdout is not None and sys.stdout.isatty():
        with suppress(ImportError):  # installed without dependencies, on a laptop at night: lines will do
            return _Table(switching)
    return _Lines(switching)


def _cells(run: Run) -> list[str]:
    result = run.result()
    if run.error:
        state, left = "FAILED", "?"
    else:
        state = "confirmed by list" if run.is_over else "..." if run.has_begun else ""
        left = "" if run.found is None else str(len(run.found.difference(result.changed)))
    counts = [str(len(result.changed)), str(len(result.failed)), f"{run.seconds:.1f}"] if run.has_begun else [""] * 3
    return [str(run.campaign.campaign_id), left, *counts, state]


def _line(run: Run) -> str:
    if run.error:
        return f"{run.campaign}: FAILED: {run.error}"
    return f"{run.campaign}: {_counts(run.result())}; confirmed by list ({run.seconds:.1f} s)"


def _line_of_interrupted(run: Run) -> str:
    if not run.has_begun:
        return f"{run.campaign}: not begun"
    result = run.result()
    asked = f"{len(result.unknown)} asked but not answered: not known"
    return f"{run.campaign}: {_counts(result)}, {asked}, {len(result.not_tried)} not tried; not confirmed by list"


def _counts(result: BulkResult) -> str:
    told = [f"{len(result.changed)} {result.done.value}"]
    more = {result.already.value.replace("_", " "): result.unchanged, "failed": result.failed, "gone": result.gone}
    return ", ".join([*told, *(f"{len(batches)} {name}" for name, batches in more.items() if batches)])


def _summary(runs: Sequence[Run], seconds: float) -> str:
    results = [run.result() for run in runs]
    changed = counted(sum(len(result.changed) for result in results), "batch", "batches") + f" {results[0].done.value}"
    if failed := [str(run.campaign.campaign_id) for run in runs if run.error]:
        return f"NOT DONE in {len(failed)} of {len(runs)} campaigns: {', '.join(failed)}. {changed} ({seconds:.1f} s)"
    return f"{len(runs)} campaigns: {changed}, all confirmed by list ({seconds:.1f} s)"
