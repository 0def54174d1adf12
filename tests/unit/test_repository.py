"""The workflows, which run nowhere but on their host, the imports of the package, and the tag of a release."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_tag import find_problems

REPOSITORY = Path(__file__).parents[2]
WORKFLOWS = {path.name: yaml.safe_load(path.read_text()) for path in (REPOSITORY / ".github/workflows").iterdir()}
JOBS = {f"{name}: {key}": job for name, workflow in WORKFLOWS.items() for key, job in workflow["jobs"].items()}

PACKAGE = REPOSITORY / "airflow_provider_isales"
NO_PARTS = {"__init__.py", "__pycache__", "clock.py", "py.typed"}
PARTS = {path.stem: path for path in PACKAGE.iterdir() if path.name not in NO_PARTS}


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job.get("steps", []))


class TestAWorkflow:
    def test_workflows_make_what_can_be_made(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
        made = {target for job in JOBS.values() for target in re.findall(r"make ([a-z-]+)", commands(job))}
        assert made
        assert made <= targets

    def test_workflows_give_no_rights_to_our_code(self) -> None:
        for name, job in JOBS.items():
            if "make " in commands(job):
                assert job["permissions"] == {"contents": "read"}, name


def test_no_two_test_files_have_the_same_name_since_pytest_imports_only_one_of_them() -> None:
    names = Counter(path.name for path in (REPOSITORY / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def imported_names(file: Path) -> set[str]:
    """Return what a file imports, also within functions, with the modules' names in front."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_modules = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return plain | {f"{node.module}.{alias.name}" for node in from_modules for alias in node.names}


def imported_parts(part: Path) -> set[str]:
    """Return the other parts of the package that a part imports, and ``airflow`` if it does."""
    files = part.rglob("*.py") if part.is_dir() else [part]
    names = [name.split(".") for file in files for name in imported_names(file)]
    ours = {name[1] for name in names if name[0] == PACKAGE.name}
    airflow = {name[0] for name in names if name[0] == "airflow"}
    return (ours | airflow) - {part.stem, "clock", "__version__"}


class TestThePartsOfThePackage:
    def test_contributing_has_a_row_for_each_with_all_that_it_imports(self) -> None:
        rows = re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", (REPOSITORY / "CONTRIBUTING.md").read_text(), re.MULTILINE)
        documented = {part: set(re.findall(r"`(\w+)`", imported)) for part, imported in rows}
        assert documented == {part: imported_parts(path) - {"airflow"} for part, path in PARTS.items()}

    @pytest.mark.parametrize("part", ["client", "shifts", "simulator", "provider_info"])
    def test_these_import_nothing_of_airflow(self, part: str) -> None:
        assert "airflow" not in imported_parts(PARTS[part])


class TestATag:
    CHANGELOG = "# Changelog\n\n## 1.2.4, not released yet\n\n## 1.2.3, 2026-11-24\n"

    def test_a_tag_may_be_released_with_the_right_version_and_a_date(self) -> None:
        assert find_problems(["v1.2.3"], "1.2.3", self.CHANGELOG) == []

    @pytest.mark.parametrize("tags", [["1.2.3"], ["v1.2.4"], []])
    def test_a_tag_of_another_version_may_not_be_released(self, tags: list[str]) -> None:
        assert find_problems(tags, "1.2.3", self.CHANGELOG)[0].startswith("the tag for this version is v1.2.3, not ")

    def test_a_tag_without_a_date_in_the_changelog_may_not_be_released(self) -> None:
        assert find_problems(["v1.2.4"], "1.2.4", self.CHANGELOG) == ["CHANGELOG.md has no line '## 1.2.4, <date>'"]
