"""Build wheel and sdist in ``dist/``, and check their metadata and what is in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

REPOSITORY = Path(__file__).resolve().parents[1]
DIST = REPOSITORY / "dist"
PACKAGE = "airflow_provider_isales"
IN_WHEEL = {"py.typed", "provider_info.py", "client/client.py", "simulator/cli.py"}
IN_SDIST = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO", PACKAGE, "example_dags"}


def main() -> int:
    """Build and check; give 0 if all is well."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", DIST, cwd=REPOSITORY)
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    print(f"built {wheel.name} and {sdist.name}")
    print(
        run(sys.executable, "-m", "twine", "--no-color", "check", "--strict", wheel.name, sdist.name, cwd=DIST).strip()
    )
    problems = [*problems_of_wheel(wheel), *problems_of_sdist(sdist)]
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


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command; give what it printed, or show that and end if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
