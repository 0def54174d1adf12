"""Working through a queue with several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """Hands each of some things to one thread."""

    def __init__(self, things: Collection[T]) -> None:
        self._lock = threading.Lock()
        self._things = iter(things)
        self.left = len(things)
        self.taken = 0

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            thing = next(self._things)
            self.left -= 1
            self.taken += 1
            return thing


def work_off(
    queue: Queue[T],
    work: Callable[[Queue[T]], None],
    parallel: int,
    tick: Callable[[], None] = lambda: None,
    tick_seconds: float = 5.0,
) -> None:
    """
    Have threads work through a queue, and wait for all of them.

    :param queue: the queue
    :param work: what each thread does with it; it must not raise
    :param parallel: how many threads there are at most
    :param tick: is called every few seconds meanwhile
    :param tick_seconds: how often
    """
    threads: list[threading.Thread] = []
    for number in range(min(parallel, queue.left)):
        # Daemons: an interpreter that ends does not wait for their answers.
        thread = threading.Thread(target=work, args=(queue,), name=f"isales-{number}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine allows no more threads: fewer do the work
            if not threads:
                raise
            break
        threads.append(thread)
    for thread in threads:
        while thread.is_alive():
            thread.join(tick_seconds)
            if thread.is_alive():
                tick()
