"""
The tests on every supported Airflow and Python, each row in an environment of its own with the built wheel.

``make test-matrix`` builds the wheel and runs all rows, ``make test-matrix ONLY="2.11 none"`` those with some tags: a
line of Airflow, ``none`` for the tests without it, or one of them with a Python (``3.3-3.12``). ``ONLY=next`` runs
those of the Airflow that is not released yet. Some tests of one row:
``nox --session 'on_airflow(3.0, python 3.11)' -- -k guard``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nox

NEWEST = "3.3"
NEXT = "3.4"
PROJECT = nox.project.load_toml("pyproject.toml")["project"]

nox.options.default_venv_backend = "uv"
# pyenv's own commands work for chosen versions only.
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
os.environ["PATH"] = os.pathsep.join([*(str(path) for path in PYENV.glob("versions/3.*/bin")), os.environ["PATH"]])


def rows(*rows: tuple[str, str], tag: str = "") -> Callable[[Any], Any]:
    """Return the decorator for some lines and Pythons. "lowest": the lowest versions that pyproject.toml allows."""
    params = []
    for line, python in rows:
        tags = [line, f"{line}-{python}", *([tag, f"{tag}-{python}"] if tag else [])]
        params.append(nox.param(line, python, id=f"{line}, python {python}", tags=tags))
    return nox.parametrize(("line", "python"), params)


@nox.session
@rows(
    *((line, "3.11") for line in ("lowest", "2.11", "3.0", "3.1", "3.2", NEWEST)),
    *((NEWEST, python) for python in ("3.12", "3.13")),
)
def on_airflow(session: nox.Session, line: str) -> None:
    """What needs Airflow, with the wheel beside it."""
    install(session, line, "apache-airflow", f"{wheel(session)}[simulator]", "--group=on-airflow")
    session.run("uv", "pip", "check", "--quiet")
    # What needs no more than one Airflow is tested on the newest.
    test(session, *([] if line == NEWEST else ["-m", "not same_on_every_airflow"]), "tests/on_airflow")


@nox.session(default=False)
@rows(("next", "3.13"), ("next", "3.14"))
def on_next_airflow(session: nox.Session, line: str) -> None:
    """What needs Airflow, on the newest pre-release or release of a line that is not supported yet, without pins."""
    session.install(f"apache-airflow>={NEXT}.0.dev0", f"{wheel(session)}[simulator]", "--group=on-airflow")
    test(session, "tests/on_airflow")


@nox.session
@rows(("lowest", "3.13"), *((NEWEST, python) for python in ("3.11", "3.12", "3.13")), tag="none")
def without_airflow(session: nox.Session, line: str) -> None:
    """Client, shifts and simulator, with the wheel and all that it requires but Airflow."""
    required = [each for each in PROJECT["dependencies"] if not each.startswith("apache-airflow")]
    install(session, line, *required, "--group=test")
    session.install("--no-deps", wheel(session))
    if "[simulator]" not in str(session.run("isales-simulator", "--help", success_codes=[1], silent=True)):
        session.error("isales-simulator does not say which extra it needs")
    install(session, line, *PROJECT["optional-dependencies"]["simulator"])
    # The attacks go once over the lowest versions and once over the newest.
    attacks = ["tests/attack"] if line == "lowest" or session.python == "3.11" else []
    # The command line uses nothing of other packages by itself.
    terminal = [] if line == "lowest" else ["tests/cli"]
    # Two files at once: these tests wait for much of their time.
    at_once = ["--dist=loadfile", "--no-loadscope-reorder", "--numprocesses=2"]
    test(session, *at_once, *attacks, *terminal, "tests/integration", "tests/unit")


def install(session: nox.Session, line: str, *what: str) -> None:
    session.install(*what, f"--constraints=constraints/airflow-{line}.txt")


def wheel(session: nox.Session) -> str:
    wheels = list(Path("dist").glob("*.whl"))
    if not wheels:
        session.error("there is no wheel in dist/: run `make package`")
    return str(wheels[0])


def test(session: nox.Session, *paths: str) -> None:
    # PYTHONSAFEPATH, so that processes of the tests import the wheel too and not what is in this directory.
    # Fewer random calendars than in `make test`: what a row can find besides is how versions differ.
    env = {"PYTHONSAFEPATH": "1", "SHIFTS_ORACLE_EXAMPLES": "20"}
    session.run("pytest", "-p", "no:cacheprovider", *(session.posargs or ["-q"]), *paths, env=env)
