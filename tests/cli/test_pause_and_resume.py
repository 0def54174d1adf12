"""Stopping many campaigns from a terminal, and starting again exactly what was stopped."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from isales_command import Isales
from patience import LONG, wait_until

from airflow_provider_isales.cli.notes import Notes
from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.client.models import VdnKey
from airflow_provider_isales.simulator import Simulator

CAMPAIGNS = range(1001, 1021)
ABSENT = 9999
# Before that, no response comes to a pause that is to be interrupted.
RESPONSE_SECONDS = 60


@pytest.fixture
def twenty(simulator: Simulator) -> Simulator:
    """Twenty campaigns of fifty batches each, all started."""
    for campaign_id in CAMPAIGNS:
        simulator.add_campaign(campaign_id, batches=50)
    return simulator


class TestManyCampaigns:
    def test_all_batches_of_twenty_campaigns_are_paused_by_one_command(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        done = isales("pause", *CAMPAIGNS)
        assert done.returncode == 0, done
        assert started() == 0
        *lines, summary = done.stdout.splitlines()
        assert len(lines) == 20
        assert all("50 paused; confirmed by a listing" in line for line in lines)
        assert summary == "All 20 campaigns: confirmed by a listing"
        assert not done.stderr

    def test_the_other_campaigns_are_paused_if_one_does_not_exist(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        done = isales("pause", *CAMPAIGNS[:10], ABSENT, *CAMPAIGNS[10:])
        assert done.returncode == 1
        assert started() == 0
        assert f"campaign {ABSENT} (VDN 25): FAILED: Listing" in done.stdout
        assert "Check campaign_id and vdn_id" in done.stdout
        assert done.stdout.splitlines()[-1] == f"NOT DONE in 1 of 21 campaigns: {ABSENT}"

    def test_json_output_has_the_fields_that_operators_return(self, isales: Isales, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(1001, batches=2)
        done = isales("pause", 1001, ABSENT, "--output", "json")
        assert done.returncode == 1
        first, second = json.loads(done.stdout)
        assert first.pop("confirmed_at").endswith("+00:00")
        assert first == {
            "vdn_id": 25,
            "campaign_id": 1001,
            "paused": list(campaign.batches),
            "already_paused": [],
            "failed": {},
            "gone": [],
            "unknown": [],
            "not_tried": [],
            "excluded": [],
        }
        assert second["paused"] == []
        assert "does not exist" in second["error"]

    def test_parallel_limits_the_requests_under_way(self, isales: Isales, simulator: Simulator) -> None:
        for campaign_id in (1001, 1002):
            simulator.add_campaign(campaign_id, batches=3)
        came: list[float] = []

        def note(verb: str, body: Any) -> None:
            if verb == "pause":
                came.append(time.monotonic())

        simulator.on_request = note
        simulator.inject("delay", seconds=0.1, times=10, verb="pause")
        assert isales("pause", 1001, 1002, "--parallel", 1).returncode == 0
        assert min(later - earlier for earlier, later in pairwise(came)) >= 0.1

    def test_a_server_that_goes_away_in_the_middle_leaves_no_batch_unaccounted_for(self, isales: Isales) -> None:
        with Simulator() as simulator:
            for campaign_id in (1001, 1002):
                simulator.add_campaign(campaign_id, batches=50)
            simulator.on_request = lambda verb, body: (
                simulator.inject("delay", seconds=60, times=10_000, verb="pause")
                if simulator.requests.get("pause") == 20
                else None
            )
            isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection()
            process = isales.start("pause", 1001, 1002, "--output", "json", "--retry-for", "1s")
            wait_until(lambda: simulator.requests.get("pause", 0) > 20)
            simulator.stop()
            output, _ = process.communicate(timeout=LONG)
        assert process.returncode == 1
        for result in json.loads(output):
            assert result["error"]
            assert result["confirmed_at"] is None
            places = ("paused", "already_paused", "failed", "unknown", "not_tried")
            assert sum(len(result[place]) for place in places) == 50

    def test_a_wrong_key_is_reported_for_each_campaign(self, isales: Isales, twenty: Simulator) -> None:
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = twenty.connection().replace(
            "simulator-secret-key", "another"
        )
        done = isales("pause", 1001, 1002)
        assert done.returncode == 1
        assert done.stdout.count("HTTP 401: the server did not accept the signature") == 2
        assert "another" not in done.stdout + done.stderr


class TestSuspendedCampaign:
    """Batches of a campaign that is suspended as a whole can't be suspended, but nobody is called either."""

    @pytest.fixture(autouse=True)
    def suspended(self, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=3, state="suspended")

    def test_pause_of_its_batches_succeeds_and_says_that_nobody_is_called(self, isales: Isales) -> None:
        done = isales("pause", 1001)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (
            "campaign 1001 (VDN 25): suspended as a whole, so nobody is called; confirmed by its details. When it "
            "resumes, its started batches are dialled again\n"
        )

    def test_pause_fails_if_its_details_cannot_be_read(self, isales: Isales, simulator: Simulator) -> None:
        simulator.inject("result", code="0200001", verb="get_campaign")
        done = isales("pause", 1001)
        assert done.returncode == 1
        assert "campaign 1001 (VDN 25): FAILED: Pausing the call batches" in done.stdout

    def test_pause_fails_if_its_details_show_it_as_started(self, isales: Isales, simulator: Simulator) -> None:
        def start(verb: str, body: Any) -> None:
            if verb == "get_campaign":
                simulator.service.campaigns[1001].state = "executing"

        simulator.on_request = start
        assert isales("pause", 1001).returncode == 1

    def test_pause_fails_if_its_batches_failed_for_another_reason(self, isales: Isales, simulator: Simulator) -> None:
        simulator.inject("result", code="0200001", verb="pause", times=99)
        done = isales("pause", 1001)
        assert done.returncode == 1
        assert "[0200001]" in done.stdout

    def test_the_summary_counts_it(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1002, batches=2)
        done = isales("pause", 1001, 1002)
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1] == "All 2 campaigns: confirmed; 1 of them suspended as a whole already"

    def test_json_output_has_no_error_but_says_that_it_is_suspended(self, isales: Isales) -> None:
        (record,) = json.loads(isales("pause", 1001, "--output", "json").stdout)
        assert record["campaign_suspended"] is True
        assert "error" not in record


class TestInterrupted:
    @pytest.fixture(autouse=True)
    def patient(self, isales: Isales, simulator: Simulator) -> None:
        """Let no request time out before the interrupt."""
        isales.environment["AIRFLOW_CONN_ISALES_DEFAULT"] = simulator.connection(timeout=RESPONSE_SECONDS)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interrupted_pause_prints_what_is_unknown(
        self, number: signal.Signals, isales: Isales, twenty: Simulator
    ) -> None:
        twenty.inject("delay", seconds=RESPONSE_SECONDS, times=10_000, verb="pause")
        process = isales.start("pause", *CAMPAIGNS)
        wait_until(lambda: twenty.requests.get("pause", 0) >= 16)
        process.send_signal(number)
        began = time.monotonic()
        output, errors = process.communicate(timeout=LONG)
        assert time.monotonic() - began < RESPONSE_SECONDS / 2
        assert process.returncode == 130
        assert "0 paused, 1 unknown (no response), 49 not tried; not confirmed by a listing" in output
        assert output.count("not begun") == 4
        assert "Traceback" not in errors

    def test_an_interrupted_pause_prints_json_for_scripts(self, isales: Isales, twenty: Simulator) -> None:
        twenty.inject("delay", seconds=RESPONSE_SECONDS, times=10_000, verb="pause")
        process = isales.start("pause", 1001, "--output", "json")
        wait_until(lambda: twenty.requests.get("pause", 0) >= 16)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LONG)
        (result,) = json.loads(output)
        assert process.returncode == 130
        assert result["error"] == "interrupted"
        assert len(result["unknown"]) == 16
        assert len(result["not_tried"]) == 34


class TestWithoutAnybodyWhoReads:
    def test_everything_is_paused_though_the_pipe_is_broken(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        twenty.inject("delay", seconds=0.01, times=10_000, verb="pause")
        process = isales.start("pause", *CAMPAIGNS)
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.wait(timeout=LONG) == 0
        assert started() == 0
        assert not process.stderr.read()

    def test_everything_is_paused_and_a_full_disk_is_reported(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        with Path("/dev/full").open("w") as full:
            done = isales("pause", 1001, stdout=full)
        assert done.returncode == 1
        assert "standard output can't be written" in done.stderr
        assert started() == 19 * 50

    def test_everything_is_paused_though_the_terminal_is_closed(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        closed = Event()
        twenty.on_request = lambda verb, body: wait_until(closed.is_set) if verb == "pause" else None
        terminal = isales.on_terminal("pause", 1001, 1002, "--yes")
        wait_until(lambda: twenty.requests.get("pause"))
        terminal.process.send_signal(signal.SIGHUP)
        terminal.close()
        closed.set()
        assert terminal.process.wait(timeout=LONG) == 1  # what came of it could not be said
        assert started() == 900


class TestOnATerminal:
    def test_pause_asks_with_the_number_of_campaigns(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        terminal = isales.on_terminal("pause", 1001, 1002, ABSENT)
        terminal.wait_for("Pause all batches of 3 campaigns? [y/N]")
        assert started() == 1000
        terminal.type("y\n")
        assert terminal.end() == 1
        assert started() == 900

    @pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
    def test_pause_does_nothing_unless_the_answer_is_yes(
        self, answer: str, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        terminal = isales.on_terminal("pause", 1001)
        terminal.wait_for("[y/N]")
        terminal.type(answer)
        assert terminal.end() == 1
        assert "Nothing was paused." in terminal.shown
        assert started() == 1000

    def test_pause_yes_does_not_ask(self, isales: Isales, twenty: Simulator) -> None:
        terminal = isales.on_terminal("pause", 1001, 1002, ABSENT, "--yes")
        assert terminal.end() == 1
        assert "[y/N]" not in terminal.shown
        assert terminal.shown.count("50 paused; confirmed by a listing") == 2
        assert f"campaign {ABSENT} (VDN 25): FAILED" in terminal.shown
        assert "NOT DONE in 1 of 3 campaigns" in terminal.shown

    def test_an_interrupt_at_the_question_pauses_nothing(
        self, isales: Isales, twenty: Simulator, started: Callable[[], int]
    ) -> None:
        terminal = isales.on_terminal("pause", 1001)
        terminal.wait_for("[y/N]")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
        assert started() == 1000

    def test_an_interrupt_of_a_running_pause_is_reported_on_a_terminal(self, isales: Isales, twenty: Simulator) -> None:
        twenty.inject("delay", seconds=RESPONSE_SECONDS, times=10_000, verb="pause")
        terminal = isales.on_terminal("pause", 1001, "--yes")
        wait_until(lambda: twenty.requests.get("pause", 0) >= 16)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
        assert "isales: interrupted: no more requests are sent" in terminal.shown


class TestSomeBatches:
    def test_only_the_batches_that_are_named_are_paused(self, isales: Isales, simulator: Simulator) -> None:
        first, second, third = simulator.add_campaign(1001, batches=3).batches
        done = isales("pause", 1001, "--batch", first, "--batch", third)
        assert done.returncode == 0, done
        assert statuses(simulator) == {first: 2, second: 1, third: 2}

    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_a_campaign_that_is_named_and_excluded_is_left_alone(
        self, isales: Isales, simulator: Simulator, verb: str
    ) -> None:
        status = BatchStatus.STARTED if verb == "pause" else BatchStatus.SUSPENDED
        changed, kept = (simulator.add_campaign(number, batches=1, status=status) for number in (1, 2))
        options = [] if verb == "pause" else ["--all", "--yes"]
        done = isales(verb, "1", "2", "--exclude", "2", *options)
        assert (done.returncode, done.stderr) == (0, "")
        assert [next(iter(each.batches.values())).status is status for each in (changed, kept)] == [False, True]

    def test_to_exclude_all_that_is_named_is_an_error(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1, batches=1)
        done = isales("pause", "1", "--exclude", "01")
        assert (done.returncode, done.stderr) == (2, "isales: --exclude leaves no campaign: 1 is excluded\n")

    def test_a_batch_that_is_excluded_is_left_alone(self, isales: Isales, simulator: Simulator) -> None:
        first, second = simulator.add_campaign(1001, batches=2).batches
        assert isales("pause", 1001, "--exclude", second).returncode == 0
        assert statuses(simulator) == {first: 2, second: 1}

    def test_batches_of_several_campaigns_are_refused(self, isales: Isales, simulator: Simulator) -> None:
        done = isales("pause", 1001, 1002, "--batch", 1)
        assert done.returncode == 2
        assert "--batch is for the batches of one campaign" in done.stderr
        assert not simulator.requests


class TestNotes:
    def test_notes_that_could_not_be_written_at_first_are_written_with_a_removal(self, tmp_path: Path) -> None:
        notes, vdn = Notes(str(tmp_path / "later" / "before.json")), VdnKey(25)
        notes.add({vdn: [1001, 1002]})
        assert notes.problem
        (tmp_path / "later").mkdir()
        notes.remove({vdn: [1002]})
        assert (notes.problem, notes.read()) == ("", {vdn: [1001]})

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "before.json"

    def test_parallel_processes_lose_no_notes(self, isales: Isales, twenty: Simulator, file: Path) -> None:
        processes = [isales.start("pause", campaign_id, "--save", file) for campaign_id in CAMPAIGNS[:5]]
        assert [process.wait(timeout=LONG) for process in processes] == [0] * 5
        noted = json.loads(file.read_text())["campaigns"]
        assert {entry["campaign_id"]: len(entry["batch_ids"]) for entry in noted} == dict.fromkeys(CAMPAIGNS[:5], 50)
        assert list(file.parent.iterdir()) == [file]

    @pytest.mark.parametrize("path", ["/nowhere/before.json", "/dev/null", "/"])
    def test_everything_is_paused_if_the_file_cannot_be_written(
        self, path: str, isales: Isales, simulator: Simulator, started: Callable[[], int], file: Path
    ) -> None:
        simulator.add_campaign(1001, batches=3)
        done = isales("pause", 1001, "--save", path)
        assert (done.returncode, started()) == (1, 0)
        assert f"{path} can't be written" in done.stderr
        file.write_text(done.stderr[done.stderr.index("{") :])  # as the message says
        assert isales("resume", "--from-file", file, "--yes").returncode == 0
        assert started() == 3

    def test_everything_is_paused_and_a_file_of_something_else_is_kept(
        self, isales: Isales, simulator: Simulator, started: Callable[[], int], file: Path
    ) -> None:
        simulator.add_campaign(1001, batches=3)
        file.write_text("a shopping list")
        done = isales("pause", 1001, "--save", file)
        assert (done.returncode, started()) == (1, 0)
        assert "is not a file that `isales pause --save` wrote" in done.stderr
        assert file.read_text() == "a shopping list"

    def test_everything_is_paused_if_a_lock_is_never_released(
        self, isales: Isales, simulator: Simulator, started: Callable[[], int], file: Path
    ) -> None:
        simulator.add_campaign(1001, batches=3)
        folder = os.open(file.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            done = isales("pause", 1001, "--save", file)
        finally:
            os.close(folder)
        assert (done.returncode, started()) == (1, 0)
        assert "another program has locked" in done.stderr

    def test_named_batches_are_noted_though_the_first_listing_failed(
        self, isales: Isales, simulator: Simulator, file: Path
    ) -> None:
        first = next(iter(simulator.add_campaign(1001, batches=2).batches))
        simulator.inject("answer", status=503, verb="list")
        assert isales("pause", 1001, "--batch", first, "--save", file).returncode == 0
        assert json.loads(file.read_text())["campaigns"][0]["batch_ids"] == [first]

    def test_noted_entries_of_one_campaign_are_merged(
        self, isales: Isales, simulator: Simulator, started: Callable[[], int], file: Path
    ) -> None:
        batch_ids = list(simulator.add_campaign(1001, batches=3, status=BatchStatus.SUSPENDED).batches)
        write_notes(file, batch_ids[:2], batch_ids[1:])
        assert isales("resume", "--from-file", file, "--yes").returncode == 0
        assert started() == 3

    def test_notes_whose_batch_ids_are_not_a_list_are_refused(
        self, isales: Isales, simulator: Simulator, file: Path
    ) -> None:
        write_notes(file, "174712034211433247704877116507")
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 2
        assert "is not a file that `isales pause --save` wrote" in done.stderr
        assert not simulator.requests

    def test_notes_are_kept_if_the_platform_has_none_of_their_batches(
        self, isales: Isales, simulator: Simulator, file: Path
    ) -> None:
        simulator.add_campaign(1001, batches=3)
        write_notes(file, ["1", "2"])
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 1
        assert "campaign 1001 (VDN 25) has none of the batches" in done.stderr
        assert json.loads(file.read_text())["campaigns"][0]["batch_ids"] == ["1", "2"]


class TestResume:
    def test_resume_starts_exactly_what_was_started(self, isales: Isales, simulator: Simulator, tmp_path: Path) -> None:
        for campaign_id in (1001, 1002):
            campaign = simulator.add_campaign(campaign_id, batches=3)
            campaign.set_status(next(iter(campaign.batches)), BatchStatus.SUSPENDED)
        before, file = statuses(simulator), tmp_path / "before.json"
        assert isales("pause", 1001, 1002, "--save", file).returncode == 0
        assert isales("pause", 1001, 1002, "--save", file).returncode == 0  # a second try forgets nothing
        assert set(statuses(simulator).values()) == {2}
        done = isales("resume", "--from-file", file, "--yes")
        assert done.returncode == 0, done
        assert statuses(simulator) == before
        assert json.loads(file.read_text()) == {"campaigns": []}

    def test_resume_of_one_campaign_leaves_the_others_noted(
        self, isales: Isales, simulator: Simulator, tmp_path: Path
    ) -> None:
        for campaign_id in (1001, 1002):
            simulator.add_campaign(campaign_id, batches=1)
        file = tmp_path / "before.json"
        isales("pause", 1001, 1002, "--save", file)
        assert isales("resume", 1001, "--from-file", file, "--yes").returncode == 0
        assert [entry["campaign_id"] for entry in json.loads(file.read_text())["campaigns"]] == [1002]
        assert isales("resume", 1001, "--from-file", file, "--yes").returncode == 2

    def test_what_is_about_to_be_paused_is_noted_before_it_is(
        self, isales: Isales, simulator: Simulator, tmp_path: Path
    ) -> None:
        batch_ids, file = list(simulator.add_campaign(1001, batches=3).batches), tmp_path / "before.json"
        noted: list[str] = []

        def note(verb: str, body: Any) -> None:
            if verb == "pause":
                noted.append(file.read_text())

        simulator.on_request = note
        assert isales("pause", 1001, "--save", file).returncode == 0
        assert [json.loads(text)["campaigns"][0]["batch_ids"] for text in noted] == [batch_ids] * 3

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ([1001], "say what to resume"),
            ([1001, "--all"], "add --yes"),
            (["--batch", "1"], "name a campaign"),
            ([1001, "--all", "--yes", "--batch", "1"], "with one of"),
            (["--from-file", "/nowhere"], "/nowhere can't be read"),
        ],
    )
    def test_resume_must_say_which_batches(
        self, arguments: list[str | int], told: str, isales: Isales, simulator: Simulator
    ) -> None:
        done = isales("resume", *arguments)
        assert done.returncode == 2
        assert told in done.stderr
        assert not simulator.requests

    def test_resume_all_with_yes_resumes_all(
        self, isales: Isales, simulator: Simulator, started: Callable[[], int]
    ) -> None:
        simulator.add_campaign(1001, batches=3, status=BatchStatus.SUSPENDED)
        assert isales("resume", 1001, "--all", "--yes").returncode == 0
        assert started() == 3

    def test_resume_warns_of_an_excluded_batch_that_is_not_listed(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED)
        done = isales("resume", 1001, "--all", "--yes", "--exclude", ABSENT)
        assert done.stderr == (
            "isales: 9999 is not listed, so it excludes nothing. If another was meant, it was resumed too: stop it "
            "with `isales pause CAMPAIGN --batch ID`.\n"
        )

    @pytest.mark.parametrize("arguments", [["--from-file"], [1001, "--batch"]], ids=str)
    def test_resume_needs_yes_without_a_terminal(
        self,
        arguments: list[str | int],
        isales: Isales,
        simulator: Simulator,
        started: Callable[[], int],
        tmp_path: Path,
    ) -> None:
        (batch_id,) = simulator.add_campaign(1001, batches=1, status=BatchStatus.SUSPENDED).batches
        file = tmp_path / "before.json"
        write_notes(file, [batch_id])
        done = isales("resume", *arguments, file if "--from-file" in arguments else batch_id)
        assert (done.returncode, started()) == (2, 0)
        assert "there is no terminal to ask: add --yes" in done.stderr

    def test_resume_asks_on_a_terminal(self, isales: Isales, simulator: Simulator, started: Callable[[], int]) -> None:
        campaign = simulator.add_campaign(1001, batches=3, status=BatchStatus.SUSPENDED)
        terminal = isales.on_terminal("resume", 1001, "--batch", next(iter(campaign.batches)))
        terminal.wait_for("Resume 1 batch of 1 campaign? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 1
        assert started() == 0


def write_notes(file: Path, *batch_ids: list[str] | str) -> None:
    entries = [{"vdn_id": 25, "campaign_id": 1001, "batch_ids": ids} for ids in batch_ids]
    file.write_text(json.dumps({"campaigns": entries}))


def statuses(simulator: Simulator) -> dict[str, int]:
    return {
        batch_id: int(batch.status)
        for campaign in simulator.service.campaigns.values()
        for batch_id, batch in campaign.batches.items()
    }
