"""Publishes the result of a pause as Airflow metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.providers.common.compat.sdk import Stats


def send_metrics(record: Mapping[str, Any], kind: str) -> None:
    """
    Send the metrics of a pause. If the metrics backend drops tags, the gauge only has the seconds of the last pause.

    :param record: the result of the task
    :param kind: what is counted: ``batches`` or ``campaigns``
    """
    tags = {name: str(record[name]) for name in ("vdn_id", "campaign_id") if name in record}
    for name in ("paused", "already_paused", "failed"):
        count = len(record[name]) if name in record else int(record["outcome"] == name)
        Stats.incr(f"isales.{kind}.{name}", count, tags=tags)
    Stats.incr(f"isales.{kind}.stray", len(record.get("late", ())), tags=tags)
    if (seconds := record.get("seconds_after_shift_end")) is not None:
        # StatsD would treat a negative value as a decrease.
        Stats.gauge("isales.pause.seconds_after_shift_end", max(0.0, seconds), tags=tags)
