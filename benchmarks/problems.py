"""
Compare how three DAGs that stop a VDN at 18:00 cope with faults, on a real Airflow; write ``PROBLEMS.md``.

The two without the provider's operators use its signature, check the result code, and have the same retries.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

_home = tempfile.TemporaryDirectory()
os.environ |= {
    "AIRFLOW_HOME": _home.name,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    "AIRFLOW__CORE__DAGS_FOLDER": str(Path(_home.name, "dags")),
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
}
HERE = Path(__file__).parent
# ruff: noqa: E402
sys.path.insert(0, str(HERE.parent / "tests" / "on_airflow"))
import pendulum
from airflow_runs import dags_folder, read_dags, start_airflow

from airflow_provider_isales.simulator import CampaignState, Simulator

SIGNATURE = (HERE.parent / "airflow_provider_isales/client/auth.py").read_text()
WAYS = {
    "with_this_provider": "`PauseCampaignsOperator`",
    "with_requests": "`PythonOperator` with `requests`",
    "with_http_operator": "`HttpOperator`, mapped",
}
END_OF_SHIFT = pendulum.datetime(2026, 11, 25, 18, tz="Asia/Shanghai")
JUST_AFTER, IN_THE_NEXT_SHIFT = END_OF_SHIFT.add(seconds=5), END_OF_SHIFT.add(hours=16)
LATE = "the run comes 16 hours late, in the next shift"
RIGHT, RED = "right", "red: calls go on"
WRONG, STOPS_THE_DAY = "**green, and calls go on**", "**stops the day's work**"


def start_another_campaign(simulator: Simulator) -> None:
    """Start another campaign, as a colleague might, when the first one is paused."""

    def start(verb: str, parameters: Any) -> None:
        if verb == "pause_campaign":
            simulator.on_request = None
            simulator.add_campaign(1004, batches=1)

    simulator.on_request = start


def return_short_pages(simulator: Simulator) -> None:
    """Limit each page of a listing to two campaigns, however many are requested."""
    simulator.service.max_page_size = 2


def make_fault(kind: str, verb: str = "pause_campaign", **settings: Any) -> Callable[[Simulator], None]:
    """Return a function that makes the simulator fail once."""
    return lambda simulator: simulator.inject(kind, verb=verb, **settings)


PROBLEMS: dict[str, Callable[[Simulator], None]] = {
    "nothing": lambda simulator: None,
    "HTTP 503": make_fault("answer", status=503),
    "HTTP 429 with `Retry-After`": make_fault("answer", status=429, headers={"Retry-After": "1"}),
    "HTTP 200 with a result code of failure": make_fault("result", code="0200006"),
    "HTTP 200 with a firewall's page": make_fault("answer", status=200),
    "the connection breaks before the pause takes effect": make_fault("close_before"),
    "the connection breaks after the pause took effect": make_fault("close_after"),
    "the response breaks off": make_fault("truncate"),
    "the listing breaks off": make_fault("truncate", verb="list_campaigns"),
    "the response says success, but the campaign dials on": make_fault("result", code="0200000"),
    "pages of the listing are shorter than asked for": return_short_pages,
    "somebody starts a campaign meanwhile": start_another_campaign,
    LATE: lambda simulator: None,
}


def run_dag(way: str, problem: str) -> str:
    """Run a DAG with a problem; return the outcome."""
    with Simulator() as simulator, ExitStack() as stack:
        for file in dags_folder().glob("*.py"):
            file.unlink()
        code = read_code(way).replace("timedelta(seconds=30)", "timedelta(0)")
        file = dags_folder() / f"{way}.py"
        file.write_text(code.replace("/etc/ssl/isales-ca.pem", str(simulator.ca_file)))
        connection = json.loads(simulator.connection())
        http = {**connection, "conn_type": "http", "schema": "https", "extra": {}}
        os.environ["AIRFLOW_CONN_ISALES_DEFAULT"] = json.dumps(connection)
        os.environ["AIRFLOW_CONN_ISALES_HTTP"] = json.dumps(http)
        for campaign_id in (1001, 1002, 1003):
            simulator.add_campaign(campaign_id, batches=1)
        now = IN_THE_NEXT_SHIFT if problem == LATE else JUST_AFTER
        stack.enter_context(patch("airflow_provider_isales.clock.utc_now", lambda: now))
        PROBLEMS[problem](simulator)
        bag = read_dags(file)
        green = str(bag.dags[way].test(logical_date=END_OF_SHIFT).state) == "success"
        states = {campaign.state for campaign in simulator.service.campaigns.values()}
    if problem == LATE:
        return RIGHT if states == {CampaignState.EXECUTING} else STOPS_THE_DAY
    if CampaignState.EXECUTING in states:
        return WRONG if green else RED
    return RIGHT if green else "red, though all is stopped"


def read_code(way: str) -> str:
    """Return the source of a DAG."""
    return (HERE / "dags" / f"{way}.py").read_text()


def count_lines(code: str) -> int:
    """Count the lines that are not empty."""
    return sum(bool(line.strip()) for line in code.splitlines())


def main() -> None:
    """Run all combinations; print and write the table."""
    start_airflow()
    found = {problem: [run_dag(way, problem) for way in WAYS] for problem in PROBLEMS}
    right = [sum(outcomes[number] == RIGHT for outcomes in found.values()) for number in range(len(WAYS))]
    rows = [
        ["what goes wrong, once", *WAYS.values()],
        ["---"] * (len(WAYS) + 1),
        *([problem, *outcomes] for problem, outcomes in found.items()),
        ["**right**", *(f"{count} of {len(PROBLEMS)}" for count in right)],
        ["lines of code", *(str(count_lines(read_code(way))) for way in WAYS)],
    ]
    text = (
        "# What goes wrong, and who notices\n\n"
        f"Made by `make bench`: {datetime.now(UTC):%Y-%m-%d}, Airflow {version('apache-airflow')}, "
        f"its HTTP provider {version('apache-airflow-providers-http')}, requests {version('requests')}.\n\n"
        "Three DAGs stop the three campaigns of a simulated VDN at 18:00: `dags/with_*.py`, each with three retries.\n"
        f"Those without the provider's operators use its signature ({count_lines(SIGNATURE)} lines more), and check\n"
        "the result code. *Right*: the calls are stopped and the run is green; a late run leaves the day's work alone."
        "\n\n"
    )
    text += "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
    (HERE / "PROBLEMS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
