"""Handling many campaigns in parallel."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.threads import Queue, run_threads

#: How many campaigns are read in parallel, and the default number of a client's connections.
MAX_PARALLEL = 8

K = TypeVar("K")
V = TypeVar("V")


def format_error(error: Exception) -> str:
    """Return what went wrong with one campaign; even a bug must not stop the others."""
    return str(error) if isinstance(error, ISalesError) else f"unexpected {type(error).__name__}: {error}"


def map_each(do: Callable[[K], V], items: Collection[K], parallel: int = MAX_PARALLEL) -> dict[K, V]:
    """Call ``do``, which must not raise, for each item in threads; return the results in the order of the items."""
    done: dict[K, V] = {}

    def work(queue: Queue[K]) -> None:
        for item in queue:
            done[item] = do(item)

    run_threads(Queue(items), work, parallel)
    return {item: done[item] for item in items}
