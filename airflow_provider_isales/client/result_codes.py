"""The failure codes of each interface, and what they mean. Source: Huawei Cloud CEC API Reference."""

from __future__ import annotations

import re
from typing import NamedTuple


class ResultCode(NamedTuple):
    """
    A failure code as the reference explains it. ``advice``, ``retryable`` and ``transient`` are as in ``ISalesError``.

    :param code: text: ``0200001`` and ``02000001`` are two different codes
    :param interface: the interfaces that return it
    """

    code: str
    interface: str
    meaning: str
    advice: str
    retryable: bool = False
    transient: bool = False


ALREADY_SUSPENDED = "03000006"

_CORRECT_VALUE = "Correct the value that the description names."

#: The documented failure codes. Source: Huawei Cloud CEC API Reference, "Outbound Call Batch Interfaces".
RESULT_CODES = (
    ResultCode("0200001", "all", "parameter error", _CORRECT_VALUE),
    ResultCode("0200006", "all", "database operation error", "A fault of the service: try again later.", True, True),
    ResultCode("0200007", "all", "the outbound campaign does not exist", "Check campaign_id and vdn_id."),
    ResultCode("02000001", "all", "empty parameter", "Give the parameter that the description names."),
    ResultCode("02000002", "all", "illegal characters in a parameter", "Choose a name without such characters."),
    ResultCode("02000003", "all", "a parameter is too long", "Choose a shorter name."),
    ResultCode("03000001", "create, update", "the batch name exists already", "Choose another name."),
    ResultCode(
        "03000002",
        "pause, resume, create",
        "not allowed in the campaign's present state",
        "Check the campaign's state in the console: a batch can't be suspended while its campaign is suspended.",
    ),
    ResultCode("03000003", "create", "the campaign holds as many batches as it may", "Delete batches that are done."),
    ResultCode("03000004", "pause, resume, update, delete", "batch id not found", "Check batch_id and campaign_id."),
    ResultCode(ALREADY_SUSPENDED, "pause", "the batch has been suspended already", "Nothing to do."),
)
#: The failure codes for whole campaigns. Source: "Suspending an Outbound Campaign" and the like.
CAMPAIGN_RESULT_CODES = (
    *(known for known in RESULT_CODES if known.interface == "all"),
    ResultCode(
        "0200011",
        "pause and resume of a campaign",
        "not allowed in the campaign's present state",
        "The campaign's details decide then. If the task fails, look in the console.",
    ),
)
PARAMETER_COMPLAINT = ResultCode("", "all", "a complaint about a parameter", _CORRECT_VALUE)
# Retryable, because an unknown code may be temporary, and a pause that is given up keeps phones ringing.
UNDOCUMENTED = ResultCode("", "all", "a result code that is not documented", "Ask the platform's operator.", True)


def find_meaning(code: str, documented: tuple[ResultCode, ...]) -> ResultCode:
    """Return what a failure code means; codes are compared as text."""
    others = PARAMETER_COMPLAINT if re.fullmatch(r"02000[0-9]{3}", code) else UNDOCUMENTED
    return next((known for known in documented if known.code == code), others)
