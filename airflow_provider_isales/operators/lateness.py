"""How late a pause was: the batches that were still started long after the end of the shift."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from airflow_provider_isales.client.text import in_words

_FEW = 10


def late_batches(
    asked_at: Mapping[str, datetime], shift_end: datetime, max_lateness: timedelta
) -> dict[str, timedelta]:
    """
    Return which batches were still started too long after the end of a shift, and how long after.

    :param asked_at: when each that was started was asked to be paused: until then it was started
    :param shift_end: the end of the shift
    :param max_lateness: how long after it a batch may be started
    """
    lateness = {batch_id: asked - shift_end for batch_id, asked in asked_at.items()}
    return {batch_id: late for batch_id, late in lateness.items() if late > max_lateness}


def told(late: Mapping[str, timedelta], shift_end: datetime) -> str:
    """Say in words which batches were late; the end in the time zone that it is given in."""
    were, they, them = ("batch was", "it is", "it") if len(late) == 1 else ("batches were", "they are", "them")
    named = ", ".join([*list(late)[:_FEW], *(["..."] if len(late) > _FEW else [])])
    return (
        f"{len(late)} {were} still started {in_words(max(late.values()))} after the end of the shift at "
        f"{shift_end:%H:%M} on {shift_end:%a %Y-%m-%d}; {they} paused now. Someone restarted {them}, or the pause at "
        f"the end did not run. Batches: {named}."
    )
