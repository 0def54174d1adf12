"""
The documented rules for what a caller may pass, checked before anything is sent.

Each function returns the value to use and raises ``ISalesArgumentError`` with the value and what is allowed.
Source: Huawei Cloud CEC API Reference, "Outbound Call Batch Interfaces".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.models import BatchStatus

MAX_VDN_ID = 9999
MAX_NAME_LENGTH = 255
# Our own bound: more threads than this gain nothing.
MAX_PARALLEL_REQUESTS = 64
# Far above any id, and below what int() refuses to read.
MAX_DIGITS = 100
FORBIDDEN_IN_NAMES = frozenset('<>!@#$%^&*?;"~/\\')


@dataclass(frozen=True)
class CampaignKey:
    """Which campaign, with checked ids."""

    vdn_id: int
    campaign_id: int

    def __str__(self) -> str:
        return f"campaign {self.campaign_id} (VDN {self.vdn_id})"


@dataclass(frozen=True)
class BatchKey(CampaignKey):
    """Which call batch of which campaign, with checked ids."""

    batch_id: str

    def __str__(self) -> str:
        return f"call batch {self.batch_id} of {super().__str__()}"


def campaign_key(vdn_id: object, campaign_id: object) -> CampaignKey:
    """Check what names a campaign."""
    return CampaignKey(check_vdn_id(vdn_id), check_campaign_id(campaign_id))


def batch_key(vdn_id: object, campaign_id: object, batch_id: object) -> BatchKey:
    """Check what names a call batch."""
    return BatchKey(check_vdn_id(vdn_id), check_campaign_id(campaign_id), check_batch_id(batch_id))


def check_vdn_id(value: object) -> int:
    """
    Check a VDN id.

    :param value: an integer from 1 to 9999, or its digits as text
    """
    number = _whole_number(value)
    if number is None or not 1 <= number <= MAX_VDN_ID:
        raise ISalesArgumentError(f"vdn_id must be an integer from 1 to {MAX_VDN_ID}, not {value!r}")
    return number


def check_campaign_id(value: object) -> int:
    """
    Check a campaign id.

    :param value: a positive integer, or its digits as text
    """
    number = _whole_number(value)
    if number is None or number < 1:
        raise ISalesArgumentError(f"campaign_id must be a positive integer, not {value!r}")
    return number


def check_batch_id(value: object) -> str:
    """
    Check a batch id.

    :param value: text of digits
    """
    if isinstance(value, int) and not isinstance(value, bool):
        raise ISalesArgumentError(
            f"batch_id must be text of digits, not the number {value!r}: a number loses leading zeros, and JSON "
            "readers round 30 digits. Put it in quotes; a DAG with render_template_as_native_obj=True turns a "
            "rendered id into a number"
        )
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
        raise ISalesArgumentError(f"batch_id must be non-empty text of digits, not {value!r}")
    return value


def check_batch_ids(value: object) -> list[Any] | None:
    """
    Check that something is a list at all; its entries are for :func:`check_batch_id`.

    :param value: a list of batch ids, or None for every batch that has the opposite status
    """
    if value is None:
        return None
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ISalesArgumentError(
            f"batch_ids must be a list of batch ids, or None for every batch in the opposite state, not {value!r}"
        )
    return list(value)


def check_parallelism(value: object) -> int:
    """
    Check how many requests may be under way at once.

    :param value: an integer from 1 to 64
    """
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
    """
    Check a batch status.

    :param value: a ``BatchStatus``, or 1 (started) or 2 (suspended)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value in tuple(BatchStatus):
        return BatchStatus(value)
    raise ISalesArgumentError(f"status must be 1 (started) or 2 (suspended), not {value!r}")


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    # Templates render text; int() alone would also take "1_000", " 7 " and other scripts' digits.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return None
