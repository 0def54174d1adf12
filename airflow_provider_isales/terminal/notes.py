"""A file that notes which batches a pause found started, so that a resume starts exactly those."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from airflow_provider_isales.client.arguments import campaign_key, check_batch_id
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import BulkResult, CampaignKey
from airflow_provider_isales.terminal.connections import UsageError

Noted = dict[CampaignKey, list[str]]


class Notes:
    """
    JSON such as ``{"campaigns": [{"vdn_id": 25, "campaign_id": 1001, "batch_ids": ["..."]}]}``.

    A pause adds to it, so that a second try does not forget what the first one stopped; a resume takes out what is
    started again. Each change is one rename: whatever happens, the file is whole.

    :param path: the file
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        #: What went wrong while something was noted; empty if all is noted.
        self.problem = ""

    def check(self) -> None:
        """
        Make sure that it can be read and written, before anything is sent.

        :raises UsageError: if not
        """
        try:
            self._write(self.read() if self.path.exists() else {})
        except OSError as error:
            raise UsageError(f"{self.path} can't be written: {error}") from None

    def read(self) -> Noted:
        """
        Return what is noted.

        :raises UsageError: if the file can't be read, or holds something else
        """
        try:
            campaigns = json.loads(self.path.read_text(encoding="utf-8"))["campaigns"]
            return {
                campaign_key(entry["vdn_id"], entry["campaign_id"]): [*map(check_batch_id, entry["batch_ids"])]
                for entry in campaigns
            }
        except OSError as error:
            raise UsageError(f"{self.path} can't be read: {error}") from None
        except (ValueError, TypeError, LookupError, RecursionError, ISalesArgumentError):
            raise UsageError(f"{self.path} is not a file that `isales pause --save` wrote") from None

    def add(self, campaign: CampaignKey, batch_ids: Collection[str]) -> None:
        """Note batches of a campaign too. That it fails is no reason to let it ring: the problem is kept for later."""
        self._change(campaign, lambda noted: [*noted, *(each for each in batch_ids if each not in noted)])

    def forget_started(self, result: BulkResult) -> None:
        """Take out what a listing confirmed as started, or gone, after resuming."""
        if done := {*result.confirmed}:
            self._change(result.campaign, lambda noted: [each for each in noted if each not in done])

    def _change(self, campaign: CampaignKey, change: Callable[[list[str]], Iterable[str]]) -> None:
        with self._lock:
            try:
                noted = self.read()
                self._write(noted | {campaign: [*change(noted.get(campaign, []))]})
            except (OSError, UsageError) as error:
                self.problem = f"{self.path} is not up to date: {error}"

    def _write(self, noted: Noted) -> None:
        if self.path.exists() and not self.path.is_file():
            raise UsageError(f"{self.path} is no file")
        entries = [{**vars(campaign), "batch_ids": batch_ids} for campaign, batch_ids in noted.items() if batch_ids]
        new = self.path.with_name(f"{self.path.name}.new")
        with new.open("w", encoding="utf-8") as stream:
            json.dump({"campaigns": entries}, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(self.path)
