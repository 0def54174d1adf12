"""
A stand-in for CC-iSales that speaks real HTTPS and checks signatures: to develop and test against.

Needs the extra ``simulator`` of this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_provider_isales.simulator.campaign import Campaign, CampaignState
from airflow_provider_isales.simulator.faults import Fault

if TYPE_CHECKING:
    from airflow_provider_isales.simulator.server import Simulator

__all__ = ["Campaign", "CampaignState", "Fault", "Simulator"]


def __getattr__(name: str) -> Any:
    if name != "Simulator":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return import_module(f"{__name__}.server").Simulator
    except ModuleNotFoundError as missing:
        if missing.name != "trustme":
            raise
        raise ModuleNotFoundError(
            f"the simulator needs {missing.name}: install the extra [simulator] of this package the way you installed "
            "the package, such as `pip install '.[simulator]'` in a clone",
            name=missing.name,
        ) from None
