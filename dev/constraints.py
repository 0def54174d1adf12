"""Pin everything that development and tests install, for one line of Airflow: ``python dev/constraints.py 3.3``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = "3.11"


def main() -> None:
    """Write ``constraints/airflow-X.Y.txt``."""
    (line,) = sys.argv[1:]
    # Not --universal: Airflow's own requirements differ by platform in ways that do not resolve together.
    pinned = subprocess.check_output(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "-", "--all-extras", "--quiet"),
            *("--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate", "--no-emit-index-url"),
            *("--no-emit-find-links", "--upgrade"),
        ],
        cwd=REPOSITORY,
        input=f"apache-airflow=={line}.*\n",
        text=True,
    )
    target = REPOSITORY / "constraints" / f"airflow-{line}.txt"
    target.write_text(
        f"# Airflow {line} and all that development and tests need. Made by: make constraints AIRFLOW={line}\n{pinned}"
    )
    print(f"wrote {target.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
