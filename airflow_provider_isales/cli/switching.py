"""Pauses or resumes batches of many campaigns, or whole campaigns, and prints the results."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from airflow_provider_isales.cli import output
from airflow_provider_isales.cli.connections import make_campaign_keys, make_vdn_key
from airflow_provider_isales.cli.parallel import format_error, map_each
from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.bulk import BulkSwitch
from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.models import BulkResult, CampaignKey, CampaignStatus, VdnKey
from airflow_provider_isales.client.text import describe_unlisted, join_first
from airflow_provider_isales.client.verbs import PAUSE, PAUSE_CAMPAIGN, RESUME, RESUME_CAMPAIGN, Switch

#: How long to wait for requests under way after Ctrl-C.
GRACE_SECONDS = 1.0

Switches = Mapping[type[VdnKey], Switch]
#: The interfaces for the batches of a campaign, and for the campaigns of a VDN as a whole.
PAUSES: Switches = {CampaignKey: PAUSE, VdnKey: PAUSE_CAMPAIGN}
RESUMES: Switches = {CampaignKey: RESUME, VdnKey: RESUME_CAMPAIGN}

#: The ids to switch: of batches by their campaign, and of whole campaigns by their VDN.
Targets = Mapping[VdnKey, "Collection[Any] | Literal['all']"]
Announce = Callable[[VdnKey, list[Any]], None]


@dataclass(eq=False)
class ScopeRun:
    """The run for one campaign or VDN; ``error`` says why it failed. A pause of a suspended campaign has none."""

    client: ISalesClient
    bulk: BulkSwitch
    error: str = ""
    is_suspended: bool = False
    has_begun: bool = False
    has_ended: bool = False

    def run(self) -> None:
        """Switch and verify; keep an error."""
        self.has_begun = True
        try:
            self.bulk.run()
        except Exception as error:
            is_refused = self.bulk.switch is PAUSE and self.bulk.is_not_allowed
            self.is_suspended = is_refused and self._is_campaign_suspended()
            self.error = "" if self.is_suspended else format_error(error)
        self.has_ended = True

    def check_resumed(self) -> None:
        """After a resume of batches, fail if the campaign itself is suspended: nobody is called."""
        scope = self.bulk.scope
        if self.bulk.switch is not RESUME or (self.error and not self.bulk.is_not_allowed):
            return
        if isinstance(scope, CampaignKey) and self._is_campaign_suspended():
            self.is_suspended = True
            why = f"the campaign itself is suspended, so nobody is called: isales resume {scope.campaign_id} --whole"
            self.error = self.error or why
            output.print_error(f"isales: {scope}: {why}")

    def format_result(self) -> str:
        """Return the result as a line."""
        scope = self.bulk.scope
        result = self.bulk.result()
        changed = [] if isinstance(scope, CampaignKey) else result.changed  # batch ids are too long to read
        if self.error:
            named = f". {result.done.value.capitalize()}: {join_first(changed)}" if changed else ""
            return f"{scope}: FAILED: {self.error.removesuffix('.') if named else self.error}{named}"
        if not self.has_begun:
            return f"{scope}: not begun"
        if self.is_suspended:
            found = "suspended as a whole, so nobody is called; confirmed by its details"
            return f"{scope}: {found}. When it resumes, its started batches are dialled again"
        begins = [f"{each} begins at {at:%Y-%m-%d %H:%M %Z}" for each, at in result.begins_at.items()]
        counts = [
            (len(result.changed), result.done.value, changed),
            (len(result.unchanged), result.already.value.replace("_", " "), []),
            (len(result.failed), "failed", []),
            (len(result.gone), "gone", []),
            (len(result.not_running), "not running", begins),
            (len(result.unknown), "unknown (no response)", []),
            (len(result.not_tried), "not tried", []),
        ]
        parts = [
            f"{count} {name}{f' ({join_first(named)})' if named else ''}"
            for count, name, named in counts
            if count or name == result.done.value
        ]
        confirmed = "confirmed by a listing" if self.has_ended else "not confirmed by a listing"
        matched = "" if result.matched is None else f"; {result.format_matched(few=100)}"
        empty = "; the VDN has no campaigns. Check vdn_id" if self.bulk.has_empty_vdn else ""
        return f"{scope}: {', '.join(parts)}; {confirmed}{matched}{empty}"

    def _is_campaign_suspended(self) -> bool:
        """Return whether the campaign's details show it as suspended; False if they can't be read."""
        scope = self.bulk.scope
        if not isinstance(scope, CampaignKey):
            return False
        try:
            return self.client.get_campaign(scope.campaign_id, scope.vdn_id).status is CampaignStatus.SUSPENDED
        except Exception:  # the result of the run is reported
            return False


def choose_targets(arguments: argparse.Namespace, client: ISalesClient, *, whole: bool) -> Targets:
    """
    Return whole campaigns, or the batches of ``--batch``, or all batches of each campaign.

    :raises UsageError: if ``--batch`` does not fit the other arguments
    """
    if whole and arguments.batch:
        raise output.UsageError("--batch is for batches, --all and --whole are for whole campaigns: choose one")
    if whole:
        return {make_vdn_key(client): arguments.campaigns or ALL}
    campaigns = make_campaign_keys(client, arguments.campaigns)
    if arguments.batch and len(campaigns) > 1:
        raise output.UsageError("--batch is for the batches of one campaign: name one campaign")
    return dict.fromkeys(campaigns, arguments.batch or ALL)


def format_targets(targets: Targets, exclude: Collection[str], few: int = 3) -> str:
    """Describe the targets for a question; name the excluded ids if they are few."""
    parts = []
    batches = [ids for scope, ids in targets.items() if isinstance(scope, CampaignKey)]
    if batches:
        count = "all batches" if ALL in batches else output.format_count(sum(map(len, batches)), "batch", "batches")
        parts.append(f"{count} of {output.format_count(len(batches), 'campaign', 'campaigns')}")
    for scope, ids in targets.items():
        if not isinstance(scope, CampaignKey):
            count = "all campaigns" if ids == ALL else output.format_count(len(ids), "campaign", "campaigns")
            parts.append(f"{count} of {scope} as a whole")
    excluded = join_first(exclude) if len(exclude) <= few else f"{len(exclude)} ids"
    return " and ".join(parts) + (f", except {excluded}" if exclude else "")


def switch_all(
    switches: Switches,
    client: ISalesClient,
    targets: Targets,
    arguments: argparse.Namespace,
    announce: Announce = lambda scope, ids: None,
    *,
    deleted_is_gone: bool | None = None,
    select: str | None = None,
) -> tuple[int, list[BulkResult]]:
    """
    Pause or resume batches and campaigns, verify it and print the results.

    :param switches: for batches, and for campaigns as a whole
    :param announce: called with a campaign or VDN and ids in it, before the first request for them is sent
    :param deleted_is_gone: as for :class:`.BulkSwitch`
    :param select: as for :class:`.BulkSwitch`
    :return: the exit status, and the results
    """
    at_once = max(1, min(arguments.parallel, len(targets)))
    runs = []
    for scope, ids in targets.items():
        bulk = BulkSwitch(
            switches[type(scope)],
            client.session,
            scope,
            ids,
            arguments.parallel // at_once,
            exclude=arguments.exclude,
            deleted_is_gone=deleted_is_gone,
            select=select,
            announce=partial(announce, scope),
            timezone=client.timezone,
        )
        runs.append(ScopeRun(client, bulk))
    status = _execute_runs(client, runs, at_once, is_text=arguments.output == "text")
    results = [run.bulk.result() for run in runs]
    unlisted = set.intersection(*({*map(str, each.unlisted)} for each in results))
    if unlisted and deleted_is_gone is None:  # not with a file: excluded campaigns in it are no longer targets
        more = "it was paused too: start it again with `isales resume"
        if switches is RESUMES:
            more = "it was resumed too: stop it with `isales pause"
        ids = "ID --whole" if any(not isinstance(scope, CampaignKey) for scope in targets) else "CAMPAIGN --batch ID"
        output.print_error(f"isales: {describe_unlisted(sorted(unlisted))} If another was meant, {more} {ids}`.")
    if arguments.output == "json":
        records = [result.to_dict() for result in results]
        for record, run in zip(records, runs, strict=True):
            if error := run.error if run.has_ended else "interrupted":
                record["error"] = error
            if run.is_suspended:
                record["campaign_suspended"] = True
        output.print_json(records)
    elif status == output.INTERRUPTED:
        for run in runs:
            if not run.has_ended:
                output.print_line(run.format_result())
    elif len(runs) > 1:
        _print_summary(runs)
    return status, results


def _execute_runs(client: ISalesClient, runs: list[ScopeRun], at_once: int, *, is_text: bool) -> int:
    """Execute the runs and, if ``is_text``, print each result; return the exit status."""

    def run_and_print(run: ScopeRun) -> None:
        run.run()
        if is_text:
            output.print_line(run.format_result())

    try:
        map_each(run_and_print, runs, at_once)
        map_each(ScopeRun.check_resumed, runs, at_once)  # last: another run may have resumed the campaign itself
    except KeyboardInterrupt:
        client.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(run.has_begun and not run.has_ended for run in runs):
            time.sleep(0.02)
        output.print_error("isales: interrupted: no more requests are sent")
        return output.INTERRUPTED
    return output.FAILURE if any(run.error for run in runs) else output.SUCCESS


def _print_summary(runs: list[ScopeRun]) -> None:
    """Print whether all runs succeeded, or which failed."""
    parts = "campaigns" if all(isinstance(run.bulk.scope, CampaignKey) for run in runs) else "parts"
    failed = [run.bulk.scope for run in runs if run.error]
    if failed:
        names = [str(scope.campaign_id if isinstance(scope, CampaignKey) else scope) for scope in failed]
        output.print_line(f"NOT DONE in {len(failed)} of {len(runs)} {parts}: {', '.join(names)}")
    else:
        suspended = sum(run.is_suspended for run in runs)
        how = f"; {suspended} of them suspended as a whole already" if suspended else " by a listing"
        output.print_line(f"All {len(runs)} {parts}: confirmed{how}")
