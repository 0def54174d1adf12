"""``isales`` itself: its help, its start, what it lists, and that it needs no Airflow."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from isales_command import Isales
from patience import LONG, wait_until

from airflow_provider_isales.cli.parser import COMMANDS, make_parser
from airflow_provider_isales.cli.runner import run_command_line
from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.simulator import Simulator

NAME = "外呼批次 一"


class TestHelp:
    def test_help_names_every_command(self, isales: Isales) -> None:
        done = isales("--help")
        assert done.returncode == 0
        assert all(f"    {name} " in done.stdout for name in COMMANDS)

    @pytest.mark.parametrize("name", COMMANDS)
    def test_help_of_each_command_has_examples(self, name: str, isales: Isales) -> None:
        done = isales(name, "--help")
        assert done.returncode == 0
        assert f"examples:\n  isales {name} " in done.stdout

    @pytest.mark.parametrize("name", ["", *COMMANDS])
    def test_help_fits_into_80_columns(self, name: str, isales: Isales) -> None:
        isales.environment["COLUMNS"] = "80"
        lines = isales(*filter(None, [name]), "--help").stdout.splitlines()
        assert max(map(len, lines)) <= 80

    @pytest.mark.parametrize("name", COMMANDS)
    def test_examples_in_the_help_are_valid(self, name: str) -> None:
        for line in COMMANDS[name].examples.strip().splitlines():
            make_parser().parse_args(line.strip().partition("#")[0].split()[1:])

    @pytest.mark.parametrize(
        "arguments",
        [[], ["sing"], ["pause", "x"], ["pause", "0"], ["pause", "1", "--batch", "x"]]
        + [["pause", "1", "--parallel", number] for number in ("0", "65", "x")]
        + [["check", "1", "--max-lateness", text] for text in ("", "5", "5 m", "m", "-5m")],
    )
    def test_bad_arguments_exit_with_2(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            run_command_line(arguments)
        assert caught.value.code == 2
        assert "usage: isales" in capsys.readouterr().err


class TestImports:
    PROGRAM = (
        "import sys; from airflow_provider_isales.cli.runner import run_command_line\n"
        "try: run_command_line(sys.argv[1:])\n"
        "finally: print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )

    def imported(self, isales: Isales, *arguments: str) -> str:
        command = [sys.executable, "-c", self.PROGRAM, *arguments]
        done = subprocess.run(command, env=isales.environment, capture_output=True, text=True, check=False)
        return done.stdout.splitlines()[-1]

    @pytest.mark.parametrize("command", ["pause", "list", "check"])
    def test_a_command_with_a_connection_does_not_import_airflow(
        self, command: str, isales: Isales, simulator: Simulator
    ) -> None:
        simulator.add_campaign(1001, batches=1)
        imported = self.imported(isales, command, "1001")
        assert "'requests'" in imported
        assert "'airflow'" not in imported

    def test_help_imports_no_library(self, isales: Isales) -> None:
        imported = self.imported(isales, "--help")
        for name in ("airflow", "requests", "tenacity", "pendulum"):
            assert f"'{name}'" not in imported


@pytest.mark.parametrize("module", ["argparse", "requests"])
def test_ctrl_c_during_start_prints_no_traceback(module: str, isales: Isales, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    isales.environment["PYTHONPATH"] = str(tmp_path)
    done = isales("list", 1001)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


class TestList:
    def test_list_shows_each_batch_on_a_line(self, isales: Isales, simulator: Simulator) -> None:
        first, second = simulator.add_campaign(1001, batches=2).batches
        simulator.service.campaigns[1001].set_status(second, BatchStatus.SUSPENDED)
        done = isales("list", 1001)
        assert done.returncode == 0
        assert [line.split() for line in done.stdout.splitlines()] == [
            ["1001", first, "started", "batch-1"],
            ["1001", second, "suspended", "batch-2"],
        ]

    def test_list_selects_by_status_and_name(self, isales: Isales, simulator: Simulator) -> None:
        campaign = simulator.add_campaign(1001, batches=1)
        wanted = campaign.add_batch(NAME, BatchStatus.SUSPENDED)
        assert isales("list", 1001, "--status", "suspended").stdout.split()[1] == wanted.id
        assert isales("list", 1001, "--name", NAME[:4]).stdout.split()[1] == wanted.id

    def test_list_gives_scripts_json(self, isales: Isales, simulator: Simulator) -> None:
        batch = simulator.add_campaign(1001).add_batch(NAME)
        (found,) = json.loads(isales("list", 1001, "--output", "json").stdout)
        assert found == {
            "vdn_id": 25,
            "campaign_id": 1001,
            "batches": [{"id": batch.id, "name": NAME, "status": "started"}],
        }

    @pytest.mark.parametrize("encoding", ["gbk", "latin-1", "ascii"])
    def test_list_json_is_valid_in_every_locale(self, encoding: str, isales: Isales, simulator: Simulator) -> None:
        name = f"{NAME} \u00fc\U0001f4de"
        simulator.add_campaign(1001).add_batch(name)
        isales.environment["PYTHONIOENCODING"] = encoding
        process = isales.start("list", 1001, "--output", "json", text=False, encoding=None)
        output, _ = process.communicate(timeout=LONG)
        assert json.loads(output)[0]["batches"][0]["name"] == name

    def test_list_goes_on_after_a_missing_campaign(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=1)
        done = isales("list", 9999, 1001)
        assert done.returncode == 1
        assert "1001" in done.stdout
        assert "does not exist" in done.stderr

    def test_list_shows_chinese_names_on_an_ascii_terminal(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001).add_batch(NAME)
        isales.environment["PYTHONIOENCODING"] = "ascii"
        done = isales("list", 1001)
        assert done.returncode == 0
        assert r"\u5916" in done.stdout

    def test_list_exits_with_0_when_the_pipe_breaks(self, isales: Isales, simulator: Simulator) -> None:
        simulator.add_campaign(1001, batches=900)
        process = isales.start("list", 1001)
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=LONG) == 0
        assert not process.stderr.read()

    def test_an_interrupt_ends_list(self, isales: Isales, simulator: Simulator) -> None:
        simulator.inject("delay", seconds=60, times=10)
        process = isales.start("list", 1001)
        wait_until(lambda: bool(simulator.requests))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LONG)
        assert (process.returncode, errors) == (130, "isales: interrupted\n")


def test_verbose_prints_progress_and_no_secret(isales: Isales, simulator: Simulator) -> None:
    simulator.add_campaign(1001, batches=1)
    simulator.inject("answer", status=503)
    done = isales("pause", 1001, "--verbose")
    assert "Trying again" in done.stderr
    assert "1 paused" in done.stderr
    assert "simulator-secret-key" not in done.stderr


def test_a_retry_is_printed_immediately(isales: Isales, simulator: Simulator) -> None:
    simulator.add_campaign(1001, batches=1)
    simulator.inject("answer", status=503)
    assert "isales: Listing the batches of campaign 1001 (VDN 25): attempt 1" in isales("pause", 1001).stderr
