"""``isales hold`` as it is typed, and ``isales check --hold-until``; what is written is a test of Airflow's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from isales_command import Isales

from airflow_provider_isales.simulator import Simulator

NOON = datetime.now(UTC)
ZONE = f"Etc/GMT{NOON.hour - 12:+d}"  # in which it is noon


def from_now(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat(timespec="seconds")


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    """A calendar whose shift ended at 10:00 of a day on which it is past noon."""
    file = tmp_path / "shifts.json"
    file.write_text(json.dumps({"timezone": ZONE, "week": {"mon-sun": ["06:00-10:00"]}}))
    return file


class TestHold:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "add either --until TIME or --clear"),
            (["--until", "20:00", "--clear"], "add either --until TIME or --clear"),
            (["--until", "tonight"], "hold: until must be an ISO time with a time zone"),
            (["--until", "2026-11-29T20:00"], "hold: until must be an ISO time with a time zone"),
            (
                ["--until", "20:00"],
                "--until 20:00 needs a time zone: add --timezone Asia/Shanghai, set the connection's",
            ),
            (
                ["--until", "11:00", "--timezone", ZONE],
                "is not within the next 24 hours: for another day, add the date",
            ),
            (["--until", from_now(hours=25)], "is not within the next 24 hours: for another day, add the date"),
            (["--until", from_now(minutes=-1)], "is not within the next 24 hours: for another day, add the date"),
            (["--until", "20:00", "--timezone", "Shanghai"], "timezone must be the IANA name of a time zone"),
            (["--until", "20:00", "--campaign", "x"], "campaign_id must be a positive integer, not 'x'"),
        ],
    )
    def test_wrong_arguments_of_hold_are_an_error(self, isales: Isales, arguments: list[str], message: str) -> None:
        done = isales("hold", *arguments)
        assert done.returncode == 2
        assert message in done.stderr

    @pytest.mark.usefixtures("no_airflow")
    def test_hold_refuses_a_time_without_a_zone_even_without_a_connection(self, isales: Isales) -> None:
        del isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"]
        assert "needs a time zone" in isales("hold", "--until", "20:00").stderr


class TestCheck:
    @pytest.fixture(autouse=True)
    def started(self, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=2)

    def test_check_raises_no_alarm_before_the_end_of_the_hold(self, isales: Isales) -> None:
        done = isales("check", "--hold-until", from_now(hours=1))
        assert done.returncode == 0
        assert "2 batches started; a hold lasts until " in done.stdout

    def test_check_raises_an_alarm_after_the_end_of_the_hold(self, isales: Isales) -> None:
        assert isales("check", "--hold-until", from_now(minutes=-1)).returncode == 1

    def test_check_takes_a_time_on_the_day_of_the_last_shift(self, isales: Isales, calendar: Path) -> None:
        done = isales("check", "--shifts", calendar, "--hold-until", "18:00")
        assert done.returncode == 0
        assert "; a hold lasts until 18:00 on " in done.stdout

    def test_check_counts_lateness_from_the_hold(self, isales: Isales, calendar: Path) -> None:
        done = isales("check", "--shifts", calendar, "--hold-until", from_now(minutes=-5), "--max-lateness", "3h")
        assert done.returncode == 0
        assert "2 batches still started 5 min after the hold until " in done.stdout
        late = isales("check", "--shifts", calendar, "--hold-until", from_now(minutes=-5), "--max-lateness", "1m")
        assert late.returncode == 1

    def test_check_json_has_the_end_of_the_hold(self, isales: Isales) -> None:
        until = from_now(hours=1)
        (record,) = json.loads(isales("check", "--hold-until", until, "--output", "json").stdout)
        assert (record["verdict"], record["held_until"], len(record["started"])) == ("ok", until, 2)

    @pytest.mark.parametrize(
        ("until", "message"),
        [
            (from_now(hours=25), "hold: until must be at most 24 hours ahead"),
            ("20:00", "hold: until 20:00 has no time zone: give a calendar"),
            ("tonight", "hold: until must be an ISO time with a time zone"),
        ],
        ids=["too far ahead", "no time zone", "no time"],  # without the present time, which differs among workers
    )
    def test_check_refuses_an_invalid_hold(self, isales: Isales, until: str, message: str) -> None:
        done = isales("check", "--hold-until", until)
        assert done.returncode == 2
        assert message in done.stderr
