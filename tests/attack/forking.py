"""Forks again and again in the middle of calls, as a worker may; parent and child go on with the same client."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import time

from airflow_provider_isales.client import ISalesBatchNotFoundError, ISalesClient, ISalesError, RetryPolicy

CALLS = 12
SECONDS_OF_A_CHILD = 60.0


def got_another(client: ISalesClient, batch: int) -> bool:
    try:
        return client.pause_call_batch(7, str(batch)).result_desc != str(batch)
    except ISalesBatchNotFoundError as error:
        return error.description != str(batch)


class Forking:
    def __init__(self, client: ISalesClient) -> None:
        self.client = client
        self.numbers = itertools.count(1)
        self.ended = threading.Event()
        self.found = {"forks": 0, "calls": 0, "wrong": 0, "hung": 0, "failed": 0}

    def calls(self, first: int, count: int) -> None:
        for batch in range(first, first + count):
            self.found["calls"] += 1
            try:
                self.found["wrong"] += got_another(self.client, batch)
            except ISalesError:
                self.found["failed"] += 1

    def go_on(self) -> None:
        """Call until the end, as the other threads of a worker do."""
        while not self.ended.is_set():
            self.calls(next(self.numbers) * 100, 5)

    def fork(self) -> None:
        self.calls(next(self.numbers) * 100, 2)  # so that there are connections to inherit
        first = next(self.numbers) * 100
        if not (child := os.fork()):
            self.found.update(calls=0, wrong=0, failed=0)
            self.calls(first, CALLS)
            os._exit(min(self.found["wrong"] + self.found["failed"], 255))
        self.calls(first + CALLS, CALLS)
        self.found["forks"] += 1
        self.found["calls"] += CALLS
        self.wait(child)

    def wait(self, child: int) -> None:
        until = time.monotonic() + SECONDS_OF_A_CHILD
        while time.monotonic() < until:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                self.found["wrong"] += os.waitstatus_to_exitcode(status) != 0
                return
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.found["hung"] += 1


def main(port: str, ca_file: str, forks: str) -> None:
    with ISalesClient(
        "127.0.0.1", "attacker", "attacked-secret-key", vdn_id=25, port=int(port), verify=ca_file, timeout=30,
        retry=RetryPolicy(attempts=1),
    ) as client:  # fmt: skip
        forking = Forking(client)
        threads = [threading.Thread(target=forking.go_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(int(forks)):
                forking.fork()
        finally:
            forking.ended.set()
            for thread in threads:
                thread.join()
    print(json.dumps(forking.found))


if __name__ == "__main__":
    main(*sys.argv[1:])
