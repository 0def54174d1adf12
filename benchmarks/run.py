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

# Before anything imports Airflow: a home apart from the user's.
_home = tempfile.TemporaryDirectory()
os.environ |= {"AIRFLOW_HOME": _home.name, "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}

import client  # noqa: E402
import on_airflow  # noqa: E402
import plot  # noqa: E402
import shifts  # noqa: E402
import silence  # noqa: E402
from table import Row, format_markdown  # noqa: E402

RESULTS = Path(__file__).with_name("RESULTS.md")


def make_shift_rows() -> list[Row]:
    """Measure the calendar: the next end of a shift, with a warm cache."""
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


def describe_machine() -> str:
    """Describe the machine and the versions."""
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
    ceiling = client.measure_ceiling()
    rows, growth, ends = client.measure(), client.measure_growth(), silence.measure()
    plot.draw(growth, ends)
    rows += [client.make_growth_row(growth), *on_airflow.measure(), *make_shift_rows()]
    RESULTS.write_text(
        "# Benchmarks\n\n"
        f"Made by `make bench`: {describe_machine()}.\n\n"
        "Both sides of each row were measured in turns, in one run; figures are medians, measures are ratios unless\n"
        "a unit is named. The server is `lean_server.py`, in a process of its own: it lists what is suspended and\n"
        "delays each response, but checks no signature; the simulator, which does, would be the bottleneck.\n"
        "Its ceiling over TLS with keep-alive and 8 connections:\n"
        f"{ceiling}.\n\n"
        f"{format_markdown([*ends.rows(), *rows])}\n"
    )
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
