"""Campaigns as a whole from a terminal: list them, stop all of a VDN, and start exactly those again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from isales_command import Isales

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

SHANGHAI = ZoneInfo("Asia/Shanghai")
ABSENT = 9999


@pytest.fixture
def vdn(simulator: Simulator) -> Simulator:
    """Three campaigns that are executing, one of them without batches, and one in each other state."""
    simulator.add_campaign(1001, batches=3, name="morning")
    simulator.add_campaign(1002, batches=1, status=BatchStatus.SUSPENDED)
    simulator.add_campaign(1003)
    simulator.add_campaign(1004, batches=1, state="draft")
    simulator.add_campaign(1005, batches=1, state="suspended")
    simulator.add_campaign(1006, batches=1, state="completed")
    return simulator


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "before.json"


def states(simulator: Simulator) -> dict[int, str]:
    return {campaign.id: campaign.state.value for campaign in simulator.service.campaigns.values()}


def platform_time(**later: float) -> str:
    return f"{datetime.now(SHANGHAI) + timedelta(**later):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize("command", [["pause", "--all"], ["check"]])
def test_a_vdn_without_campaigns_may_be_the_wrong_one(isales: Isales, simulator: Simulator, command: list[str]) -> None:
    done = isales(*command)
    assert (done.returncode, done.stdout.endswith("the VDN has no campaigns. Check vdn_id\n")) == (0, True)


class TestList:
    def test_list_without_ids_lists_the_campaigns_of_the_vdn(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("list")
        assert done.returncode == 0, done
        assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
            "1001 started 2020-01-01 00:00 to 2099-12-31 23:59 3 of 3 batches started morning",
            "1002 started 2020-01-01 00:00 to 2099-12-31 23:59 0 of 1 batches started campaign-1002",
            "1003 started 2020-01-01 00:00 to 2099-12-31 23:59 no batches campaign-1003",
            "1004 draft 2020-01-01 00:00 to 2099-12-31 23:59 batches not counted campaign-1004",
            "1005 suspended 2020-01-01 00:00 to 2099-12-31 23:59 suspended as a whole campaign-1005",
            "1006 completed 2020-01-01 00:00 to 2099-12-31 23:59 batches not counted campaign-1006",
        ]

    def test_list_asks_for_the_batches_of_started_campaigns_only(self, isales: Isales, vdn: Simulator) -> None:
        isales("list")
        assert vdn.requests == {"list_campaigns": 1, "list": 3}

    def test_list_selects_campaigns_by_status_and_name(self, isales: Isales, vdn: Simulator) -> None:
        assert isales("list", "--status", "suspended").stdout.split()[0] == "1005"
        assert isales("list", "--name", "morn").stdout.split()[0] == "1001"

    def test_list_says_which_batches_could_not_be_read(self, isales: Isales, vdn: Simulator) -> None:
        vdn.inject("result", code="0200001", verb="list", times=3)
        done = isales("list")
        assert done.returncode == 1
        assert done.stdout.count("batches unknown") == 3
        assert "isales: Listing the batches of campaign 1003 (VDN 25) failed" in done.stderr

    def test_list_of_campaigns_that_cannot_be_listed_fails(self, isales: Isales, vdn: Simulator) -> None:
        vdn.inject("result", code="0200001", verb="list_campaigns")
        done = isales("list")
        assert (done.returncode, done.stdout) == (1, "")
        assert "isales: Listing the campaigns of VDN 25 failed" in done.stderr

    def test_list_of_campaigns_gives_scripts_json(self, isales: Isales, vdn: Simulator) -> None:
        found = json.loads(isales("list", "--output", "json").stdout)
        assert found[0] == {
            "vdn_id": 25,
            "campaign_id": 1001,
            "name": "morning",
            "status": "started",
            "begin": "2020-01-01 00:00",
            "end": "2099-12-31 23:59",
            "batch_count": 3,
            "started_batch_count": 3,
        }
        assert "batch_count" not in found[3]


class TestPause:
    def test_pause_all_suspends_every_started_campaign_as_a_whole(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("pause", "--all")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "VDN 25: 3 paused (1001, 1002, 1003); confirmed by a listing\n"
        assert states(vdn) == dict.fromkeys((1001, 1002, 1003, 1005), "suspended") | {1004: "draft", 1006: "completed"}
        assert all(batch.status is BatchStatus.STARTED for batch in vdn.service.campaigns[1001].batches.values())

    def test_pause_all_leaves_an_excluded_campaign_alone(self, isales: Isales, vdn: Simulator) -> None:
        assert isales("pause", "--all", "--exclude", 1002).returncode == 0
        assert states(vdn)[1002] == "executing"
        assert states(vdn)[1001] == states(vdn)[1003] == "suspended"

    @pytest.mark.parametrize(
        ("arguments", "ids"),
        [(["--all"], "ID --whole"), ([1001, "--whole"], "ID --whole"), ([1001, 1002], "CAMPAIGN --batch ID")],
    )
    def test_pause_warns_of_an_excluded_id_that_is_not_listed(
        self, arguments: list[str | int], ids: str, isales: Isales, vdn: Simulator
    ) -> None:
        done = isales("pause", *arguments, "--exclude", ABSENT)
        assert done.returncode == 0
        assert done.stderr == (
            "isales: 9999 is not listed, so it excludes nothing. If another was meant, it was paused too: start it "
            f"again with `isales resume {ids}`.\n"
        )

    def test_pause_does_not_warn_of_an_excluded_batch_of_one_of_several_campaigns(
        self, isales: Isales, vdn: Simulator
    ) -> None:
        batch_id = next(iter(vdn.service.campaigns[1001].batches))
        assert not isales("pause", 1001, 1002, "--exclude", batch_id).stderr

    def test_pause_whole_suspends_only_the_campaigns_that_are_named(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("pause", 1001, 1004, "--whole")
        assert done.stdout == "VDN 25: 1 paused (1001), 1 not running; confirmed by a listing\n"
        assert states(vdn)[1001] == "suspended"
        assert states(vdn)[1003] == "executing"

    def test_pause_without_whole_pauses_batches(self, isales: Isales, vdn: Simulator) -> None:
        assert isales("pause", 1001).returncode == 0
        assert states(vdn)[1001] == "executing"
        assert "pause_campaign" not in vdn.requests

    @pytest.mark.parametrize(("state", "status"), [("executing", 1), ("suspended", 0)])
    def test_pause_of_batches_fails_where_a_started_campaign_has_none(
        self, state: str, status: int, isales: Isales, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1001, state=state)
        done = isales("pause", 1001)
        assert done.returncode == status
        assert ("The campaign has no batches, and its details show it as started" in done.stdout) is bool(status)

    def test_pause_of_batches_that_are_all_suspended_succeeds(self, isales: Isales, vdn: Simulator) -> None:
        assert isales("pause", 1002).returncode == 0

    def test_pause_all_names_a_campaign_that_begins_later(self, isales: Isales, vdn: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = vdn.connection(timezone="Asia/Shanghai")
        begin = platform_time(hours=3)
        vdn.add_campaign(1007, begin=begin)
        done = isales("pause", 1007, "--whole")
        assert done.returncode == 0, done
        assert f"1 not running (1007 begins at {begin[:16]} CST)" in done.stdout

    def test_pause_all_fails_while_a_campaign_may_be_dialling(self, isales: Isales, vdn: Simulator) -> None:
        vdn.inject("result", code="0200000", verb="pause_campaign", times=10)
        done = isales("pause", 1001, "--whole")
        assert done.returncode == 1
        assert done.stdout.startswith("VDN 25: FAILED: ")
        assert "1001" in done.stdout

    def test_a_failed_pause_names_the_campaigns_that_it_paused(self, isales: Isales, vdn: Simulator) -> None:
        def refuse(verb: str, body: Any) -> None:
            if verb == "pause_campaign" and vdn.requests[verb] > 1:
                vdn.inject("result", code="0200000", verb="pause_campaign")

        vdn.on_request = refuse
        done = isales("pause", "--all", "--parallel", 1)
        assert done.returncode == 1
        paused = [number for number, state in states(vdn).items() if state == "suspended" and number != 1005]
        assert done.stdout.endswith(f"try again. Paused: {', '.join(map(str, paused))}\n"), done.stdout

    def test_pause_all_gives_scripts_the_result_of_the_vdn(self, isales: Isales, vdn: Simulator) -> None:
        (found,) = json.loads(isales("pause", "--all", "--output", "json").stdout)
        assert found["vdn_id"] == 25
        assert found["paused"] == [1001, 1002, 1003]
        assert found["names"]["1001"] == "morning"

    @pytest.mark.parametrize("more", [[], ["--all"], ["--whole"]])
    def test_pause_name_suspends_the_campaigns_whose_names_contain_it(
        self, more: list[str], isales: Isales, vdn: Simulator
    ) -> None:
        done = isales("pause", "--name", "MORN", *more)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "VDN 25: 1 paused (1001); confirmed by a listing; 1 match: 1001 (morning)\n"
        assert states(vdn)[1003] == "executing"

    def test_pause_name_leaves_an_excluded_campaign_alone(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("pause", "--name", "campaign", "--exclude", 1002)
        assert done.stdout.startswith("VDN 25: 1 paused (1003); confirmed by a listing; 5 match: 1002 (campaign-1002)")
        assert states(vdn)[1002] == "executing"

    def test_pause_name_pauses_the_batches_of_given_campaigns_whose_names_contain_it(
        self, isales: Isales, vdn: Simulator
    ) -> None:
        batch = vdn.service.campaigns[1001].add_batch("night")
        done = isales("pause", 1001, 1002, "--name", "night")
        assert done.returncode == 0, done
        assert f"campaign 1001 (VDN 25): 1 paused; confirmed by a listing; 1 match: {batch.id} (night)\n" in done.stdout
        assert "campaign 1002 (VDN 25): 0 paused; confirmed by a listing; no name matches\n" in done.stdout

    def test_pause_name_that_matches_nothing_fails(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("pause", "--name", "evening")
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout == "VDN 25: 0 paused; confirmed by a listing; no name matches\n"

    def test_pause_name_that_matches_nothing_in_several_campaigns_says_so_once(
        self, isales: Isales, vdn: Simulator
    ) -> None:
        done = isales("pause", 1001, 1002, "--name", "evening")
        assert (done.returncode, done.stderr) == (1, "isales: nothing was paused: no name contains 'evening'\n")

    def test_pause_name_asks_on_a_terminal(self, isales: Isales, vdn: Simulator) -> None:
        terminal = isales.on_terminal("pause", "--name", "morning")
        terminal.wait_for("Pause all campaigns of VDN 25 as a whole, only those whose names contain 'morning'? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1

    def test_pause_name_notes_only_what_it_paused(self, isales: Isales, vdn: Simulator, file: Path) -> None:
        isales("pause", "--name", "morning", "--save", file)
        isales("pause", "--all")
        assert isales("resume", "--from-file", file, "--yes").returncode == 0
        assert [number for number, state in states(vdn).items() if state == "executing"] == [1001]

    def test_pause_all_asks_on_a_terminal(self, isales: Isales, vdn: Simulator) -> None:
        terminal = isales.on_terminal("pause", "--all")
        terminal.wait_for("Pause all campaigns of VDN 25 as a whole? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1
        assert vdn.requests == {}

    @pytest.mark.parametrize(("ids", "told"), [([1009], "1009"), (range(1, 5), "4 ids")], ids=str)
    def test_the_question_names_what_is_excluded(
        self, ids: Sequence[int], told: str, isales: Isales, vdn: Simulator
    ) -> None:
        terminal = isales.on_terminal("pause", "--all", *(f"--exclude={each}" for each in ids))
        terminal.wait_for(f"Pause all campaigns of VDN 25 as a whole, except {told}? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ([], "name campaigns, or add --all for every started campaign of the VDN"),
            (["--whole"], "name campaigns, or add --all for every started campaign of the VDN"),
            ([1001, "--all"], "name campaigns, or add --all, not both"),
            (["--all", "--batch", "1"], "choose one"),
            (["--all", "--exclude", "0"], "exclude must be a positive integer"),
            (["--all", "--exclude", "10o9"], "argument --exclude: an id must be text of 1 to 64 digits, not '10o9'"),
            (["--name", ""], "--name must be text of 1 to 255 characters, not ''"),
            (["--name", "a*"], "--name must not contain *, as 'a*' does"),
            ([1001, "--whole", "--name", "a"], "omit --batch and --whole"),
            ([1001, "--batch", "1", "--name", "a"], "omit --batch and --whole"),
        ],
    )
    def test_pause_must_say_which_campaigns(
        self, arguments: list[str | int], told: str, isales: Isales, vdn: Simulator
    ) -> None:
        done = isales("pause", *arguments)
        assert done.returncode == 2
        assert told in done.stderr
        assert vdn.requests == {}


class TestSaveAndResume:
    def test_resume_starts_exactly_the_campaigns_that_were_started(
        self, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        before = states(vdn)
        assert isales("pause", "--all", "--save", file).returncode == 0
        assert isales("pause", "--all", "--save", file).returncode == 0  # a second try forgets nothing
        assert json.loads(file.read_text()) == {"campaigns": [{"vdn_id": 25, "campaign_ids": [1001, 1002, 1003]}]}
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 0, done
        assert states(vdn) == before
        assert json.loads(file.read_text()) == {"campaigns": []}

    def test_campaigns_that_turn_out_not_to_be_running_are_not_saved(
        self, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = vdn.connection(timezone="Asia/Shanghai")
        vdn.add_campaign(1006, begin=platform_time(hours=3))
        done = isales("pause", "--all", "--save", file)
        assert "1 not running" in done.stdout
        assert json.loads(file.read_text())["campaigns"][0]["campaign_ids"] == [1001, 1002, 1003]

    def test_campaigns_that_are_about_to_be_paused_are_saved_before_the_first_request(
        self, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        noted: list[str] = []

        def note(verb: str, body: Any) -> None:
            if verb == "pause_campaign":
                noted.append(file.read_text())

        vdn.on_request = note
        assert isales("pause", "--all", "--save", file).returncode == 0
        assert [json.loads(text)["campaigns"][0]["campaign_ids"] for text in noted] == [[1001, 1002, 1003]] * 3

    def test_one_file_holds_batches_and_whole_campaigns(self, isales: Isales, vdn: Simulator, file: Path) -> None:
        assert isales("pause", 1001, "--save", file).returncode == 0
        assert isales("pause", 1003, "--whole", "--save", file).returncode == 0
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 0, done
        assert done.stdout.splitlines()[-1] == "All 2 parts: confirmed by a listing"
        assert states(vdn)[1003] == "executing"
        assert all(batch.status is BatchStatus.STARTED for batch in vdn.service.campaigns[1001].batches.values())
        assert json.loads(file.read_text()) == {"campaigns": []}

    def test_resume_of_one_campaign_leaves_the_others_saved(self, isales: Isales, vdn: Simulator, file: Path) -> None:
        isales("pause", "--all", "--save", file)
        assert isales("resume", 1001, "--from-file", file, "--yes").returncode == 0
        assert states(vdn)[1001] == "executing"
        assert states(vdn)[1002] == "suspended"
        assert json.loads(file.read_text()) == {"campaigns": [{"vdn_id": 25, "campaign_ids": [1002, 1003]}]}

    @pytest.mark.parametrize("whole", [True, False])
    def test_resume_leaves_an_excluded_campaign_alone(
        self, whole: bool, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        isales("pause", 1001, *(["--whole"] if whole else []), "--save", file)
        isales("resume", "--from-file", file, "--exclude", 1001, "--yes")
        assert vdn.requests.get("resume_campaign", 0) == vdn.requests.get("resume", 0) == 0

    def test_resume_whole_resumes_the_campaigns_that_are_named(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("resume", 1005, "--whole", "--yes")
        assert (done.returncode, done.stdout) == (0, "VDN 25: 1 resumed (1005); confirmed by a listing\n")
        assert states(vdn)[1005] == "executing"

    @pytest.mark.parametrize("arguments", [["--whole"], ["--whole", "--all"], ["--all"], [1005, "--whole", "--all"]])
    def test_resume_has_no_option_for_all_campaigns(self, arguments: list[str], isales: Isales, vdn: Simulator) -> None:
        done = isales("resume", *arguments, "--yes")
        assert done.returncode == 2
        assert vdn.requests == {}

    def test_resume_asks_on_a_terminal_and_names_the_campaigns(
        self, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        isales("pause", "--all", "--save", file)
        terminal = isales.on_terminal("resume", "--from-file", file)
        terminal.wait_for("Resume 3 campaigns of VDN 25 as a whole? [y/N]")
        assert "VDN 25: 1001, 1002, 1003" in terminal.shown
        terminal.type("n\n")
        assert terminal.end() == 1
        assert states(vdn)[1001] == "suspended"

    def test_saved_campaigns_that_the_platform_does_not_have_are_kept(
        self, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        file.write_text(json.dumps({"campaigns": [{"vdn_id": 25, "campaign_ids": [ABSENT]}]}))
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 1
        assert f"VDN 25 has none of the campaigns in {file}" in done.stderr
        assert json.loads(file.read_text())["campaigns"][0]["campaign_ids"] == [ABSENT]

    def test_a_saved_campaign_that_was_completed_shows_that_it_is_the_same_platform(
        self, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        file.write_text(json.dumps({"campaigns": [{"vdn_id": 25, "campaign_ids": [1006, ABSENT]}]}))
        assert isales("resume", "--from-file", file, "--yes").returncode == 0
        assert json.loads(file.read_text())["campaigns"] == []

    @pytest.mark.parametrize("ids", ["1001", {"1001": 1}, [True], ["x"]], ids=str)
    def test_saved_campaign_ids_that_are_not_a_list_are_refused(
        self, ids: Any, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        file.write_text(json.dumps({"campaigns": [{"vdn_id": 25, "campaign_ids": ids}]}))
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 2
        assert "is not a file that `isales pause --save` wrote" in done.stderr
        assert vdn.requests == {}


class TestResumeOfBatchesInASuspendedCampaign:
    HINT = (
        "isales: campaign 1005 (VDN 25): the campaign itself is suspended, so nobody is called: "
        "isales resume 1005 --whole\n"
    )

    @pytest.mark.parametrize("option", ["--all", "--batch", "--from-file"])
    def test_resume_fails_and_says_that_nobody_is_called(
        self, option: str, isales: Isales, vdn: Simulator, file: Path
    ) -> None:
        (batch_id,) = vdn.service.campaigns[1005].batches
        entry = {"vdn_id": 25, "campaign_id": 1005, "batch_ids": [batch_id]}
        file.write_text(json.dumps({"campaigns": [entry]}))
        value: dict[str, list[str | Path]] = {"--all": [], "--batch": [batch_id], "--from-file": [file]}
        done = isales("resume", 1005, option, *value[option], "--yes")
        assert (done.returncode, done.stderr) == (1, self.HINT)
        assert vdn.requests["get_campaign"] == 1

    def test_resume_of_suspended_batches_says_it_too(self, isales: Isales, vdn: Simulator) -> None:
        vdn.add_campaign(1005, batches=1, state="suspended", status=BatchStatus.SUSPENDED)
        done = isales("resume", 1005, "--all", "--yes")
        assert (done.returncode, done.stderr) == (1, self.HINT)

    def test_resume_of_several_names_the_campaign_in_the_summary(self, isales: Isales, vdn: Simulator) -> None:
        done = isales("resume", 1002, 1005, "--all", "--yes")
        assert (done.returncode, done.stderr) == (1, self.HINT)
        assert done.stdout.splitlines()[-1] == "NOT DONE in 1 of 2 campaigns: 1005"

    def test_scripts_get_it_as_a_field(self, isales: Isales, vdn: Simulator) -> None:
        (record,) = json.loads(isales("resume", 1005, "--all", "--yes", "--output", "json").stdout)
        assert record["campaign_suspended"] is True
        assert record["error"].startswith("the campaign itself is suspended")

    def test_resume_succeeds_if_the_details_cannot_be_read(self, isales: Isales, vdn: Simulator) -> None:
        vdn.inject("result", code="0200001", verb="get_campaign", times=3)
        done = isales("resume", 1005, "--all", "--yes")
        assert (done.returncode, done.stderr) == (0, "")
