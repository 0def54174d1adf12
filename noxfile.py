"""
The tests on every Airflow and Python that is supported, each row in an environment of its own with the built wheel.

``make test-matrix`` builds the wheel and runs all rows, two at once; ``nox --list`` names them. Some tests of one row:
``nox --session 'on_airflow(3.0, python 3.11)' -- -k guard``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nox

NEWEST = "3.3"
DIST, LOGS = Path("dist"), Path("build/matrix")
PROJECT = nox.project.load_toml("pyproject.toml")["project"]
NOX = [sys.executable, "-m", "nox"]
SUMMARY = re.compile(r"(\d+ (?:passed|failed|skipped|error).*) in [0-9.]+s")
SKIPPED = re.compile(r"skipped: (Python interpreter \S+ not found)")

nox.options.default_venv_backend = "uv"
# pyenv's own commands work for chosen versions only.
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
os.environ["PATH"] = os.pathsep.join([*(str(path) for path in PYENV.glob("versions/3.*/bin")), os.environ["PATH"]])


def rows(*rows: tuple[str, str], tags: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Return the decorator for some lines and Pythons. "lowest": the lowest versions that pyproject.toml allows."""
    return nox.parametrize(
        ("line", "python"),
        [
            nox.param(
                line,
                python,
                id=f"{line}, python {python}",
                tags=[*tags, line, f"python{python}", f"{line}-{python}", *(f"{tag}-{python}" for tag in tags)],
            )
            for line, python in rows
        ],
    )


@nox.session
@rows(
    *((line, "3.11") for line in ("lowest", "2.11", "3.0", "3.1", "3.2", NEWEST)),
    *((NEWEST, python) for python in ("3.12", "3.13")),
)
def on_airflow(session: nox.Session, line: str) -> None:
    """What needs Airflow, with the wheel beside it."""
    install(session, line, "apache-airflow", f"{wheel(session)}[simulator]", "--group=on-airflow")
    session.run("uv", "pip", "check", "--quiet")
    test(session, "tests/on_airflow")


@nox.session
@rows(("lowest", "3.12"), *(("newest", python) for python in ("3.11", "3.12", "3.13")), tags=("none",))
def without_airflow(session: nox.Session, line: str) -> None:
    """Client, shifts and simulator, with the wheel and all that it requires but Airflow."""
    required = [each for each in PROJECT["dependencies"] if not each.startswith("apache-airflow")]
    line = line.replace("newest", NEWEST)
    install(session, line, *required, "--group=test")
    session.install("--no-deps", wheel(session))
    if "[simulator]" not in str(session.run("isales-simulator", "--help", success_codes=[1], silent=True)):
        session.error("isales-simulator does not say which extra it needs")
    install(session, line, *PROJECT["optional-dependencies"]["simulator"])
    # The attacks go once over the lowest versions and once over the newest.
    attacks = ["tests/attack"] if line == "lowest" or session.python == "3.11" else []
    # Two files at once: these tests wait for much of their time.
    at_once = ["--dist=loadfile", "--numprocesses=2"]
    test(session, *at_once, "tests/unit", "tests/integration", "tests/terminal", *attacks)


def install(session: nox.Session, line: str, *what: str) -> None:
    session.install(*what, f"--constraints=constraints/airflow-{line}.txt")


def wheel(session: nox.Session) -> str:
    wheels = list(DIST.glob("*.whl"))
    if not wheels:
        session.error("there is no wheel in dist/: run `make package`")
    return str(wheels[0])


def test(session: nox.Session, *paths: str) -> None:
    # PYTHONSAFEPATH, so that processes of the tests import the wheel too and not what is in this directory.
    # Fewer random calendars than in `make test`: what a row can find besides is how versions differ.
    env = {"PYTHONSAFEPATH": "1", "SHIFTS_ORACLE_EXAMPLES": "20"}
    session.run("pytest", "-p", "no:cacheprovider", *(session.posargs or ["-q"]), *paths, env=env)


@nox.session(default=False, venv_backend="none")
def matrix(session: nox.Session) -> None:
    """Run all rows, or those with the tags that are named; JOBS says how many at once."""
    LOGS.mkdir(parents=True, exist_ok=True)
    listed = json.loads(subprocess.check_output([*NOX, "--list", "--json"]))
    if unknown := set(session.posargs) - {tag for row in listed for tag in row["tags"]}:
        session.error(f"no such row: {', '.join(sorted(unknown))}")
    wanted = [row["session"] for row in listed if not session.posargs or {*row["tags"]} & {*session.posargs}]
    # Two at once: the tests wait half of the time, and some measure time, so more would disturb one another.
    with ThreadPoolExecutor(max_workers=int(os.environ.get("JOBS", "2"))) as executor:
        results = list(executor.map(run_row, wanted))
    print("\n" + "\n".join(f"{name:<40}{result:<50}{minutes:>4.1f} min" for name, result, minutes in results))
    if failed := [name for name, result, _ in results if result.startswith("FAILED")]:
        session.error(f"failed: {'; '.join(failed)}")


def run_row(name: str) -> tuple[str, str, float]:
    """Run a row; return its name, what came of it, and the minutes it took. The output of one that failed is shown."""
    print(f"{name} ...", flush=True)
    log, began = LOGS / f"{re.sub(r'[^a-z0-9.]+', '-', name).strip('-')}.log", time.monotonic()
    with log.open("w") as output:
        done = subprocess.run([*NOX, "--session", name], stdout=output, stderr=output, check=False)
    text = log.read_text()
    summary = SUMMARY.findall(text)[-1:] or ["no test ran"]
    result = f"FAILED: {summary[0]}"
    if done.returncode:
        print(text)
    elif missing := SKIPPED.search(text):
        result = f"SKIPPED: {missing[1]}"
    elif "passed" in summary[0]:
        result = summary[0]
    print(f"{name}: {result}", flush=True)
    return name, result, (time.monotonic() - began) / 60
