"""Read calendar files: YAML or JSON, on disk or in a zip of DAGs; data only, never code."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import yaml

from airflow_provider_isales.shifts.parsing import ShiftCalendarError, quote

_DEPTH = 5  # deeper than any calendar, and shallow enough that aliases of aliases stay small


def read_data(file: Path) -> Any:
    """Return a file's data as mappings, lists and text; raise ShiftCalendarError if it is not YAML or JSON."""
    kind = {".yaml": "YAML", ".yml": "YAML", ".json": "JSON"}.get(file.suffix.lower())
    if not kind:
        raise ShiftCalendarError(f"{quote(file.suffix)} is not a kind of file to read: name a .yaml, .yml or .json")
    try:
        text = read_file(file).decode("utf-8-sig")
        # compose() constructs nothing, and tags have no effect. The base loader keeps dates and times as text; YAML's
        # own rules would turn 12:00 into a number and "no" into a boolean. JSON is YAML, except for tabs.
        node = yaml.compose(text.replace("\t", " ") if kind == "JSON" else text, Loader=yaml.BaseLoader)
        return _convert_node(node) if node else None
    except UnicodeDecodeError:
        raise ShiftCalendarError("this is not UTF-8: save the file in UTF-8") from None
    except yaml.YAMLError as error:
        raise ShiftCalendarError(f"this is not {kind}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ShiftCalendarError("this is nested too deeply for a shift calendar") from None


def read_file(path: str | PathLike[str]) -> bytes:
    """
    Return the bytes of a file, also of one inside a zip of DAGs: for data beside a DAG, such as holidays.

    :param path: in a DAG file, ``Path(__file__).with_name("holidays.json")``
    :raises ShiftCalendarError: the file cannot be read
    """
    file = Path(path)
    try:
        archive = next((parent for parent in file.parents if parent.is_file()), None)
        if archive is None:
            return file.read_bytes()
        with ZipFile(archive) as opened:
            return opened.read(file.relative_to(archive).as_posix())
    except (OSError, BadZipFile, KeyError) as error:
        reason = getattr(error, "strerror", None) or error.args[0]
        hint = f' in {Path.cwd()}; in a DAG, write Path(__file__).with_name("{file.name}")'
        raise ShiftCalendarError(f"the file cannot be read: {reason}{'' if file.is_absolute() else hint}") from None


def _convert_node(node: Any, depth: int = 0) -> Any:
    if depth > _DEPTH:
        raise RecursionError
    if node.id == "scalar":
        return node.value
    if node.id == "sequence":
        return [_convert_node(child, depth + 1) for child in node.value]
    data: dict[str, Any] = {}
    for key_node, value in node.value:
        line = key_node.start_mark.line + 1
        if key_node.id != "scalar":
            raise ShiftCalendarError(f"line {line}: this key is a {key_node.id}: write text")
        key = _convert_node(key_node)
        if key in data:
            raise ShiftCalendarError(f"line {line}: {quote(key)} is written twice: write it once")
        data[key] = _convert_node(value, depth + 1)
    return data
