"""How late a pause was: the batches that were still started long after the end of the shift."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from airflow_provider_isales.client.text import after_the_end, first_few


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
    return (
        f"{len(late)} {were} still started {after_the_end(max(late.values()), shift_end)}; {they} paused now. Someone "
        f"restarted {them}, or the pause at the end did not run. Batches: {first_few(late)}."
    )
