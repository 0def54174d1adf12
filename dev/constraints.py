"""
Pin everything that development and tests install, for one line of Airflow: ``python dev/constraints.py 3.3``.

``lowest`` pins the lowest versions that ``pyproject.toml`` allows instead of the newest.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = "3.11"
GROUPS = ("dev", "package", "docs", "bench", "system")

# Bounds that Airflow itself lacks: the execution API of that line does not work with newer versions.
BOUNDS = {
    "3.0": ["cadwyn<5.5", "fastapi<0.117", "pydantic<2.12", "starlette<0.48"],
    "3.2": ["cadwyn<8", "fastapi<0.137", "svcs<26"],
}


def main() -> None:
    """Write ``constraints/airflow-X.Y.txt``."""
    (line,) = sys.argv[1:]
    lowest = line == "lowest"
    requirements = [] if lowest else [f"apache-airflow=={line}.*", *BOUNDS.get(line, [])]
    groups, how = (GROUPS[:1], ["--resolution", "lowest-direct"]) if lowest else (GROUPS, [])
    # Not --universal: Airflow's own requirements differ by platform in ways that do not resolve together.
    pinned = subprocess.check_output(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "-", "--extra", "simulator", "--quiet"),
            *(option for group in groups for option in ("--group", group)),
            *("--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate", "--no-emit-index-url"),
            *("--no-emit-find-links", *how),
        ],
        cwd=REPOSITORY,
        input="\n".join(requirements) + "\n",
        text=True,
    )
    target = REPOSITORY / "constraints" / f"airflow-{line}.txt"
    target.write_text(
        f"# Airflow {line} and all that development and tests need. Made by: make constraints AIRFLOW={line}\n{pinned}"
    )
    print(f"wrote {target.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
