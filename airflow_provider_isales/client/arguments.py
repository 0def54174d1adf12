"""
The rules for what a caller may pass, in calls and in settings, checked before anything is sent.

Each function returns the value to use and raises ``ISalesArgumentError`` with the value and what is allowed.
Source of those for calls: Huawei Cloud CEC API Reference, "Outbound Call Batch Interfaces".
"""

from __future__ import annotations

import os
import re
import ssl
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
from ipaddress import IPv6Address
from typing import Any, Final, Literal, ParamSpec
from urllib.parse import urlsplit

from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import BatchKey, BatchStatus, CampaignKey
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.text import shown

P = ParamSpec("P")

#: The word for every batch that does not have the wanted status yet.
ALL: Final = "all"

MAX_VDN_ID = 9999
MAX_NAME_LENGTH = 255
# Our own bound: more threads than this gain nothing.
MAX_PARALLEL_REQUESTS = 64
# Far above any id.
MAX_DIGITS = 64
FORBIDDEN_IN_NAMES = frozenset('<>!@#$%^&*?;"~/\\')

HTTPS_PORT = 443
MAX_PORT = 65535
MAX_TIMEOUT = 600
MAX_ATTEMPTS = 1000

# As `openssl rehash` names them: the hash of the subject, and a number.
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def hides_variables(function: Callable[P, None]) -> Callable[P, None]:
    """Drop the frames of what a function raises: tracebacks may show variables, and some are secret."""

    @wraps(function)
    def hiding(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # also a timeout of the task, or Ctrl-C
            problem = error
        args, kwargs = (), {}  # type: ignore[assignment]
        raise problem.with_traceback(None) from None

    return hiding


def campaign_key(vdn_id: object, campaign_id: object) -> CampaignKey:
    """Check what names a campaign."""
    return CampaignKey(check_vdn_id(vdn_id), check_campaign_id(campaign_id))


def batch_key(vdn_id: object, campaign_id: object, batch_id: object) -> BatchKey:
    """Check what names a call batch."""
    return BatchKey(check_vdn_id(vdn_id), check_campaign_id(campaign_id), check_batch_id(batch_id))


def check_vdn_id(value: object) -> int:
    """Check a VDN id: an integer from 1 to 9999, or its digits as text."""
    number = _whole_number(value)
    if number is None or not 1 <= number <= MAX_VDN_ID:
        raise ISalesArgumentError(f"vdn_id must be an integer from 1 to {MAX_VDN_ID}, not {shown(value)}")
    return number


def check_campaign_id(value: object) -> int:
    """Check a campaign id: a positive integer, or its digits as text."""
    number = _whole_number(value)
    if number is None or not 1 <= number < 10**MAX_DIGITS:
        raise ISalesArgumentError(f"campaign_id must be a positive integer, not {shown(value)}")
    return number


def check_batch_id(value: object, name: str = "batch_id") -> str:
    """Check a batch id: text of digits, 30 by the reference, up to 64 here."""
    if _integer(value) is not None:
        raise ISalesArgumentError(
            f"{name} must be text of digits, not the number {shown(value)}: a number loses leading zeros, and JSON "
            "readers round 30 digits. Put it in quotes; a DAG with render_template_as_native_obj=True turns a "
            "rendered id into a number"
        )
    text = _text(value)
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise ISalesArgumentError(f"{name} must be text of 1 to {MAX_DIGITS} digits, not {shown(value)}")
    return text


def check_batch_ids(value: object) -> list[Any] | Literal["all"]:
    """
    Check that something says which batches; the entries of a list are for :func:`check_batch_id`.

    :param value: ``"all"``, or a list of batch ids
    """
    if isinstance(value, str) and value == ALL:
        return ALL
    return _list(value, "batch_ids", 'a list of batch ids, or "all" for every batch of the campaign')


def check_exclude(value: object) -> list[str]:
    """
    Check the batches that are to be left alone.

    :param value: a list of batch ids
    """
    return [check_batch_id(batch_id, "exclude") for batch_id in _list(value, "exclude", "a list of batch ids")]


def _list(value: object, name: str, allowed: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ISalesArgumentError(f"{name} must be {allowed}, not {shown(value)}")
    try:
        return list(value)
    except Exception as error:
        raise ISalesArgumentError(f"{name} can't be read: {shown(error)}") from None


def check_parallelism(value: object, name: str = "max_parallel_requests") -> int:
    """Check how many requests may be under way at once: an integer from 1 to 64."""
    return _between(name, value, 1, MAX_PARALLEL_REQUESTS)


def check_batch_name(value: object) -> str:
    """
    Check the name of a batch that is created or renamed.

    :param value: text of 1 to 255 characters, none of ``<>!@#$%^&*?;"~/\\``, and no control characters
    """
    text = _text(value)
    if text is None or not 1 <= len(text) <= MAX_NAME_LENGTH:
        raise ISalesArgumentError(f"name must be text of 1 to {MAX_NAME_LENGTH} characters, not {shown(value)}")
    if forbidden := sorted(FORBIDDEN_IN_NAMES.intersection(text)):
        raise ISalesArgumentError(f"name must not contain {' '.join(forbidden)}, as {shown(value)} does")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ISalesArgumentError(f"name must not contain control characters, as {shown(value)} does")
    return text


def check_status(value: object) -> BatchStatus:
    """Check a batch status: a ``BatchStatus``, or 1 (started) or 2 (suspended)."""
    number = _integer(value)
    if number in tuple(BatchStatus):
        return BatchStatus(number)
    raise ISalesArgumentError(f"status must be 1 (started) or 2 (suspended), not {shown(value)}")


def check_host(value: object) -> str:
    """Check a host, and return it as it stands in a URL: a name or an address, without scheme, port and path."""
    if (text := _text(value)) is not None:
        try:
            address = IPv6Address(text[1:-1] if text[:1] + text[-1:] == "[]" else text)
            if not address.scope_id:
                return f"[{address}]"
        except ValueError:
            if _HOST_NAME.fullmatch(text):
                return text
    raise ISalesArgumentError(
        f"host must be a bare name or address, not {shown(value)}: leave out the scheme (it is always https) and any "
        "path, and give the port in its own field"
    )


def check_port(value: object) -> int:
    """Check a port: an integer from 1 to 65535."""
    return _between("port", value, 1, MAX_PORT)


def check_seconds(name: str, value: object, most: float) -> float:
    """Check a time: a number of seconds above 0, and up to ``most``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most:
        return float(value)
    raise ISalesArgumentError(f"{name} must be a number of seconds above 0, up to {most}, not {shown(value)}")


def check_attempts(value: object) -> int:
    """Check how many requests one call may make: an integer from 1 to 1000."""
    return _between("attempts", value, 1, MAX_ATTEMPTS)


def check_verify(value: object) -> bool | str:
    """
    Check how far a server's certificate is to be trusted.

    :param value: True, False, or the path of a CA bundle or of a directory of certificates
    """
    if not isinstance(value, (bool, str)):
        raise ISalesArgumentError(f"verify must be true, false or the path of a CA bundle, not {shown(value)}")
    if isinstance(value, str) and os.path.isdir(value):
        names: list[str] = []
        _load("verify names no directory", lambda path: names.extend(os.listdir(path)), value)
        if not any(map(_HASHED_NAME.fullmatch, names)):
            raise ISalesArgumentError(
                f"verify names a directory that has no certificate under the name OpenSSL looks for: {shown(value)}. "
                "Run 'openssl rehash' (or c_rehash) on it, or name one file with all certificates",
                retryable=True,
            )
    elif isinstance(value, str):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load("verify names no CA bundle", context.load_verify_locations, value)
    return value


def check_client_cert(value: object) -> str:
    """Check the path of a PEM file with a client certificate and its key, which has no password."""
    if not isinstance(value, str) or not value:
        raise ISalesArgumentError(f"client_cert must be the path of a PEM file, not {shown(value)}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(
        "client_cert names no certificate with its key", lambda path: context.load_cert_chain(path, password=""), value
    )
    return value


def check_flag(name: str, value: object) -> bool:
    """Check that something is true or false."""
    if not isinstance(value, bool):
        raise ISalesArgumentError(f"{name} must be true or false, not {shown(value)}")
    return value


def _load(problem: str, load: Callable[[str], object], path: str) -> None:
    try:
        load(path)
    except (OSError, ValueError) as error:  # also what ssl raises
        # Retryable: another worker may have the file.
        raise ISalesArgumentError(f"{problem} that can be read: {shown(path)} ({error})", retryable=True) from None


def check_proxy(value: object) -> str:
    """
    Check the URL of a proxy. No message shows it: it may hold a password.

    :param value: such as ``http://proxy.example.com:3128``, with or without ``user:password@``
    """
    if isinstance(value, str) and value.isascii() and value.isprintable() and not {*" ?#\\"} & {*value}:
        try:
            parts = urlsplit(value)
            known = parts.scheme in ("http", "https") and parts.path in ("", "/") and value.count("@") <= 1
            if known and parts.port != 0 and check_host(parts.hostname):
                return value
        except ValueError:  # also what check_host raises
            pass
    raise ISalesArgumentError(
        "proxies must be URLs such as http://proxy.example.com:3128, whose user name and password have characters "
        "such as # @ / ? percent-encoded. The value is not shown: it may hold a password"
    )


def check_signing_profile(value: object) -> SigningProfile:
    """Check the name of a signing profile: a ``SigningProfile`` or its name."""
    for profile in SigningProfile:
        if _text(value) == profile.value:
            return profile
    names = " or ".join(repr(known.value) for known in SigningProfile)
    raise ISalesArgumentError(f"signing_profile must be {names}, not {shown(value)}")


def check_access_key(value: object) -> str:
    """Check an access key. No message shows it: whoever mixes up the two keys would read the secret one."""
    text = _text(value)
    if not text or not text.isascii() or not text.isprintable() or {*" /"} & {*text}:
        raise ISalesArgumentError("the access key must be visible ASCII characters without spaces or slashes")
    return text


def check_instant(name: str, value: object) -> datetime:
    """Check an instant: a datetime with a time zone."""
    if isinstance(value, datetime) and value.utcoffset() is not None and value.year > 1:
        return value
    raise ISalesArgumentError(f"{name} must be a datetime with a time zone, not {shown(value)}")


def _between(name: str, value: object, least: int, most: int) -> int:
    number = _integer(value)
    if number is not None and least <= number <= most:
        return number
    raise ISalesArgumentError(f"{name} must be an integer from {least} to {most}, not {shown(value)}")


def _whole_number(value: object) -> int | None:
    text = _text(value)
    # Templates render text; int() alone would also take "1_000", " 7 " and other scripts' digits.
    if text is not None and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    return _integer(value)


# What is checked is what is sent: a subclass of int or str, such as an enumeration, may say something else of itself.


def _integer(value: object) -> int | None:
    return int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return str.__str__(value) if isinstance(value, str) else None
