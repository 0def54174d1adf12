"""The file of ``isales pause --save``: what a pause found started, so that a resume starts exactly that."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from airflow_provider_isales.cli.output import UsageError
from airflow_provider_isales.client.arguments import check_batch_id, check_campaign_id, check_vdn_id
from airflow_provider_isales.client.models import CampaignKey, VdnKey

#: Ids of batches by their campaign, and of campaigns that were paused as a whole by their VDN.
Noted = dict[VdnKey, list[Any]]

# Others hold the lock for milliseconds. A stopped process that holds it must not block a pause.
_LOCK_SECONDS = 10.0


class Notes:
    """
    JSON such as ``{"campaigns": [{"vdn_id": 25, "campaign_id": 1001, "batch_ids": ["..."]}]}``, where an entry such as
    ``{"vdn_id": 25, "campaign_ids": [1002]}`` is for campaigns as a whole.

    A pause adds to it, so that a second attempt keeps what the first one stopped; a resume removes what is started
    again. Each change is one rename, so the file is always complete; several processes may change it at once.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        #: Why the last change could not be written; empty if it was.
        self.problem = ""
        #: All that this process added, even if it could not be written.
        self.added: Noted = {}
        self._lock = Lock()
        self._patience = _LOCK_SECONDS

    def read(self) -> Noted:
        """Return what the file holds; a ``UsageError`` if it can't be read or is some other file."""
        noted: Noted = {}
        try:
            for entry in json.loads(self.path.read_text(encoding="utf-8"))["campaigns"]:
                scope, ids = _read_entry(entry)
                noted = _merge(noted, {scope: ids})
        except OSError as error:
            raise UsageError(f"{self.path} can't be read: {error}") from None
        except (ValueError, TypeError, LookupError, RecursionError):
            raise UsageError(f"{self.path} is not a file that `isales pause --save` wrote") from None
        return noted

    def add(self, found: Mapping[VdnKey, Iterable[Any]]) -> None:
        """Add to the file. On failure set ``problem`` instead of raising, because the pause has to go on."""
        with self._lock:
            self.added = _merge(self.added, found)
            self._change(lambda noted: _merge(noted, self.added))

    def remove(self, found: Mapping[VdnKey, Collection[Any]]) -> None:
        """Remove what is not paused, or no longer; on failure set ``problem``."""

        def change(noted: Noted) -> Noted:
            return {key: [each for each in ids if each not in found.get(key, ())] for key, ids in noted.items()}

        with self._lock:
            self.added = change(self.added)
            self._change(lambda noted: change(_merge(noted, self.added)))

    def _change(self, change: Callable[[Noted], Noted]) -> None:
        try:
            with self._locked_folder():
                self._write(change(self.read() if self.path.exists() else {}))
            self.problem = ""
        except (OSError, UsageError) as error:
            self.problem = f"{self.path} can't be written: {error}"

    @contextmanager
    def _locked_folder(self) -> Iterator[None]:
        """Lock out other processes. The lock is on the folder, because the file itself is replaced."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            deadline = time.monotonic() + self._patience
            while True:
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        self._patience = 0
                        raise TimeoutError(f"another program has locked {self.path.parent}") from None
                    time.sleep(0.01)
                except OSError:  # a network file system without locks
                    break
            yield
        finally:
            os.close(folder)

    def _write(self, noted: Noted) -> None:
        if self.path.exists() and not self.path.is_file():
            raise UsageError("it is not a regular file")
        new = self.path.with_name(f"{self.path.name}.{uuid4().hex}")
        try:
            with new.open("w", encoding="utf-8") as stream:
                stream.write(to_json(noted))
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(self.path)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def to_json(noted: Noted) -> str:
    """Return the content of a file with these ids."""
    entries = []
    for scope, ids in noted.items():
        name = "batch_ids" if isinstance(scope, CampaignKey) else "campaign_ids"
        if ids:
            entries.append({**vars(scope), name: ids})
    return json.dumps({"campaigns": entries}, indent=2)


def _read_entry(entry: Mapping[str, Any]) -> tuple[VdnKey, list[Any]]:
    vdn_id = check_vdn_id(entry["vdn_id"])
    if "campaign_ids" in entry:
        return VdnKey(vdn_id), _read_ids(entry["campaign_ids"], check_campaign_id)
    campaign = CampaignKey(vdn_id, check_campaign_id(entry["campaign_id"]))
    return campaign, _read_ids(entry["batch_ids"], check_batch_id)


def _read_ids(ids: object, check: Callable[[object], Any]) -> list[Any]:
    if not isinstance(ids, list):
        raise TypeError
    return [check(each) for each in ids]


def _merge(some: Noted, more: Mapping[VdnKey, Iterable[Any]]) -> Noted:
    return some | {key: list(dict.fromkeys([*some.get(key, ()), *ids])) for key, ids in more.items()}
