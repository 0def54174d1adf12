"""Apache Airflow provider for Huawei's CC-iSales: stop and restart outbound calling from DAGs."""

from __future__ import annotations

__version__ = "0.3.0"
