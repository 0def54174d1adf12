"""Many campaigns at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from airflow_provider_isales.client.threads import Queue, work_off

T = TypeVar("T")

TICK_SECONDS = 0.5


def run_each(
    do: Callable[[T], None], items: Collection[T], parallel: int, tick: Callable[[], None] = lambda: None
) -> None:
    """Call ``do``, which must not raise, for all items in other threads; meanwhile and at the end ``tick`` in this."""

    def work(queue: Queue[T]) -> None:
        for item in queue:
            do(item)

    work_off(Queue(items), work, parallel, tick, TICK_SECONDS)
    tick()
