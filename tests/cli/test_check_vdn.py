"""``isales check`` without campaigns: whether anything in the VDN may be dialling that must not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from isales_command import Isales

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

ALWAYS = '{"timezone": "Asia/Shanghai", "week": {"mon-sun": ["00:00-24:00"]}}'
NEVER = '{"timezone": "Asia/Shanghai", "week": {}, "special": {"2020-01-01": ["09:00-10:00"]}}'


@pytest.fixture
def silent(simulator: Simulator) -> Simulator:
    """A VDN in which nobody is called: a campaign in each state, and one that is started with a suspended batch."""
    for number, state in enumerate(["draft", "suspended", "completed"], 1):
        simulator.add_campaign(1000 + number, batches=1, state=state)
    simulator.add_campaign(1004, batches=1, status=BatchStatus.SUSPENDED)
    return simulator


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    return tmp_path / "shifts.json"


def platform_time(**later: float) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=8, **later):%Y-%m-%d %H:%M:%S}"


def test_a_vdn_without_started_batches_is_ok(isales: Isales, silent: Simulator) -> None:
    done = isales("check")
    assert (done.returncode, done.stdout) == (0, "OK campaign 1004 (VDN 25): campaign-1004: nothing is started\n")


def test_a_vdn_without_started_campaigns_is_ok(isales: Isales, simulator: Simulator) -> None:
    simulator.add_campaign(1001, batches=1, state="suspended")
    done = isales("check")
    assert (done.returncode, done.stdout) == (0, "OK VDN 25: no campaign is started\n")


def test_a_started_batch_of_a_campaign_that_nobody_named_is_found(isales: Isales, silent: Simulator) -> None:
    (batch_id,) = silent.add_campaign(1009, batches=1, name="late").batches
    done = isales("check")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == f"STARTED campaign 1009 (VDN 25): late: 1 batch started: {batch_id}"


def test_a_started_campaign_without_batches_is_found(isales: Isales, silent: Simulator) -> None:
    silent.add_campaign(1009, name="late")
    done = isales("check")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == (
        "STARTED campaign 1009 (VDN 25): late: the whole campaign started: it has no batches"
    )


def test_excluded_campaigns_and_batches_are_ignored(isales: Isales, silent: Simulator) -> None:
    silent.add_campaign(1008)
    (batch_id,) = silent.add_campaign(1009, batches=1).batches
    assert isales("check", "--exclude", 1008, "--exclude", batch_id).returncode == 0


def test_an_alarm_names_an_excluded_id_that_is_not_listed(isales: Isales, silent: Simulator) -> None:
    campaign = silent.add_campaign(1008, batches=1)
    (batch_id,) = silent.service.campaigns[1004].batches
    done = isales("check", "--exclude", 9999, "--exclude", batch_id)
    assert done.returncode == 1
    assert done.stderr == "isales: 9999 is not listed, so it excludes nothing.\n"
    campaign.state = "suspended"
    assert isales("check", "--exclude", 9999).stderr == ""  # cron would mail it


def test_check_says_no_other_campaign_if_one_is_excluded(isales: Isales, simulator: Simulator) -> None:
    simulator.add_campaign(1009)
    assert isales("check", "--exclude", 1009).stdout == "OK VDN 25: no other campaign is started\n"


def test_check_of_the_vdn_only_lists(isales: Isales, silent: Simulator) -> None:
    isales("check")
    assert silent.requests == {"list_campaigns": 2, "list": 2}


class TestBeginAndEnd:
    """The simulator's campaigns begin and end by the clocks of Shanghai."""

    @pytest.fixture
    def knows_the_zone(self, isales: Isales, simulator: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection(timezone="Asia/Shanghai")

    @pytest.mark.parametrize("times", [{"begin": {"minutes": 30}}, {"end": {"minutes": -30}}], ids=str)
    def test_a_campaign_outside_its_begin_and_end_is_not_dialling(
        self, times: dict[str, Any], isales: Isales, simulator: Simulator, knows_the_zone: None
    ) -> None:
        settings: dict[str, Any] = {name: platform_time(**later) for name, later in times.items()}
        simulator.add_campaign(1001, **settings)
        done = isales("check")
        assert done.returncode == 0, done
        assert "the campaign runs from" in done.stdout

    @pytest.mark.parametrize("times", [{"begin": {"minutes": -30}}, {"end": {"minutes": 30}}], ids=str)
    def test_a_campaign_between_its_begin_and_end_is_found(
        self, times: dict[str, Any], isales: Isales, simulator: Simulator, knows_the_zone: None
    ) -> None:
        settings: dict[str, Any] = {name: platform_time(**later) for name, later in times.items()}
        simulator.add_campaign(1001, **settings)
        assert isales("check").returncode == 1

    def test_the_zone_of_the_calendar_is_that_of_the_platform(
        self, isales: Isales, simulator: Simulator, calendar: Path
    ) -> None:
        simulator.add_campaign(1001, begin=platform_time(minutes=30))
        calendar.write_text(NEVER)
        assert isales("check", "--shifts", calendar).returncode == 0

    def test_the_zone_of_the_connection_comes_before_that_of_the_calendar(
        self, isales: Isales, simulator: Simulator, calendar: Path, knows_the_zone: None
    ) -> None:
        simulator.add_campaign(1001, begin=platform_time(minutes=-30))
        calendar.write_text(NEVER.replace("Asia/Shanghai", "UTC"))
        assert isales("check", "--shifts", calendar).returncode == 1

    @pytest.mark.parametrize("times", [{"begin": {"minutes": 30}}, {"end": {"minutes": -30}}], ids=str)
    def test_without_a_zone_a_begin_or_end_within_a_day_is_unknown_and_the_setting_named(
        self, times: dict[str, Any], isales: Isales, simulator: Simulator
    ) -> None:
        settings: dict[str, Any] = {name: platform_time(**later) for name, later in times.items()}
        simulator.add_campaign(1001, **settings)
        done = isales("check")
        assert done.returncode == 2
        assert "Set the connection's extra 'timezone'" in done.stdout

    @pytest.mark.parametrize(("days", "status"), [(2, 0), (-2, 1)])
    def test_without_a_zone_a_begin_days_away_is_clear(
        self, days: int, status: int, isales: Isales, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1001, begin=platform_time(days=days))
        assert isales("check").returncode == status

    def test_without_a_zone_a_campaign_that_calls_nobody_needs_none(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED, begin=platform_time(minutes=30))
        assert isales("check").returncode == 0


class TestShifts:
    def test_during_a_shift_campaigns_may_be_started(
        self, isales: Isales, simulator: Simulator, calendar: Path
    ) -> None:
        simulator.add_campaign(1001, batches=2)
        simulator.add_campaign(1002)
        calendar.write_text(ALWAYS)
        done = isales("check", "--shifts", calendar)
        assert done.returncode == 0
        assert "2 batches started, a shift is on" in done.stdout
        assert "the whole campaign started, a shift is on" in done.stdout

    def test_after_the_shift_the_lateness_of_a_whole_campaign_is_printed(
        self, isales: Isales, simulator: Simulator, calendar: Path
    ) -> None:
        simulator.add_campaign(1001, name="late")
        calendar.write_text(NEVER)
        done = isales("check", "--shifts", calendar)
        assert done.returncode == 1
        assert "late: the whole campaign still started" in done.stdout
        assert "after the end of the shift at 10:00 on Wed 2020-01-01: it has no batches" in done.stdout


class TestUnknown:
    def test_a_vdn_that_cannot_be_listed_is_unknown(self, isales: Isales, silent: Simulator) -> None:
        silent.inject("result", code="0200001", verb="list_campaigns")
        done = isales("check")
        assert done.returncode == 2
        assert done.stdout.startswith("UNKNOWN VDN 25: Listing the campaigns of VDN 25 failed")

    def test_a_campaign_whose_batches_cannot_be_listed_is_unknown(self, isales: Isales, silent: Simulator) -> None:
        silent.inject("result", code="0200001", verb="list")
        done = isales("check")
        assert done.returncode == 2
        assert done.stdout.startswith("UNKNOWN campaign 1004 (VDN 25): campaign-1004: Listing")

    def test_a_status_that_is_not_documented_is_unknown(self, isales: Isales, simulator: Simulator) -> None:
        entry = {"id": 1001, "name": "odd", "status": 7, "strBeginTime": "2020-01-01", "strEndTime": "2099-12-31"}
        body = {"resultCode": "0200000", "returnCode": "0200000", "totalSize": 1, "data": [entry]}
        simulator.add_campaign(1001, batches=1)
        simulator.inject("answer", status=200, body=json.dumps(body), verb="list_campaigns", times=2)
        done = isales("check")
        assert done.returncode == 2
        assert "odd: its status 7 is not documented" in done.stdout

    def test_a_vdn_whose_campaigns_keep_changing_is_unknown(self, isales: Isales, silent: Simulator) -> None:
        def edit(verb: str, body: Any) -> None:
            if verb == "list_campaigns":
                silent.add_campaign(max(silent.service.campaigns) + 1, state="draft")

        silent.on_request = edit
        done = isales("check")
        assert done.returncode == 2
        assert "the list kept changing" in done.stdout

    def test_a_campaign_that_an_edit_moved_between_pages_is_found(
        self, isales: Isales, silent: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(silent.service, "max_page_size", 2)
        campaigns = silent.service.campaigns

        def edit(verb: str, body: Any) -> None:
            if verb == "list_campaigns" and silent.requests[verb] == 2:
                del campaigns[1001]
                silent.add_campaign(1010, state="draft")

        silent.on_request = edit
        silent.add_campaign(1009)
        assert isales("check").returncode == 1


class TestOutput:
    @pytest.mark.parametrize(("state", "status"), [("suspended", 0), ("executing", 2)])
    def test_check_of_the_vdn_has_the_statuses_of_nagios(
        self, state: str, status: int, isales: Isales, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1001, batches=1, state=state)
        assert isales("check", "--nagios").returncode == status

    def test_check_of_the_vdn_gives_scripts_a_verdict_on_each_started_campaign(
        self, isales: Isales, silent: Simulator
    ) -> None:
        silent.add_campaign(1009, name="late")
        found = json.loads(isales("check", "--output", "json").stdout)
        assert found == [
            {"vdn_id": 25, "campaign_id": 1009, "verdict": "started", "started": [], "name": "late"},
            {"vdn_id": 25, "campaign_id": 1004, "verdict": "ok", "started": [], "name": "campaign-1004"},
        ]

    def test_check_quiet_of_a_silent_vdn_says_nothing(self, isales: Isales, silent: Simulator) -> None:
        assert isales("check", "--quiet").stdout == ""
