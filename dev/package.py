"""
Build wheel and sdist, check what is in them, and install the wheel into bare environments, one for each Airflow.

``python dev/package.py`` takes all lines, ``python dev/package.py 3.3`` those that are named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import requests
from processes import ProcessGroup, free_port, wait_for

REPOSITORY = Path(__file__).resolve().parents[1]
DIST = REPOSITORY / "dist"
LINES = ("2.11", "3.0", "3.1", "3.2", "3.3")
NAME, PACKAGE = "airflow-provider-isales", "airflow_provider_isales"
IN_WHEEL = {"py.typed", "provider_info.py", "client/client.py", "simulator/cli.py"}
IN_SDIST = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO", PACKAGE, "example_dags"}


def main() -> int:
    """Build, check and install; give 0 if all is well."""
    lines = sys.argv[1:] or LINES
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", DIST, cwd=REPOSITORY)
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    print(f"built {wheel.name} and {sdist.name}")
    print(
        run(sys.executable, "-m", "twine", "--no-color", "check", "--strict", wheel.name, sdist.name, cwd=DIST).strip()
    )
    problems = [*problems_of_wheel(wheel), *problems_of_sdist(sdist)]
    for line in lines:
        problems += [f"Airflow {line}: {problem}" for problem in problems_when_installed(wheel, line)]
    print("\n".join(problems) or "The package is as it should be.")
    return 1 if problems else 0


def problems_of_wheel(wheel: Path) -> list[str]:
    """Say what a wheel has too much or too little of."""
    names = ZipFile(wheel).namelist()
    stray = [name for name in names if not name.startswith((f"{PACKAGE}/", f"{PACKAGE}-"))]
    missing = [name for name in IN_WHEEL if f"{PACKAGE}/{name}" not in names]
    missing += [] if any(name.endswith("licenses/LICENSE") for name in names) else ["LICENSE"]
    print(f"{wheel.name}: {len(names)} files")
    return [f"the wheel has {name}" for name in stray] + [f"the wheel lacks {name}" for name in missing]


def problems_of_sdist(sdist: Path) -> list[str]:
    """Say what an sdist has too much or too little of."""
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    top = {name.split("/")[1] for name in names if "/" in name} - {".gitignore"}
    print(f"{sdist.name}: {len(names)} files")
    return [f"the sdist differs in {name}" for name in sorted(top ^ IN_SDIST)]


def problems_when_installed(wheel: Path, line: str) -> list[str]:
    """Install a wheel beside an Airflow and nothing else; say what does not work."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="isales-package-") as home:
        bin_directory = Path(home, "venv", "bin")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        environment |= {"AIRFLOW_HOME": f"{home}/airflow", "AIRFLOW__CORE__LOAD_EXAMPLES": "false"}
        run(sys.executable, "-m", "venv", "--without-pip", bin_directory.parent)
        install(bin_directory, line, "apache-airflow", str(wheel))
        providers = run(bin_directory / "airflow", "providers", "list", cwd=home, environment=environment)
        plugins = run(bin_directory / "airflow", "plugins", cwd=home, environment=environment)
        command = [bin_directory / "isales-simulator", "--help"]
        bare = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
        install(bin_directory, line, f"{wheel}[simulator]")
        problems = {
            "the provider is not listed": NAME in providers,
            "the timetables are not registered": "ShiftEndTimetable" in plugins.replace("\n", ""),
            "the simulator does not say which extra it needs": f"{NAME}[simulator]" in bare.stderr,
            "the simulator does not answer": simulator_answers(bin_directory, Path(home)),
        }
    found = [problem for problem, is_well in problems.items() if not is_well]
    print(f"Airflow {line}: {'; '.join(found) or 'installs, registers, simulates'} ({time.monotonic() - began:.0f} s)")
    return found


def install(bin_directory: Path, line: str, *requirements: str) -> None:
    """Install with the constraints of a line of Airflow, and make sure that all that is installed fits together."""
    uv, python = [sys.executable, "-m", "uv", "pip"], ["--python", bin_directory / "python"]
    constraints = REPOSITORY / "constraints" / f"airflow-{line}.txt"
    run(*uv, "install", "--quiet", *python, "--constraints", constraints, *requirements)
    run(*uv, "check", "--quiet", *python)


def simulator_answers(bin_directory: Path, home: Path) -> bool:
    """Start ``isales-simulator`` and ask it for its state."""
    port, authority, log = free_port(), home / "ca.pem", home / "simulator.log"
    options = ["--port", str(port), "--campaign", "1001", "--batches", "3", "--ca-file", authority]
    simulator = ProcessGroup([bin_directory / "isales-simulator", *options], log)
    try:
        wait_for(lambda: simulator.check() or "export" in log.read_text(), "isales-simulator", seconds=30)
        state = requests.get(f"https://127.0.0.1:{port}/simulator/state", verify=str(authority), timeout=10).json()
        return len(state["campaigns"]) == 1
    finally:
        simulator.stop()


def run(*command: str | Path, cwd: str | Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a command; give what it printed, or show that and end if it fails."""
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
