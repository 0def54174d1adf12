"""Make calls that signals interrupt at random moments, each for a campaign of its own, and print what came of them."""

from __future__ import annotations

import json
import random
import signal
import sys

from airflow_provider_isales.client import ISalesClient


class Interruption(BaseException):
    """An interrupt from outside, like Airflow's task timeout."""


def interrupt(*_: object) -> None:
    raise Interruption


def main(port: str, ca_file: str, calls: str, seed: str) -> None:
    chance, found = random.Random(seed), {"own": 0, "interrupted": 0}
    signal.signal(signal.SIGALRM, interrupt)
    with ISalesClient(
        "127.0.0.1", "attacker", "attacked-secret-key", vdn_id=25, port=int(port), verify=ca_file, timeout=5
    ) as client:
        for campaign in range(1, int(calls) + 1):
            batch = str(2 * campaign)
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00005, 0.003))
                    answer = client.pause_call_batch(campaign, batch)
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                found["own"] += answer.result_desc == batch
            except Interruption:
                found["interrupted"] += 1
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
