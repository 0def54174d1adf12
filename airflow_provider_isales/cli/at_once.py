"""Many campaigns at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from airflow_provider_isales.client.threads import Queue, run_threads

K = TypeVar("K")
V = TypeVar("V")

TICK_SECONDS = 0.5


def map_each(
    do: Callable[[K], V], items: Collection[K], parallel: int, tick: Callable[[], None] = lambda: None
) -> dict[K, V]:
    """Return what ``do``, which must not raise, returns for each item in other threads; ``tick`` meanwhile in this."""
    done: dict[K, V] = {}

    def work(queue: Queue[K]) -> None:
        for item in queue:
            done[item] = do(item)

    run_threads(Queue(items), work, parallel, tick, TICK_SECONDS)
    tick()
    return {item: done[item] for item in items}
