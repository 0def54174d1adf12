"""The C2 signature profiles. Keep imports light: Airflow loads this at every start."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

Timespec = Literal["milliseconds", "seconds"]


class SigningProfile(StrEnum):
    """
    A dialect of C2: how precise the timestamp is, and which headers are signed. Nothing else differs.

    ``current`` is the vendor's present reference, ``legacy`` its older demo.
    """

    CURRENT = "current", "milliseconds", ("content-length", "content-type", "host")
    LEGACY = "legacy", "seconds", ("host",)

    #: The precision of the timestamp, as :meth:`datetime.datetime.isoformat` names it.
    timespec: Timespec
    #: The lower-case names of the signed headers, sorted.
    signed_headers: tuple[str, ...]

    def __new__(cls, name: str, timespec: Timespec, signed_headers: tuple[str, ...]) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.timespec = timespec
        member.signed_headers = signed_headers
        return member
