"""Records in an Airflow Variable what a pause stopped, until a resume starts it again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import ALL
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.models import format_iso
from airflow_provider_isales.client.text import format_value, join_named

if TYPE_CHECKING:
    from airflow_provider_isales.client.models import BulkResult

log = logging.getLogger(__name__)

# How often a change is attempted: another task may write the Variable between our read and write.
_WRITES = 5
# How long completed pauses are kept: longer than any night or holiday.
_KEEP_COMPLETED = timedelta(days=14)


@dataclass(frozen=True)
class Remembered:
    """
    The content of the Variable.

    :param ids: None if the Variable does not exist or can't be decrypted: Airflow does not say which
    :param changed_at: when the ids changed last (ISO 8601)
    :param completed: the completed pauses: ``shift_end``, ``ids`` (a list or ``"all"``), ``exclude``, and
        ``select`` if they had one
    :param timezone: of the calendar that paused the ids; None if there was none
    :param zones: by id as text, the time zones of those that another calendar paused; empty for none
    """

    ids: list[Any] | None = None
    changed_at: str | None = None
    completed: list[Mapping[str, Any]] = field(default_factory=list)
    timezone: str | None = None
    zones: Mapping[str, str] = field(default_factory=dict)


class MemoryFailedError(ISalesError):
    """The Variable can't be read or written, or has unusable content."""

    retryable = True
    advice = "Correct or delete it in the UI under Admin, Variables."


@dataclass
class Memory:
    """
    An Airflow Variable with the ids of what was paused, as JSON: ``{"batches": [...], "changed_at": "..."}``.

    Airflow can't change a Variable atomically, so each change is read back, and repeated if another task overwrote it.
    A pause adds ids before its first request and after its last, and removes only campaigns that turn out not to be
    running, so that parallel pauses lose none.

    With ``shift_end`` the JSON also has ``"completed"``: the completed pauses, each with its shift end and the ids that
    it covered. What a later pause for the same end finds started was started since, so it is not recorded: the next
    resume starts exactly what the first pause stopped.

    Calendars of several time zones may share the Variable, and one zone's morning is another's night. So the JSON has
    the ``"timezone"`` of the ids, and in ``"zones"`` only the exceptions, so that people can read it.

    :param name: the Variable's name
    :param kind: what the ids are of, which is their key in the JSON
    :param check_id: returns the id to use, or raises ``ISalesArgumentError``
    :param shift_end: the shift end that a pause is for; None to record whatever it pauses
    :param select: the part of a name that a pause selects by; None if it does not
    :param timezone: the calendar's; None without a calendar
    """

    name: str
    kind: str
    check_id: Callable[[object], Any]
    shift_end: datetime | None = None
    select: str | None = None
    timezone: str | None = None
    #: What was paused but not recorded, because it was started after a completed pause for the same end.
    not_remembered: list[Any] = field(default_factory=list, init=False)
    _announced: dict[Any, None] = field(default_factory=dict, init=False)
    #: The pauses that had completed when this one began; None until they are read.
    _completed: list[Mapping[str, Any]] | None = field(default=None, init=False)

    def read(self) -> Remembered:
        """
        Return the content of the Variable.

        :raises MemoryFailedError: it can't be read, or is not the JSON that a memory writes
        """
        try:
            text = Variable.get(self.name, None)
        except Exception as error:
            raise self._make_error("read", error) from error
        if text is None:
            return Remembered()
        try:
            value = json.loads(text)
            if not isinstance(value[self.kind], list):
                raise TypeError("no list")
            ids = list(dict.fromkeys(map(self.check_id, value[self.kind])))
        except (ValueError, TypeError, LookupError):  # ISalesArgumentError is a ValueError
            raise MemoryFailedError(
                f'the Variable {self.name} must be {{"{self.kind}": ["...", ...]}}, with their ids, '
                f"not {format_value(text)}"
            ) from None
        completed, zones = value.get("completed"), value.get("zones")
        pauses = filter(_is_completed_pause, completed) if isinstance(completed, list) else ()
        zones = zones if isinstance(zones, dict) else {}
        return Remembered(ids, value.get("changed_at"), list(pauses), value.get("timezone"), zones)

    def find_others(self, known: Remembered) -> dict[Any, str]:
        """Return the ids that a calendar of another time zone paused, with that zone."""
        if self.timezone is None:
            return {}
        zones = {each: known.zones.get(str(each), known.timezone) for each in known.ids or []}
        # Text alone: somebody may have edited the Variable.
        return {each: zone for each, zone in zones.items() if isinstance(zone, str) and zone not in ("", self.timezone)}

    def announce(self, ids: Collection[Any]) -> None:
        """Record ids before they are paused. If that fails, log a warning, because the pause has to go on."""
        try:
            ids = self._select_to_remember(ids)
            self._announced |= dict.fromkeys(ids)
            if ids:
                self._change(lambda known: self._add_ids(known, ids))
        except MemoryFailedError as error:
            self._announced |= dict.fromkeys(ids)
            log.warning("Could not record the %s to be paused: %s", self.kind, error)

    def settle(self, result: BulkResult, completed: Collection[Any] | Literal["all"] = ()) -> str:
        """
        Record what a pause suspended and, again, what it announced, unless it is not running.

        Return an error message, empty on success.

        :param completed: the ids that a completed pause covered: if they are started later, they are not recorded
        """
        idle = result.not_running
        paused = [each for each in self._announced | dict.fromkeys(result.changed) if each not in idle]
        try:
            paused = self._select_to_remember(paused)
            kept = self._change(
                lambda known: self._add_completed(
                    self._add_ids(known, paused, without=idle), completed, result.excluded
                )
            )
            self.not_remembered = [each for each in result.changed if each not in (kept.ids or [])]
        except MemoryFailedError as error:
            ids = ", ".join(map(str, paused))
            return f"Could not record what was paused, so resume it by hand: {ids}. Reason: {error}"
        return ""

    def describe_not_remembered(self, result: BulkResult) -> str:
        """Say what was paused but will not be resumed; empty if there is nothing."""
        ids = self.not_remembered
        if not ids or self.shift_end is None:
            return ""
        are, they, them = ("is", "it was", "it") if len(ids) == 1 else ("are", "they were", "them")
        return (
            f"{join_named(ids, result.to_dict().get('names', {}))} {are} not remembered: {they} started after the "
            f"pause of {self.shift_end:%H:%M}, so the next resume leaves {them} suspended."
        )

    def forget_resumed(self, result: BulkResult) -> None:
        """
        Remove what was confirmed as started or gone, unless nothing was found: that may be another platform.

        Also remove the completed pauses that covered any of it, so that the next pause records it again.
        """

        confirmed = {*result.confirmed}

        def forget(known: Remembered) -> Remembered:
            ids = [each for each in known.ids or [] if each not in confirmed]
            completed = [
                pause for pause in known.completed if not any(self._is_covered(each, pause) for each in confirmed)
            ]
            return replace(known, ids=ids, completed=completed)

        if result.found_any:
            self._change(forget)

    def _add_ids(self, known: Remembered, ids: Collection[Any], without: Collection[Any] = ()) -> Remembered:
        before = known.ids or []
        timezone = known.timezone if before else self.timezone
        is_exception = timezone != self.timezone
        zones = {str(each): self.timezone or "" for each in ids if is_exception and each not in before}
        added = [each for each in dict.fromkeys([*before, *ids]) if each not in without]
        return replace(known, ids=added, timezone=timezone, zones={**known.zones, **zones})

    def _select_to_remember(self, ids: Collection[Any]) -> list[Any]:
        """Return the ids that no completed pause for this or a later shift end covered."""
        if self._completed is None:
            self._completed = [
                pause
                for pause in self.read().completed
                if self.shift_end and datetime.fromisoformat(pause["shift_end"]) >= self.shift_end
            ]
        return [each for each in ids if not any(self._is_covered(each, pause) for pause in self._completed)]

    def _is_covered(self, item_id: Any, pause: Mapping[str, Any]) -> bool:
        """Return whether a completed pause covered this id of the present pause."""
        if pause["ids"] == ALL or (self.select is not None and pause.get("select") == self.select):
            return item_id not in pause["exclude"]
        return item_id in pause["ids"]

    def _add_completed(
        self, known: Remembered, ids: Collection[Any] | Literal["all"], exclude: Collection[Any]
    ) -> Remembered:
        if self.shift_end is None or not ids:
            return known
        pause = {
            "shift_end": self.shift_end.isoformat(),
            "ids": ids if ids == ALL else sorted(ids),
            "exclude": sorted(exclude),
            **({"select": self.select} if self.select else {}),
        }
        if pause in known.completed:
            return known
        kept = [
            each
            for each in known.completed
            if datetime.fromisoformat(each["shift_end"]) > self.shift_end - _KEEP_COMPLETED
        ]
        return replace(known, completed=[*kept, pause])

    def _change(self, change: Callable[[Remembered], Remembered]) -> Remembered:
        """Change the content until it is read back unchanged; return it."""
        for _ in range(_WRITES):
            known = self.read()
            changed = change(known)
            is_same = (changed.ids or []) == (known.ids or [])
            if is_same and changed.completed == known.completed:
                return known
            zones = {str(each): changed.zones[str(each)] for each in changed.ids or [] if str(each) in changed.zones}
            value = {
                self.kind: changed.ids or [],
                "changed_at": known.changed_at if is_same and known.ids is not None else format_iso(clock.utc_now()),
                **({"completed": changed.completed} if changed.completed else {}),
                **({"timezone": changed.timezone} if changed.timezone else {}),
                **({"zones": zones} if zones else {}),
            }
            try:
                Variable.set(self.name, json.dumps(value))
            except Exception as error:
                raise self._make_error("written", error) from error
        raise MemoryFailedError(
            f"the Variable {self.name} had another value whenever it was read back: another task, a secrets backend or "
            "the environment overrides it"
        )

    def _make_error(self, done: str, error: Exception) -> MemoryFailedError:
        return MemoryFailedError(f"the Variable {self.name} can't be {done}: {type(error).__name__}: {error}")


def _is_completed_pause(value: Any) -> bool:
    """Return whether an entry is well-formed. To ignore a malformed one only records more."""
    try:
        has_zone = datetime.fromisoformat(value["shift_end"]).utcoffset() is not None
        has_ids = value["ids"] == ALL or isinstance(value["ids"], list)
        return has_zone and has_ids and isinstance(value["exclude"], list)
    except (ValueError, TypeError, LookupError):
        return False
