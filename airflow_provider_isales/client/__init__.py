"""
The CC-iSales protocol as a plain library: nothing here knows Airflow.

>>> with ISalesClient("isales.example.com", access_key, secret_key, vdn_id=25) as client:
...     client.pause_call_batch(1001, "174712034211433247704877116507").outcome
<Outcome.PAUSED: 'paused'>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesBatchNotFoundError,
    ISalesBulkError,
    ISalesCampaignEditedError,
    ISalesCampaignNotFoundError,
    ISalesError,
    ISalesNotAllowedError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesStoppedError,
    ISalesTransportError,
)
from airflow_provider_isales.client.models import (
    BatchStatus,
    BulkResult,
    CallBatch,
    CallBatchResult,
    Campaign,
    CampaignResult,
    CampaignStatus,
    Outcome,
    SpecialDate,
)
from airflow_provider_isales.client.profiles import SigningProfile

if TYPE_CHECKING:
    from airflow_provider_isales.client.auth import C2Auth
    from airflow_provider_isales.client.client import ISalesClient
    from airflow_provider_isales.client.retry import RetryPolicy

# Imported on first use, so that parsing a DAG file stays cheap.
_LAZY = {"C2Auth": "auth", "ISalesClient": "client", "RetryPolicy": "retry"}

__all__ = [
    "BatchStatus",
    "BulkResult",
    "C2Auth",
    "CallBatch",
    "CallBatchResult",
    "Campaign",
    "CampaignResult",
    "CampaignStatus",
    "ISalesArgumentError",
    "ISalesAuthenticationError",
    "ISalesBatchNotFoundError",
    "ISalesBulkError",
    "ISalesCampaignEditedError",
    "ISalesCampaignNotFoundError",
    "ISalesClient",
    "ISalesError",
    "ISalesNotAllowedError",
    "ISalesProtocolError",
    "ISalesResultError",
    "ISalesStoppedError",
    "ISalesTransportError",
    "Outcome",
    "RetryPolicy",
    "SigningProfile",
    "SpecialDate",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
