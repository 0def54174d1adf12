"""
The unit and integration tests on every Airflow and Python that is supported, each in an environment of its own.

``python dev/matrix.py`` runs all rows, ``python dev/matrix.py 2.11 3.0`` those of these lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
HOME = REPOSITORY / ".matrix"
# "lowest": the lowest versions that pyproject.toml allows.
ROWS = [
    *(("lowest", "3.11"), ("2.11", "3.11"), ("3.0", "3.11"), ("3.1", "3.11"), ("3.2", "3.11")),
    *(("3.3", "3.11"), ("3.3", "3.12"), ("3.3", "3.13")),
]
TAIL = 30


@dataclass
class Row:
    """How the tests went on one Airflow and Python."""

    line: str
    python: str
    airflow: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    seconds: float = 0

    @property
    def ok(self) -> bool:
        return not self.problem and self.counts["passed"] > 0


def main() -> int:
    """Run the rows that are asked for, print the table, and give 0 if all went well."""
    lines = sys.argv[1:]
    if unknown := set(lines) - {line for line, _ in ROWS}:
        sys.exit(
            f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(sorted({line for line, _ in ROWS}))}"
        )
    HOME.mkdir(exist_ok=True)
    wanted = [Row(line, python) for line, python in ROWS if not lines or line in lines]
    # Two at once: the tests wait half of the time, and some measure time, so more would disturb one another.
    with ThreadPoolExecutor(max_workers=2) as executor:
        rows = list(executor.map(run, wanted))
    print(f"\n{'constraints':<13}{'Airflow':<10}{'Python':<8}{'passed':>7}{'failed':>8}{'skipped':>9}{'minutes':>9}")
    for row in rows:
        counts = row.counts
        print(
            f"{row.line:<13}{row.airflow or '-':<10}{row.python:<8}{counts['passed']:>7}"
            f"{counts['failed'] + counts['error']:>8}{counts['skipped']:>9}{row.seconds / 60:>9.1f}  {row.problem}"
        )
    return 0 if all(row.ok for row in rows) else 1


def run(row: Row) -> Row:
    """Make the environment of a row, unless it is there, and run the tests in it; the output goes to a file."""
    name = f"airflow-{row.line}-python-{row.python}"
    venv, log = HOME / name, HOME / f"{name}.log"
    print(f"Airflow {row.line}, Python {row.python} ...", flush=True)
    began = time.monotonic()
    python = find_python(row.python)
    if not python:
        row.problem = f"no Python {row.python} on this machine"
        return row
    make = ["make", "environment", f"VENV={venv}", f"AIRFLOW={row.line}", f"PYTHON={python}"]
    tests = [venv / "bin" / "pytest", "-q", "-p", "no:cacheprovider"]
    with log.open("w") as output:
        passed = all(
            subprocess.run(command, cwd=REPOSITORY, stdout=output, stderr=output, check=False).returncode == 0
            for command in (make, tests)
        )
    row.seconds = time.monotonic() - began
    text = log.read_text()
    row.counts = count(text)
    if passed:
        row.airflow = airflow_version(venv)
    else:
        row.problem = f"see {log.relative_to(REPOSITORY)}"
        print("\n".join(text.splitlines()[-TAIL:]))
    print(f"Airflow {row.line}, Python {row.python}: {'passed' if row.ok else 'FAILED'}", flush=True)
    return row


def find_python(version: str) -> str:
    """Give the path of an interpreter, empty if there is none."""
    found = subprocess.run(
        [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", "--system", version],
        env=os.environ | {"PYENV_VERSION": version},  # pyenv's commands work for chosen versions only
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def airflow_version(venv: Path) -> str:
    """Give the version of Airflow in an environment."""
    program = "import importlib.metadata; print(importlib.metadata.version('apache-airflow'))"
    return subprocess.check_output([venv / "bin" / "python", "-c", program], text=True).strip()


def count(text: str) -> Counter[str]:
    """Read pytest's last line, such as ``3 failed, 20 passed, 1 skipped in 4.20s``."""
    last = next((line for line in reversed(text.splitlines()) if re.search(r" in [0-9.]+s", line)), "")
    return Counter({word.removesuffix("s"): int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", last)})


if __name__ == "__main__":
    sys.exit(main())
