"""
Make a call to each port that is read, and print how far the memory of the process rose above what it was at rest.

Each call has a process of its own, which is forked: nothing that a call leaves behind hides what the next one takes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import sys
from pathlib import Path

from airflow_provider_isales.client import ISalesClient, ISalesError, RetryPolicy

_SELF = Path("/proc/self")


def peak_megabytes() -> float:
    """The largest memory so far; on Linux, since the last reset."""
    with contextlib.suppress(OSError, TypeError):
        return int(re.search(r"VmHWM:\s+(\d+) kB", (_SELF / "status").read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(ca_file: str) -> None:
    for port in sys.stdin:
        if os.fork() == 0:
            signal.alarm(60)
            call(int(port), ca_file)
            break
        if os.wait()[1]:
            sys.exit("the call failed in a way of its own")


def call(port: int, ca_file: str) -> None:
    with ISalesClient(
        "127.0.0.1", "attacker", "attacked-secret-key", vdn_id=25, port=port, verify=ca_file, timeout=5,
        retry=RetryPolicy(attempts=1),
    ) as client:  # fmt: skip
        with contextlib.suppress(OSError):
            (_SELF / "clear_refs").write_text("5")
        at_rest = peak_megabytes()
        error = "success"
        try:
            client.pause_call_batch(7, "1")
        except ISalesError as failure:
            error = type(failure).__name__
    print(json.dumps({"megabytes": max(0.0, peak_megabytes() - at_rest), "error": error}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
