"""For tests that wait: short on an idle machine, and long enough on a busy one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

#: What no wait exceeds, unless what is waited for never happens.
LONG = 60.0


def try_longer_timeouts(check: Callable[[float], object], first: float = 0.2, last: float = 20.0) -> None:
    """
    Check what happens after a timeout; if it fails, maybe because the machine was busy, check with longer ones.

    :param check: takes the timeout in seconds
    :param first: the timeout for an idle machine
    :param last: the timeout with which it must not fail
    """
    timeout = first
    while timeout < last:
        try:
            check(timeout)
        except (Exception, pytest.fail.Exception):
            timeout *= 5
        else:
            return
    check(last)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for a condition, which must come true."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
