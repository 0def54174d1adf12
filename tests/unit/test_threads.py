"""Working through a queue with several threads."""

from __future__ import annotations

import threading

import pytest
from patience import LONG

from airflow_provider_isales.client.threads import Queue, run_threads


def test_each_item_is_handled_once() -> None:
    done: list[int] = []
    run_threads(Queue(range(100)), done.extend, parallel=8)
    assert sorted(done) == [*range(100)]


def test_as_many_items_as_allowed_are_handled_at_once() -> None:
    together = threading.Barrier(4)
    met: list[int] = []

    def work(queue: Queue[int]) -> None:
        for thing in queue:
            together.wait(timeout=LONG)
            met.append(thing)

    run_threads(Queue(range(4)), work, parallel=4)
    assert len(met) == 4


def test_fewer_threads_handle_all_items_if_no_more_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_one(thread: threading.Thread) -> None:
        if thread.name != "isales-0":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    done: list[int] = []
    run_threads(Queue(range(100)), done.extend, parallel=8)
    assert sorted(done) == [*range(100)]


@pytest.mark.parametrize(("things", "threads"), [(2, 2), (10, 3)])
def test_no_more_threads_start_than_there_are_items(things: int, threads: int) -> None:
    started: list[str] = []

    def work(queue: Queue[int]) -> None:
        started.append(threading.current_thread().name)
        for _ in queue:
            pass

    run_threads(Queue(range(things)), work, parallel=3)
    assert len(started) == threads


def test_the_queue_counts_the_remaining_items() -> None:
    queue = Queue("abc")
    next(queue)
    assert queue.left == 2


def test_tick_is_called_while_waiting() -> None:
    ticked = threading.Event()

    def work(queue: Queue[int]) -> None:
        ticked.wait(LONG)

    run_threads(Queue([1]), work, 1, tick=ticked.set, tick_seconds=0.01)
    assert ticked.is_set()
