"""Arguments of operators that may be templates, and the text that templates render."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from typing import Any


def is_templated(value: object) -> bool:
    """Return whether a value, or a part of a list or mapping, is known only when the task runs."""
    if isinstance(value, str):
        return any(mark in value for mark in ("{{", "{%", "{#"))
    if isinstance(value, dict):
        return any(map(is_templated, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_templated, value))
    return hasattr(value, "resolve")  # an XComArg or another value that Airflow fills in


def read_rendered(value: object) -> Any:
    """Return the value that a template rendered as JSON or a Python literal; None for empty text, else the value."""
    if not isinstance(value, str):
        return value
    if not (text := value.strip()):
        return None
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return read(text)
    return value
