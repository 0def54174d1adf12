"""``isales shifts``: what a calendar file comes to."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine
from isales_command import ISALES

from airflow_provider_isales.cli.commands import shifts
from airflow_provider_isales.cli.output import UsageError
from airflow_provider_isales.cli.parser import make_parser
from airflow_provider_isales.shifts import ShiftCalendar

COMMAND = [ISALES, "shifts"]
WEEK = """
timezone: Asia/Shanghai
week:
  mon-thu: [09:00-12:00, 13:30-18:00]
  fri: [09:00-12:00, 22:00-02:00]
closed: [2026-10-01]
special:
  2026-10-11: [09:00-18:00, 20:00-20:20]
last_call: PT30M
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shifts.yaml"
    path.write_text(WEEK)
    return path


def run(*arguments: str | Path) -> int:
    return shifts.run(make_parser().parse_args(["shifts", *map(str, arguments)]))


def rows(calendar: ShiftCalendar, first: date, count: int = 1) -> list[tuple[str, ...]]:
    return [row[1:] for row in shifts.make_rows(calendar, first, count)]


class TestTheTable:
    @pytest.fixture(autouse=True)
    def printed(self, file: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
        assert run(file, "--from", "2026-09-28") == 0
        return [re.sub(" +", " ", line) for line in capsys.readouterr().out.splitlines()]

    def test_the_preview_begins_with_the_calendar_in_words(self, printed: list[str], file: Path) -> None:
        assert printed[0] == ShiftCalendar.from_file(file).summary

    def test_the_preview_shows_the_time_of_each_pause(self, printed: list[str]) -> None:
        assert printed[1:4] == [
            "day starts pause at note",
            "Mon 2026-09-28 09:00 11:30",
            " 13:30 17:30",
        ]

    def test_the_preview_names_the_day_of_an_end_after_midnight(self, printed: list[str]) -> None:
        assert " 22:00 01:30 Sat 2026-10-03" in printed

    def test_the_preview_marks_closed_and_special_days(self, printed: list[str]) -> None:
        assert "Sun 2026-10-04 no shift" in printed
        assert "Thu 2026-10-01 closed" in printed
        assert "Sun 2026-10-11 09:00 17:30 special" in printed

    def test_the_preview_shows_when_a_night_shift_ends(self, printed: list[str]) -> None:
        assert "Sat 2026-10-03 on at midnight, pause at 01:30" in printed

    def test_the_preview_omits_shifts_no_longer_than_last_call(self, printed: list[str]) -> None:
        assert not any("20:00" in line for line in printed[2:])

    def test_the_preview_has_fourteen_days(self, printed: list[str]) -> None:
        assert len([line for line in printed[2:] if not line.startswith(" ")]) == 14


class TestDays:
    def test_an_end_at_midnight_is_24_00(self) -> None:
        assert rows(ShiftCalendar("UTC", {"mon": ["20:00-24:00"]}), date(2026, 9, 28)) == [("20:00", "24:00", "")]

    def test_a_shift_that_never_ends_has_no_pause_before_a_day_is_closed(self) -> None:
        calendar = ShiftCalendar("UTC", {"mon-sun": ["00:00-24:00"]}, closed=["2026-10-01"], last_call="PT1H")
        assert rows(calendar, date(2026, 9, 29), 4) == [
            ("", "", "on at midnight, pause at 23:00 Wed 2026-09-30"),
            ("", "", "on at midnight, pause at 23:00"),
            ("", "", "closed"),
            ("", "", "on at midnight, pause at never"),
        ]

    def test_dates_of_every_year_are_marked_and_those_with_a_year_win(self) -> None:
        calendar = ShiftCalendar(
            "UTC",
            {"mon-sun": ["09:00-18:00"]},
            closed=["12-30/01-01", "2026-12-31"],
            special={"2027-01-01/2027-01-02": ["10:00-11:00"]},
        )
        assert rows(calendar, date(2026, 12, 29), 6) == [
            ("09:00", "18:00", ""),
            ("", "", "closed"),
            ("", "", "closed"),
            ("10:00", "11:00", "special"),
            ("10:00", "11:00", "special"),
            ("09:00", "18:00", ""),
        ]
        assert rows(calendar, date(2035, 12, 31), 3) == [("", "", "closed"), ("", "", "closed"), ("09:00", "18:00", "")]

    def test_a_change_of_clocks_is_noted(self) -> None:
        calendar = ShiftCalendar("Europe/Berlin", {"sun": ["01:00-04:00"]})
        assert rows(calendar, date(2026, 10, 25)) == [("01:00", "04:00", "clock change")]

    def test_the_pauses_of_a_year_are_the_ends_that_the_calendar_has(self, file: Path) -> None:
        calendar = ShiftCalendar.from_file(file)
        found = [row[1] for row in rows(calendar, date(2026, 1, 1), 365)]
        ends, end = [], calendar.next_end(datetime(2025, 12, 31, 16, tzinfo=UTC))
        while end and end < datetime(2026, 12, 31, 16, tzinfo=UTC):
            ends.append(f"{end:%H:%M}")
            end = calendar.next_end(end)
        assert [pause[:5] for pause in found if re.match(r"\d", pause)] == ends


class TestTheArguments:
    @time_machine.travel(datetime(2026, 9, 28, 17, tzinfo=UTC))
    def test_the_first_day_is_today_in_the_time_zone_of_the_calendar(
        self, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run(file, "--days", "1")
        assert capsys.readouterr().out.splitlines()[2].startswith("Tue 2026-09-29")

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["--from", "tomorrow"], "'tomorrow' is not a date such as 2026-10-01"),
            (["--days", "0"], "--days must be an integer from 1 to 366, not 0"),
            (["--days", "1000"], "--days must be an integer from 1 to 366, not 1000"),
        ],
    )
    def test_a_wrong_date_or_number_is_refused(
        self, file: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            run(file, *arguments)
        assert complaint in capsys.readouterr().err

    def test_days_beyond_the_year_9999_are_refused(self, file: Path) -> None:
        with pytest.raises(UsageError, match="--days 14 from 9999-12-25 goes beyond the year 9999"):
            run(file, "--from", "9999-12-25")


class TestACalendarInPython:
    @pytest.fixture
    def team(self, tmp_path: Path) -> Path:
        """A DAG file, which prints and imports a module beside it."""
        (tmp_path / "hours_of_team.py").write_text('WEEK = {"mon": ["09:00-12:00"]}\n')
        path = tmp_path / "team.py"
        path.write_text(
            "from airflow_provider_isales.shifts import ShiftCalendar\n"
            "from hours_of_team import WEEK\n"
            'print("loading")\n'
            'SHIFTS = ShiftCalendar("UTC", WEEK)\n'
        )
        return path

    def test_a_calendar_in_python_is_previewed(self, team: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(f"{team}:SHIFTS", "--from", "2026-09-28", "--days", "1") == 0
        printed = capsys.readouterr().out
        assert "loading" not in printed
        assert "Mon 2026-09-28  09:00   12:00" in printed

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("team.py", r"team.py is Python: say which name in it is the calendar, such as .*team.py:SHIFTS"),
            ("team.py:HOURS", r".*team.py has no ShiftCalendar named HOURS; it has SHIFTS"),
            ("team.py:WEEK", r".*team.py has no ShiftCalendar named WEEK; it has SHIFTS"),
            ("missing.py:SHIFTS", r"missing.py can't be run: FileNotFoundError"),
            ("broken.py:SHIFTS", r"broken.py can't be run: ZeroDivisionError: division by zero"),
        ],
    )
    def test_a_wrong_name_of_a_python_calendar_is_reported(self, team: Path, name: str, complaint: str) -> None:
        team.with_name("broken.py").write_text("1 / 0")
        with pytest.raises(UsageError, match=complaint):
            run(team.with_name(name))


class TestLostMinutes:
    LOST = (
        'isales: week["mon"]: 18:00-23:59 leaves out the minute until 24:00: write 18:00-24:00 if no break is meant\n'
    )

    @pytest.mark.parametrize("name", ["shifts.yaml", "team.py:SHIFTS"])
    def test_the_preview_warns_of_a_lost_minute(
        self, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "shifts.yaml").write_text("timezone: UTC\nweek: {mon: [18:00-23:59]}\n")
        (tmp_path / "team.py").write_text(
            "import warnings\n"
            "from airflow_provider_isales.shifts import ShiftCalendar\n"
            'warnings.warn("of something else")\n'
            'SHIFTS = ShiftCalendar("UTC", {"mon": ["18:00-23:59"]})\n'
        )
        assert run(tmp_path / name, "--from", "2026-09-28", "--days", "1") == 0
        printed = capsys.readouterr()
        assert printed.err == self.LOST
        assert "Mon 2026-09-28  18:00   23:59" in printed.out


class TestTheProcess:
    def test_a_wrong_calendar_file_exits_with_2(self, tmp_path: Path) -> None:
        path = tmp_path / "shifts.yaml"
        path.write_text("timezone: Asia/Shanghai\nweek: {mon: 09:00-12:00}\n")
        done = subprocess.run([*COMMAND, path.name], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("isales: ")
        assert 'shifts.yaml: week["mon"]: "09:00-12:00" is not a list of shifts: write ["09:00-12:00"]' in done.stderr
