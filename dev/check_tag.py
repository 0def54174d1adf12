"""Check that a tag is that of this version, and the changelog has a date: ``python dev/check_tag.py v1.2.3``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from airflow_provider_isales import __version__

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"


def main() -> int:
    """Return 0 if the tag may be released."""
    problems = find_problems(sys.argv[1:], __version__, CHANGELOG.read_text())
    print("\n".join(problems) or f"{sys.argv[1]} may be released.")
    return 1 if problems else 0


def find_problems(tags: list[str], version: str, changelog: str) -> list[str]:
    """Return why a version may not be released under the given tags, of which there should be one."""
    problems = []
    if tags != [f"v{version}"]:
        problems.append(f"the tag for this version is v{version}, not {' '.join(tags) or 'none'}")
    if not re.search(rf"^## {re.escape(version)}, \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        problems.append(f"CHANGELOG.md has no line '## {version}, <date>'")
    return problems


if __name__ == "__main__":
    sys.exit(main())
