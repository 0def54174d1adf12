"""After a fork, renew in the child what it must not share with its parent: locks and connections."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """An object that can be used on both sides of a fork."""

    def renew(self) -> None:
        """Replace what belongs to the parent process."""


_renewables = WeakSet[Renewable]()
#: Register an object whose ``renew`` is called in every child that is forked from now on.
renew_in_children = _renewables.add


def _renew_all() -> None:
    for renewable in list(_renewables):
        renewable.renew()


os.register_at_fork(after_in_child=_renew_all)
