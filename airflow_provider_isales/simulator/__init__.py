"""
A stand-in for CC-iSales that speaks real HTTPS and checks signatures: to develop and test against.

Needs the extra: ``pip install airflow-provider-isales[simulator]``.
"""

from __future__ import annotations

from airflow_provider_isales.simulator.faults import Fault
from airflow_provider_isales.simulator.service import Campaign, CampaignState

try:
    from airflow_provider_isales.simulator.server import Simulator
except ModuleNotFoundError as missing:
    if missing.name not in ("starlette", "trustme", "uvicorn"):
        raise
    raise ModuleNotFoundError(
        f"the simulator needs {missing.name}: pip install 'airflow-provider-isales[simulator]'", name=missing.name
    ) from None

__all__ = ["Campaign", "CampaignState", "Fault", "Simulator"]
