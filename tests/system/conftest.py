from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# They wait longest, so they begin first.
FIRST = ("test_night.py", "test_one_airflow.py", "test_distributed.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are left, which ``SCREENSHOTS`` names; the docs show those that the tests take."""
    directory = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    directory.mkdir(exist_ok=True)
    return directory
