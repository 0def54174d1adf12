"""The one clock of this package, which tests set in one place."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return this machine's time in UTC."""
    return datetime.now(UTC)
