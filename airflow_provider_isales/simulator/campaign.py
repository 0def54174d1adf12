"""A campaign with its batches, as somebody in the console may edit it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from airflow_provider_isales.client.models import BatchStatus, CallBatch
from airflow_provider_isales.client.text import SURROGATES, format_value

#: The fields of ``scheduleParam``.
HOURS = tuple(
    f"{kind}{edge}Time{number}" for kind in ("workday", "holiday") for number in (1, 2, 3) for edge in ("Begin", "End")
)
MAX_SPECIAL_DATES = 20
MAX_BATCHES = 1000
_SPECIAL_DATE = ("name", "type", "week", "beginTime", "endTime")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?")


class CampaignState(StrEnum):
    """The states of a campaign; one that is executing may not have begun yet."""

    DRAFT = "draft"
    EXECUTING = "executing"
    SUSPENDED = "suspended"
    COMPLETED = "completed"


class Campaign:
    """
    A campaign and its batches. All attributes may be set while the simulator runs.

    :param id: the campaign id
    :param name: its name
    :param state: its state; while it is suspended, its batches can't be suspended
    :param begin: when it begins: ``yyyy-MM-dd HH:mm:ss`` or the date alone, in the platform's time zone
    :param end: when it ends, likewise; nothing happens at that time by itself
    :param hours: when it dials, by the reference's names: ``{"workdayBeginTime1": "09:00", ...}``
    :param special_dates: at most 20, as the reference writes them but without ``id``
    :param max_batches: how many batches it may hold
    :raises ValueError: for a value that is not allowed
    """

    def __init__(
        self,
        id: int,
        *,
        name: str = "",
        state: CampaignState | str = CampaignState.EXECUTING,
        begin: str = "2020-01-01 00:00:00",
        end: str = "2099-12-31 23:59:59",
        hours: Mapping[str, str | None] | None = None,
        special_dates: Iterable[Mapping[str, Any]] = (),
        max_batches: int = MAX_BATCHES,
    ) -> None:
        self.id = id
        self.name = _check_name(name or f"campaign-{id}")
        self.begin = _check_time(begin)
        self.end = _check_time(end)
        self.hours = _check_hours(hours or {})
        self.special_dates = _check_special_dates([*special_dates])
        #: Its ``deviceType`` in responses.
        self.device_type = 3
        self.max_batches = max_batches
        #: The batches by their ids, in the order in which they were created.
        self.batches: dict[str, CallBatch] = {}
        #: The state before the last change.
        self.state_before = self._state = _check_state(state)
        #: How often the state was read since its last change, by interface.
        self.reads: Counter[str] = Counter()

    @property
    def state(self) -> CampaignState:
        """Its state."""
        return self._state

    @state.setter
    def state(self, state: CampaignState | str) -> None:
        checked = _check_state(state)
        self.state_before = self._state
        self.reads.clear()
        self._state = checked

    def add_batch(self, name: str = "", status: BatchStatus = BatchStatus.STARTED) -> CallBatch:
        """Add a batch with the next id: 30 digits with leading zeros, which a number would lose."""
        number = next(n for n in itertools.count(len(self.batches) + 1) if self._make_id(n) not in self.batches)
        batch = CallBatch(self._make_id(number), name or f"batch-{number}", status)
        self.batches[batch.id] = batch
        return batch

    def set_status(self, batch_id: str, status: BatchStatus) -> None:
        """Start or suspend a batch, as someone in the console would."""
        batch = self.batches[batch_id]
        self.batches[batch_id] = CallBatch(batch.id, batch.name, status)

    def change(self, changes: object) -> None:
        """
        Change any of :data:`CHECKS` and the statuses of batches, as someone in the console would.

        :param changes: a JSON object, as :meth:`to_json` returns it
        :raises ValueError: it is no such object, or a value or batch id is wrong; then nothing is changed
        """
        checked = check_changes(changes)
        batches = checked.pop("batches", {})
        if not isinstance(batches, dict) or not all(status in ("started", "suspended") for status in batches.values()):
            raise ValueError(
                f"batches must be a JSON object of ids with started or suspended, not {format_value(batches)}"
            )
        if unknown := set(batches) - set(self.batches):
            raise ValueError(f"campaign {self.id} has no batch {format_value(min(unknown))}")
        for name, value in checked.items():
            setattr(self, name, value)
        for batch_id, status in batches.items():
            self.set_status(batch_id, BatchStatus[status.upper()])

    def to_json(self) -> dict[str, Any]:
        """Return the values of :data:`CHECKS`, and the statuses of the batches by id, as JSON."""
        return {
            **{name: getattr(self, name) for name in CHECKS},
            "batches": {batch.id: batch.status.name.lower() for batch in list(self.batches.values())},
        }

    def _make_id(self, number: int) -> str:
        return f"{self.id:015d}{number:015d}"


def check_changes(changes: object) -> dict[str, Any]:
    """
    Check and return a JSON object with any of :data:`CHECKS`, and ``batches``, which is not checked.

    :raises ValueError: for anything else
    """
    names = ["batches", *CHECKS]
    if not isinstance(changes, dict) or not changes or set(changes) - set(names):
        raise ValueError(f"a change is a JSON object with any of {', '.join(names)}, not {format_value(changes)}")
    return {name: CHECKS[name](value) if name in CHECKS else value for name, value in changes.items()}


def parse_time(text: str) -> datetime | None:
    """Return a time in one of the reference's forms, without a zone; None for anything else."""
    try:
        return datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        return None


def _check_name(value: object) -> str:
    if not isinstance(value, str) or not value or not SURROGATES.isdisjoint(value):
        raise ValueError(f"name must be text, not {format_value(value)}")
    return value


def _check_state(value: object) -> CampaignState:
    if not isinstance(value, str) or value not in tuple(CampaignState):
        raise ValueError(f"state must be one of {', '.join(CampaignState)}, not {format_value(value)}")
    return CampaignState(value)


def _check_time(value: object) -> str:
    if not isinstance(value, str) or parse_time(value) is None:
        raise ValueError(f"a time must be yyyy-MM-dd HH:mm:ss or yyyy-MM-dd, not {format_value(value)}")
    return value


def _check_hours(value: object) -> dict[str, str | None]:
    if not isinstance(value, Mapping) or set(value) - set(HOURS):
        raise ValueError(f"hours must be a JSON object with any of {', '.join(HOURS)}, not {format_value(value)}")
    for time in value.values():
        if time not in ("", None) and not (isinstance(time, str) and re.fullmatch("[0-9]{2}:[0-9]{2}", time)):
            raise ValueError(f'hours must be "HH:mm", "" or null, not {format_value(time)}')
    return dict(value)


def _check_special_dates(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_SPECIAL_DATES:
        raise ValueError(f"special_dates must be a list of at most {MAX_SPECIAL_DATES}, not {format_value(value)}")
    for date in value:
        if not isinstance(date, Mapping) or set(date) - set(_SPECIAL_DATE) or date.get("type") not in (1, 2, 3):
            raise ValueError(
                f"a special date is a JSON object with a type of 1, 2 or 3 and any of {', '.join(_SPECIAL_DATE)}, "
                f"not {format_value(date)}"
            )
        if not all(text is None or isinstance(text, str) for name, text in date.items() if name != "type"):
            raise ValueError(f"all but the type of a special date must be text or null, not {format_value(date)}")
    return [dict.fromkeys(_SPECIAL_DATE) | dict(date) for date in value]


#: What can be changed besides batches. Each function returns the value, or raises ``ValueError``.
CHECKS: dict[str, Callable[[object], Any]] = {
    "state": _check_state,
    "name": _check_name,
    "begin": _check_time,
    "end": _check_time,
    "hours": _check_hours,
    "special_dates": _check_special_dates,
}
