"""All benchmarks in one run: prints one table, writes it to ``RESULTS.md``, and draws the plot of the docs."""

from __future__ import annotations

import logging
import os
import platform
import re
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

# Before anything imports Airflow: its home is not the user's, and its connections are the benchmarks'.
_home = tempfile.TemporaryDirectory()
os.environ |= {"AIRFLOW_HOME": _home.name, "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}

import client  # noqa: E402
import on_airflow  # noqa: E402
import plot  # noqa: E402
import shifts  # noqa: E402
import silence  # noqa: E402
from table import Row, markdown  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")


def shift_rows() -> list[Row]:
    """Return the rows of the calendar: the next end of a shift, warm."""
    found = shifts.run()
    ours = {row.rule: row for row in found if row.contender == "ShiftCalendar"}
    return [
        Row(
            f"next end of a shift, {row.rule}",
            f"{ours[row.rule].warm:.1f} us",
            f"{row.contender} {row.warm:.1f} us",
            ours[row.rule].warm / row.warm,
        )
        for row in found
        if row.contender != "ShiftCalendar"
    ]


def machine() -> str:
    """Say what this ran on."""
    cpus = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", cpus)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {model[1] if model else platform.machine()}, "
        f"{platform.system()}, Python {platform.python_version()}, Airflow {version('apache-airflow')}, "
        f"requests {version('requests')}, urllib3 {version('urllib3')}, httpx {version('httpx')}"
    )


def main() -> None:
    """Measure, print, write."""
    logging.disable(logging.INFO)
    ceiling = client.server_ceiling()
    rows, growth, ends = client.rows(), client.growth(), silence.measure()
    plot.draw(growth, ends)
    table = markdown([*ends.rows(), *rows, client.growth_row(growth), *on_airflow.rows(), *shift_rows()])
    RESULTS.write_text(
        "# Benchmarks\n\n"
        f"Made by `make bench`: {machine()}.\n\n"
        "Both sides of each row were measured in turns, in one run; figures are medians, measures are ratios unless\n"
        "a unit is named. The server is `lean_server.py`, in a process of its own: it keeps what is suspended and\n"
        "takes its time for each answer, but checks no signature; the simulator, which does, would be the bottleneck.\n"
        "Its ceiling over TLS with keep-alive and 8 connections:\n"
        f"{ceiling}.\n\n"
        f"{table}\n"
    )
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
