"""What a pause has stopped, remembered until a resume has started it again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_isales import clock
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import format_iso
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
    An Airflow Variable with the ids of what was paused, as JSON: ``{"batches": [...], "changed_at": "..."}``.

    Airflow can't change a Variable in one step, so each change is read back, and made again if another task's was in
    the way. A pause only adds to it, before its first request and after its last: two pauses at once do not forget each
    other's ids.

    :param name: the Variable's name
    :param kind: what the ids are of, which is their key in the JSON
    :param check_id: returns an id to use, or raises ``ISalesArgumentError``
    """

    def __init__(self, name: str, kind: str, check_id: Callable[[object], Any]) -> None:
        self.name = name
        self._kind = kind
        self._check_id = check_id
        self._announced: dict[Any, None] = {}

    def read(self) -> tuple[list[Any] | None, str | None]:
        """
        Return the ids, and since when they are as they are (ISO 8601).

        The ids are None if the Variable is not there, or can't be decrypted: Airflow doesn't tell which.

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
            if not isinstance(value[self._kind], list):
                raise TypeError("no list")
            return list(dict.fromkeys(map(self._check_id, value[self._kind]))), value.get("changed_at")
        except (ValueError, TypeError, LookupError, AttributeError):  # ISalesArgumentError is a ValueError
            raise MemoryFailedError(
                f'the Variable {self.name} must be {{"{self._kind}": ["...", ...]}}, with their ids, '
                f"not {format_value(text)}"
            ) from None

    def announce(self, ids: Collection[Any]) -> None:
        """Remember what is started and about to be paused. If that fails, it is paused all the same."""
        self._announced |= dict.fromkeys(ids)
        try:
            self.add(ids)
        except MemoryFailedError as error:
            log.error("Could not record the %s to be paused. %s", self._kind, error)

    def settle(self, result: BulkResult) -> str:
        """Remember what a pause has suspended, and once more what it announced; return what went wrong, or nothing."""
        paused = list(self._announced | dict.fromkeys(result.changed))
        try:
            self.add(paused)
        except MemoryFailedError as error:
            return f"What was paused is not remembered, so resume it by hand: {', '.join(map(str, paused))}. {error}"
        return ""

    def add(self, ids: Collection[Any]) -> None:
        """Remember these ids too."""
        if ids:
            self._change(lambda known: list(dict.fromkeys([*known, *ids])))

    def forget_resumed(self, result: BulkResult) -> None:
        """Take out what is started, and what is gone if anything is there: else it may be another platform."""
        if result.changed or result.unchanged or result.not_running:
            self._change(lambda known: [each for each in known if each not in result.confirmed])

    def _change(self, change: Callable[[list[Any]], list[Any]]) -> None:
        for _ in range(_WRITES):
            known = self.read()[0] or []
            changed = change(known)
            if changed == known:
                return
            try:
                Variable.set(self.name, json.dumps({self._kind: changed, "changed_at": format_iso(clock.utc_now())}))
            except Exception as error:
                raise self._failed("written", error) from error
        raise MemoryFailedError(f"the Variable {self.name} does not keep what is written into it")

    def _failed(self, what: str, error: Exception) -> MemoryFailedError:
        return MemoryFailedError(f"the Variable {self.name} can't be {what}: {type(error).__name__}: {error}")
