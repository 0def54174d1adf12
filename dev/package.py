"""
Build wheel, sdist and SBOM in ``dist/``; check metadata, contents, and that a second build gives the same bytes.

``python dev/package.py constraints/airflow-3.3.txt``: the versions to build with, and those that the SBOM names.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

REPOSITORY = Path(__file__).resolve().parents[1]
DIST = REPOSITORY / "dist"
PACKAGE = "airflow_provider_isales"
IN_WHEEL = {
    "py.typed",
    "provider_info.py",
    "client/client.py",
    "simulator/cli.py",
    *(f"example_dags/{file.name}" for file in (REPOSITORY / "example_dags").glob("*.py")),
    "example_dags/holiday_cn_2026.json",
} - {"example_dags/shifts_china.py"}
IN_SDIST = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO", PACKAGE, "example_dags"}
UV = (sys.executable, "-m", "uv", "--quiet")
# Beside .venv, where uv can link packages from its cache instead of copying them.
REQUIRED = REPOSITORY / "build" / "required"


def main() -> int:
    """Build and check; return 0 if all is well."""
    constraints = Path(sys.argv[1]).resolve()
    # Files in the archives get the commit's date, whenever they are built.
    if "SOURCE_DATE_EPOCH" not in os.environ:
        os.environ["SOURCE_DATE_EPOCH"] = run("git", "log", "-1", "--no-show-signature", "--format=%ct").strip()
    shutil.rmtree(DIST, ignore_errors=True)
    wheel, sdist = build(REPOSITORY, DIST, constraints)
    print(f"built {wheel.name} and {sdist.name}")
    print(
        run(
            sys.executable,
            "-m",
            "twine",
            "--no-color",
            "check",
            "--strict",
            *(file.relative_to(REPOSITORY) for file in (wheel, sdist)),
        ).strip()
    )
    problems = [*find_wheel_problems(wheel), *find_sdist_problems(sdist), *find_differences(wheel, sdist, constraints)]
    sbom = write_sbom(wheel.name.split("-")[1], constraints)
    for file in (wheel, sdist, sbom):
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}")
    print("\n".join(problems) or "The package is as it should be.")
    return 1 if problems else 0


def build(source: Path, target: Path, constraints: Path) -> tuple[Path, Path]:
    """Build wheel and sdist of a directory into another."""
    run(*UV, "build", "--build-constraints", constraints, "--out-dir", target, source)
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return wheel, sdist


def find_wheel_problems(wheel: Path) -> list[str]:
    """Return what a wheel has too much or too little of."""
    names = ZipFile(wheel).namelist()
    stray = [name for name in names if not name.startswith((f"{PACKAGE}/", f"{PACKAGE}-"))]
    missing = [name for name in IN_WHEEL if f"{PACKAGE}/{name}" not in names]
    missing += [] if any(name.endswith("licenses/LICENSE") for name in names) else ["LICENSE"]
    print(f"{wheel.name}: {len(names)} files")
    return [f"the wheel has {name}" for name in stray] + [f"the wheel lacks {name}" for name in missing]


def find_sdist_problems(sdist: Path) -> list[str]:
    """Return what an sdist has too much or too little of."""
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    top = {name.split("/")[1] for name in names if "/" in name} - {".gitignore"}
    print(f"{sdist.name}: {len(names)} files")
    return [f"the sdist differs in {name}" for name in sorted(top ^ IN_SDIST)]


def find_differences(wheel: Path, sdist: Path, constraints: Path) -> list[str]:
    """Build again from the sdist, elsewhere and with other dates and modes of files; return what differs."""
    with TemporaryDirectory() as directory:
        with tarfile.open(sdist) as archive:
            archive.extractall(directory, filter="data")
        (source,) = Path(directory).iterdir()
        for file in source.rglob("*.*"):
            os.utime(file)
            file.chmod(0o600)
        again = build(source, Path(directory, "dist"), constraints)
        return [
            f"{first.name} has other bytes when it is built again"
            for first, second in zip((wheel, sdist), again, strict=True)
            if first.read_bytes() != second.read_bytes()
        ]


def write_sbom(version: str, constraints: Path) -> Path:
    """Write an SBOM in CycloneDX: all direct and indirect requirements, in the pinned versions."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    # With the version, which pyproject.toml leaves to the build; without extras, which would look like requirements.
    root = {key: project[key] for key in ("name", "description", "license", "dependencies")} | {"version": version}
    target = DIST / f"{PACKAGE}-{version}.cdx.json"
    with TemporaryDirectory() as directory:
        pyproject = Path(directory, "pyproject.toml")
        pyproject.write_text("[project]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in root.items()))
        run(*UV, "venv", "--clear", "--python", sys.executable, REQUIRED)
        run(*UV, "pip", "install", "--python", REQUIRED, "--constraints", constraints, "--requirements", pyproject)
        run(
            *(sys.executable, "-m", "cyclonedx_py", "environment", REQUIRED, "--pyproject", pyproject),
            # No validation: it takes ten seconds, and tests cyclonedx-py rather than us.
            *("--mc-type", "library", "--output-reproducible", "--no-validate", "--output-file", target),
        )
    shutil.rmtree(REQUIRED)
    sbom = json.loads(target.read_text())
    sbom["metadata"]["component"]["purl"] = f"pkg:pypi/{project['name']}@{version}"
    target.write_text(json.dumps(sbom, indent=2, sort_keys=True) + "\n")
    print(f"{target.name}: {len(sbom['components'])} packages")
    return target


def run(*command: str | Path) -> str:
    """Run a command and return its output; if it fails, exit with the output."""
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
