"""Every command with its arguments. Keep imports light: the help and each start of ``airflow`` load this."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from airflow_provider_isales import __version__
from airflow_provider_isales.cli.output import STATUSES
from airflow_provider_isales.client.arguments import (
    check_batch_id,
    check_campaign_id,
    check_integer,
    check_parallelism,
    check_select,
    check_timezone,
    check_vdn_id,
)
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.provider_info import DEFAULT_CONN_ID

T = TypeVar("T")

DESCRIPTION = "Stop and restart outbound calling on CC-iSales, also when Airflow is down."
_DURATION = re.compile(r"(?=\d)(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?")


class Argument:
    """An argument for ``argparse``, with the interface of Airflow's ``Arg``."""

    def __init__(self, *flags: str, **settings: Any) -> None:
        self.flags = flags
        self.settings = settings

    def add_to_parser(self, parser: Any) -> None:
        """Add the argument to a parser or argument group."""
        parser.add_argument(*self.flags, **self.settings)


class Command(NamedTuple):
    """A command; its function is ``run`` of the module with its name in ``commands``."""

    summary: str
    arguments: Sequence[Argument]
    examples: str
    has_connection: bool = True

    @property
    def epilog(self) -> str:
        """The text below the help: examples and exit statuses."""
        statuses = "\n".join(f"{status:<4} {meaning}" for status, meaning in STATUSES.items())
        return f"examples:\n{_indent(self.examples)}\n\nexit statuses:\n{_indent(statuses)}"


def _wrap(text: str) -> str:
    return textwrap.fill(text, 78, break_on_hyphens=False)


def _indent(text: str) -> str:
    return textwrap.indent(textwrap.dedent(text).strip(), "  ")


def _make_type(
    check: Callable[[Any], T], convert: Callable[[str], Any] = str, expected: str = ""
) -> Callable[[str], T]:
    """Return the ``type=`` of an argument; ``expected`` is for the message of a ``ValueError`` of ``convert``."""

    def read(text: str) -> T:
        try:
            return check(convert(text))
        except ISalesArgumentError as error:
            raise argparse.ArgumentTypeError(error.problem) from None
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a {expected}") from None

    return read


def _read_duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _make_campaigns_argument(nargs: str, more: str = "") -> Argument:
    meaning = f'the id of a campaign ("outbound call task" in the console){more}'
    return Argument("campaigns", nargs=nargs, type=_make_type(check_campaign_id), metavar="CAMPAIGN", help=meaning)


def _make_ids_argument(flag: str, meaning: str) -> Argument:
    meaning += "; may be repeated"
    read_id = _make_type(lambda text: check_batch_id(text, "an id"))
    return Argument(flag, metavar="ID", help=meaning, action="append", default=[], type=read_id)


_DATE = _make_type(date.fromisoformat, expected="date such as 2026-10-01")
_DAYS = _make_type(lambda days: check_integer("--days", days, 1, 366), int, "number")
CALENDAR = "a .yaml, .yml or .json file, or FILE.py:NAME for a calendar in a Python file, which is run"
EXCLUDE = _make_ids_argument("--exclude", "leave alone this batch or this campaign")
PARALLEL = Argument(
    "--parallel",
    metavar="NUMBER",
    type=_make_type(check_parallelism, int, "number"),
    default=16,
    help="number of parallel requests, over all campaigns, 1 to 64 (default: %(default)s)",
)
VERBOSE = Argument("-v", "--verbose", action="store_true", help="print progress on standard error")
OUTPUT = (
    Argument("--output", choices=("text", "json"), default="text", help="json is for scripts (default: %(default)s)"),
    VERBOSE,
)
CONNECTION_DESCRIPTION = (
    "Searched in this order: --connection-file, the variable AIRFLOW_CONN_<ID>, and, where Airflow is installed, its "
    "secrets backends and database. Keys are never given on the command line."
)
CONNECTION = (
    Argument("--conn-id", metavar="ID", help="(default: %(default)s)", default=DEFAULT_CONN_ID),
    Argument("--connection-file", metavar="FILE", help="a file with the connection as JSON, or as Airflow exports it"),
    Argument("--vdn-id", metavar="VDN", help="another VDN than the connection's", type=_make_type(check_vdn_id)),
    Argument(
        "--retry-for",
        metavar="TIME",
        type=_read_duration,
        default="60s",
        help="how long to retry a request after transient failures (default: %(default)s)",
    ),
)

#: All commands, in the order of the help.
COMMANDS = {
    "list": Command(
        "List the campaigns of the VDN, or the batches of campaigns; changes nothing.",
        (
            _make_campaigns_argument("*", "; without one, the VDN's campaigns are listed"),
            Argument("--status", choices=("started", "suspended"), help="only campaigns or batches with this status"),
            Argument("--name", metavar="TEXT", help="only campaigns or batches whose name contains this"),
            *OUTPUT,
        ),
        """
        isales list                              # a line for each campaign
        isales list 1001 1002 --status started   # a line for each batch
        """,
    ),
    "pause": Command(
        "Stop calling: suspend batches or whole campaigns, and confirm it by listing them.",
        (
            _make_campaigns_argument("*"),
            Argument("--all", action="store_true", help="pause every started campaign of the VDN as a whole"),
            Argument("--whole", action="store_true", help="pause campaigns as a whole; batches keep their status"),
            Argument(
                "--name",
                metavar="TEXT",
                type=_make_type(lambda text: check_select(text, "--name")),
                help="pause only batches, or without CAMPAIGN only campaigns, whose name contains this",
            ),
            _make_ids_argument("--batch", "pause only this batch, of a single campaign"),
            EXCLUDE,
            PARALLEL,
            Argument("--save", metavar="FILE", help="save what was started, for `isales resume --from-file FILE`"),
            Argument("-y", "--yes", action="store_true", help="do not ask; not needed without a terminal"),
            *OUTPUT,
        ),
        """
        isales pause --all --save before.json       # everything
        isales pause --name sales                   # campaigns by their names
        isales pause 1001 1002 --save before.json   # the batches of two campaigns
        isales pause 1001 --batch 174712034211433247704877116507
        """,
    ),
    "resume": Command(
        "Start calling again: resume batches or campaigns, and confirm it by listing them.",
        (
            _make_campaigns_argument("*", "; with --from-file, all in the file by default"),
            _make_ids_argument("--batch", "resume this batch, of a single campaign"),
            EXCLUDE,
            PARALLEL,
            Argument("--from-file", metavar="FILE", help="resume what `isales pause --save FILE` saved"),
            Argument("--whole", action="store_true", help="resume campaigns that were paused as a whole"),
            Argument(
                "--all", action="store_true", help="resume all batches, even if suspended on purpose; needs --yes"
            ),
            Argument("-y", "--yes", action="store_true", help="do not ask; needed without a terminal"),
            *OUTPUT,
        ),
        """
        isales resume --from-file before.json   # what `isales pause` stopped
        isales resume 1001 --all --yes          # all suspended batches
        """,
    ),
    "check": Command(
        "Check whether anything is started that must not be; changes nothing. For cron and Nagios.",
        (
            _make_campaigns_argument("*", "; without one, the whole VDN is checked"),
            Argument("--shifts", metavar="CALENDAR", help=f"when people may be called (default: never): {CALENDAR}"),
            Argument(
                "--max-lateness",
                metavar="TIME",
                type=_read_duration,
                help="how long after the end of a shift batches may still be started, such as 5m; needs --shifts",
            ),
            Argument(
                "--hold-until",
                metavar="TIME",
                help="raise no alarm until then: an ISO time with its offset, or HH:MM on the day the last shift "
                "began, which needs --shifts; at most 24 hours ahead",
            ),
            EXCLUDE,
            Argument("--nagios", action="store_true", help="use the exit statuses of Nagios: 2 for 1, 3 for 2"),
            Argument("--quiet", action="store_true", help="print only campaigns with a problem"),
            *OUTPUT,
        ),
        """
        isales check             # nobody in the VDN may be called now
        isales check 1001 1002   # nobody may be called by these campaigns now
        isales check --shifts shifts.yaml --max-lateness 5m
        """,
    ),
    "hold": Command(
        "Set until when pause tasks leave campaigns alone, for overtime: writes an Airflow Variable.",
        (
            Argument("--until", metavar="TIME", help="2026-11-29T20:00+08:00, or 20:00 today; at most 24 hours ahead"),
            Argument("--clear", action="store_true", help="end the hold now; the next run pauses"),
            Argument(
                "--campaign",
                metavar="CAMPAIGN",
                action="append",
                type=_make_type(check_campaign_id),
                help="hold only this campaign; may be repeated (default: all)",
            ),
            Argument("--reason", metavar="TEXT", help="for the log of the tasks that skip"),
            Argument(
                "--timezone",
                metavar="ZONE",
                type=_make_type(check_timezone),
                help="the time zone of --until 20:00, such as Asia/Shanghai (default: the connection's)",
            ),
            Argument("--variable", metavar="NAME", default="isales_hold", help="(default: %(default)s)"),
        ),
        """
        isales hold --until 20:00 --timezone Asia/Shanghai --reason inventory
        isales hold --until 2026-11-29T20:00+08:00 --campaign 1001 --campaign 1002
        isales hold --clear
        """,
    ),
    "shifts": Command(
        "Preview a calendar of shifts: its next days, and the time of each pause.",
        (
            Argument("calendar", metavar="CALENDAR", help=CALENDAR),
            Argument(
                "--from", metavar="DATE", type=_DATE, help="the first day (default: today in the calendar's zone)"
            ),
            Argument("--days", metavar="NUMBER", type=_DAYS, default=14, help="1 to 366 (default: %(default)s)"),
        ),
        "isales shifts dags/team.py:SHIFTS --from 2026-10-01 --days 10",
        has_connection=False,
    ),
    "doctor": Command(
        "Diagnose a platform step by step, with advice where something is wrong.",
        (
            _make_campaigns_argument("?", "; without one, some steps are skipped"),
            Argument("--write", action="store_true", help="also create, switch and delete a batch without numbers"),
            Argument(
                "--switch",
                metavar="CAMPAIGN",
                type=_make_type(check_campaign_id),
                help="with --write, also suspend and resume this started campaign as a whole, twice each",
            ),
            Argument("--shifts", metavar="CALENDAR", help="compare the campaign's own hours with this calendar"),
            Argument("-y", "--yes", action="store_true", help="do not ask before --write"),
            Argument("--public", action="store_true", help="leave out names and addresses, for an issue"),
            VERBOSE,
        ),
        """
        isales doctor 1001                   # how does it list batches?
        isales doctor 1001 --write --public  # and pause and resume them?
        isales doctor 1001 --shifts shifts.yaml
        isales doctor 1001 --write --switch 1002
        """,
    ),
}


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="isales", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=command.summary, description=_wrap(command.summary), epilog=command.epilog, formatter_class=raw
        )
        for argument in command.arguments:
            argument.add_to_parser(subparser)
        if command.has_connection:
            group = subparser.add_argument_group("connection", _wrap(CONNECTION_DESCRIPTION))
            for argument in CONNECTION:
                argument.add_to_parser(group)
    return parser
