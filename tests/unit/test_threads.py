"""Working through a queue with several threads."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_isales.client.threads import Queue, run_threads


def test_each_thing_is_worked_on_once() -> None:
    done: list[int] = []
    run_threads(Queue(range(100)), done.extend, parallel=8)
    assert sorted(done) == [*range(100)]


def test_as_many_are_under_way_at_once_as_are_allowed() -> None:
    together = threading.Barrier(4)
    met: list[int] = []

    def work(queue: Queue[int]) -> None:
        for thing in queue:
            together.wait(timeout=10)
            met.append(thing)

    run_threads(Queue(range(4)), work, parallel=4)
    assert len(met) == 4


def test_fewer_threads_do_all_the_work_where_the_machine_allows_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_there_are_no_more_threads_than_are_of_use(things: int, threads: int) -> None:
    started: list[str] = []

    def work(queue: Queue[int]) -> None:
        started.append(threading.current_thread().name)
        for _ in queue:
            pass

    run_threads(Queue(range(things)), work, parallel=3)
    assert len(started) == threads


def test_the_queue_says_how_much_is_left() -> None:
    queue = Queue("abc")
    next(queue)
    assert queue.left == 2


def test_it_is_told_meanwhile_that_time_goes_by() -> None:
    ticked = threading.Event()

    def work(queue: Queue[int]) -> None:
        ticked.wait(10)

    run_threads(Queue([1]), work, 1, tick=ticked.set, tick_seconds=0.01)
    assert ticked.is_set()
