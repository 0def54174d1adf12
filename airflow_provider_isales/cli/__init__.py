"""The command ``isales``: only parsing and printing, on top of ``ISalesClient`` and ``ShiftCalendar``."""

from __future__ import annotations

import signal
from importlib import import_module


def main() -> int:
    """Run the command line of this process; return the exit status."""
    # During the imports Ctrl-C ends the process without a traceback; the command handles it later.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    status: int = import_module(f"{__name__}.runner").run_command_line()
    return status
