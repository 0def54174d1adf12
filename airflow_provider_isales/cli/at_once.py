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
    """
    Do something for each of many, several at once, and return when it is done for all.

    :param do: is called in other threads; it must deal with its own errors
    :param tick: is called in this thread, every half second and at the end
    """

    def work(queue: Queue[T]) -> None:
        for item in queue:
            do(item)

    work_off(Queue(items), work, parallel, tick, TICK_SECONDS)
    tick()
