"""
Every shell block of the pages runs as it is written: on a terminal whose user says yes, in a directory for each page.

What a block exports and writes is there for the next one on the page; the platform is new before each. Lines that all
begin with ``isales`` are examples, so it is new before each line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_runs import airflow_home, start_airflow
from pages import Block, blocks_to_run

from airflow_provider_isales.simulator import Simulator

SECONDS = 120
SHELL, CONSOLE = blocks_to_run("sh"), blocks_to_run("console")
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
# That `isales check` ends with 1 is its answer: somebody is called.
SCRIPT = """
[ ! -e exported ] || . ./exported
trap 'declare -px >exported' EXIT
trap 'status=$?; [[ $status == 1 && $BASH_COMMAND == "isales check"* ]] || exit $status' ERR
{code}
true
"""


@pytest.fixture
def run(
    server: Simulator,
    renew_platform: Callable[[], None],
    fill_in: Callable[[str], str],
    folder: Path,
) -> Callable[..., tuple[int, str]]:
    """Runs lines of shell in a new shell, on a terminal or not; returns the exit status and the output."""
    start_airflow()
    programs = Path(sys.executable).parent
    (folder / "build/own/bin").symlink_to(programs)
    (folder / "build/own/airflow").mkdir()
    for file in airflow_home().glob("airflow.db*"):  # SQLite keeps what was written last in a second file
        shutil.copy(file, folder / "build/own/airflow")
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(folder),
        "AIRFLOW_HOME": str(folder / "build/own/airflow"),
        "AIRFLOW_CONN_ISALES_DEFAULT": server.connection(),
        "ISALES_ACCESS_KEY": "simulator",
        "ISALES_SECRET_KEY": "simulator-secret-key",
    }

    def run(code: str, *, terminal: bool = True) -> tuple[int, str]:
        renew_platform()
        (folder / "block.sh").write_text(SCRIPT.format(code=fill_in(code)))
        done = subprocess.run(
            [*([sys.executable, "-c", ON_A_TERMINAL] if terminal else []), "bash", "block.sh"],
            cwd=folder,
            env=environment,
            input="y\n",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize("page", SHELL)
def test_the_shell_blocks_of_a_page_run_in_turn(page: str, run: Callable[..., tuple[int, str]]) -> None:
    if shutil.which("curl") is None and any("curl " in block.code for block in SHELL[page]):
        pytest.skip("curl is not installed")
    run("isales pause --all --save before.json")
    for block in SHELL[page]:
        for part in parts_of(block):
            status, output = run(part)
            assert status == 0, f"{block}: {part}\n{output}"
        if "AIRFLOW_CONN_ISALES_DEFAULT=" in block.code:
            assert "campaign-1001" in run("isales list")[1], block


def parts_of(block: Block) -> list[str]:
    lines = block.code.splitlines()
    return lines if all(line.startswith("isales ") for line in lines) else [block.code]


@pytest.mark.parametrize("block", [block for blocks in CONSOLE.values() for block in blocks], ids=str)
def test_a_command_prints_what_the_page_shows(block: Block, run: Callable[..., tuple[int, str]]) -> None:
    lines = block.code.splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    shown = [line for line in lines if not line.startswith("$ ")]
    _, output = run("\n".join(commands), terminal=False)
    assert sorted(output.splitlines()) == sorted(shown), "campaigns may be done in another order"
