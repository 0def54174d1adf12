"""What fragments on the pages take as given: imports, a calendar, and a simulator that a test puts here."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pendulum
from airflow.providers.common.compat.sdk import DAG, Asset, task
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from airflow_provider_isales.client import BatchStatus, ISalesClient
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.operators.call_batch import (
    PauseCallBatchesOperator,
    PauseCallBatchOperator,
    ResumeCallBatchesOperator,
    ResumeCallBatchOperator,
)
from airflow_provider_isales.operators.campaign import PauseCampaignsOperator, ResumeCampaignsOperator
from airflow_provider_isales.shifts import ShiftCalendar, read_file
from airflow_provider_isales.simulator import Simulator
from airflow_provider_isales.timetables.shift import ShiftEndTimetable, ShiftStartTimetable

SHIFTS = ShiftCalendar("Asia/Shanghai", {"mon-fri": ["09:00-12:00", "13:30-18:00"]})
START_DATE = pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai")
IN_TIME = timedelta(minutes=5)
BATCH = {"campaign_id": 1001, "batch_id": "000000000001001000000000000001"}


def alert(context: Any) -> None:
    """Stands for the reader's notifier."""


# Of tests/system/test_distributed.py.
HERE = Path(__file__).parent
SECRET_OF_THE_TEST = "made up"

# Put here by the test that reads a page.
simulator: Simulator
client: ISalesClient
