"""
A stand-in for CC-iSales that speaks real HTTPS and checks signatures: to develop and test against.

Needs the extra: ``pip install airflow-provider-isales[simulator]``.
"""

from __future__ import annotations

from airflow_provider_isales.simulator.faults import Fault
from airflow_provider_isales.simulator.server import Simulator
from airflow_provider_isales.simulator.service import Campaign, CampaignState

__all__ = ["Campaign", "CampaignState", "Fault", "Simulator"]
