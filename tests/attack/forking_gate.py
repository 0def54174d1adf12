"""Fork again and again while other threads use a gate, and print how many children it held up."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

from airflow_provider_isales.client.gate import Gate

SECONDS_OF_A_CHILD = 60.0


def use(gate: Gate) -> None:
    gate.hold(0, too_fast=True)
    gate.pass_through(time.monotonic() + 60)


def hangs(child: int) -> bool:
    until = time.monotonic() + SECONDS_OF_A_CHILD
    while time.monotonic() < until:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main(forks: str) -> None:
    gate, ended, hung = Gate(), threading.Event(), 0

    def go_on() -> None:
        while not ended.is_set():
            gate.hold(0, too_fast=True)

    threads = [threading.Thread(target=go_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(int(forks)):
        if not (child := os.fork()):
            use(gate)
            os._exit(0)
        hung += hangs(child)
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"forks": int(forks), "hung": hung}))


if __name__ == "__main__":
    main(*sys.argv[1:])
