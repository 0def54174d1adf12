"""``ShiftCalendar.from_file``: calendars in YAML and JSON, and what may be wrong with a file."""

from __future__ import annotations

import importlib
import json
import time
from datetime import timedelta
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from airflow_provider_isales.shifts import ShiftCalendar, ShiftCalendarError

FULL = ShiftCalendar(
    "Asia/Shanghai",
    {"mon-fri": ["09:00-12:00", "13:30-18:00"], "sat": ["12:00-24:00"]},
    closed=["2026-10-01/2026-10-07", "2027-01-01"],
    special={"2026-10-10": ["09:00-18:00"], "2026-10-11": ["22:00-02:00"]},
    last_call=timedelta(minutes=5),
)
YAML = """
# The hours of the contact centre.
timezone: Asia/Shanghai
week:
  mon-fri: [09:00-12:00, 13:30-18:00]
  sat:
    - 12:00-24:00
closed:
  - 2026-10-01/2026-10-07
  - 2027-01-01
special:
  2026-10-10: [09:00-18:00]
  "2026-10-11": ["22:00-02:00"]
last_call: PT5M
"""
NOT_A_DATE = " is not a date: write YYYY-MM-DD, or MM-DD for every year, or give a datetime.date"
WEEK = "timezone: UTC\nweek:\n  mon: [09:00-12:00]\n"
SMALL = ShiftCalendar("UTC", {"mon": ["09:00-12:00"]})
NOT_A_DAY = (
    ' is not a day: write mon, tue, wed, thu, fri, sat, sun, a range such as "mon-fri" or a list such as "mon,wed,fri"'
)


def mistake(path: Path, content: str | bytes) -> str:
    """Return the error of a file, without the name of the file, which it must begin with."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ShiftCalendarError) as caught:
        ShiftCalendar.from_file(path)
    name, message = str(caught.value).split(": ", 1)
    assert name == str(path)
    return message


@pytest.fixture
def yaml(tmp_path: Path) -> Path:
    return tmp_path / "shifts.yaml"


class TestReading:
    @pytest.mark.parametrize("name", ["shifts.yaml", "shifts.yml", "SHIFTS.YAML"])
    def test_a_calendar_may_be_in_yaml(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text(YAML)
        assert ShiftCalendar.from_file(tmp_path / name) == FULL

    def test_a_calendar_may_be_in_json(self, tmp_path: Path) -> None:
        (tmp_path / "shifts.json").write_text(json.dumps(FULL.to_dict()))
        assert ShiftCalendar.from_file(tmp_path / "shifts.json") == FULL

    def test_a_yaml_file_may_hold_json(self, yaml: Path) -> None:
        yaml.write_text(json.dumps(FULL.to_dict(), indent=4))
        assert ShiftCalendar.from_file(yaml) == FULL

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_a_calendar_file_may_have_been_written_on_windows(self, yaml: Path, encoding: str, newline: str) -> None:
        yaml.write_text(f"# 电话中心{YAML}", encoding=encoding, newline=newline)
        assert ShiftCalendar.from_file(yaml) == FULL

    def test_a_yaml_alias_stands_for_what_was_written_before(self, yaml: Path) -> None:
        yaml.write_text("timezone: UTC\nweek:\n  mon: &office [09:00-12:00]\n  wed: *office\n")
        assert ShiftCalendar.from_file(yaml) == ShiftCalendar("UTC", {"mon,wed": ["09:00-12:00"]})

    def test_from_file_of_a_subclass_makes_the_subclass(self, yaml: Path) -> None:
        class Calendar(ShiftCalendar):
            pass

        yaml.write_text(WEEK)
        assert type(Calendar.from_file(yaml)) is Calendar

    def test_a_calendar_in_json_may_be_indented_with_tabs(self, tmp_path: Path) -> None:
        (tmp_path / "shifts.json").write_text(json.dumps(FULL.to_dict(), indent="\t"))
        assert ShiftCalendar.from_file(tmp_path / "shifts.json") == FULL

    def test_a_calendar_in_json_may_have_no_spaces(self, tmp_path: Path) -> None:
        (tmp_path / "shifts.json").write_text(json.dumps(FULL.to_dict(), separators=(",", ":")))
        assert ShiftCalendar.from_file(tmp_path / "shifts.json") == FULL


class TestPath:
    def test_a_relative_path_starts_at_the_working_directory(self, yaml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        yaml.write_text(WEEK)
        monkeypatch.chdir(yaml.parent)
        assert ShiftCalendar.from_file("shifts.yaml") == SMALL

    def test_a_relative_path_that_is_not_there_says_what_a_dag_should_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ShiftCalendarError) as caught:
            ShiftCalendar.from_file("shifts.yaml")
        assert str(caught.value) == (
            f"shifts.yaml: the file cannot be read: No such file or directory in {tmp_path};"
            ' in a DAG, write Path(__file__).with_name("shifts.yaml")'
        )

    def test_an_absolute_path_to_a_calendar_is_taken_as_it_is(self, yaml: Path) -> None:
        yaml.write_text(WEEK)
        assert ShiftCalendar.from_file(str(yaml)) == SMALL

    def test_a_calendar_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ShiftCalendarError) as caught:
            ShiftCalendar.from_file(tmp_path / "missing.yaml")
        assert str(caught.value) == f"{tmp_path}/missing.yaml: the file cannot be read: No such file or directory"

    def test_a_directory_is_no_calendar_file(self, yaml: Path) -> None:
        yaml.mkdir()
        with pytest.raises(ShiftCalendarError, match=r"shifts\.yaml: the file cannot be read: Is a directory"):
            ShiftCalendar.from_file(yaml)

    @pytest.mark.parametrize(
        ("name", "suffix"),
        [("shifts.toml", ".toml"), ("shifts", ""), ("shifts.py", ".py"), ("shifts.yaml.bak", ".bak")],
    )
    def test_files_of_other_kinds_are_not_read_as_calendars(self, tmp_path: Path, name: str, suffix: str) -> None:
        message = f'"{suffix}" is not a kind of file to read: name a .yaml, .yml or .json'
        assert mistake(tmp_path / name, WEEK) == message


class TestZip:
    """A zip of DAGs, as Airflow imports it: the file is read from inside the zip."""

    @pytest.fixture
    def archive(self, tmp_path: Path) -> Path:
        archive = tmp_path / "team.zip"
        with ZipFile(archive, "w", ZIP_DEFLATED) as opened:
            opened.writestr("shifts.yaml", WEEK)
            opened.writestr("hours/shifts.yaml", WEEK)
        return archive

    @pytest.mark.parametrize("inside", ["shifts.yaml", "hours/shifts.yaml"])
    def test_a_calendar_in_a_zip_can_be_read(self, archive: Path, inside: str) -> None:
        assert ShiftCalendar.from_file(archive / inside) == SMALL

    def test_a_calendar_beside_a_zip_can_be_read(self, archive: Path) -> None:
        archive.with_name("shifts.yaml").write_text(WEEK)
        assert ShiftCalendar.from_file(archive.with_name("shifts.yaml")) == SMALL

    def test_a_dag_file_in_a_zip_reads_the_file_beside_it(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        code = (
            "from pathlib import Path\n"
            "from airflow_provider_isales.shifts import ShiftCalendar\n"
            "SHIFTS = ShiftCalendar.from_file(Path(__file__).with_name('shifts.yaml'))\n"
        )
        with ZipFile(archive, "a") as opened:
            opened.writestr("dag_file_in_zip.py", code)
        monkeypatch.syspath_prepend(archive)
        assert importlib.import_module("dag_file_in_zip").SHIFTS == SMALL

    def test_a_calendar_that_a_zip_lacks_is_named(self, archive: Path) -> None:
        with pytest.raises(ShiftCalendarError) as caught:
            ShiftCalendar.from_file(archive / "hours.yaml")
        reason = "There is no item named 'hours.yaml' in the archive"
        assert str(caught.value) == f"{archive}/hours.yaml: the file cannot be read: {reason}"

    def test_a_path_through_another_file_is_an_error(self, archive: Path) -> None:
        archive.write_text("no zip")
        with pytest.raises(ShiftCalendarError, match=r"the file cannot be read: File is not a zip file"):
            ShiftCalendar.from_file(archive / "shifts.yaml")


class TestEntries:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("week:\n  mon: [09:00-12:00]\n", '"timezone" is missing: a shift calendar needs timezone and week'),
            (
                f"{WEEK}weeks: {{}}\n",
                '"weeks" is not a key of a shift calendar: write timezone, week, closed, special, last_call',
            ),
            ("", "None is not a shift calendar: give a mapping of timezone, week, closed, special, last_call"),
            (
                "shifts\n",
                '"shifts" is not a shift calendar: give a mapping of timezone, week, closed, special, last_call',
            ),
            (
                f"{WEEK}  sat: [09:00-25:00]\n",
                'week["sat"][0]: "09:00-25:00" is not a shift: write HH:MM-HH:MM, 00:00 to 24:00',
            ),
            (
                f"{WEEK}  tue: 09:00-12:00\n",
                'week["tue"]: "09:00-12:00" is not a list of shifts: write ["09:00-12:00"]',
            ),
            (f"{WEEK}  tue:\n", 'week["tue"]: "" is not a list of shifts: write ["09:00-12:00"]'),
            (f"{WEEK}  on: [09:00-12:00]\n", f'week["on"]: "on"{NOT_A_DAY}'),
            (f"{WEEK}  no: [09:00-12:00]\n", f'week["no"]: "no"{NOT_A_DAY}'),
            (f"{WEEK}  1: [09:00-12:00]\n", f'week["1"]: "1"{NOT_A_DAY}'),
            (
                f"{WEEK}closed: 2026-10-01\n",
                'closed: "2026-10-01" is not a list of dates: write ["2026-10-01"]',
            ),
            (
                f"{WEEK}closed: [2026-10-01 09:00:00]\n",
                f'closed: "2026-10-01 09:00:00"{NOT_A_DATE}',
            ),
            (
                f"{WEEK}closed: [20261001]\n",
                f'closed: "20261001"{NOT_A_DATE}',
            ),
            (
                f"{WEEK}special:\n  2026-10-10: 09:00-12:00\n",
                'special["2026-10-10"]: "09:00-12:00" is not a list of shifts: write ["09:00-12:00"]',
            ),
            *(
                (
                    f"{WEEK}last_call: {text}\n",
                    f'last_call: "{text}" is not a last call: write a duration such as "PT5M" or give a'
                    " datetime.timedelta, in whole seconds, at least 0 and less than 12 hours",
                )
                for text in ("12:00", "5", "5 min", "true")
            ),
        ],
    )
    def test_a_wrong_entry_in_yaml_is_named_as_in_python(self, yaml: Path, content: str, message: str) -> None:
        assert mistake(yaml, content) == message

    def test_a_wrong_entry_in_json_is_named_as_in_python(self, tmp_path: Path) -> None:
        data = {"timezone": "UTC", "week": {"mon": ["09:00-12:00"]}, "last_call": 300}
        assert mistake(tmp_path / "shifts.json", json.dumps(data)).startswith('last_call: "300" is not a last call')


class TestNothingIsLost:
    def test_a_key_that_is_there_twice_in_yaml_is_an_error_with_its_line(self, yaml: Path) -> None:
        assert mistake(yaml, f"{WEEK}  mon: [13:00-18:00]\n") == 'line 4: "mon" is written twice: write it once'

    def test_a_key_that_is_there_twice_and_quoted_once_is_an_error(self, yaml: Path) -> None:
        content = f'{WEEK}special:\n  2026-10-10: [09:00-10:00]\n  "2026-10-10": []\n'
        assert mistake(yaml, content) == 'line 6: "2026-10-10" is written twice: write it once'

    def test_a_key_that_is_there_twice_in_json_is_an_error(self, tmp_path: Path) -> None:
        content = '{"timezone": "UTC", "week": {"mon": ["09:00-12:00"], "mon": []}}'
        assert mistake(tmp_path / "shifts.json", content) == 'line 1: "mon" is written twice: write it once'

    def test_a_second_yaml_document_is_an_error(self, yaml: Path) -> None:
        assert "expected a single document in the stream" in mistake(yaml, f"{WEEK}---\n{WEEK}")


class TestOnlyData:
    @pytest.mark.parametrize(
        "value",
        [
            "!!python/object/apply:os.system [touch done]",
            "!!python/object/new:os.system [touch done]",
            "!!python/name:os.system",
            "!!binary aGVsbG8=",
            "!include other.yaml",
        ],
    )
    def test_a_yaml_tag_runs_and_reads_nothing(self, yaml: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(yaml.parent)
        assert mistake(yaml, f"{WEEK}closed: {value}\n").startswith("closed: ")
        assert not Path("done").exists()

    def test_a_yaml_tag_leaves_a_date_the_text_that_it_is(self, yaml: Path) -> None:
        yaml.write_text(f"{WEEK}closed: [!!timestamp 2026-10-01]\n")
        assert ShiftCalendar.from_file(yaml).to_dict()["closed"] == ["2026-10-01"]

    def test_a_yaml_key_that_is_no_text_is_refused(self, yaml: Path) -> None:
        assert mistake(yaml, f"{WEEK}  ? [tue, wed]\n  : [09:00-12:00]\n") == (
            "line 4: this key is a sequence: write text"
        )

    @pytest.mark.parametrize("name", ["shifts.yaml", "shifts.json"])
    def test_a_file_nested_too_deeply_is_refused(self, tmp_path: Path, name: str) -> None:
        content = "[" * 100_000 if name == "shifts.json" else "[" * 2000
        assert mistake(tmp_path / name, content) == "this is nested too deeply for a shift calendar"

    def test_a_yaml_alias_of_itself_is_refused(self, yaml: Path) -> None:
        assert mistake(yaml, f"{WEEK}closed: &a [*a]\n") == "this is nested too deeply for a shift calendar"

    def test_yaml_aliases_of_aliases_take_no_time(self, yaml: Path) -> None:
        lines = [f"- &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]" for n in range(12)]
        begin = time.process_time()
        assert mistake(yaml, "\n".join(lines)) == "this is nested too deeply for a shift calendar"
        assert time.process_time() - begin < 5


class TestSyntax:
    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (f"{WEEK}closed: [2026-10-01\nspecial: {{}}\n", "line 5"),
            (f"{WEEK}\tclosed: []\n", "line 4"),
            (f"{WEEK} closed: []\n", "line 4"),
            (f"{WEEK}closed: *unknown\n", "line 4"),
            (f"{WEEK}closed: [\x00]\n", "special characters are not allowed"),
        ],
    )
    def test_a_mistake_in_yaml_is_shown_with_its_line(self, yaml: Path, content: str, line: str) -> None:
        message = mistake(yaml, content)
        assert message.startswith("this is not YAML: ")
        assert line in message

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            ('{"timezone": "UTC"\n "week": {"mon": []}}', "line 2"),
            ('{"timezone": "UTC"}\n{}', "line 2"),
            ('{"timezone": "UTC"', "line 1"),
        ],
    )
    def test_a_mistake_in_json_is_shown_with_its_line(self, tmp_path: Path, content: str, line: str) -> None:
        message = mistake(tmp_path / "shifts.json", content)
        assert message.startswith("this is not JSON: ")
        assert line in message

    @pytest.mark.parametrize("name", ["shifts.yaml", "shifts.json"])
    def test_a_calendar_file_in_another_encoding_is_an_error(self, tmp_path: Path, name: str) -> None:
        content = "# contact centre\n# 电话中心\n".encode("gb18030")
        assert mistake(tmp_path / name, content) == "this is not UTF-8: save the file in UTF-8"
