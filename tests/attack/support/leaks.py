"""Everything that a log format, an error tracker or a person at a debugger could show of a failure."""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_WIDE = 10**6


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that is logged meanwhile, by whomever, at the lowest level."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        yield written
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def shown_of(error: BaseException) -> dict[str, str]:
    """
    What each way of showing an exception shows, by its name.

    Frames of test files are left out: they hold the secrets in plain text, being the callers.
    """
    errors = list(_chain(error))
    return {
        "message": " ".join(map(str, errors)),
        "repr": " ".join(map(repr, errors)),
        "vars": " ".join(repr((vars(each), each.args, getattr(each, "__notes__", ""))) for each in errors),
        "traceback": "".join(
            "".join(
                traceback.TracebackException(type(each), each, _inside(each), capture_locals=True).format(chain=False)
            )
            for each in errors
        ),
        "rich": "".join(map(_rich, errors)),
        "cgitb": "".join(map(_cgitb, errors)),
        "frames": "\n".join(_variables(frame) for each in errors for frame in _frames(each)),
    }


def leaks(shown: dict[str, str], secrets: list[str]) -> list[tuple[str, str]]:
    """Where which secret is shown; "a signature" stands for one."""
    found = [(where, secret) for where, text in shown.items() for secret in secrets if secret in text]
    return found + [(where, "a signature") for where, text in shown.items() if _SIGNATURE.search(text)]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that hangs on it, that which ``from None`` hides as well."""
    known: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in known:
            continue
        known.add(id(each))
        yield each
        waiting += [each.__cause__, None if each.__suppress_context__ else each.__context__]


def _inside(error: BaseException) -> TracebackType | None:
    """The traceback of an error from where it leaves the tests."""
    inside = error.__traceback__
    while inside is not None and _is_a_callers(inside.tb_frame):
        inside = inside.tb_next
    return inside


def _is_a_callers(frame: FrameType) -> bool:
    return "/tests/" in frame.f_code.co_filename or "contextlib" in frame.f_code.co_filename


def _frames(error: BaseException) -> Iterator[FrameType]:
    at = error.__traceback__
    while at is not None:
        if not _is_a_callers(at.tb_frame):
            yield at.tb_frame
        at = at.tb_next


def _variables(frame: FrameType) -> str:
    """Return what an error tracker would send of a frame: its variables, one level deep."""
    shown = []
    for name, value in frame.f_locals.items():
        shown.append(f"{name}={value!r}")
        if isinstance(value, dict):
            shown += [f"{key!r}: {entry!r}" for key, entry in value.items()]
        elif isinstance(value, (list, tuple, set)):
            shown += map(repr, value)
        elif "__dict__" in dir(value) and not isinstance(value, type):
            shown += [type(value).__name__]
    return f"{frame.f_code.co_name}: {' '.join(shown)}"


def _rich(error: BaseException) -> str:
    from rich.traceback import Traceback

    extracted = Traceback.extract(
        type(error),
        error,
        _inside(error),
        show_locals=True,
        locals_max_length=_WIDE,
        locals_max_string=_WIDE,
        locals_hide_dunder=False,
    )
    nodes = [node for stack in extracted.stacks for frame in stack.frames for node in (frame.locals or {}).values()]
    return "\n".join(node.render(max_width=_WIDE) for node in nodes)


def _cgitb(error: BaseException) -> str:
    if sys.version_info >= (3, 13) or (inside := _inside(error)) is None:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import cgitb
    return cgitb.text((type(error), error, inside))
