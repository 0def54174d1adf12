"""Which batches of a campaign a pause has stopped, remembered until a resume has started them again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import check_batch_id
from airflow_provider_isales.client.errors import ISalesArgumentError, ISalesError
from airflow_provider_isales.client.models import CampaignKey, format_iso
from airflow_provider_isales.client.text import format_value

if TYPE_CHECKING:
    from airflow_provider_isales.client.models import BulkResult

log = logging.getLogger(__name__)

# Another task may change the Variable between reading and writing.
_WRITES = 5


class MemoryFailedError(ISalesError):
    """The Variable can't be read or written, or what is in it can't be used."""

    retryable = True
    advice = "Correct or delete it in the UI under Admin, Variables."


class Memory:
    """
    An Airflow Variable with the batches that were paused, as JSON: ``{"batches": [...], "changed_at": "..."}``.

    Airflow can't change a Variable in one step, so each change is read back, and made again if another task's was in
    the way. A pause only adds to it, before its first request and after its last: two pauses at once do not forget each
    other's batches.
    """

    def __init__(self, conn_id: str, campaign: CampaignKey) -> None:
        self.name = f"isales_paused_{conn_id}_{campaign.vdn_id}_{campaign.campaign_id}"
        self._announced: dict[str, None] = {}

    def read(self) -> tuple[list[str] | None, str | None]:
        """
        Return the batches, and since when they are as they are (ISO 8601).

        The batches are None if the Variable is not there, or can't be decrypted: Airflow doesn't tell which.

        :raises MemoryFailedError: the Variable can't be read, or somebody wrote something else into it
        """
        try:
            text = Variable.get(self.name, None)
        except Exception as error:
            raise self._failed("read", error) from error
        if text is None:
            return None, None
        try:
            value = json.loads(text)
            if not isinstance(value["batches"], list):
                raise TypeError("no list")
            batch_ids = [check_batch_id(batch_id) for batch_id in value["batches"]]
            return list(dict.fromkeys(batch_ids)), value.get("changed_at")
        except (ValueError, TypeError, LookupError, AttributeError, ISalesArgumentError):
            raise MemoryFailedError(
                f'the Variable {self.name} must be {{"batches": ["...", ...]}}, with batch ids, '
                f"not {format_value(text)}"
            ) from None

    def announce(self, batch_ids: Collection[str]) -> None:
        """Remember batches that are started and about to be paused. If that fails, they are paused all the same."""
        self._announced |= dict.fromkeys(batch_ids)
        try:
            self.add(batch_ids)
        except MemoryFailedError as error:
            log.error("Could not record the batches to be paused. %s", error)

    def settle(self, result: BulkResult) -> str:
        """Remember what a pause has suspended, and once more what it announced; return what went wrong, or nothing."""
        paused = list(self._announced | dict.fromkeys(result.changed))
        try:
            self.add(paused)
        except MemoryFailedError as error:
            return f"What was paused is not remembered, so resume it by hand: {', '.join(paused)}. {error}"
        return ""

    def add(self, batch_ids: Collection[str]) -> None:
        """Remember batches too."""
        if batch_ids:
            self._change(lambda batches: list(dict.fromkeys([*batches, *batch_ids])))

    def forget_resumed(self, result: BulkResult) -> None:
        """Take out what is started, and what is gone if anything is there: else it may be another platform."""
        if result.changed or result.unchanged:
            self._change(lambda batches: [batch_id for batch_id in batches if batch_id not in result.confirmed])

    def _change(self, change: Callable[[list[str]], list[str]]) -> None:
        for _ in range(_WRITES):
            batches, _since = self.read()
            changed = change(batches or [])
            if changed == (batches or []):
                return
            value: dict[str, Any] = {"batches": changed, "changed_at": format_iso(clock.utc_now())}
            try:
                Variable.set(self.name, json.dumps(value))
            except Exception as error:
                raise self._failed("written", error) from error
        raise MemoryFailedError(f"the Variable {self.name} does not keep what is written into it")

    def _failed(self, what: str, error: Exception) -> MemoryFailedError:
        return MemoryFailedError(f"the Variable {self.name} can't be {what}: {type(error).__name__}: {error}")
