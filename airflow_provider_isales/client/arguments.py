"""
Check arguments before anything is sent.

Each function returns the checked value, or raises ``ISalesArgumentError`` with the value and what is allowed.
Source: Huawei Cloud CEC API Reference, "Outbound Call Batch Interfaces".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, Final, Literal, ParamSpec
from zoneinfo import ZoneInfo

from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import BatchStatus, CampaignStatus
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.text import format_value

P = ParamSpec("P")

#: The word for all batches or campaigns that do not have the wanted status yet.
ALL: Final = "all"

MAX_VDN_ID = 9999
MAX_NAME_LENGTH = 255
# Our own bound: more threads than this gain nothing.
MAX_PARALLEL_REQUESTS = 64
# Far above any id.
MAX_DIGITS = 64
FORBIDDEN_IN_NAMES = frozenset('<>!@#$%^&*?;"~/\\')

MAX_TIMEOUT = 600
MAX_ATTEMPTS = 1000


def hide_variables(function: Callable[P, None]) -> Callable[P, None]:
    """Remove a function's frames from its exceptions: tracebacks may show variables, and some are secret."""

    @wraps(function)
    def hiding(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # also a timeout of the task, or Ctrl-C
            problem = error
        args, kwargs = (), {}  # type: ignore[assignment]
        raise problem.with_traceback(None) from None

    return hiding


def check_vdn_id(value: object) -> int:
    """Check a VDN id: an integer from 1 to 9999, or its digits as text."""
    number = _to_whole_number(value)
    if number is None or not 1 <= number <= MAX_VDN_ID:
        raise make_argument_error("vdn_id", f"an integer from 1 to {MAX_VDN_ID}", value)
    return number


def check_campaign_id(value: object, name: str = "campaign_id") -> int:
    """Check a campaign id: a positive integer, or its digits as text."""
    number = _to_whole_number(value)
    if number is None or not 1 <= number < 10**MAX_DIGITS:
        raise make_argument_error(name, "a positive integer", value)
    return number


def check_campaign_ids(value: object, *, may_be_all: bool = True) -> list[Any] | Literal["all"]:
    """Check that the value is ``"all"`` or a list; check its entries with :func:`check_campaign_id`."""
    if isinstance(value, str) and value == ALL:
        if may_be_all:
            return ALL
        raise ISalesArgumentError(
            'campaign_ids must be a list of campaign ids, not "all": that would also resume campaigns that somebody '
            "suspended on purpose. Name those that a pause has paused"
        )
    allowed = "a list of campaign ids" + (', or "all" for every started campaign of the VDN' if may_be_all else "")
    return _to_list(value, "campaign_ids", allowed)


def check_campaign_exclude(value: object) -> list[int]:
    """Check the campaigns to leave alone: a list of campaign ids."""
    return [
        check_campaign_id(campaign_id, "exclude")
        for campaign_id in _to_list(value, "exclude", "a list of campaign ids")
    ]


def check_batch_id(value: object, name: str = "batch_id") -> str:
    """Check a batch id: text of digits, 30 by the reference, up to 64 here."""
    if _to_integer(value) is not None:
        raise ISalesArgumentError(
            f"{name} must be text of digits, not the number {format_value(value)}: a number loses leading zeros. Put "
            "it in quotes; a DAG with render_template_as_native_obj=True turns a rendered id into a number"
        )
    text = to_text(value)
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise make_argument_error(name, f"text of 1 to {MAX_DIGITS} digits", value)
    return text


def check_batch_ids(value: object) -> list[Any] | Literal["all"]:
    """Check that the value is ``"all"`` or a list; check its entries with :func:`check_batch_id`."""
    if isinstance(value, str) and value == ALL:
        return ALL
    return _to_list(value, "batch_ids", 'a list of batch ids, or "all" for every batch of the campaign')


def check_batch_exclude(value: object) -> list[str]:
    """Check the batches to leave alone: a list of batch ids."""
    return [check_batch_id(batch_id, "exclude") for batch_id in _to_list(value, "exclude", "a list of batch ids")]


def _to_list(value: object, name: str, allowed: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise make_argument_error(name, allowed, value)
    try:
        return list(value)
    except Exception as error:
        raise ISalesArgumentError(f"iterating {name} failed: {format_value(error)}") from None


def check_parallelism(value: object, name: str = "max_parallel_requests") -> int:
    """Check how many requests may be under way at once: an integer from 1 to 64."""
    return check_integer(name, value, 1, MAX_PARALLEL_REQUESTS)


def check_batch_name(value: object, name: str = "name") -> str:
    """Check a batch name: as :func:`check_campaign_name`, and none of ``<>!@#$%^&*?;"~/\\``."""
    text = check_campaign_name(value, name)
    if forbidden := sorted(FORBIDDEN_IN_NAMES.intersection(text)):
        raise ISalesArgumentError(f"{name} must not contain {' '.join(forbidden)}, as {format_value(value)} does")
    return text


def check_select(value: object, name: str = "select") -> str:
    """Check a part of names to select by: the characters of a batch name, but not only spaces."""
    text = check_batch_name(value, name)
    if text.isspace():
        raise make_argument_error(name, "a part of names, not only spaces", value)
    return text


def check_all_for_select(ids: object) -> None:
    """Check that the ids are ``"all"``: ``select`` chooses among these."""
    if ids != ALL:
        raise make_argument_error("with select, the ids", '"all"', ids)


def check_batch_status(value: object) -> BatchStatus:
    """Check a batch status: a ``BatchStatus``, or 1 (started) or 2 (suspended)."""
    number = _to_integer(value)
    if number in tuple(BatchStatus):
        return BatchStatus(number)
    raise make_argument_error("status", "1 (started) or 2 (suspended)", value)


def check_campaign_status(value: object) -> CampaignStatus:
    """Check the status of the campaigns to list: started, suspended or completed; drafts can't be selected."""
    number = _to_integer(value)
    if number in (CampaignStatus.STARTED, CampaignStatus.SUSPENDED, CampaignStatus.COMPLETED):
        return CampaignStatus(number)
    raise make_argument_error("status", "2 (started), 3 (suspended) or 4 (completed)", value)


def check_campaign_name(value: object, name: str = "name") -> str:
    """Check a part of a campaign's name: 1 to 255 characters, and no control characters."""
    text = to_text(value)
    if text is None or not 1 <= len(text) <= MAX_NAME_LENGTH:
        raise make_argument_error(name, f"text of 1 to {MAX_NAME_LENGTH} characters", value)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ISalesArgumentError(f"{name} must not contain control characters, as {format_value(value)} does")
    return text


def check_timezone(value: object) -> ZoneInfo:
    """Check a time zone: an IANA name such as ``Asia/Shanghai``, or a ``ZoneInfo``."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(to_text(value) or "")
    except (KeyError, ValueError, OSError):  # OSError if the name is that of a directory
        raise make_argument_error("timezone", "the IANA name of a time zone, such as 'Asia/Shanghai'", value) from None


def check_integer(name: str, value: object, least: int, most: int) -> int:
    """Check a number: an integer within bounds."""
    number = _to_integer(value)
    if number is not None and least <= number <= most:
        return number
    raise make_argument_error(name, f"an integer from {least} to {most}", value)


def check_seconds(name: str, value: object, most: float) -> float:
    """Check a time: a number of seconds above 0, and up to ``most``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most:
        return float(value)
    raise make_argument_error(name, f"a number of seconds above 0, up to {most}", value)


def check_signing_profile(value: object) -> SigningProfile:
    """Check the name of a signing profile: a ``SigningProfile`` or its name."""
    for profile in SigningProfile:
        if to_text(value) == profile.value:
            return profile
    raise make_argument_error("signing_profile", " or ".join(repr(known.value) for known in SigningProfile), value)


def check_access_key(value: object) -> str:
    """Check an access key. No message shows it: it may be the secret key by mistake."""
    text = to_text(value)
    if not text or not text.isascii() or not text.isprintable() or {*" /"} & {*text}:
        raise ISalesArgumentError("the access key must be visible ASCII characters without spaces or slashes")
    return text


def check_instant(name: str, value: object) -> datetime:
    """Check an instant: a datetime with a time zone."""
    if isinstance(value, datetime) and value.utcoffset() is not None and value.year > 1:
        return value
    raise make_argument_error(name, "a datetime with a time zone", value)


def make_argument_error(name: str, allowed: str, value: object) -> ISalesArgumentError:
    """Return the error for a value that is not allowed."""
    return ISalesArgumentError(f"{name} must be {allowed}, not {format_value(value)}")


def _to_whole_number(value: object) -> int | None:
    text = to_text(value)
    # Templates render text; int() alone would also take "1_000", " 7 " and other scripts' digits.
    if text is not None and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    return _to_integer(value)


# Convert to plain int and str: a subclass, such as an enum, may render differently from the value that was checked.
def _to_integer(value: object) -> int | None:
    return int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else None


def to_text(value: object) -> str | None:
    """Return text as a plain ``str``; None for anything else."""
    return str.__str__(value) if isinstance(value, str) else None
