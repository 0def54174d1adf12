"""Many campaigns at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.threads import Queue, run_threads

#: How many campaigns are read at once; a client has as many connections, unless told otherwise.
PARALLEL = 8

K = TypeVar("K")
V = TypeVar("V")


def format_error(error: Exception) -> str:
    """Return what went wrong with one campaign. Not even a bug may keep the others from being handled."""
    return str(error) if isinstance(error, ISalesError) else f"unexpected {type(error).__name__}: {error}"


def map_each(do: Callable[[K], V], items: Collection[K], parallel: int = PARALLEL) -> dict[K, V]:
    """Return what ``do``, which must not raise, returns for each item, in other threads."""
    done: dict[K, V] = {}

    def work(queue: Queue[K]) -> None:
        for item in queue:
            done[item] = do(item)

    run_threads(Queue(items), work, parallel)
    return {item: done[item] for item in items}
