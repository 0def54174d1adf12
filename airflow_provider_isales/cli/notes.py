"""A file that notes which batches a pause found started, so that a resume starts exactly those."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import uuid4

from airflow_provider_isales.cli.output import UsageError
from airflow_provider_isales.client.arguments import check_batch_id, make_campaign_key
from airflow_provider_isales.client.models import CampaignKey

Noted = dict[CampaignKey, list[str]]

# Others hold the lock for milliseconds. One that was stopped meanwhile must not keep anybody from pausing.
_LOCK_SECONDS = 10.0


class Notes:
    """
    JSON such as ``{"campaigns": [{"vdn_id": 25, "campaign_id": 1001, "batch_ids": ["..."]}]}``.

    A pause adds to it, so that a second try does not forget what the first one stopped; a resume removes what is
    started again. Each change is one rename, so the file is always whole; several processes may change it at once.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        #: Why the file lacks what was noted last; empty if it does not.
        self.problem = ""
        #: What this process noted, also if the file lacks it.
        self.added: Noted = {}
        self._lock = Lock()
        self._patience = _LOCK_SECONDS

    def read(self) -> Noted:
        """Return what is noted; a ``UsageError`` if the file can't be read, or holds something else."""
        noted: Noted = {}
        try:
            for entry in json.loads(self.path.read_text(encoding="utf-8"))["campaigns"]:
                if not isinstance(entry["batch_ids"], list):
                    raise TypeError
                campaign = make_campaign_key(entry["vdn_id"], entry["campaign_id"])
                noted = _merge(noted, {campaign: map(check_batch_id, entry["batch_ids"])})
        except OSError as error:
            raise UsageError(f"{self.path} can't be read: {error}") from None
        except (ValueError, TypeError, LookupError, RecursionError):
            raise UsageError(f"{self.path} is not a file that `isales pause --save` wrote") from None
        return noted

    def add(self, batches: Mapping[CampaignKey, Iterable[str]]) -> None:
        """Note batches too. A failure is no reason to leave them started: ``problem`` says what went wrong."""
        with self._lock:
            self.added = _merge(self.added, batches)
            self._change(lambda noted: _merge(noted, self.added))

    def remove(self, batches: Mapping[CampaignKey, Collection[str]]) -> None:
        """Remove batches; on failure ``problem`` says what went wrong."""

        def change(noted: Noted) -> Noted:
            return {key: [each for each in ids if each not in batches.get(key, ())] for key, ids in noted.items()}

        with self._lock:
            self._change(change)

    def _change(self, change: Callable[[Noted], Noted]) -> None:
        try:
            with self._locked_folder():
                self._write(change(self.read() if self.path.exists() else {}))
            self.problem = ""
        except (OSError, UsageError) as error:
            self.problem = f"{self.path} can't be written: {error}"

    @contextmanager
    def _locked_folder(self) -> Iterator[None]:
        """Keep other processes from changing the file. Its folder is locked, since the file itself is replaced."""
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
            raise UsageError("it is no file")
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
    """Return what such a file holds."""
    entries = [{**vars(campaign), "batch_ids": batch_ids} for campaign, batch_ids in noted.items() if batch_ids]
    return json.dumps({"campaigns": entries}, indent=2)


def _merge(some: Noted, more: Mapping[CampaignKey, Iterable[str]]) -> Noted:
    return some | {key: list(dict.fromkeys([*some.get(key, ()), *batch_ids])) for key, batch_ids in more.items()}
