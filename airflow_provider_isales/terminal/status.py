"""Exit statuses of the commands."""

from __future__ import annotations

#: It is as it was asked for, and ``list`` confirms it.
SUCCESS = 0
#: It is not, or not known to be; of ``check``: something is started that must not be.
FAILURE = 1
#: What was typed, or the connection, cannot be used, so nothing was sent; of ``check``: it could not be found out.
UNUSABLE = 2
#: Ctrl-C.
INTERRUPTED = 130
