"""Work through a queue with several threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """An iterator that many threads share: each item goes to one of them."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = deque(items)  # safe for many threads

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return self._items.popleft()
        except IndexError:
            raise StopIteration from None

    def put(self, item: T) -> None:
        """Add an item at the end."""
        self._items.append(item)

    @property
    def left(self) -> int:
        """How many items are waiting."""
        return len(self._items)


def run_threads(
    queue: Queue[T],
    work: Callable[[Queue[T]], None],
    parallel: int,
    tick: Callable[[], None] = lambda: None,
    tick_seconds: float = 5.0,
) -> None:
    """
    Run ``work`` on a queue in at most ``parallel`` threads, and wait for all of them.

    :param work: iterates over the queue in each thread; it must not raise
    :param tick: called every ``tick_seconds`` meanwhile
    """
    threads: list[threading.Thread] = []
    for number in range(min(parallel, queue.left)):
        # Daemon threads, so that interpreter shutdown does not wait for pending responses.
        thread = threading.Thread(target=work, args=(queue,), name=f"isales-{number}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine allows no more threads: go on with fewer
            if not threads:
                raise
            break
        threads.append(thread)
    for thread in threads:
        while thread.is_alive():
            thread.join(tick_seconds)
            if thread.is_alive():
                tick()
