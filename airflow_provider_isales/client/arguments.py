"""
The rules for what a caller may pass, in calls and in settings, checked before anything is sent.

Each function returns the value to use and raises ``ISalesArgumentError`` with the value and what is allowed.
Source of those for calls: Huawei Cloud CEC API Reference, "Outbound Call Batch Interfaces".
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address
from typing import Any, Final, Literal

from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import BatchKey, BatchStatus, CampaignKey
from airflow_provider_isales.client.profiles import SigningProfile

#: The word for every batch that does not have the wanted status yet.
ALL: Final = "all"

MAX_VDN_ID = 9999
MAX_NAME_LENGTH = 255
# Our own bound: more threads than this gain nothing.
MAX_PARALLEL_REQUESTS = 64
# Far above any id, and below what int() refuses to read.
MAX_DIGITS = 100
FORBIDDEN_IN_NAMES = frozenset('<>!@#$%^&*?;"~/\\')

HTTPS_PORT = 443
MAX_PORT = 65535
MAX_TIMEOUT = 600

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


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
        raise ISalesArgumentError(f"vdn_id must be an integer from 1 to {MAX_VDN_ID}, not {value!r}")
    return number


def check_campaign_id(value: object) -> int:
    """Check a campaign id: a positive integer, or its digits as text."""
    number = _whole_number(value)
    if number is None or number < 1:
        raise ISalesArgumentError(f"campaign_id must be a positive integer, not {value!r}")
    return number


def check_batch_id(value: object) -> str:
    """Check a batch id: text of digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ISalesArgumentError(
            f"batch_id must be text of digits, not the number {value!r}: a number loses leading zeros, and JSON "
            "readers round 30 digits. Put it in quotes; a DAG with render_template_as_native_obj=True turns a "
            "rendered id into a number"
        )
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
        raise ISalesArgumentError(f"batch_id must be non-empty text of digits, not {value!r}")
    return value


def check_batch_ids(value: object) -> list[Any] | Literal["all"]:
    """
    Check that something says which batches; the entries of a list are for :func:`check_batch_id`.

    :param value: ``"all"``, or a list of batch ids
    """
    if value == ALL:
        return ALL
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ISalesArgumentError(
            f'batch_ids must be a list of batch ids, or "all" for every batch of the campaign, not {value!r}'
        )
    return list(value)


def check_parallelism(value: object) -> int:
    """Check how many requests may be under way at once: an integer from 1 to 64."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_PARALLEL_REQUESTS:
        return value
    raise ISalesArgumentError(
        f"max_parallel_requests must be an integer from 1 to {MAX_PARALLEL_REQUESTS}, not {value!r}"
    )


def check_batch_name(value: object) -> str:
    """
    Check the name of a batch that is created or renamed.

    :param value: text of 1 to 255 characters, none of ``<>!@#$%^&*?;"~/\\``
    """
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_NAME_LENGTH:
        raise ISalesArgumentError(f"name must be text of 1 to {MAX_NAME_LENGTH} characters, not {value!r}")
    if forbidden := sorted(FORBIDDEN_IN_NAMES.intersection(value)):
        raise ISalesArgumentError(f"name must not contain {' '.join(forbidden)}, as {value!r} does")
    return value


def check_status(value: object) -> BatchStatus:
    """Check a batch status: a ``BatchStatus``, or 1 (started) or 2 (suspended)."""
    if isinstance(value, int) and not isinstance(value, bool) and value in tuple(BatchStatus):
        return BatchStatus(value)
    raise ISalesArgumentError(f"status must be 1 (started) or 2 (suspended), not {value!r}")


def check_host(value: object) -> str:
    """Check a host, and return it as it stands in a URL: a name or an address, without scheme, port and path."""
    if isinstance(value, str):
        try:
            return f"[{IPv6Address(value.removeprefix('[').removesuffix(']'))}]"
        except ValueError:
            if _HOST_NAME.fullmatch(value):
                return value
    raise ISalesArgumentError(
        f"host must be a bare name or address, not {value!r}: leave out the scheme (it is always https) and any path, "
        "and give the port in its own field"
    )


def check_port(value: object) -> int:
    """Check a port: an integer from 1 to 65535."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_PORT:
        return value
    raise ISalesArgumentError(f"port must be an integer from 1 to {MAX_PORT}, not {value!r}")


def check_timeout(value: object) -> float:
    """Check a timeout: seconds, above 0 and up to 600."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= MAX_TIMEOUT:
        return value
    raise ISalesArgumentError(f"timeout must be a number of seconds above 0, up to {MAX_TIMEOUT}, not {value!r}")


def check_verify(value: object) -> bool | str:
    """
    Check how far a server's certificate is to be trusted.

    :param value: True, False, or the path of a CA bundle or of a directory of certificates
    """
    if not isinstance(value, (bool, str)):
        raise ISalesArgumentError(f"verify must be true, false or the path of a CA bundle, not {value!r}")
    if isinstance(value, str) and not os.path.isdir(value):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except OSError as error:  # also what ssl raises
            # Retryable: another worker may have the file.
            raise ISalesArgumentError(
                f"verify names no CA bundle that can be read: {value!r} ({error})", retryable=True
            ) from None
    return value


def check_signing_profile(value: object) -> SigningProfile:
    """Check the name of a signing profile: a ``SigningProfile`` or its name."""
    for profile in SigningProfile:
        if value == profile:
            return profile
    names = " or ".join(repr(known.value) for known in SigningProfile)
    raise ISalesArgumentError(f"signing_profile must be {names}, not {value!r}")


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    # Templates render text; int() alone would also take "1_000", " 7 " and other scripts' digits.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return None
