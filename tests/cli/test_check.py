"""``isales check``: whether anybody is being called who must not be, as cron and Nagios ask it."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from isales_command import ISALES, Isales

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

ABSENT = 9999
ALWAYS = '{"timezone": "UTC", "week": {"mon-sun": ["00:00-24:00"]}}'


def calendar(file: Path, ended: timedelta) -> Path:
    """Write a calendar whose last shift has ended so long ago, in a time zone in which it is noon."""
    hour = datetime.now(UTC).hour
    zone = f"Etc/GMT{hour - 12:+d}"
    here = datetime.now(UTC) + timedelta(hours=12 - hour) - ended
    file.write_text(json.dumps({"timezone": zone, "week": {"mon-sun": [f"06:00-{here:%H:%M}"]}}))
    return file


class TestWithoutShifts:
    def test_check_is_ok_when_nothing_is_started(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=3, status=BatchStatus.SUSPENDED)
        done = isales("check", 1001)
        assert (done.returncode, done.stdout) == (0, "OK campaign 1001 (VDN 25): nothing is started\n")

    def test_check_names_what_is_started(self, isales: Isales, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(1001, batches=3, status=BatchStatus.SUSPENDED)
        batch_id = list(campaign.batches)[1]
        campaign.set_status(batch_id, BatchStatus.STARTED)
        done = isales("check", 1001)
        assert (done.returncode, done.stdout) == (1, f"STARTED campaign 1001 (VDN 25): 1 batch started: {batch_id}\n")

    def test_check_prints_many_batches_on_one_line(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=300)
        (line,) = isales("check", 1001).stdout.splitlines()
        assert "300 batches" in line
        assert line.endswith(", ...")

    def test_check_ignores_excluded_batches(self, isales: Isales, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(1001, batches=1)
        assert isales("check", 1001, "--exclude", *campaign.batches).returncode == 0

    def test_check_leaves_out_excluded_campaigns_of_those_named(self, isales: Isales, simulator: Simulator) -> None:
        for number in (1, 2):
            simulator.add_campaign(number, batches=1)
        done = isales("check", "1", "2", "--exclude", "2")
        assert (done.returncode, done.stdout.count("STARTED"), done.stderr) == (1, 1, "")

    def test_check_of_a_campaign_that_cannot_be_listed_is_unknown(self, isales: Isales, simulator: Simulator) -> None:
        done = isales("check", ABSENT)
        assert done.returncode == 2
        assert done.stdout.startswith(f"UNKNOWN campaign {ABSENT} (VDN 25): Listing")

    def test_started_wins_over_unknown_and_comes_first(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED)
        simulator.add_campaign(1002, batches=1)
        done = isales("check", 1001, ABSENT, 1002)
        assert done.returncode == 1
        assert [line.split()[0] for line in done.stdout.splitlines()] == ["STARTED", "UNKNOWN", "OK"]

    def test_check_quiet_prints_nothing_about_campaigns_that_are_ok(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED)
        assert isales("check", 1001, "--quiet").stdout == ""
        assert isales("check", 1001, ABSENT, "--quiet").stdout.count("\n") == 1

    def test_check_finds_a_batch_that_an_edit_moved_between_pages(
        self, isales: Isales, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = simulator.add_campaign(1001, batches=4, status=BatchStatus.SUSPENDED)
        monkeypatch.setattr(simulator.service, "max_page_size", 2)
        first, _, hidden, _ = campaign.batches
        campaign.set_status(hidden, BatchStatus.STARTED)

        def edit(verb: str, body: Any) -> None:
            if body["offset"] == 2 and first in campaign.batches:
                del campaign.batches[first]
                campaign.add_batch(status=BatchStatus.SUSPENDED)

        simulator.on_request = edit
        done = isales("check", 1001)
        assert (done.returncode, done.stdout) == (1, f"STARTED campaign 1001 (VDN 25): 1 batch started: {hidden}\n")

    def test_check_of_a_campaign_that_keeps_changing_is_unknown(self, isales: Isales, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED)

        def edit(verb: str, body: Any) -> None:
            campaign.add_batch(status=BatchStatus.SUSPENDED)

        simulator.on_request = edit
        done = isales("check", 1001)
        assert done.returncode == 2
        assert done.stdout.startswith("UNKNOWN campaign 1001 (VDN 25): Listing")

    def test_check_only_reads(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1)
        isales("check", 1001)
        assert set(simulator.requests) == {"list", "get_campaign"}

    def test_started_batches_of_a_suspended_campaign_are_ok(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1, state="suspended")
        done = isales("check", 1001)
        assert done.returncode == 0
        assert done.stdout == "OK campaign 1001 (VDN 25): the campaign is suspended, so nobody is called\n"

    def test_a_started_campaign_without_batches_is_found(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001)
        done = isales("check", 1001)
        assert done.returncode == 1
        assert done.stdout == "STARTED campaign 1001 (VDN 25): the whole campaign started: it has no batches\n"

    @pytest.mark.parametrize(("batches", "status"), [(1, 1), (0, 2)])
    def test_started_batches_decide_if_the_details_cannot_be_read(
        self, batches: int, status: int, isales: Isales, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1001, batches=batches)
        simulator.inject("result", code="0200001", verb="get_campaign")
        assert isales("check", 1001).returncode == status


class TestWithShifts:
    @pytest.fixture(autouse=True)
    def campaign(self, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1)

    def test_during_a_shift_batches_may_be_started(self, isales: Isales, tmp_path: Path) -> None:
        file = tmp_path / "always.json"
        file.write_text(ALWAYS)
        done = isales("check", 1001, "--shifts", file)
        assert done.returncode == 0
        assert "1 batch started, a shift is on" in done.stdout

    def test_after_a_shift_batches_must_not_be_started(self, isales: Isales, tmp_path: Path) -> None:
        file = calendar(tmp_path / "shifts.json", timedelta(minutes=12))
        done = isales("check", 1001, "--shifts", file)
        assert done.returncode == 1
        assert re.search(
            r"STARTED campaign 1001 \(VDN 25\): 1 batch still started 1[23] min after the end of the shift", done.stdout
        )

    def test_max_lateness_allows_a_while_after_the_shift(self, isales: Isales, tmp_path: Path) -> None:
        file = calendar(tmp_path / "shifts.json", timedelta(minutes=12))
        assert isales("check", 1001, "--shifts", file, "--max-lateness", "5m").returncode == 1
        done = isales("check", 1001, "--shifts", file, "--max-lateness", "1h")
        assert done.returncode == 0
        assert re.search("1 batch still started 1[23] min after the end of the shift", done.stdout)
        assert "1 h are allowed" in done.stdout

    def test_check_reads_a_calendar_in_python(self, isales: Isales, tmp_path: Path) -> None:
        file = tmp_path / "team.py"
        file.write_text(f"from airflow_provider_isales.shifts import ShiftCalendar\nSHIFTS = ShiftCalendar(**{ALWAYS})")
        done = isales("check", 1001, "--shifts", f"{file}:SHIFTS")
        assert done.returncode == 0, done
        assert "a shift is on" in done.stdout

    def test_check_json_has_the_end_of_the_shift(self, isales: Isales, tmp_path: Path) -> None:
        file = calendar(tmp_path / "shifts.json", timedelta(minutes=12))
        (found,) = json.loads(isales("check", 1001, "--shifts", file, "--output", "json").stdout)
        assert found["started"]
        assert 12 * 60 <= found["seconds_after_shift_end"] < 14 * 60
        assert datetime.fromisoformat(found["shift_end"]) < datetime.now(UTC)

    def test_check_names_the_mistake_in_a_calendar_file(self, isales: Isales, tmp_path: Path) -> None:
        file = tmp_path / "shifts.yaml"
        file.write_text("timezone: Asia/Shanghai\nweek: {mon-fri: ['9-12']}\n")
        done = isales("check", 1001, "--shifts", "shifts.yaml", cwd=tmp_path)
        assert done.returncode == 2
        assert f"isales: {file.name}: week" in done.stderr

    def test_check_prints_a_warning_of_the_calendar_in_a_line(self, isales: Isales, tmp_path: Path) -> None:
        file = tmp_path / "shifts.yaml"
        file.write_text("timezone: Asia/Shanghai\nweek: {mon-sun: [00:00-23:59]}\n")
        (line,) = isales("check", 1001, "--shifts", file).stderr.splitlines()
        assert line == isales("shifts", file).stderr.strip()
        assert line.startswith("isales: ")

    def test_max_lateness_needs_shifts(self, isales: Isales) -> None:
        done = isales("check", 1001, "--max-lateness", "5m")
        assert done.returncode == 2
        assert "--max-lateness requires --shifts" in done.stderr


def test_check_with_a_wrong_key_is_unknown(isales: Isales, simulator: Simulator) -> None:
    isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection().replace(
        "simulator-secret-key", "another"
    )
    done = isales("check", 1001)
    assert done.returncode == 2
    assert "HTTP 401" in done.stdout


def test_check_of_a_silent_server_ends_within_retry_for(isales: Isales) -> None:
    connection = {"host": "127.0.0.1", "port": 9, "login": "a", "password": "b", "extra": {"vdn_id": 25}}
    isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = json.dumps(connection)
    done = isales("check", 1001, "--retry-for", "1s")
    assert done.returncode == 2
    assert "UNKNOWN campaign 1001 (VDN 25): " in done.stdout


class TestForNagios:
    @pytest.mark.parametrize(
        ("arguments", "status"), [(["1001"], 0), (["1002"], 2), ([ABSENT], 3), (["1001", "--max-lateness", "5m"], 3)]
    )
    def test_check_nagios_has_the_statuses_of_nagios(
        self, arguments: list[str | int], status: int, isales: Isales, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED)
        simulator.add_campaign(1002, batches=1)
        assert isales("check", *arguments, "--nagios").returncode == status

    def test_check_nagios_of_bad_arguments_is_unknown(self, isales: Isales) -> None:
        assert isales("check", "x", "--nagios").returncode == 3


def test_the_cron_line_of_the_docs_runs_as_cron_runs_it(
    simulator: Simulator, connection_file: str, tmp_path: Path
) -> None:
    page = Path(__file__).parents[2] / "docs" / "monitoring.md"
    if not page.exists():
        pytest.skip("there are no docs here")
    simulator.add_campaign(1001, batches=1)
    simulator.add_campaign(1002, batches=1, status=BatchStatus.SUSPENDED)
    shifts = calendar(tmp_path / "shifts.json", timedelta(minutes=12))
    (line,) = re.findall(r"^\*/5 \* \* \* \* (.*)", page.read_text(), re.MULTILINE)
    own = {"/opt/isales/bin/isales": ISALES, "/etc/isales/connection.json": connection_file}
    for theirs, ours in (own | {"/etc/isales/shifts.yaml": str(shifts)}).items():
        assert theirs in line
        line = line.replace(theirs, ours)
    environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    done = subprocess.run(  # noqa: S602
        line,
        shell=True,
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert [found.split()[0] for found in done.stdout.splitlines()] == ["STARTED", "OK"]
