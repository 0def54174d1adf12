"""Which batches of a campaign a pause has stopped, remembered until a resume has started them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_isales.client import ISalesArgumentError, ISalesError
from airflow_provider_isales.client.arguments import check_batch_id
from airflow_provider_isales.client.models import CampaignKey, in_iso
from airflow_provider_isales.client.text import shown

if TYPE_CHECKING:
    from airflow_provider_isales.client import BulkResult

log = logging.getLogger(__name__)

# Another task may change the Variable between reading and writing.
_WRITES = 5


class MemoryFailedError(ISalesError):
    """The Variable can't be read or written."""

    retryable = True
    advice = "Correct or delete it in the UI under Admin, Variables."


class Memory:
    """
    An Airflow Variable with the batches that were paused, as JSON: ``{"batches": [...], "changed_at": "..."}``.

    It can be seen and edited in the UI. Airflow has no way to change a Variable in one step. So each change is read
    back, and made again if another task's was in the way; where two tasks change it within the same few milliseconds,
    one change can still be lost.

    :param conn_id: the connection
    :param campaign: the campaign
    """

    def __init__(self, conn_id: str, campaign: CampaignKey) -> None:
        self.name = f"isales_paused_{conn_id}_{campaign.vdn_id}_{campaign.campaign_id}"

    def read(self) -> tuple[list[str], str | None]:
        """
        Return the batches, and since when they are as they are (ISO 8601); None if that was never written.

        :raises MemoryFailedError: the Variable can't be read, or somebody wrote something else into it
        """
        try:
            text = Variable.get(self.name, None)
        except Exception as error:
            raise self._failed("read", error) from error
        if text is None:
            return [], None
        try:
            value = json.loads(text)
            return [check_batch_id(batch_id) for batch_id in value["batches"]], value.get("changed_at")
        except (ValueError, TypeError, LookupError, AttributeError, ISalesArgumentError):
            raise MemoryFailedError(
                f'the Variable {self.name} must be {{"batches": ["...", ...]}}, with batch ids, not {shown(text)}'
            ) from None

    def add(self, batch_ids: Collection[str]) -> None:
        """Remember batches too."""
        self._change(lambda batches: [*batches, *(each for each in batch_ids if each not in batches)])

    def forget(self, batch_ids: Collection[str]) -> None:
        """Take batches out."""
        self._change(lambda batches: [each for each in batches if each not in batch_ids])

    def _change(self, change: Callable[[list[str]], list[str]]) -> None:
        for _ in range(_WRITES):
            batches, _since = self.read()
            changed = change(batches)
            if changed == batches:
                return
            value: dict[str, Any] = {"batches": changed, "changed_at": in_iso(datetime.now(UTC))}
            try:
                Variable.set(self.name, json.dumps(value))
            except Exception as error:
                raise self._failed("written", error) from error
        raise MemoryFailedError(f"the Variable {self.name} does not keep what is written into it")

    def _failed(self, what: str, error: Exception) -> MemoryFailedError:
        return MemoryFailedError(f"the Variable {self.name} can't be {what}: {type(error).__name__}: {error}")


class Forgetful:
    """For a pause that is not to be remembered."""

    def announce(self, batch_ids: Collection[str]) -> None:
        """Take note of what is about to be paused."""

    def settle(self, result: BulkResult) -> str:
        """Take note of what was paused; return what went wrong in the end."""
        return ""


class Remembering(Forgetful):
    """
    Remembers what one pause stops: first what it is about to stop, should it be killed, then what it stopped.

    That the memory fails is no reason to let it ring: the pause goes on.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._announced: set[str] = set()

    def announce(self, batch_ids: Collection[str]) -> None:
        """Take note of batches that are started and about to be paused."""
        try:
            known, _since = self._memory.read()
            self._announced.update(each for each in batch_ids if each not in known)
            self._memory.add(batch_ids)
        except MemoryFailedError as error:
            log.error("What is about to be paused could not be noted. %s", error)

    def settle(self, result: BulkResult) -> str:
        """
        Take note of what was paused, and forget what somebody else was quicker to suspend.

        :return: what went wrong; empty if all that was paused is remembered
        """
        try:
            self._memory.add(result.changed)
            self._memory.forget(self._announced & {*result.unchanged, *result.gone})
        except MemoryFailedError as error:
            paused = ", ".join(result.changed) or "none"
            return f"What was paused is not remembered, so resume it by hand: {paused}. {error}"
        return ""
