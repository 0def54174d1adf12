"""How commands end."""

from __future__ import annotations

from typing import Any

SUCCESS = 0
FAILURE = 1
UNUSABLE = 2
INTERRUPTED = 130

#: Nagios' statuses for ``isales check``: critical and unknown.
NAGIOS: dict[Any, Any] = {FAILURE: 2, UNUSABLE: 3}

#: What they mean, of every command that does not say otherwise.
STATUSES = {
    SUCCESS: "it is as it was asked for, and list confirms it",
    FAILURE: "it is not, or not known to be, or the answer to the question was no",
    UNUSABLE: "what was typed, or the connection, cannot be used: nothing was sent",
    INTERRUPTED: "interrupted: what was done and what is not known was said",
}


class UsageError(Exception):
    """What was typed cannot be carried out; nothing was sent. The message says what to type instead."""
