"""Make one call in a process of its own, and print how far its memory rose above what it was at rest."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import sys
from pathlib import Path

from airflow_provider_isales.client import ISalesClient, ISalesError, RetryPolicy

_SELF = Path("/proc/self")


def peak_megabytes() -> float:
    """The largest memory so far; on Linux, since the last reset."""
    with contextlib.suppress(OSError, TypeError):
        return int(re.search(r"VmHWM:\s+(\d+) kB", (_SELF / "status").read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(port: str, ca_file: str) -> None:
    with ISalesClient(
        "127.0.0.1", "attacker", "attacked-secret-key", vdn_id=25, port=int(port), verify=ca_file, timeout=5,
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
    print(json.dumps({"megabytes": max(0.0, peak_megabytes() - at_rest), "error": error}))


if __name__ == "__main__":
    main(*sys.argv[1:])
