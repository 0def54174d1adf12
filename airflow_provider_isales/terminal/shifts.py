"""``isales shifts``."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_isales.terminal import options
from airflow_provider_isales.terminal.connections import UsageError
from airflow_provider_isales.terminal.output import say, warn
from airflow_provider_isales.terminal.status import SUCCESS, UNUSABLE

if TYPE_CHECKING:
    from airflow_provider_isales.shifts import ShiftCalendar
    from airflow_provider_isales.terminal.preview import Day

SUMMARY = "Preview a calendar of shifts: its next days, and the hour of each pause."

STATUSES = {
    SUCCESS: "the calendar can be read",
    UNUSABLE: "it can't; what is wrong with it was said",
}

MAX_DAYS = 366


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="the calendar, a .yaml, .yml or .json file")
    parser.add_argument(
        "--from",
        dest="first",
        type=_date,
        metavar="DATE",
        help="the first day (default: today, in the calendar's zone)",
    )
    parser.add_argument(
        "--days",
        type=_days,
        default=14,
        metavar="NUMBER",
        help=f"how many days, 1 to {MAX_DAYS} (default: %(default)s)",
    )
    parser.add_argument("--svg", metavar="FILE", help="draw them, too")
    options.add_examples(
        parser,
        """
        isales shifts shifts.yaml
        isales shifts shifts.yaml --from 2026-10-01 --days 10 --svg october.svg
        """,
        STATUSES,
    )


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out, and return the exit status."""
    # Imported here, for the start-up of `isales --help`.
    from airflow_provider_isales.shifts import ShiftCalendar, ShiftCalendarError  # noqa: PLC0415
    from airflow_provider_isales.terminal.picture import drawn  # noqa: PLC0415
    from airflow_provider_isales.terminal.preview import days_of  # noqa: PLC0415

    try:
        calendar = ShiftCalendar.from_file(Path(arguments.file).absolute())
        first = arguments.first or _today(calendar)
        days = days_of(calendar, first, arguments.days)
        picture = drawn(calendar, first, arguments.days) if arguments.svg else ""
    except ShiftCalendarError as error:
        raise UsageError(str(error)) from None
    except OverflowError:
        raise UsageError(f"no calendar reaches {arguments.days} days from {first} on") from None
    _show(calendar, days)
    if arguments.svg:
        _write(arguments.svg, picture)
    return SUCCESS


def _show(calendar: ShiftCalendar, days: list[Day]) -> None:
    from airflow_provider_isales.terminal.preview import COLUMNS, cells  # noqa: PLC0415 - for the start-up

    say(calendar.summary)
    rows = [row for day in days for row in cells(day)]
    if sys.stdout.isatty():
        with suppress(ImportError):
            _show_in_colour(COLUMNS, rows)
            return
    widths = [max(len(row[column]) for row in (COLUMNS, *rows)) for column in range(len(COLUMNS))]
    for row in (COLUMNS, *rows):
        say("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _show_in_colour(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - on terminals only, and where it is installed
    from rich.table import Table  # noqa: PLC0415 - likewise

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, style in zip(columns, ("", "green", "", "bold red", "dim"), strict=True):
        table.add_column(column, style=style)
    for row in rows:
        table.add_row(*row)
    Console(file=sys.stdout).print(table)


def _write(path: str, picture: str) -> None:
    try:
        Path(path).write_text(picture, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the picture can't be written: {error}") from None
    warn(f"Wrote {path}.")


def _today(calendar: ShiftCalendar) -> date:
    import pendulum  # noqa: PLC0415 - for the start-up of `isales --help`

    return pendulum.now(calendar.timezone).date()


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-10-01") from None


def _days(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < len(str(MAX_DAYS)) + 1 and 1 <= int(text) <= MAX_DAYS:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a number from 1 to {MAX_DAYS}, not {text!r}")
