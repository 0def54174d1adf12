"""Draws what the command ``isales`` shows: ``make picture`` installs what it needs and runs it on a simulator."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from airflow_provider_isales.simulator import Simulator

CAMPAIGNS = ("1001", "1002", "1003", "1004")
ABSENT = "1005"
WIDTH = 100
ERASED = "\x1b[2K"
# The fonts that it would fetch from elsewhere.
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    with Simulator() as simulator:
        for campaign_id in CAMPAIGNS:
            simulator.add_campaign(int(campaign_id), batches=50)
        shown = on_terminal(simulator, "pause", *CAMPAIGNS, ABSENT, "--yes")
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, force_terminal=True, width=WIDTH, file=nowhere)
        console.print(f"$ isales pause {' '.join(CAMPAIGNS)} {ABSENT} --yes", highlight=False)
        # The table is drawn again and again over itself: what remains begins after what was erased last.
        console.print(Text.from_ansi(shown.rpartition(ERASED)[2]))
    svg = FONTS.sub("", console.export_svg(title="22:00", unique_id="isales"))
    Path(__file__).with_name("images").joinpath("terminal.svg").write_text(svg)


def on_terminal(simulator: Simulator, *arguments: str) -> str:
    """Run the command on a terminal, and return all that it showed."""
    ours, theirs = pty.openpty()
    environment = {"ISALES_CONN": simulator.connection(), "TERM": "xterm", "COLUMNS": str(WIDTH)}
    command = [str(Path(sys.executable).with_name("isales")), *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment):  # noqa: S603
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # it has ended
            pass
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
