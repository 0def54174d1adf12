"""Use a gate that signals interrupt at random moments, and print how often it held other threads up afterwards."""

from __future__ import annotations

import itertools
import json
import random
import signal
import sys
import threading
import time

from airflow_provider_isales.client.gate import Gate

# So many uses lie between two refusals that the gate does not slow down: what it waits is not worth interrupting.
APART = 20


class Interruption(BaseException):
    """An interrupt from outside, like Airflow's task timeout."""


def interrupt(*_: object) -> None:
    raise Interruption


def use(gate: Gate, *, refused: bool = False) -> None:
    gate.hold(0, too_fast=refused)
    gate.sleep(0.00001)
    gate.pass_through(time.monotonic() + 60)


def main(times: str, seed: str) -> None:
    chance, hung = random.Random(seed), 0
    signal.signal(signal.SIGALRM, interrupt)
    gate = Gate()
    uses = itertools.count()
    for _ in range(int(times)):
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00005, 0.0005))
            while True:
                use(gate, refused=next(uses) % APART == 0)
        except Interruption:
            other = threading.Thread(target=use, args=(gate,), daemon=True)
            other.start()
            other.join(60)
            if other.is_alive():
                hung += 1
                gate = Gate()
    print(json.dumps({"interrupted": int(times), "hung": hung}))


if __name__ == "__main__":
    main(*sys.argv[1:])
