"""
What a pause task does for every answer there can be: through a real Airflow task run, over HTTPS.

The table of all cases is printed at the end of the test run.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import certifi
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException
from airflow_runs import EXCEPTIONS, OUTCOME, TaskRun, airflow_home, dag_file, dags_in, run_dag, same_on_every_airflow

from airflow_provider_isales.client import BatchStatus
from airflow_provider_isales.operators.call_batch import PauseCallBatchOperator, ResumeCallBatchOperator
from airflow_provider_isales.simulator import CampaignState, Simulator

CAMPAIGN = 7
ABSENT = "404404404404404404404404404404"
SECRET = "simulator-secret-key"
PAUSED, ALREADY, RETRIED, FOR_GOOD = "success: paused", "success: already_paused", "retried", "failed for good"
SKIPPED = "skipped"
WHENEVER = 99

Setup = Callable[[Simulator, dict[str, str]], object]


@dataclass(frozen=True)
class Case:
    """An answer of the server, and what the task should make of it."""

    name: str
    setup: Setup
    verdict: str
    message: str

    def __str__(self) -> str:
        return self.name


def nothing(simulator: Simulator, conf: dict[str, str]) -> None:
    pass


def paused_before(simulator: Simulator, conf: dict[str, str]) -> None:
    simulator.service.campaigns[CAMPAIGN].set_status(conf["batch_id"], BatchStatus.SUSPENDED)


def campaign_suspended(simulator: Simulator, conf: dict[str, str]) -> None:
    simulator.service.campaigns[CAMPAIGN].state = CampaignState.SUSPENDED


def conf_is(**values: str) -> Setup:
    return lambda simulator, conf: conf.update(values)


def code(value: str) -> Setup:
    return lambda simulator, conf: simulator.inject("result", code=value, times=WHENEVER)


def status(value: int, **headers: str) -> Setup:
    return lambda simulator, conf: simulator.inject("answer", status=value, headers=headers, times=WHENEVER)


def body(text: str) -> Setup:
    return lambda simulator, conf: simulator.inject("answer", status=200, body=text, times=WHENEVER)


def connection(**values: object) -> Setup:
    def setup(simulator: Simulator, conf: dict[str, str]) -> None:
        usual = json.loads(simulator.connection())
        extra = usual["extra"] | values.get("extra", {})
        conf["isales_conn_id"] = "isales_special"
        os.environ["AIRFLOW_CONN_ISALES_SPECIAL"] = json.dumps(usual | values | {"extra": extra})

    return setup


def fault(kind: str, times: int) -> Setup:
    return lambda simulator, conf: simulator.inject(kind, times=times)


CASES = [
    Case("0200000", nothing, PAUSED, ""),
    Case("03000006 already suspended", paused_before, ALREADY, ""),
    Case("0200001 parameter error", code("0200001"), FOR_GOOD, "[0200001] parameter error (injected)"),
    Case("0200006 database error", code("0200006"), RETRIED, "[0200006] database operation error (injected)"),
    Case(
        "0200007 no such campaign", conf_is(campaign_id="8"), FOR_GOOD, "[0200007] the outbound campaign does not exist"
    ),
    Case("02000001 empty parameter", code("02000001"), FOR_GOOD, "[02000001] empty parameter (injected)"),
    Case(
        "02000007 another complaint", code("02000007"), FOR_GOOD, "[02000007] a complaint about a parameter (injected)"
    ),
    Case("03000002 campaign suspended", campaign_suspended, SKIPPED, "[03000002] not allowed in the campaign's"),
    Case("03000004 no such batch", conf_is(batch_id=ABSENT), FOR_GOOD, "[03000004] batch id not found"),
    Case(
        "09999999 unknown code", code("09999999"), RETRIED, "[09999999] a result code that is not documented (injected)"
    ),
    Case("HTTP 401", connection(password="not-the-key"), FOR_GOOD, "HTTP 401: the server did not accept the signature"),
    Case("HTTP 403 HTML", status(403), RETRIED, "HTTP 403 Forbidden. A firewall in front of CC-iSales blocked"),
    Case("HTTP 418 HTML", status(418), RETRIED, "HTTP 418 I'm a Teapot. A firewall in front of CC-iSales blocked"),
    Case("HTTP 404 HTML", status(404), RETRIED, "HTTP 404 Not Found. This is not how CC-iSales answers: check host"),
    Case("HTTP 429 HTML", status(429, **{"Retry-After": "1"}), RETRIED, "HTTP 429 Too Many Requests (8 attempts)"),
    Case("HTTP 500 HTML", status(500), RETRIED, "HTTP 500 Internal Server Error (8 attempts)"),
    Case("HTTP 502 HTML", status(502), RETRIED, "HTTP 502 Bad Gateway (8 attempts)"),
    Case("redirect", status(302, Location="https://example.com/"), RETRIED, "HTTP 302 Found, a redirect to"),
    Case(
        "not JSON",
        body("<html>Sign in</html>"),
        RETRIED,
        "the response is not a JSON object: '<html>Sign in</html>' (8 attempts)",
    ),
    Case(
        "codes that disagree",
        body('{"resultCode": "0200000", "returnCode": "0200006"}'),
        RETRIED,
        "the response contradicts itself: {'resultCode': '0200000', 'returnCode': '0200006'}",
    ),
    Case("numeric code", body('{"resultCode": 200000}'), RETRIED, "resultCode is 200000, which is not text"),
    Case("no code", body("{}"), RETRIED, "the response has neither a resultCode nor a returnCode"),
    Case("2 MiB response", body('"' + "x" * 2**21 + '"'), RETRIED, "the response is larger than 1024 KiB"),
    Case("truncated once", fault("truncate", 1), ALREADY, ""),
    Case("closed after the pause was applied", fault("close_after", 1), ALREADY, ""),
    Case("closed before it, once", fault("close_before", 1), PAUSED, ""),
    Case("closed before it, always", fault("close_before", WHENEVER), RETRIED, "the connection broke: "),
    Case("nobody listens", connection(port=1), RETRIED, "no connection could be made: [Errno 111] Connection refused"),
    Case(
        "certificate not trusted",
        connection(extra={"verify": certifi.where()}),
        RETRIED,
        "the server's certificate is not trusted: [SSL: CERTIFICATE_VERIFY_FAILED]",
    ),
    Case("a batch id that cannot be", conf_is(batch_id="12a"), FOR_GOOD, "batch_id must be text of 1 to 64 digits"),
    Case("a setting that cannot be", connection(extra={"timeout": "soon"}), FOR_GOOD, "timeout must be a number of"),
]
# One for each way in which Airflow is told how a task ended: what leads to which of them is up to the client.
FOR_EACH_AIRFLOW = {
    "0200000",
    "03000006 already suspended",
    "0200007 no such campaign",
    "HTTP 401",
    "closed before it, always",
    "a setting that cannot be",
}
each_case = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.name in FOR_EACH_AIRFLOW]
    + same_on_every_airflow(*(case for case in CASES if case.name not in FOR_EACH_AIRFLOW)),
    ids=str,
)


@pytest.fixture(autouse=True)
def _surroundings(no_waiting: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    # Taken note of here, so that what a case sets is undone.
    monkeypatch.setenv("AIRFLOW_CONN_ISALES_SPECIAL", "")


def run(case: Case, simulator: Simulator, dag_id: str = "pause_one_batch") -> tuple[TaskRun, list[str]]:
    """Run the task for a case; return how it ended and the messages of its failures."""
    campaign = simulator.add_campaign(CAMPAIGN, batches=1)
    conf = {
        "campaign_id": str(CAMPAIGN),
        "batch_id": next(iter(campaign.batches)),
        "isales_conn_id": "isales_default",
    }
    case.setup(simulator, conf)
    EXCEPTIONS.clear()
    ((task_run,),) = run_dag(dags_in(dag_file("one_batch"))[dag_id], conf).values()
    return task_run, [str(error) for error in EXCEPTIONS]


def verdict(task_run: TaskRun) -> str:
    if task_run.state == "success":
        return f"success: {task_run.xcom['outcome']}"
    if task_run.state == "skipped":
        return SKIPPED
    return "retried" if task_run.tries > 1 else "failed for good"


@dataclass(frozen=True)
class Observed:
    """The observations of a case."""

    task_run: TaskRun
    messages: list[str]
    log: str


OBSERVED: dict[str, Observed] = {}


def observe(case: Case, request: pytest.FixtureRequest) -> Observed:
    """Run the task for a case, once for all tests, and take down what it does."""
    if case.name not in OBSERVED:
        simulator, read_log = map(request.getfixturevalue, ("isales_simulator", "read_log"))
        task_run, messages = run(case, simulator)
        OBSERVED[case.name] = Observed(task_run, messages, read_log())
        message = messages[0] if messages else ""
        request.node.user_properties.append((OUTCOME, (case.name, verdict(task_run), message)))
    return OBSERVED[case.name]


@each_case
def test_a_pause_task_ends_in_the_right_state(case: Case, request: pytest.FixtureRequest) -> None:
    assert verdict(observe(case, request).task_run) == case.verdict


@each_case
def test_the_message_of_a_pause_task_says_why(case: Case, request: pytest.FixtureRequest) -> None:
    messages = observe(case, request).messages
    assert case.message in (messages[0] if messages else "")


@each_case
def test_the_log_shows_neither_secret_nor_signature(case: Case, request: pytest.FixtureRequest) -> None:
    # Airflow 3.0 itself says at debug level what it will mask.
    log = "".join(line for line in observe(case, request).log.splitlines() if "MaskSecret(" not in line)
    assert "task" in log
    assert SECRET not in log
    assert "auth-v2/" not in log


def test_the_metadata_database_holds_neither_secret_nor_signature(request: pytest.FixtureRequest) -> None:
    for case in CASES:
        if case.name in FOR_EACH_AIRFLOW:
            observe(case, request)
    home = airflow_home()
    # By another process: to close the file in this one would give up SQLite's locks on it.
    held = {file.name: subprocess.check_output(["/bin/cat", file]) for file in home.rglob("*") if file.is_file()}
    leaking = [name for name, content in held.items() if SECRET.encode() in content or b"auth-v2/" in content]
    assert any(b"pause_one_batch" in content for content in held.values())
    assert leaking == []


def test_success_means_that_the_batch_is_suspended(isales_simulator: Simulator) -> None:
    run(CASES[0], isales_simulator)
    (batch,) = isales_simulator.service.campaigns[CAMPAIGN].batches.values()
    assert batch.status is BatchStatus.SUSPENDED


def test_the_xcom_is_the_documented_dict(isales_simulator: Simulator) -> None:
    task_run, _ = run(CASES[0], isales_simulator)
    assert datetime.fromisoformat(task_run.xcom.pop("confirmed_at")).utcoffset() == timedelta(0)
    assert task_run.xcom == {
        "vdn_id": 25,
        "campaign_id": 7,
        "batch_id": "000000000000007000000000000001",
        "outcome": "paused",
        "result_code": "0200000",
        "result_desc": "success",
    }


@pytest.mark.parametrize("profile", ["current", "legacy"])
def test_the_signature_of_the_task_is_accepted_under_both_profiles(isales_simulator: Simulator, profile: str) -> None:
    case = Case(profile, connection(extra={"signing_profile": profile}), PAUSED, "")
    task_run, _ = run(case, isales_simulator)
    assert verdict(task_run) == PAUSED


def test_requests_ca_bundle_does_not_break_a_connection_that_names_its_bundle(
    isales_simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    task_run, _ = run(CASES[0], isales_simulator)
    assert verdict(task_run) == PAUSED


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case("paused", paused_before, "", ""), "success: resumed"),
        (Case("started", nothing, "", ""), "success: already_started"),
        (Case("no such batch", conf_is(batch_id=ABSENT), "", ""), "failed for good"),
    ],
    ids=str,
)
def test_a_resume_task_ends_in_the_right_state(case: Case, expected: str, isales_simulator: Simulator) -> None:
    task_run, _ = run(case, isales_simulator, "resume_one_batch")
    assert verdict(task_run) == expected


@pytest.mark.parametrize("operator", [PauseCallBatchOperator, ResumeCallBatchOperator])
@pytest.mark.parametrize(("vdn_id", "accepted"), [(25, True), (26, False)])
def test_the_vdn_of_a_task_wins_over_that_of_the_connection(
    isales_simulator: Simulator, operator: Any, vdn_id: int, accepted: bool
) -> None:
    (batch_id,) = isales_simulator.add_campaign(7, batches=1).batches
    with DAG("a_dag", schedule=None):
        task = operator(task_id="a_task", campaign_id=7, batch_id=batch_id, vdn_id=vdn_id)
    with nullcontext() if accepted else pytest.raises(AirflowFailException):
        task.execute({})
