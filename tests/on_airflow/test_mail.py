"""A pause that fails is told by mail."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import pytest
from airflow_runs import dag_file, run_dag
from smtp_listener import MailServer, mail_server

from airflow_provider_isales.simulator import Simulator

REASON = "[0200007] the outbound campaign does not exist. Check campaign_id and vdn_id."
WITHOUT_REASON = "Its log says why."
# ``dag.test()`` does not give the exception to callbacks there, as workers do.
NOT_IN_TESTS = version("apache-airflow").startswith(("3.0.", "3.1.", "3.2."))


@pytest.fixture(scope="module")
def smtp() -> Iterator[MailServer]:
    """One for all tests, because Airflow keeps the connection."""
    with mail_server() as smtp, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", smtp.connection)
        yield smtp


@pytest.fixture
def mails(smtp: MailServer, no_waiting: list[float]) -> MailServer:
    smtp.mails.clear()
    return smtp


def told(mails: MailServer) -> list[str]:
    """Run the pause, and return what was mailed."""
    run_dag(dag_file("told").dag)
    return mails.contents("told failed")


def test_a_pause_that_fails_for_good_is_mailed_with_the_reason(mails: MailServer, isales_simulator: Simulator) -> None:
    (content,) = told(mails)
    assert REASON in content or (content == WITHOUT_REASON and NOT_IN_TESTS)


def test_only_the_last_try_is_mailed(mails: MailServer, isales_simulator: Simulator) -> None:
    isales_simulator.add_campaign(7, batches=1)
    isales_simulator.inject("answer", verb="list", times=99)
    assert len(told(mails)) == 1


def test_a_pause_that_succeeds_is_not_mailed(mails: MailServer, isales_simulator: Simulator) -> None:
    isales_simulator.add_campaign(7, batches=1)
    assert told(mails) == []
