"""The command ``isales``: parsing and printing over ``ISalesClient`` and ``ShiftCalendar``, and nothing else."""

from __future__ import annotations

import signal
from importlib import import_module


def main() -> int:
    """Run the command line of this process; return the exit status."""
    # Ctrl-C ends the imports without a traceback; the command itself handles it later.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    status: int = import_module(f"{__name__}.runner").run_command_line()
    return status
