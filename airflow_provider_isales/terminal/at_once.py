"""Many campaigns at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

TICK_SECONDS = 0.5


def each(do: Callable[[T], None], items: Iterable[T], parallel: int, tick: Callable[[], None] = lambda: None) -> None:
    """
    Do something for each of many, and return when it is done for all.

    :param do: is called in other threads; it must deal with its own errors
    :param items: the many
    :param parallel: for how many at once
    :param tick: is called in this thread, every half second and at the end
    """
    waiting = list(items)[::-1]

    def work() -> None:
        while waiting:
            try:
                item = waiting.pop()
            except IndexError:  # another thread was quicker
                return
            do(item)

    # Daemons, so that an interrupted command ends though a request is under way.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(parallel, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(TICK_SECONDS)
            tick()
    tick()
