"""Renew, in a forked child, locks that a thread of its parent may hold and connections that both would use."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Something that can be used on both sides of a fork, by forgetting what belongs to the parent."""

    def renew(self) -> None: ...


_used = WeakSet[Renewable]()
#: Calls ``renew`` of what it gets in each process that is forked from now on.
renew_in_children = _used.add


def _renew_all() -> None:
    for thing in list(_used):
        thing.renew()


os.register_at_fork(after_in_child=_renew_all)
