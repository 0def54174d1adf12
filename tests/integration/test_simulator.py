"""The simulator answers with the documented codes under the documented conditions, and commits faults on request."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from patience import LONG, wait_until

from airflow_provider_isales.client import BatchStatus, C2Auth, RetryPolicy
from airflow_provider_isales.client.errors import ISalesConnectionLostError
from airflow_provider_isales.simulator import Campaign, CampaignState, Fault, Simulator
from airflow_provider_isales.simulator.cli import main

ABSENT = "404404404404404404404404404404"


class Caller:
    """Sends signed requests with bodies that the client would not let pass."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.auth = C2Auth("simulator", "simulator-secret-key")
        self.session.headers["Content-Type"] = "application/json; charset=UTF-8"

    def __call__(self, verb: str, body: object, campaign: object = 7, vdn: object = 25) -> dict[str, Any]:
        method = "GET" if verb == "list" else "POST"
        path = f"/rest/isales/v1/openapi/campaigns/{vdn}/callbatch/{campaign}/{verb}"
        answer = self.raw(method, path, data=body if isinstance(body, bytes) else json.dumps(body).encode())
        assert answer.status_code == 200, answer.text
        fields: dict[str, Any] = answer.json()
        assert fields["resultCode"] == fields["returnCode"]
        return fields

    def raw(self, method: str, path: str, **settings: Any) -> requests.Response:
        url = f"https://127.0.0.1:{self.simulator.port}{path}"
        return self.session.request(method, url, verify=str(self.simulator.ca_file), timeout=LONG, **settings)


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(7, batches=2)


@pytest.fixture
def call(simulator: Simulator) -> Caller:
    return Caller(simulator)


def first(campaign: Campaign) -> str:
    return next(iter(campaign.batches))


ALL_VERBS = ["pause", "resume", "create", "update", "delete", "list"]
GOOD_BODIES = {
    "pause": {"id": ABSENT},
    "resume": {"id": ABSENT},
    "create": {"name": "new"},
    "update": {"id": ABSENT, "name": "new"},
    "delete": {"id": ABSENT},
    "list": {"offset": 0, "limit": 10},
}


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_a_campaign_that_does_not_exist_is_0200007(call: Caller, verb: str) -> None:
    assert call(verb, GOOD_BODIES[verb], campaign=8)["resultCode"] == "0200007"


@pytest.mark.parametrize("verb", ALL_VERBS)
@pytest.mark.parametrize("body", [b"not json", [], "text", None])
def test_a_body_that_is_not_a_json_object_is_0200001(call: Caller, campaign: Campaign, verb: str, body: object) -> None:
    assert call(verb, body)["resultCode"] == "0200001"


@pytest.mark.parametrize(("vdn", "campaign_id"), [(0, 7), (10000, 7), ("x", 7), (26, 7), (25, 0), (25, "x")])
def test_a_path_that_names_no_possible_campaign_is_0200001(call: Caller, vdn: object, campaign_id: object) -> None:
    assert call("pause", {"id": ABSENT}, campaign_id, vdn)["resultCode"] == "0200001"


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("pause", {}),
        ("pause", {"id": ""}),
        ("resume", {}),
        ("create", {}),
        ("update", {"name": "new"}),
        ("delete", {"id": None}),
        ("list", {"offset": 0}),
    ],
)
def test_a_missing_parameter_is_02000001(call: Caller, campaign: Campaign, verb: str, body: object) -> None:
    assert call(verb, body)["resultCode"] == "02000001"


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("pause", {"id": 7}),
        ("create", {"name": 7}),
        ("create", {"name": "new", "status": 3}),
        ("list", {"offset": -1, "limit": 10}),
        ("list", {"offset": "0", "limit": 10}),
        ("list", {"offset": 0, "limit": 10, "status": "1"}),
    ],
)
def test_a_parameter_of_a_wrong_type_is_0200001(call: Caller, campaign: Campaign, verb: str, body: object) -> None:
    assert call(verb, body)["resultCode"] == "0200001"


@pytest.mark.parametrize("verb", ["pause", "resume", "update", "delete"])
def test_a_batch_that_does_not_exist_is_03000004(call: Caller, campaign: Campaign, verb: str) -> None:
    assert call(verb, GOOD_BODIES[verb])["resultCode"] == "03000004"


@pytest.mark.parametrize("state", ["draft", "executing", "completed"])
def test_a_batch_can_be_paused_in_a_campaign_in_this_state(call: Caller, simulator: Simulator, state: str) -> None:
    campaign = simulator.add_campaign(7, batches=1, state=CampaignState(state))
    assert call("pause", {"id": first(campaign)})["resultCode"] == "0200000"


def test_pausing_in_a_suspended_campaign_is_03000002(call: Caller, simulator: Simulator) -> None:
    campaign = simulator.add_campaign(7, batches=1, state=CampaignState.SUSPENDED)
    assert call("pause", {"id": first(campaign)})["resultCode"] == "03000002"


def test_pausing_twice_is_03000006(call: Caller, campaign: Campaign) -> None:
    call("pause", {"id": first(campaign)})
    assert call("pause", {"id": first(campaign)})["resultCode"] == "03000006"


@pytest.mark.parametrize("state", list(CampaignState))
def test_a_batch_can_be_resumed_in_a_campaign_in_any_state(
    call: Caller, simulator: Simulator, state: CampaignState
) -> None:
    campaign = simulator.add_campaign(7, batches=1, state=state, status=BatchStatus.SUSPENDED)
    assert call("resume", {"id": first(campaign)})["resultCode"] == "0200000"


def test_resuming_a_started_batch_fails_with_a_code_that_is_not_documented(call: Caller, campaign: Campaign) -> None:
    assert call("resume", {"id": first(campaign)})["resultCode"] == "03999999"


@pytest.mark.parametrize("verb", ["create", "update"])
@pytest.mark.parametrize(
    ("name", "code"),
    [("a<b", "02000002"), ("x" * 256, "02000003"), ("batch-2", "03000001"), ("早班-催收", "0200000")],
)
def test_a_name_is_checked_by_the_documented_rules(
    call: Caller, campaign: Campaign, verb: str, name: str, code: str
) -> None:
    assert call(verb, {"id": first(campaign), "name": name})["resultCode"] == code


def test_a_batch_keeps_its_own_name_when_it_is_renamed_to_it(call: Caller, campaign: Campaign) -> None:
    assert call("update", {"id": first(campaign), "name": "batch-1"})["resultCode"] == "0200000"


def test_a_full_campaign_is_03000003(call: Caller, simulator: Simulator) -> None:
    simulator.add_campaign(7, batches=1, max_batches=1)
    assert call("create", {"name": "new"})["resultCode"] == "03000003"


def test_a_created_batch_has_an_id_of_30_digits_and_is_suspended(call: Caller, campaign: Campaign) -> None:
    batch_id = call("create", {"name": "new"})["returnObject"]["id"]
    assert len(batch_id) == 30
    assert campaign.batches[batch_id].status == BatchStatus.SUSPENDED


def test_list_gives_one_page_and_the_count_of_all(call: Caller, campaign: Campaign) -> None:
    answer = call("list", {"offset": 1, "limit": 1})
    assert answer["totalCount"] == 2
    assert [batch["name"] for batch in answer["data"]] == ["batch-2"]


class TestControl:
    def test_the_control_api_shows_the_state(self, call: Caller, campaign: Campaign) -> None:
        call("pause", {"id": first(campaign)})
        state = call.raw("GET", "/simulator/state").json()
        assert state["campaigns"]["7"]["batches"][first(campaign)] == "suspended"

    def test_a_fault_is_injected_the_given_number_of_times(self, call: Caller, campaign: Campaign) -> None:
        call.raw("POST", "/simulator/faults", json={"kind": "result", "code": "0200006", "times": 2})
        codes = [call("pause", {"id": first(campaign)})["resultCode"] for _ in range(3)]
        assert codes == ["0200006", "0200006", "0200000"]

    def test_a_fault_can_be_limited_to_one_interface(self, call: Caller, campaign: Campaign) -> None:
        call.raw("POST", "/simulator/faults", json={"kind": "result", "code": "0200006", "verb": "list"})
        codes = [call(verb, GOOD_BODIES[verb])["resultCode"] for verb in ("create", "list")]
        assert codes == ["0200000", "0200006"]

    def test_a_response_can_have_any_status_with_html_and_headers(self, call: Caller, campaign: Campaign) -> None:
        call.raw("POST", "/simulator/faults", json={"kind": "answer", "status": 429, "headers": {"Retry-After": "2"}})
        answer = call.raw("POST", "/rest/isales/v1/openapi/campaigns/25/callbatch/7/pause")
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "2"
        assert answer.text[:6] == "<html>"

    def test_faults_can_be_dropped(self, call: Caller, campaign: Campaign) -> None:
        call.raw("POST", "/simulator/faults", json={"kind": "close_before"})
        call.raw("DELETE", "/simulator/faults")
        assert call("pause", {"id": first(campaign)})["resultCode"] == "0200000"

    @pytest.mark.parametrize(
        ("fault", "complaint"),
        [
            ({"kind": "explode"}, "kind must be one of delay, close_before"),
            ({"kind": "delay", "sec": 1}, "a fault is a JSON object with kind and any of times"),
            ({"kind": "delay", "times": 0}, "times must be an integer from 1, not 0"),
            ({"kind": "delay", "verb": "pauze"}, "verb must be one of pause, resume"),
            ({"kind": "delay", "seconds": "1"}, "seconds must be a number from 0 to 600, not '1'"),
            ({"kind": "answer", "status": "abc"}, "status must be an HTTP status from 200 to 599, not 'abc'"),
            ({"kind": "answer", "headers": {"Retry-After": 2}}, "body and code must be text, headers a JSON object"),
            ({"kind": "result"}, "a fault of kind 'result' needs a code"),
            ([], "a fault is a JSON object"),
        ],
    )
    def test_an_invalid_fault_is_refused_with_what_is_allowed(
        self, call: Caller, fault: object, complaint: str
    ) -> None:
        answer = call.raw("POST", "/simulator/faults", json=fault)
        assert answer.status_code == 400
        assert answer.text.startswith(complaint)

    @pytest.mark.parametrize("state", list(CampaignState))
    def test_a_campaign_can_be_put_in_any_state(self, call: Caller, campaign: Campaign, state: CampaignState) -> None:
        call.raw("POST", "/simulator/campaigns/7", json={"state": state})
        assert campaign.state is state

    def test_the_state_of_a_campaign_decides_about_the_next_pause(self, call: Caller, campaign: Campaign) -> None:
        call.raw("POST", "/simulator/campaigns/7", json={"state": "suspended"})
        assert call("pause", {"id": first(campaign)})["resultCode"] == "03000002"

    def test_batches_can_be_started_and_suspended_as_in_the_console(self, call: Caller, campaign: Campaign) -> None:
        one, other = campaign.batches
        campaign.set_status(one, BatchStatus.SUSPENDED)
        call.raw("POST", "/simulator/campaigns/7", json={"batches": {one: "started", other: "suspended"}})
        assert [batch.status.name for batch in campaign.batches.values()] == ["STARTED", "SUSPENDED"]

    def test_the_response_to_a_change_shows_the_changed_campaign(self, call: Caller, campaign: Campaign) -> None:
        answer = call.raw("POST", "/simulator/campaigns/7", json={"state": "draft"}).json()
        assert answer == call.raw("GET", "/simulator/state").json()["campaigns"]["7"]

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ([], "a change is a JSON object with any of batches, state, "),
            ({"status": "draft"}, "a change is a JSON object with any of batches, state, "),
            ({"state": "paused"}, "state must be one of draft, executing, suspended, completed, not 'paused'"),
            ({"state": ["draft"]}, "state must be one of draft, executing, suspended, completed, not ['draft']"),
            ({"batches": "all"}, "batches must be a JSON object of ids with started or suspended, not 'all'"),
            ({"batches": {"1": 1}}, "batches must be a JSON object of ids with started or suspended, not {'1': 1}"),
            ({"batches": {ABSENT: "started"}}, f"campaign 7 has no batch '{ABSENT}'"),
        ],
    )
    def test_an_invalid_change_is_refused_with_what_is_allowed(
        self, call: Caller, campaign: Campaign, change: object, complaint: str
    ) -> None:
        answer = call.raw("POST", "/simulator/campaigns/7", json=change)
        assert (answer.status_code, answer.text[: len(complaint)]) == (400, complaint)

    def test_a_partly_invalid_change_changes_nothing(self, call: Caller, campaign: Campaign) -> None:
        call.raw("POST", "/simulator/campaigns/7", json={"state": "draft", "batches": {ABSENT: "started"}})
        assert campaign.state is CampaignState.EXECUTING

    def test_a_change_of_a_campaign_that_does_not_exist_is_404(self, call: Caller, campaign: Campaign) -> None:
        answer = call.raw("POST", "/simulator/campaigns/8", json={"state": "draft"})
        assert (answer.status_code, answer.text) == (404, "there is no campaign 8\n")

    @pytest.mark.parametrize("number", ["1_0", "%D9%A7", "0", "-7", "x"])
    def test_a_change_of_an_invalid_campaign_id_is_400(self, call: Caller, campaign: Campaign, number: str) -> None:
        answer = call.raw("POST", f"/simulator/campaigns/{number}", json={"state": "draft"})
        assert (answer.status_code, answer.text[:43]) == (400, "campaign_id must be a positive integer, not")

    @pytest.mark.parametrize(
        ("kind", "took_effect"), [("close_before", False), ("close_after", True), ("truncate", True)]
    )
    def test_a_connection_can_be_closed_before_or_after_the_effect(
        self, call: Caller, campaign: Campaign, kind: str, took_effect: bool
    ) -> None:
        call.simulator.faults.inject(Fault(kind))
        with pytest.raises(requests.RequestException):
            call("pause", {"id": first(campaign)})
        assert (campaign.batches[first(campaign)].status is BatchStatus.SUSPENDED) is took_effect


class TestCommand:
    """``isales-simulator`` as a process."""

    def start(self, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
        command = [
            str(Path(sys.executable).parent / "isales-simulator"),
            "--ca-file",
            str(tmp_path / "ca.pem"),
            *options,
        ]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def send(self, ca_file: str, url: str, *options: str) -> requests.Response:
        """Send what ``curl --cacert`` with these arguments sends."""
        given = dict(zip(options[::2], options[1::2], strict=True))
        method = given.get("-X") or ("POST" if "-d" in given else "GET")
        return requests.request(method, url, data=given.get("-d"), verify=ca_file, timeout=LONG)

    def test_the_command_serves_what_it_prints_until_terminated(self, tmp_path: Path) -> None:
        process = self.start(tmp_path, "--port", "0", "--vdn", "30", "--campaign", "9", "--batches", "2")
        assert process.stdout
        assert process.stderr
        welcome = ""
        while "export" not in welcome:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            welcome += line
        connection = json.loads(welcome.split("AIRFLOW_CONN_ISALES_DEFAULT='")[1].rstrip().removesuffix("'"))
        state = requests.get(
            f"https://127.0.0.1:{connection['port']}/simulator/state", verify=str(tmp_path / "ca.pem"), timeout=LONG
        ).json()
        process.send_signal(signal.SIGTERM)
        assert len(state["campaigns"]["9"]["batches"]) == 2
        assert connection["extra"]["vdn_id"] == 30
        assert process.wait(LONG) == 0

    def test_the_requests_that_the_command_prints_can_be_sent(self, tmp_path: Path) -> None:
        process = self.start(tmp_path, "--port", "0", "--campaign", "9", "--campaign", "10")
        assert process.stdout
        assert process.stderr
        lines = [""]
        while "/faults" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        commands = [shlex.split(line) for line in lines if line.startswith("curl")]
        answers = [self.send(*command[2:]) for command in commands]
        process.terminate()
        process.wait(LONG)
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200]
        assert (answers[1].json()["state"], answers[2].json()["name"]) == ("suspended", "new")

    def test_a_missing_simulator_extra_is_reported_in_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "trustme.py").write_text("raise ModuleNotFoundError(name='trustme')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        process = self.start(tmp_path)
        _, errors = process.communicate(timeout=LONG)
        assert process.returncode == 1
        assert errors == (
            "isales-simulator: the simulator needs trustme: install the extra [simulator] of this package the way you "
            "installed the package, such as `pip install '.[simulator]'` in a clone\n"
        )

    def test_a_port_that_is_taken_is_a_clear_error_of_the_simulator(self, tmp_path: Path, server: Simulator) -> None:
        process = self.start(tmp_path, "--port", str(server.port))
        assert process.stderr
        assert process.wait(LONG) == 1
        assert "isales-simulator: [Errno 98] Address already in use" in process.stderr.read()

    @pytest.mark.parametrize(
        ("option", "value", "complaint"),
        [
            ("--vdn", "10000", "vdn_id must be an integer from 1 to 9999, not '10000'"),
            ("--port", "99999", "port must be an integer from 0 to 65535, not '99999'"),
            ("--batches", "-1", "batches must be an integer from 0 to 1000, not '-1'"),
            ("--access-key", "a/b", "the access key must be visible ASCII characters"),
            ("--secret-key", "", "the secret key must not be empty"),
            ("--begin", "soon", "a time must be yyyy-MM-dd HH:mm:ss or yyyy-MM-dd, not 'soon'"),
            ("--timezone", "Mars", "timezone must be a name such as Asia/Shanghai, not 'Mars'"),
            ("--ca-file", "/no/such/ca.pem", "--ca-file: /no/such is not a directory: create it, or name another file"),
        ],
    )
    def test_an_invalid_option_is_a_clear_error(
        self, option: str, value: str, complaint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            main([f"{option}={value}"])
        assert complaint in str(caught.value) + capsys.readouterr().err


def test_a_request_that_is_delayed_until_after_a_reset_does_nothing(simulator: Simulator) -> None:
    batch_id = next(iter(simulator.add_campaign(7, batches=1).batches))
    simulator.inject("delay", seconds=3, verb="pause")
    with simulator.client(timeout=LONG, retry=RetryPolicy(attempts=1)) as client, ThreadPoolExecutor() as pool:
        pause = pool.submit(client.pause_call_batch, 7, batch_id)
        wait_until(lambda: simulator.requests.get("pause"))
        simulator.reset()
        campaign = simulator.add_campaign(7, batches=1)
        with pytest.raises(ISalesConnectionLostError):
            pause.result()
    assert [batch.status for batch in campaign.batches.values()] == [BatchStatus.STARTED]
