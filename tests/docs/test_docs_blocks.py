"""What the pages have in blocks, and that none is left out silently. YAML and JSON are read by what reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from isales_command import Isales
from pages import BLOCKS, PAGES, Block

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.timetables.shift import ShiftEndTimetable

NOW = datetime(2026, 11, 29, tzinfo=UTC)
# Those of Sphinx are in braces; `text` is output.
LANGUAGES = {"python", "sh", "console", "yaml", "json", "text"}
YAML = {str(block): block for block in BLOCKS if block.language == "yaml"}
JSON = {str(block): json.loads(block.code) for block in BLOCKS if block.language == "json"}
CONNECTIONS = {name: value for name, value in JSON.items() if "host" in value}
TIMETABLES = {name: value for name, value in JSON.items() if "shifts" in value}
CALENDARS = {name: block for name, block in YAML.items() if "timezone:" in block.code}


def test_each_block_is_in_a_language_that_a_test_reads() -> None:
    assert [str(block) for block in BLOCKS if block.language not in LANGUAGES and block.language[:1] != "{"] == []


def test_each_block_that_is_not_run_has_a_comment_with_the_reason_right_above_it() -> None:
    comments = sum(page.read_text(encoding="utf-8").count("<!-- not run") for page in PAGES)
    assert comments == sum(bool(block.reason) for block in BLOCKS)


def test_only_commands_are_not_run() -> None:
    assert {block.language for block in BLOCKS if block.reason} <= {"sh", "console"}


@pytest.mark.parametrize("block", YAML.values(), ids=YAML)
def test_yaml_is_valid(block: Block) -> None:
    assert yaml.safe_load(block.code)


@pytest.mark.parametrize("block", CALENDARS.values(), ids=CALENDARS)
def test_a_calendar_file_is_read(block: Block, tmp_path: Path) -> None:
    (tmp_path / "shifts.yaml").write_text(block.code)
    assert ShiftCalendar.from_file(tmp_path / "shifts.yaml").next_end(NOW)


@pytest.mark.parametrize("stored", TIMETABLES.values(), ids=TIMETABLES)
def test_a_stored_timetable_is_read_and_stored_alike(stored: dict[str, object]) -> None:
    assert ShiftEndTimetable.deserialize(stored).serialize() == stored


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_connection_file_is_read(
    connection: dict[str, object], fill_in: Callable[[str], str], renew_platform: Callable[[], None], tmp_path: Path
) -> None:
    renew_platform()
    file = tmp_path / "connection.json"
    file.write_text(fill_in(json.dumps(connection)))
    file.chmod(0o600)
    assert Isales({})("list", "--connection-file", file).returncode == 0
