"""Format external text for logs, messages and XCom: without secrets and control characters, and truncated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import islice

MAX_CHARACTERS = 200
#: Characters that JSON can write as ``\\u...`` but UTF-8 can't encode.
SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))

# A signature as it was sent, or as a server may echo it: with escaped slashes, in capitals, or its last part alone.
_AUTHORIZATION = re.compile(r"(auth-v2)(?:\\*/|%2f)\S+", re.IGNORECASE)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
# A word that follows "Basic", as in "Basic Constraints", is no credential.
_WORD = r"[A-Za-z]?[a-z]+(?![A-Za-z0-9+/=_~])"
_CREDENTIALS = re.compile(rf"\b((?i:basic|bearer|digest))\s+(?!{_WORD})[A-Za-z0-9+/=_.~-]{{8,}}")
_USER_INFO = re.compile(r"://\S*@")


class Secret:
    """Holds a secret text so that no log, traceback or dump of variables shows it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, text: str | Secret) -> Secret:
        """Return the text as a secret, if it is not one already."""
        return text if isinstance(text, Secret) else cls(text)

    def __bool__(self) -> bool:
        """Tell whether the secret can be used: it is text, not empty, and UTF-8 can encode it."""
        try:
            return bool(self._text.encode())
        except (AttributeError, UnicodeEncodeError):
            return False

    @property
    def is_padded(self) -> bool:
        """Whether it begins or ends with white space."""
        return self._text != self._text.strip()

    def reveal(self) -> str:
        """Return the secret. Assign it to no variable: some tracebacks show variables."""
        return self._text

    def __repr__(self) -> str:
        return "***"


def clean_text(text: str) -> str:
    """Return external text with signatures, URL credentials and control characters removed, truncated."""
    text = _SIGNATURE.sub("***", _AUTHORIZATION.sub(r"\1/***", text))
    text = _CREDENTIALS.sub(r"\1 ***", _USER_INFO.sub("://***@", text))
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "..."


def format_value(value: object) -> str:
    """Return the ``repr`` of any value, cleaned; its type where ``repr`` fails, as for very long numbers."""
    try:
        return clean_text(repr(value))
    except Exception:
        return f"<{type(value).__name__}>"


def join_named(ids: Collection[object], names: Mapping[str, str], few: int = 10) -> str:
    """Return the first few ids, each with its name where the names, by ids as text, have one."""
    named = [
        f"{each} ({clean_text(name)})" if (name := names.get(str(each))) else str(each) for each in islice(ids, few + 1)
    ]
    return join_first(named, few)


def join_first(items: Collection[object], few: int = 10) -> str:
    """Return the first few items as text, separated by commas, and ``...`` if there are more."""
    return ", ".join([*map(str, islice(items, few)), *(["..."] if len(items) > few else [])])


def describe_unlisted(ids: Collection[object]) -> str:
    """Say that ids to leave alone were not listed, and what follows."""
    problem = "is not listed, so it excludes" if len(ids) == 1 else "are not listed, so they exclude"
    return f"{join_first(ids)} {problem} nothing."
