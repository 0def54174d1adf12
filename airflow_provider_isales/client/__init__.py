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
    RESULT_CODES,
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesBatchNotFoundError,
    ISalesBulkError,
    ISalesCampaignEditedError,
    ISalesCampaignNotFoundError,
    ISalesCertificateError,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesError,
    ISalesHeldBackError,
    ISalesHTTPStatusError,
    ISalesNotAllowedError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesStoppedError,
    ISalesTimeoutError,
    ISalesTLSError,
    ISalesTransportError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.models import (
    BatchKey,
    BatchStatus,
    BulkResult,
    CallBatch,
    CallBatchResult,
    CampaignKey,
    Outcome,
)
from airflow_provider_isales.client.profiles import SigningProfile

if TYPE_CHECKING:
    from airflow_provider_isales.client.auth import C2Auth
    from airflow_provider_isales.client.bulk import BulkSwitch
    from airflow_provider_isales.client.client import ISalesClient
    from airflow_provider_isales.client.retry import RetryPolicy

# Imported when they are asked for: DAG files, which are parsed again and again, need none of what these import.
_LAZY = {"BulkSwitch": "bulk", "C2Auth": "auth", "ISalesClient": "client", "RetryPolicy": "retry"}

__all__ = [
    "RESULT_CODES",
    "BatchKey",
    "BatchStatus",
    "BulkResult",
    "BulkSwitch",
    "C2Auth",
    "CallBatch",
    "CallBatchResult",
    "CampaignKey",
    "ISalesArgumentError",
    "ISalesAuthenticationError",
    "ISalesBatchNotFoundError",
    "ISalesBulkError",
    "ISalesCampaignEditedError",
    "ISalesCampaignNotFoundError",
    "ISalesCertificateError",
    "ISalesClient",
    "ISalesConnectError",
    "ISalesConnectionLostError",
    "ISalesError",
    "ISalesHTTPStatusError",
    "ISalesHeldBackError",
    "ISalesNotAllowedError",
    "ISalesProtocolError",
    "ISalesResultError",
    "ISalesStoppedError",
    "ISalesTLSError",
    "ISalesTimeoutError",
    "ISalesTransportError",
    "ISalesUnchangedError",
    "Outcome",
    "RetryPolicy",
    "SigningProfile",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
