"""Text that is fit for logs, messages and XCom: nothing secret in it, nothing that breaks a line, never too long."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import islice

MAX_CHARACTERS = 200
#: What JSON can write with ``\\u`` and UTF-8 can't express.
SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))

# A signature as it was sent, or as a server may echo it: with escaped slashes, in capitals, or its last part alone.
_AUTHORIZATION = re.compile(r"(auth-v2)(?:\\*/|%2f)\S+", re.IGNORECASE)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
# A word of English, such as in "Basic Constraints", is no credential.
_WORD = r"[A-Za-z]?[a-z]+(?![A-Za-z0-9+/=_~])"
_CREDENTIALS = re.compile(rf"\b((?i:basic|bearer|digest))\s+(?!{_WORD})[A-Za-z0-9+/=_.~-]{{8,}}")
_USER_INFO = re.compile(r"://\S*@")


class Secret:
    """
    Holds a secret text so that no log, traceback or dump of variables shows it.

    :param text: the secret
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, text: str | Secret) -> Secret:
        """Return the text in a holder, if it is not in one already."""
        return text if isinstance(text, Secret) else cls(text)

    def __bool__(self) -> bool:
        """Tell whether there is a secret that can be used: text, not empty, and such that UTF-8 can express it."""
        try:
            return bool(self._text.encode())
        except (AttributeError, UnicodeEncodeError):
            return False

    @property
    def is_padded(self) -> bool:
        """Whether it begins or ends with white space."""
        return self._text != self._text.strip()

    def reveal(self) -> str:
        """Return the secret. Use it at once: a variable that holds it is shown by tracebacks with variables."""
        return self._text

    def __repr__(self) -> str:
        return "***"


def clean(text: str) -> str:
    """Return a text of others without signatures, user names and passwords in URLs, and control characters; cut."""
    text = _SIGNATURE.sub("***", _AUTHORIZATION.sub(r"\1/***", text))
    text = _CREDENTIALS.sub(r"\1 ***", _USER_INFO.sub("://***@", text))
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "..."


def shown(value: object) -> str:
    """Return how a message shows a value, whatever it is: long numbers have no text, and some objects refuse."""
    try:
        return clean(repr(value))
    except Exception:
        return f"<{type(value).__name__}>"


def in_words(duration: timedelta) -> str:
    """Write a duration as ``4 h 10 min``, ``10 min`` or ``50 s``."""
    seconds = int(duration.total_seconds())
    minutes, hours = seconds // 60 % 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def after_the_end(late: timedelta, shift_end: datetime) -> str:
    """Say how long after the end of which shift; the end in the time zone that it is given in."""
    return f"{in_words(late)} after the end of the shift at {shift_end:%H:%M} on {shift_end:%a %Y-%m-%d}"


def first_few(names: Collection[str], few: int = 10) -> str:
    """Name the first few of many."""
    return ", ".join([*islice(names, few), *(["..."] if len(names) > few else [])])
