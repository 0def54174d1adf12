"""What several commands understand."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from airflow_provider_isales.client.arguments import check_batch_id, check_campaign_id, check_parallelism, check_vdn_id
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.terminal.status import STATUSES

T = TypeVar("T")

_DURATION = re.compile(r"(?=\d)(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?")


def add_campaigns(parser: argparse.ArgumentParser, *, required: bool = True, more: str = "") -> None:
    """Add the campaigns of a command."""
    parser.add_argument(
        "campaigns",
        nargs="+" if required else "*",
        type=checked(check_campaign_id),
        metavar="CAMPAIGN",
        help=f'the id of a campaign ("outbound call task" in the console){more}',
    )


def add_switched(parser: argparse.ArgumentParser, verb: str) -> None:
    """
    Add the choice of batches, and how many are switched at once.

    :param verb: what is done to them
    """
    parser.add_argument(
        "--batch",
        action="append",
        default=[],
        type=checked(check_batch_id),
        metavar="ID",
        help=f"{verb} this batch, of a single campaign; may be repeated",
    )
    add_excluded(parser)
    parser.add_argument(
        "--parallel",
        type=checked(check_parallelism, whole_number),
        default=16,
        metavar="NUMBER",
        help="how many requests are under way at once, over all campaigns, 1 to 64 (default: %(default)s)",
    )


def add_excluded(parser: argparse.ArgumentParser) -> None:
    """Add the batches that a command leaves alone."""
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        type=checked(check_batch_id),
        metavar="ID",
        help="a batch to leave alone, whatever its status; may be repeated",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add how a command says what it did."""
    parser.add_argument(
        "--output", choices=("text", "json"), default="text", help="json is for scripts (default: %(default)s)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say on standard error what is being done")


def add_examples(parser: argparse.ArgumentParser, examples: str, statuses: Mapping[int, str] = STATUSES) -> None:
    """
    Add examples and exit statuses below the help.

    :param examples: command lines, each with what it is for
    :param statuses: what the exit statuses of this command mean
    """
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = wrap(parser.description or "")
    meanings = "\n".join(f"{status:<4} {meaning}" for status, meaning in statuses.items())
    parser.epilog = f"examples:\n{_indented(examples)}\n\nexit statuses:\n{_indented(meanings)}"


def wrap(text: str) -> str:
    """Break a text between words, for a terminal of 80 columns."""
    return textwrap.fill(text, 78, break_on_hyphens=False)


def _indented(text: str) -> str:
    return textwrap.indent(textwrap.dedent(text).strip(), "  ")


def checked(check: Callable[[Any], T], convert: Callable[[str], Any] = str) -> Callable[[str], T]:
    """
    Return the ``type=`` of an argument that the client has a rule for.

    :param check: the client's rule
    :param convert: makes of the text what the rule is for
    """

    def read(text: str) -> T:
        try:
            return check(convert(text))
        except ISalesArgumentError as error:
            raise argparse.ArgumentTypeError(error.problem) from None

    return read


def whole_number(text: str) -> int | str:
    """Return the number that a text of digits is; any other text as it is, for the client's rules to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text  # noqa: PLR2004


def duration(text: str) -> timedelta:
    """Read a duration such as ``90s``, ``5m`` or ``1h30m``."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


vdn_id = checked(check_vdn_id)
