"""The simulator's interfaces for campaigns as a whole, and what a colleague in the console does meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from patience import LONG

from airflow_provider_isales.client import BatchStatus, C2Auth, SigningProfile
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator
from airflow_provider_isales.simulator.signature import SignatureCheck

BASE = "/rest/isales/v1/openapi/campaigns/"
PATHS = {
    "get_campaign": ("GET", "{campaign}"),
    "pause_campaign": ("PUT", "{campaign}/pause"),
    "resume_campaign": ("PUT", "{campaign}/resume"),
    "list_special_dates": ("GET", "holiday/{campaign}"),
}
ALL = {"status": "0", "deviceType": "0", "curPage": "1", "rowsPerPage": "100"}
NUMBERS = [("draft", 1), ("executing", 2), ("suspended", 3), ("completed", 4)]
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "c2_vectors.json").read_text())


class Caller:
    """Sends signed requests without a body."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.auth = C2Auth("simulator", "simulator-secret-key")
        self.session.headers["Content-Type"] = "application/json; charset=UTF-8"

    def __call__(self, interface: str, campaign: object = 7, **settings: Any) -> dict[str, Any]:
        method, path = PATHS[interface]
        return self.read(self.send(method, f"{BASE}25/{path.format(campaign=campaign)}", **settings))

    def list(self, **query: str | None) -> dict[str, Any]:
        return self.read(self.send("GET", BASE + "25", params=ALL | query))

    def send(self, method: str, path: str, **settings: Any) -> requests.Response:
        url = f"https://127.0.0.1:{self.simulator.port}{path}"
        return self.session.request(method, url, verify=str(self.simulator.ca_file), timeout=LONG, **settings)

    @staticmethod
    def read(response: requests.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        fields: dict[str, Any] = response.json()
        assert (fields["resultCode"], fields["resultDesc"]) == (fields["returnCode"], fields["returnDesc"])
        return fields


@pytest.fixture
def call(simulator: Simulator) -> Iterator[Caller]:
    caller = Caller(simulator)
    with caller.session:
        yield caller


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(7, batches=2, name="evening")


def listed(answer: dict[str, Any]) -> list[int]:
    assert answer["resultCode"] == "0200000"
    return [row["id"] for row in answer["data"]]


class TestPauseAndResume:
    @pytest.mark.parametrize("state", ["draft", "suspended", "completed"])
    def test_pausing_what_is_not_executing_is_0200011(self, call: Caller, campaign: Campaign, state: str) -> None:
        campaign.state = state
        assert (call("pause_campaign")["resultCode"], campaign.state) == ("0200011", state)

    @pytest.mark.parametrize("state", ["draft", "executing", "completed"])
    def test_resuming_what_is_not_suspended_is_0200011(self, call: Caller, campaign: Campaign, state: str) -> None:
        campaign.state = state
        assert (call("resume_campaign")["resultCode"], campaign.state) == ("0200011", state)

    def test_a_campaign_is_suspended_and_goes_on(self, call: Caller, campaign: Campaign) -> None:
        states = [(call(name)["resultCode"], campaign.state) for name in ("pause_campaign", "resume_campaign")]
        assert states == [("0200000", "suspended"), ("0200000", "executing")]

    @pytest.mark.parametrize(("minutes", "code"), [(-1, "0200000"), (1, "0200011")])
    @pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
    def test_a_campaign_can_be_paused_once_it_has_begun(self, minutes: int, code: str, zone: str) -> None:
        with Simulator(timezone=zone, clock_offset=timedelta(minutes=10)) as simulator:
            simulator.add_campaign(7, begin=datetime.now(UTC) + timedelta(minutes=10 + minutes))
            assert Caller(simulator)("pause_campaign")["resultCode"] == code

    def test_a_campaign_keeps_the_status_of_its_batches(self, call: Caller, campaign: Campaign) -> None:
        campaign.set_status(next(iter(campaign.batches)), BatchStatus.SUSPENDED)
        for interface in ("pause_campaign", "resume_campaign"):
            call(interface)
            assert [batch.status.name for batch in campaign.batches.values()] == ["SUSPENDED", "STARTED"]

    def test_a_completed_campaign_can_be_paused_where_the_platform_does_so(
        self, call: Caller, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call.simulator.service, "pauses_completed", True)
        campaign.state = "completed"
        assert (call("pause_campaign")["resultCode"], campaign.state) == ("0200000", "suspended")


class TestAllInterfacesOfACampaign:
    @pytest.mark.parametrize("interface", PATHS)
    def test_a_campaign_that_does_not_exist_is_0200007(self, call: Caller, interface: str) -> None:
        assert call(interface)["resultCode"] == "0200007"

    @pytest.mark.parametrize("interface", PATHS)
    @pytest.mark.parametrize("campaign_id", ["0", "x", "7%00"])
    def test_an_invalid_campaign_id_is_0200001(self, call: Caller, interface: str, campaign_id: str) -> None:
        assert call(interface, campaign_id)["resultCode"] == "0200001"

    @pytest.mark.parametrize("interface", PATHS)
    def test_a_campaign_request_with_a_body_is_0200001(self, call: Caller, campaign: Campaign, interface: str) -> None:
        assert call(interface, data=b"{}")["resultCode"] == "0200001"

    def test_a_campaign_request_for_another_vdn_is_0200001(self, call: Caller) -> None:
        assert call.read(call.send("GET", BASE + "26", params=ALL))["resultCode"] == "0200001"

    @pytest.mark.parametrize("path", ["25/7/pause", "25/7/resume"])
    def test_a_campaign_request_with_another_method_is_405(self, call: Caller, path: str) -> None:
        assert call.send("POST", BASE + path).status_code == 405


class TestDetails:
    def test_details_show_the_campaign(self, call: Caller, simulator: Simulator) -> None:
        simulator.add_campaign(7, name="早班", begin="2026-11-27", hours={"workdayBeginTime1": "09:00"})
        details = call("get_campaign")["returnObject"]
        hours = details.pop("scheduleParam")
        assert details == {
            "id": 7,
            "name": "早班",
            "description": "",
            "status": 2,
            "strBeginTime": "2026-11-27",
            "strEndTime": "2099-12-31 23:59:59",
            "deviceType": 3,
            "callerNo": "",
            "maxAlertingTime": 30,
        }
        assert (hours["workdayBeginTime1"], hours["holidayEndTime3"], len(hours)) == ("09:00", "", 12)

    @pytest.mark.parametrize(("state", "number"), NUMBERS)
    def test_details_have_the_state_as_a_number(
        self, call: Caller, campaign: Campaign, state: str, number: int
    ) -> None:
        campaign.state = state
        assert call("get_campaign")["returnObject"]["status"] == number

    def test_details_show_the_begin_in_the_platforms_time_zone(self, call: Caller, simulator: Simulator) -> None:
        simulator.add_campaign(7, begin=datetime(2026, 11, 27, 23, 30, 5, tzinfo=UTC))
        assert call("get_campaign")["returnObject"]["strBeginTime"] == "2026-11-28 07:30:05"

    def test_details_show_the_old_status_while_they_lag(
        self, call: Caller, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call.simulator.service, "details_lag", 2)
        call("pause_campaign")
        assert [call("get_campaign")["returnObject"]["status"] for _ in range(3)] == [2, 2, 3]

    def test_special_dates_have_what_is_left_out_as_null(self, call: Caller, simulator: Simulator) -> None:
        simulator.add_campaign(7, special_dates=[{"type": 1, "week": "6,7"}])
        assert call("list_special_dates")["data"] == [
            {"id": 1, "name": None, "type": 1, "week": "6,7", "beginTime": None, "endTime": None}
        ]


class TestList:
    def test_the_list_has_every_campaign_and_the_sizes(self, call: Caller, campaign: Campaign) -> None:
        answer = {name: value for name, value in call.list().items() if not name.startswith(("result", "return"))}
        assert answer == {
            "curPage": 1,
            "totalSize": 1,
            "rowsPerPage": 100,
            "curSkillQueueCount": 0,
            "curIvrCount": 0,
            "data": [
                {
                    "id": 7,
                    "name": "evening",
                    "status": 2,
                    "strBeginTime": "2020-01-01 00:00:00",
                    "strEndTime": "2099-12-31 23:59:59",
                    "deviceType": 3,
                    "callerNo": "",
                }
            ],
        }

    @pytest.mark.parametrize(
        ("query", "ids"),
        [
            ({"status": "0"}, [1, 2, 3, 4]),
            ({"status": "2"}, [2]),
            ({"status": "3"}, [3]),
            ({"status": "4"}, [4]),
            ({"deviceType": "3"}, [1, 2, 3, 4]),
            ({"deviceType": "5"}, []),
            ({"name": "ign-3"}, [3]),
            ({"beginTime": "2026-11-02"}, [2, 3, 4]),
            ({"endTime": "2026-11-03 12:00:00"}, [1, 2, 3]),
        ],
    )
    def test_the_list_can_be_filtered(
        self, call: Caller, simulator: Simulator, query: dict[str, str], ids: list[int]
    ) -> None:
        for number, state in enumerate(CampaignState, 1):
            simulator.add_campaign(number, state=state, begin=f"2026-11-0{number}", end=f"2026-11-0{number} 12:00:00")
        assert listed(call.list(**query)) == ids

    @pytest.mark.parametrize(("page", "ids"), [("-1", [1, 2]), ("0", [1, 2]), ("1", [1, 2]), ("2", [3]), ("3", [])])
    def test_the_list_gives_one_page_counted_from_one(
        self, call: Caller, simulator: Simulator, page: str, ids: list[int]
    ) -> None:
        for number in (1, 2, 3):
            simulator.add_campaign(number)
        answer = call.list(curPage=page, rowsPerPage="2")
        assert (listed(answer), answer["totalSize"]) == (ids, 3)

    def test_the_list_may_have_smaller_pages_than_requested(
        self, call: Caller, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(simulator.service, "max_page_size", 2)
        for number in (1, 2, 3):
            simulator.add_campaign(number)
        answer = call.list(curPage="2")
        assert (listed(answer), answer["rowsPerPage"]) == ([3], 2)

    def test_the_total_of_the_list_may_be_that_of_the_page(
        self, call: Caller, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(simulator.service, "total_counts_page", True)
        for number in (1, 2, 3):
            simulator.add_campaign(number)
        assert call.list(rowsPerPage="2")["totalSize"] == 2

    def test_the_list_may_have_the_status_as_text(
        self, call: Caller, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call.simulator.service, "status_as_text", True)
        assert call.list(status="2")["data"][0]["status"] == "2"

    def test_the_list_shows_the_old_status_while_it_lags(
        self, call: Caller, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call.simulator.service, "list_lag", 1)
        call("pause_campaign")
        assert [listed(call.list(status="2")) for _ in range(2)] == [[7], []]

    @pytest.mark.parametrize("name", ALL)
    @pytest.mark.parametrize("value", [None, ""])
    def test_a_list_without_a_mandatory_parameter_is_02000001(self, call: Caller, name: str, value: str | None) -> None:
        assert call.list(**{name: value})["resultCode"] == "02000001"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("status", "1"),
            ("status", "٢"),
            ("deviceType", "4"),
            ("curPage", "one"),
            ("curPage", "1" * 5000),
            ("rowsPerPage", "0"),
            ("rowsPerPage", "101"),
            ("beginTime", "yesterday"),
            ("endTime", "2026-11-31"),
            ("statusV2", "2"),
        ],
    )
    def test_a_list_with_an_invalid_parameter_is_0200001(self, call: Caller, name: str, value: str) -> None:
        assert call.list(**{name: value})["resultCode"] == "0200001"


class TestSignature:
    @pytest.mark.parametrize("vector", [v for v in VECTORS if v["query"]], ids=lambda vector: str(vector["name"]))
    def test_the_vendors_signature_of_a_query_is_accepted(self, vector: dict[str, Any]) -> None:
        check = SignatureCheck(vector["access_key"], vector["secret_key"], tuple(SigningProfile))
        refusal = check.find_refusal(
            datetime.fromisoformat(vector["timestamp"]),
            method=vector["method"],
            path=vector["path"],
            query=vector["query"].items(),
            headers={**vector["signed_headers"], "authorization": vector["authorization"]},
            body=b"",
        )
        assert refusal is None

    @pytest.mark.parametrize("profile", list(SigningProfile))
    @pytest.mark.parametrize("name", ["外呼 1", "a&b=c", "x/y z", "~-._*+"])
    def test_a_signed_query_is_accepted(self, call: Caller, profile: SigningProfile, name: str) -> None:
        call.session.auth = C2Auth("simulator", "simulator-secret-key", profile)
        assert call.list(name=name)["resultCode"] == "0200000"

    def test_a_query_that_was_changed_afterwards_is_401(self, call: Caller, campaign: Campaign) -> None:
        def change(request: requests.PreparedRequest) -> requests.PreparedRequest:
            signed = C2Auth("simulator", "simulator-secret-key")(request)
            signed.url = str(signed.url).replace("status=0", "status=2")
            return signed

        call.session.auth = change
        assert call.send("GET", BASE + "25", params=ALL).status_code == 401

    @pytest.mark.parametrize("interface", ["pause_campaign", "get_campaign"])
    def test_a_campaign_request_without_a_signature_is_401(
        self, call: Caller, campaign: Campaign, interface: str
    ) -> None:
        method, path = PATHS[interface]
        call.session.auth = lambda request: request
        assert call.send(method, f"{BASE}25/{path.format(campaign=7)}").status_code == 401


class TestFaultsAndCounts:
    def test_a_fault_for_a_campaigns_pause_spares_that_of_a_batch(self, call: Caller, campaign: Campaign) -> None:
        call.simulator.inject("result", code="0200006", verb="pause_campaign")
        with call.simulator.client() as client:
            client.pause_call_batch(7, next(iter(campaign.batches)))
        assert call("pause_campaign")["resultCode"] == "0200006"

    def test_a_pause_can_be_accepted_without_effect(self, call: Caller, campaign: Campaign) -> None:
        call.simulator.inject("result", code="0200000", verb="pause_campaign")
        assert (call("pause_campaign")["resultCode"], campaign.state) == ("0200000", "executing")

    def test_on_request_is_called_with_the_parts_of_path_and_query(self, call: Caller, campaign: Campaign) -> None:
        seen: list[tuple[str, Any]] = []
        call.simulator.on_request = lambda name, parameters: seen.append((name, parameters))
        call("pause_campaign")
        call.list(status="2")
        assert seen == [
            ("pause_campaign", {"vdn_id": "25", "campaign_id": "7"}),
            ("list_campaigns", ALL | {"vdn_id": "25", "status": "2"}),
        ]

    def test_requests_are_counted_by_interface(self, call: Caller, campaign: Campaign) -> None:
        for interface in PATHS:
            call(interface)
        call.list()
        assert call.simulator.requests == dict.fromkeys([*PATHS, "list_campaigns"], 1)


@pytest.mark.parametrize("value", ["paused", None])
def test_a_campaign_refuses_an_unknown_state(campaign: Campaign, value: Any) -> None:
    with pytest.raises(ValueError, match="state must be one of draft, executing, suspended, completed, not"):
        campaign.state = value


class TestColleague:
    """Somebody else edits campaigns while the simulator runs."""

    NEW = {  # noqa: RUF012
        "name": "late",
        "state": "draft",
        "begin": "2026-11-27 20:00:00",
        "end": "2026-11-27",
        "hours": {"workdayBeginTime1": "09:00", "workdayEndTime1": None},
        "special_dates": [{"type": 2, "name": "", "beginTime": "2026-10-01", "endTime": "2026-10-07"}],
        "batches": 2,
    }

    def edit(self, call: Caller, method: str, changes: object, number: object = 8) -> requests.Response:
        return call.send(method, f"/simulator/campaigns/{number}", json=changes)

    def test_the_control_api_creates_a_campaign(self, call: Caller) -> None:
        self.edit(call, "PUT", self.NEW)
        details, dates = call("get_campaign", 8)["returnObject"], call("list_special_dates", 8)["data"]
        assert (details["name"], details["status"], details["strEndTime"]) == ("late", 1, "2026-11-27")
        assert (dates[0]["endTime"], len(call.simulator.service.campaigns[8].batches)) == ("2026-10-07", 2)

    def test_the_control_api_creates_a_campaign_without_batches_by_default(self, call: Caller) -> None:
        answer = self.edit(call, "PUT", {"name": "late"})
        assert answer.json()["batches"] == {}

    def test_the_control_api_changes_the_begin_of_a_campaign(self, call: Caller, campaign: Campaign) -> None:
        self.edit(call, "POST", {"begin": "2099-01-01"}, 7)
        assert call("pause_campaign")["resultCode"] == "0200011"

    def test_the_control_api_creates_a_campaign_from_its_shown_state(self, call: Caller) -> None:
        created = self.edit(call, "PUT", self.NEW).json()
        assert call.send("GET", "/simulator/state").json()["campaigns"]["8"] == created

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({}, "a change is a JSON object with any of batches, state, name, begin, end, hours, special_dates, not"),
            ({"batches": -1}, "batches must be an integer from 0 to 1000, not -1"),
            ({"batches": {}}, "batches must be an integer from 0 to 1000, not {}"),
            ({"name": ""}, "name must be text, not ''"),
            ({"name": "\ud800"}, "name must be text, not"),
            ({"begin": "soon"}, "a time must be yyyy-MM-dd HH:mm:ss or yyyy-MM-dd, not 'soon'"),
            ({"end": "2026-11-31"}, "a time must be yyyy-MM-dd HH:mm:ss or yyyy-MM-dd, not '2026-11-31'"),
            ({"hours": {"monday": "09:00"}}, "hours must be a JSON object with any of workdayBeginTime1, "),
            ({"hours": {"workdayBeginTime1": 9}}, 'hours must be "HH:mm", "" or null, not 9'),
            ({"special_dates": [{}]}, "a special date is a JSON object with a type of 1, 2 or 3 and any of name"),
            (
                {"special_dates": [{"type": 1, "week": 6}]},
                "all but the type of a special date must be text or null, not",
            ),
            ({"special_dates": [{"type": 1}] * 21}, "special_dates must be a list of at most 20, not"),
        ],
    )
    def test_the_control_api_says_what_is_allowed(self, call: Caller, changes: object, complaint: str) -> None:
        answer = self.edit(call, "PUT", changes)
        assert (answer.status_code, answer.text[: len(complaint)]) == (400, complaint)
        assert not call.simulator.service.campaigns
