"""One Airflow for all tests that can share it, because starting one takes longer than most tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ended_shift import make_shift_until, write_shifts
from smtp_listener import MailServer, mail_server
from statsd_listener import StatsdServer, statsd_server
from throwaway_airflow import READ_DAGS_ONCE, ThrowawayAirflow

from airflow_provider_isales.simulator import Simulator

DAG_FILES = Path(__file__).parent / "shared_dags"
# What teams set for the whole installation: after one red run, Airflow switches a DAG off that does not say otherwise.
SWITCH_OFF = {"AIRFLOW__CORE__MAX_CONSECUTIVE_FAILED_DAG_RUNS_PER_DAG": "1"}


@dataclass(frozen=True)
class Shared:
    """
    An Airflow, and what it talks to.

    Each test has DAGs and campaigns of its own. Those of the shift that ended in the minute in which all of this
    started run once a minute, whatever the other tests do.
    """

    airflow: ThrowawayAirflow
    dags: Path
    simulator: Simulator
    mails: MailServer
    metrics: StatsdServer


@contextmanager
def shared_airflow(folder: Path) -> Iterator[Shared]:
    """
    Run it from entry to exit.

    :param folder: an empty directory for its home and its DAGs
    """
    dags = folder / "dags"
    write_shifts(dags, make_shift_until(datetime.now(UTC).replace(second=0, microsecond=0)))
    for file in DAG_FILES.glob("*.py"):
        shutil.copy(file, dags)
    with Simulator() as simulator, mail_server() as mails, statsd_server() as metrics:
        environment = {
            "AIRFLOW_CONN_ISALES_DEFAULT": simulator.connection(),
            "AIRFLOW_CONN_SMTP_DEFAULT": mails.connection,
            **metrics.settings,
            **SWITCH_OFF,
            **READ_DAGS_ONCE,
        }
        with ThrowawayAirflow(folder / "home", dags, environment) as airflow:
            yield Shared(airflow, dags, simulator, mails, metrics)
