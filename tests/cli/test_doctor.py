"""``isales doctor``: each step against the fault that it is for."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from isales_command import ISALES, Isales
from patience import LONG, try_longer_timeouts, wait_until

from airflow_provider_isales.cli.commands import doctor
from airflow_provider_isales.cli.diagnosis.steps import Finding, State, Step, run_steps
from airflow_provider_isales.cli.diagnosis.trial import BatchTrial, CampaignTrial
from airflow_provider_isales.cli.output import UsageError
from airflow_provider_isales.cli.parser import make_parser
from airflow_provider_isales.client import BatchStatus, ISalesError, SigningProfile
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

CONN = "AIRFLOW_CONN_ISALES_DEFAULT"
COMMAND = [ISALES, "doctor"]
HOST = "isales.customer.example"
READING = [
    "settings",
    "connection",
    "certificate",
    "response",
    "clock",
    "signature",
    "clock tolerance",
    "campaign",
    "status",
    "page size",
    "total count",
    "details",
    "hours",
    "vdn",
    "vdn page size",
    "vdn total count",
]
ABOUT_A_CAMPAIGN = ["campaign", "status", "page size", "total count", "details", "hours"]
WRITING = ["create", "resume", "resume again", "pause", "pause again", "delete"]
SWITCHING = ["state before", "pause whole", "pause whole again", "resume whole", "resume whole again", "restore"]
HOURS = {"workdayBeginTime1": "09:00", "workdayEndTime1": "18:00"}


class Line(NamedTuple):
    """The output of one step."""

    state: str
    finding: str
    advice: str


class Visited(NamedTuple):
    """The output of all steps, by name."""

    status: int
    lines: dict[str, Line]
    output: str

    def states(self, state: str) -> list[str]:
        return [name for name, line in self.lines.items() if line.state == state]


Doctor = Callable[..., Visited]


def read(output: str) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    for text in output.splitlines():
        if found := re.match(r"(ok|warn|fail|skipped) +([a-z ]+?)  +(.*)", text):
            name = found[2]
            lines[name] = Line(found[1], found[3], "")
        elif found := re.match(r" +-> (.*)", text):
            lines[name] = lines[name]._replace(advice=found[1])
    return lines


@pytest.fixture
def doctor_visits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_waiting: list[float]
) -> Iterator[Doctor]:
    """Run the doctor against a simulator; keywords are fields of the connection or of its extra."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def visit(
        simulator: Simulator, *arguments: str | Path, extra: dict[str, Any] | None = None, **fields: Any
    ) -> Visited:
        connection = json.loads(simulator.connection(**(extra or {}))) | fields
        monkeypatch.setenv(CONN, json.dumps(connection))
        status = doctor.run(make_parser().parse_args(["doctor", *map(str, arguments)]))
        output = capsys.readouterr().out
        return Visited(status, read(output), output)

    yield visit
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        running.add_campaign(1001, batches=3, hours=HOURS)
        running.add_campaign(1002)
        yield running


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.service.campaigns[1001]


@contextmanager
def platform(batches: int = 3, **settings: Any) -> Iterator[Simulator]:
    with Simulator(**settings) as running:
        running.add_campaign(1001, batches=batches, hours=HOURS)
        running.add_campaign(1002)
        yield running


@contextmanager
def raw_server(answer: bytes | None) -> Iterator[int]:
    """A server that reads a little, answers always the same or not at all, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        done = threading.Event()

        def serve() -> None:
            waiting: list[socket.socket] = []
            while not done.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                if answer is None:
                    waiting.append(connection)
                    continue
                with connection:
                    connection.recv(1024)
                    connection.sendall(answer)
            for connection in waiting:
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(LONG)


@pytest.fixture
def names_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve the customer's host name to loopback."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **settings: Any) -> Any:
        return real("127.0.0.1" if host == HOST else host, *arguments, **settings)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def answer_lists(simulator: Simulator, status: str, count: int = 3) -> None:
    """Answer each list with the same batches, whatever was asked for."""
    data = [{"id": str(number), "name": str(number), "status": status} for number in range(count)]
    body = json.dumps({"resultCode": "0200000", "returnCode": "0200000", "totalCount": count, "data": data})
    simulator.inject("answer", verb="list", status=200, body=body, times=1000)


class TestAPlatformAsInTheReference:
    def test_every_reading_step_of_the_simulator_is_ok(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, "1001")
        assert visited.states("ok") == READING
        assert visited.status == 0

    def test_doctor_only_lists(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        doctor_visits(simulator, "1001")
        assert set(simulator.requests) == {"list", "list_campaigns", "get_campaign", "list_special_dates"}

    def test_doctor_without_a_campaign_prints_one_row_for_the_steps_that_need_one(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        visited = doctor_visits(simulator)
        assert list(visited.lines) == [name for name in READING if name not in ABOUT_A_CAMPAIGN[1:]]
        assert visited.states("skipped") == ["campaign"]
        assert visited.lines["campaign"].advice == "Name one: isales doctor CAMPAIGN"
        assert visited.status == 0


class TestTheWayThere:
    def test_a_host_name_without_an_address_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, "1001", host="no-such-host.invalid")
        assert visited.lines["connection"].state == "fail"
        assert "DNS" in visited.lines["connection"].advice
        assert visited.lines["certificate"] == Line("skipped", 'needs "connection"', "")
        assert visited.status == 1

    def test_a_closed_port_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        line = doctor_visits(simulator, "1001", port=1).lines["connection"]
        assert line.state == "fail"
        assert line.advice == "The machine answers, but nothing listens there: check the connection's port."

    def test_dropped_packets_are_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for other in (first, second):  # with its backlog full, Linux drops what else comes
                other.setblocking(False)
                other.connect_ex(full.getsockname())
            line = doctor_visits(simulator, "1001", port=full.getsockname()[1], extra={"timeout": 0.3}).lines[
                "connection"
            ]
        assert line.state == "fail"
        assert line.advice.startswith("Something drops the packets")

    def test_a_proxy_that_refuses_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        with raw_server(b"HTTP/1.1 403 Not for The Customer Ltd\r\nContent-Length: 0\r\n\r\n") as port:
            proxies = {"https": f"http://user:secret-password@127.0.0.1:{port}"}
            visited = doctor_visits(simulator, "--public", host="10.255.255.1", extra={"proxies": proxies})
        assert visited.lines["connection"].state == "fail"
        assert visited.lines["connection"].advice.startswith("The proxy refuses host and port")
        assert "secret-password" not in str(visited)
        assert "The Customer Ltd" not in visited.output

    def test_a_proxy_without_an_address_is_reported_and_not_named_in_public(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        extra = {"proxies": {"https": "http://no-such-proxy:3128"}}
        visited = doctor_visits(simulator, "--public", extra=extra)
        assert visited.lines["connection"].state == "fail"
        assert "no-such-proxy" not in visited.output

    def test_a_port_without_tls_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            visited = doctor_visits(simulator, "1001", port=port)
        assert visited.lines["connection"].state == "ok"
        assert visited.lines["certificate"].state == "fail"
        assert "TLS failed" in visited.lines["certificate"].finding

    def test_a_silent_server_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        def check(timeout: float) -> None:
            with raw_server(None) as port:
                line = doctor_visits(simulator, "1001", port=port, extra={"timeout": timeout}).lines["connection"]
            assert line.state == "fail"
            assert "something listens, but the TLS handshake timed out" in line.finding
            assert line.advice.startswith("Check the connection's port: what listens there may not speak TLS.")

        try_longer_timeouts(check)

    def test_a_connection_without_a_vdn_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, extra={"vdn_id": None})
        assert (
            visited.lines["settings"].advice == "Set the connection's extra 'vdn_id', or set vdn_id in each operator."
        )
        assert visited.lines["signature"].state == "ok"


class TestTheCertificate:
    def test_a_certificate_of_an_unknown_authority_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator, tmp_path: Path
    ) -> None:
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        for verify in ("true", str(tmp_path / "other.pem")):
            line = doctor_visits(simulator, "1001", extra={"verify": verify}).lines["certificate"]
            assert line.state == "fail"
            assert line.advice.startswith("Get a file with the certificates of its authorities from")
        assert simulator.requests == {}

    def test_a_self_signed_certificate_is_reported(self, doctor_visits: Doctor, tmp_path: Path) -> None:
        with platform(self_signed=True) as simulator:
            line = doctor_visits(simulator, "1001", extra={"verify": "true"}).lines["certificate"]
        assert line.state == "fail"
        assert "self-signed" in line.finding
        assert line.advice.startswith("Get a file with the certificates of its authorities from")

    def test_an_expired_certificate_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(certificate_days=-1) as simulator:
            line = doctor_visits(simulator, "1001").lines["certificate"]
        assert line.state == "fail"
        assert line.advice.startswith("Check this machine's date. If it is right")

    def test_a_certificate_that_expires_soon_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(certificate_days=10) as simulator:
            visited = doctor_visits(simulator, "1001")
        assert visited.lines["certificate"].state == "warn"
        assert visited.lines["certificate"].advice == "Ask the platform's operator to renew it before then."
        assert visited.status == 0

    def test_a_certificate_for_another_name_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator, names_resolve: None
    ) -> None:
        line = doctor_visits(simulator, "1001", host=HOST).lines
        assert line["certificate"].state == "fail"
        assert line["certificate"].advice.startswith("The certificate does not name the connection's host")

    def test_an_unchecked_certificate_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, "1001", extra={"verify": "false"})
        assert visited.states("warn") == ["settings", "certificate"]


class TestWhatAnswers:
    @pytest.mark.parametrize("status", [403, 406, 418])
    def test_a_firewall_in_front_is_reported(self, doctor_visits: Doctor, simulator: Simulator, status: int) -> None:
        simulator.inject("answer", status=status, times=1000)
        visited = doctor_visits(simulator, "1001")
        assert visited.lines["response"].state == "fail"
        assert "an HTML page" in visited.lines["response"].finding
        assert "allow-list this machine's address" in visited.lines["response"].advice
        assert visited.lines["clock"].state == "ok"  # a firewall tells the time too

    def test_an_html_page_with_status_200_is_a_failure(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.inject("answer", status=200, times=1000)
        line = doctor_visits(simulator, "1001").lines["response"]
        assert line.state == "fail"
        assert "a response that is not in the documented format" in line.finding

    def test_a_redirect_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.inject("answer", status=302, headers={"Location": "https://login.example/"}, times=1000)
        line = doctor_visits(simulator, "1001").lines["response"]
        assert line.advice == "This is not how CC-iSales answers: check host and port of the connection."

    def test_a_server_that_closes_the_connection_after_each_response_is_ok(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        simulator.inject("answer", status=401, headers={"Connection": "close"})
        visited = doctor_visits(simulator, "1001")
        assert visited.lines["certificate"].finding.startswith("trusted, TLSv1")


class TestClocksAndSignatures:
    @pytest.mark.parametrize(("minutes", "way"), [(3, "behind"), (-3, "ahead of")])
    def test_a_wrong_clock_is_reported_even_if_the_signature_is_accepted(
        self, doctor_visits: Doctor, simulator: Simulator, minutes: int, way: str
    ) -> None:
        simulator.clock_offset = timedelta(minutes=minutes)
        visited = doctor_visits(simulator, "1001")
        assert visited.states("fail") == ["clock"]
        assert re.search(rf"(179|180|181) s {way} the server's", visited.lines["clock"].finding)
        assert visited.lines["clock tolerance"].finding == ("14 min behind: accepted; 14 min ahead: accepted")

    def test_a_slightly_wrong_clock_is_a_warning(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.clock_offset = timedelta(seconds=20)
        visited = doctor_visits(simulator, "1001")
        assert (visited.status, visited.states("warn")) == (0, ["clock"])

    def test_a_clock_too_wrong_for_the_signature_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.clock_offset = timedelta(minutes=20)
        visited = doctor_visits(simulator, "1001")
        assert visited.states("fail") == ["clock", "signature"]
        assert visited.lines["signature"].advice.startswith("Set this machine's clock right (NTP)")

    def test_a_clock_tolerance_below_that_of_the_operators_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("airflow_provider_isales.simulator.signature.CLOCK_WINDOW", timedelta(minutes=3))
        line = doctor_visits(simulator, "1001").lines["clock tolerance"]
        assert line.finding == "14 min behind: not accepted; 14 min ahead: not accepted"
        assert line.state == "warn"
        assert "the operators rely on 15 min" in line.advice

    def test_a_wrong_key_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, "1001", password="not-the-key")
        assert visited.states("fail") == ["signature"]
        assert visited.lines["signature"].advice.startswith("Check access key and secret key")
        assert simulator.requests == {"list": 2}

    def test_a_platform_that_accepts_only_the_other_profile_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(profiles=[SigningProfile.LEGACY]) as simulator:
            visited = doctor_visits(simulator, "1001")
        assert visited.lines["signature"].state == "fail"
        assert visited.lines["signature"].advice == (
            "Set the connection's extra 'signing_profile' to 'legacy', which is accepted."
        )


class TestTheCampaign:
    def test_a_missing_campaign_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, "7")
        assert visited.states("fail") == ["campaign"]
        assert visited.lines["campaign"].finding.startswith("[0200007] the outbound campaign does not exist")

    def test_all_batches_of_a_campaign_are_listed(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        for _ in range(247):
            campaign.add_batch(status=BatchStatus.SUSPENDED)
        assert doctor_visits(simulator, "1001").lines["campaign"].finding == ("250 batches, 3 of them started")

    def test_a_status_as_a_number_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        assert doctor_visits(simulator, "1001").lines["status"].finding.startswith("a number;")

    def test_a_status_as_text_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(status_as_text=True) as simulator:
            visited = doctor_visits(simulator, "1001")
        assert visited.lines["status"] == Line("ok", "text; the client reads numbers and text", "")
        assert visited.states("ok") == READING

    def test_an_undocumented_batch_status_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        answer_lists(simulator, "started")
        visited = doctor_visits(simulator, "1001")
        assert visited.states("fail") == ["campaign", "status"]
        assert visited.lines["status"].finding == "text, with values other than 1 and 2 (started)"
        assert "Open an issue with the output of --public" in visited.lines["status"].advice

    def test_the_status_is_skipped_without_batches(self, doctor_visits: Doctor) -> None:
        with platform(batches=0) as simulator:
            assert doctor_visits(simulator, "1001").states("skipped") == ["status", "total count"]

    def test_a_smaller_page_than_requested_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(batches=120, max_page_size=50) as simulator:
            line = doctor_visits(simulator, "1001").lines
        assert line["page size"].state == "warn"
        assert line["page size"].finding == "asked for 100, received 50 of 120"
        assert line["page size"].advice.startswith("Nothing to do")
        assert line["campaign"].finding == "120 batches, 120 of them started"

    def test_a_full_page_is_ok(self, doctor_visits: Doctor) -> None:
        with platform(batches=250) as simulator:
            line = doctor_visits(simulator, "1001").lines["page size"]
        assert line == Line("ok", "asked for 100, received 100 of 250", "")

    def test_a_refused_page_size_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        def refuse(verb: str, body: Any) -> None:
            if body["limit"] == 100:
                simulator.inject("result", code="0200001")

        simulator.on_request = refuse
        visited = doctor_visits(simulator, "1001")
        assert visited.lines["campaign"].finding.startswith("[0200001] parameter error")
        assert visited.lines["page size"].state == "skipped"

    def test_a_larger_page_than_requested_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        answer_lists(simulator, "1", count=101)
        line = doctor_visits(simulator, "1001").lines["page size"]
        assert (line.state, line.finding) == ("fail", "asked for 100, received 101 of 101")


class TestTheTotalCount:
    def test_a_total_count_of_the_campaign_is_ok(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        line = doctor_visits(simulator, "1001").lines["total count"]
        assert line == Line("ok", "3, also with a page of 1", "")

    @pytest.mark.parametrize("batches", [3, 150])
    def test_a_total_count_of_the_page_is_reported(self, doctor_visits: Doctor, batches: int) -> None:
        with platform(batches=batches) as simulator:
            simulator.service.total_counts_page = True
            line = doctor_visits(simulator, "1001").lines["total count"]
        assert line.state == "warn"
        assert line.finding.startswith("it counts only the page: 1 with a page of 1, ")

    def test_batches_hidden_by_the_total_count_are_a_failure(self, doctor_visits: Doctor) -> None:
        with platform(batches=120, max_page_size=50) as simulator:
            simulator.service.total_counts_page = True
            line = doctor_visits(simulator, "1001").lines["total count"]
        assert line.state == "fail"
        assert line.finding.endswith("; the client misses the rest")

    def test_the_total_count_is_skipped_with_a_single_batch(self, doctor_visits: Doctor) -> None:
        with platform(batches=1) as simulator:
            assert doctor_visits(simulator, "1001").lines["total count"].state == "skipped"


class TestWriting:
    def test_a_batch_is_created_switched_and_deleted(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        before = dict(campaign.batches)
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.states("ok") == READING + WRITING
        assert campaign.batches == before
        requests = {name: simulator.requests[name] for name in ("create", "resume", "pause", "delete")}
        assert requests == {"create": 1, "resume": 2, "pause": 2, "delete": 1}

    def test_the_undocumented_code_of_a_second_resume_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        line = doctor_visits(simulator, "1001", "--write", "--yes").lines["resume again"]
        assert line.finding.startswith("[03999999] the undocumented code for a batch that is already started")
        assert line.advice.startswith("Nothing to do: the client checks the list.")

    def test_no_other_batch_is_touched(self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign) -> None:
        touched: set[str] = set()
        simulator.on_request = lambda verb, body: touched.add(body["id"]) if "id" in body else None
        doctor_visits(simulator, "1001", "--write", "--yes")
        assert len(touched) == 1
        assert touched.isdisjoint(campaign.batches)

    def test_a_refused_create_is_reported_and_nothing_deleted(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        campaign.max_batches = 3
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.lines["create"].finding.startswith("[03000003]")
        assert visited.states("skipped") == ["resume", "resume again", "pause", "pause again"]
        assert "delete" not in simulator.requests
        assert visited.status == 1

    @pytest.mark.parametrize("kind", ["close_after", "truncate"])
    def test_a_batch_whose_creation_was_not_confirmed_is_found_and_deleted(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign, kind: str
    ) -> None:
        simulator.inject(kind, verb="create")
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.lines["create"].state == "fail"
        assert visited.lines["delete"].finding == "deleted, and no longer listed"
        assert len(campaign.batches) == 3

    def test_a_batch_whose_creation_was_not_confirmed_and_failed_is_searched(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        simulator.inject("close_before", verb="create")
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.lines["delete"] == Line("ok", "there is no such batch", "")

    @pytest.mark.parametrize("verb", ["resume", "pause"])
    @pytest.mark.parametrize("fault", [{"kind": "close_after"}, {"kind": "answer", "status": 403}], ids=str)
    def test_the_doctors_batch_is_deleted_when_a_switch_goes_wrong(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign, verb: str, fault: dict[str, Any]
    ) -> None:
        simulator.inject(verb=verb, **fault)
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.states("fail") == [verb]
        assert visited.lines["delete"].state == "ok"
        assert len(campaign.batches) == 3

    def test_a_delete_that_fails_transiently_is_retried(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        simulator.inject("close_after", verb="delete", times=2)
        assert doctor_visits(simulator, "1001", "--write", "--yes").lines["delete"].state == "ok"
        assert len(campaign.batches) == 3

    def test_a_batch_that_cannot_be_deleted_is_named(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.inject("result", verb="delete", code="03000002")
        line = doctor_visits(simulator, "1001", "--write", "--yes").lines["delete"]
        assert line.state == "fail"
        assert re.match(r"Look for isales-doctor-\d{8}-\d{6} in the console and delete it\.", line.advice)

    def test_a_suspended_campaign_is_no_fault(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        campaign.state = CampaignState.SUSPENDED
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.states("warn") == ["pause", "pause again"]
        assert visited.lines["pause"].finding.startswith("[03000002]")
        assert (visited.status, len(campaign.batches)) == (0, 3)

    def test_an_undocumented_code_of_a_second_pause_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        def refuse(verb: str, body: Any) -> None:
            if verb == "pause" and simulator.requests["pause"] == 2:
                simulator.inject("result", verb="pause", code="03000099")

        simulator.on_request = refuse
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.states("fail") == ["pause again"]
        assert visited.lines["pause again"].finding.startswith("[03000099] a result code that is not documented")
        assert "The client treats this as a failure" in visited.lines["pause again"].advice

    def test_a_list_that_contradicts_the_response_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        def start_all(verb: str, body: Any) -> None:
            if verb == "list":
                for batch_id in campaign.batches:
                    campaign.set_status(batch_id, BatchStatus.STARTED)

        simulator.on_request = start_all
        visited = doctor_visits(simulator, "1001", "--write", "--yes")
        assert visited.lines["pause"].state == "fail"
        assert visited.lines["pause"].finding.endswith("the list says started after 2.5 s")

    def test_doctor_write_needs_a_campaign(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        with pytest.raises(UsageError, match="--write needs a campaign"):
            doctor_visits(simulator, "--write", "--yes")

    def test_doctor_write_needs_yes_without_a_terminal(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        with pytest.raises(UsageError, match="add --yes"):
            doctor_visits(simulator, "1001", "--write")
        assert simulator.requests == {}


class TestTheVdn:
    def test_the_states_of_all_campaigns_are_counted(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.add_campaign(1003, state="suspended")
        line = doctor_visits(simulator).lines["vdn"]
        assert line == Line("ok", "3 campaigns: 2 started, 1 suspended", "")

    def test_an_undocumented_campaign_status_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        body = {"resultCode": "0200000", "returnCode": "0200000", "totalSize": 1, "data": [{"id": 1, "status": 7}]}
        simulator.inject("answer", verb="list_campaigns", status=200, body=json.dumps(body))
        line = doctor_visits(simulator).lines["vdn"]
        assert line.state == "warn"
        assert "1 7, a status that is not documented" in line.finding

    def test_a_smaller_page_of_campaigns_than_requested_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(max_page_size=1) as simulator:
            line = doctor_visits(simulator).lines["vdn page size"]
        assert (line.state, line.finding) == ("warn", "asked for 100, received 1 of 2")

    def test_a_total_count_of_the_page_of_campaigns_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(total_counts_page=True) as simulator:
            line = doctor_visits(simulator).lines["vdn total count"]
        assert line.finding.startswith("it counts only the page: 1 with a page of 1, ")

    def test_a_refused_list_of_campaigns_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.inject("answer", verb="list_campaigns", status=403, times=1000)
        visited = doctor_visits(simulator, "1001")
        assert visited.states("fail") == ["vdn"]
        assert visited.states("skipped") == ["vdn page size", "vdn total count"]

    def test_campaigns_are_not_listed_without_a_vdn(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        visited = doctor_visits(simulator, extra={"vdn_id": None})
        assert visited.states("skipped") == ["campaign", "vdn"]
        assert visited.lines["vdn"].finding == "no VDN was named"
        assert "list_campaigns" not in simulator.requests


class TestDetailsAndHours:
    @pytest.fixture
    def calendar(self, tmp_path: Path) -> Path:
        file = tmp_path / "shifts.json"
        file.write_text('{"timezone": "Asia/Shanghai", "week": {"mon-sun": ["09:00-12:00", "13:30-18:00"]}}')
        return file

    def test_the_details_of_the_campaign_are_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        line = doctor_visits(simulator, "1001").lines["details"]
        assert line.finding == "started, from 2020-01-01 00:00:00 to 2099-12-31 23:59:59"
        assert line.advice.startswith("Set the connection's extra 'timezone'")

    def test_hours_are_reported_without_a_calendar(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        line = doctor_visits(simulator, "1001").lines["hours"]
        assert line == Line("ok", "working days 09:00-18:00", "To compare them with your calendar, add --shifts FILE.")

    def test_hours_after_the_shift_are_reported(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign, calendar: Path
    ) -> None:
        campaign.hours = {"workdayBeginTime1": "09:00", "workdayEndTime1": "21:00"}
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert line.state == "warn"
        expected = (
            r"On \w{3} [\d-]{10}, the platform lets it dial 09:00-21:00, "
            r"the calendar 09:00-12:00 13:30-18:00 \(Asia/Shanghai\)$"
        )
        assert re.search(expected, line.finding)
        assert line.advice == "If Airflow is down, nothing stops this campaign: set its hours in the console."

    @pytest.mark.parametrize("hours", ["08:00-12:00", "09:00-18:00", "19:00-21:00", "22:00-02:00", "09:00-24:00"])
    def test_any_hour_outside_the_shifts_is_reported(
        self, hours: str, doctor_visits: Doctor, simulator: Simulator, calendar: Path
    ) -> None:
        begin, end = hours.split("-")
        simulator.service.campaigns[1001].hours = {"workdayBeginTime1": begin, "workdayEndTime1": end}
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert f"the platform lets it dial {hours}, the calendar 09:00-12:00 13:30-18:00" in line.finding

    @pytest.mark.parametrize(
        ("week", "state"),
        [
            ({"timezone": "Asia/Tokyo", "week": {"mon-sun": ["09:00-18:00"]}}, "warn"),
            ({"timezone": "Asia/Tokyo", "week": {"mon-sun": ["10:00-19:00"]}}, "ok"),
            ({"timezone": "UTC", "week": {"mon-sun": ["01:00-10:00"]}}, "ok"),
        ],
        ids=str,
    )
    def test_hours_are_in_the_time_zone_of_the_connection(
        self, week: dict[str, Any], state: str, doctor_visits: Doctor, simulator: Simulator, calendar: Path
    ) -> None:
        calendar.write_text(json.dumps(week))
        extra = {"timezone": "Asia/Shanghai"}
        assert doctor_visits(simulator, "1001", "--shifts", calendar, extra=extra).lines["hours"].state == state

    def test_hours_that_are_no_times_are_quoted(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign, calendar: Path
    ) -> None:
        campaign.hours = {"workdayBeginTime1": "nine", "workdayEndTime1": "18:00"}
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert line.state == "fail"
        assert "the campaign's hours have 'nine', not a time such as 09:00" in line.finding

    def test_hours_on_a_day_without_a_shift_are_reported(
        self, doctor_visits: Doctor, simulator: Simulator, calendar: Path
    ) -> None:
        calendar.write_text('{"timezone": "Asia/Shanghai", "week": {}, "special": {"2020-01-01": ["09:00-12:00"]}}')
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert line.finding.endswith("the platform lets it dial 09:00-18:00, the calendar not at all (Asia/Shanghai)")

    def test_hours_within_the_shifts_are_ok(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign, calendar: Path
    ) -> None:
        campaign.hours = {"workdayBeginTime1": "09:00", "workdayEndTime1": "12:00"}
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert line == Line("ok", "working days 09:00-12:00; within the calendar for the next 14 days", "")

    @pytest.mark.parametrize(
        "special",
        [
            {"type": 1, "week": "1,2,3,4,5,6,7"},
            {"type": 2, "beginTime": "2020-01-01", "endTime": "2099-12-31"},
            {"type": 3, "beginTime": "12-31", "endTime": "12-30"},
        ],
        ids=str,
    )
    def test_special_dates_have_their_own_hours(
        self, special: dict[str, Any], doctor_visits: Doctor, simulator: Simulator, calendar: Path
    ) -> None:
        campaign = simulator.service.campaigns[1001]
        campaign.hours = {"workdayBeginTime1": "09:00", "workdayEndTime1": "12:00"}
        campaign.hours |= {"holidayBeginTime1": "09:00", "holidayEndTime1": "20:00"}
        campaign.special_dates = [special]
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert "lets it dial 09:00-20:00, the calendar 09:00-12:00 13:30-18:00" in line.finding

    def test_special_dates_without_hours_are_reported(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign, calendar: Path
    ) -> None:
        campaign.hours = {"workdayBeginTime1": "09:00", "workdayEndTime1": "12:00"}
        campaign.special_dates = [{"type": 3, "beginTime": "10-01", "endTime": "10-01"}]
        line = doctor_visits(simulator, "1001", "--shifts", calendar).lines["hours"]
        assert (line.state, line.finding) == ("warn", "working days 09:00-12:00, 1 special date without hours")

    def test_a_campaign_without_hours_is_reported(
        self, doctor_visits: Doctor, simulator: Simulator, campaign: Campaign
    ) -> None:
        campaign.hours = {}
        line = doctor_visits(simulator, "1001").lines["hours"]
        assert line.state == "warn"
        assert line.finding == "working days without hours: the platform lets this campaign dial all day"


class TestSwitchingACampaign:
    def test_the_campaign_is_switched_twice_each_and_started_again(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        visited = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes")
        assert visited.states("ok") == READING + WRITING[:-1] + SWITCHING[:-1] + ["delete", "restore"]
        assert visited.lines["pause whole"].finding == "[0200000] accepted; the details say suspended"
        assert visited.lines["pause whole again"].finding.startswith("[0200011] ")
        assert visited.lines["resume whole again"].finding.startswith("[0200011] ")
        assert simulator.service.campaigns[1002].state is CampaignState.EXECUTING
        assert (simulator.requests["pause_campaign"], simulator.requests["resume_campaign"]) == (2, 2)

    @pytest.mark.parametrize("state", ["draft", "suspended", "completed"])
    def test_a_campaign_that_is_not_started_is_left_alone(
        self, doctor_visits: Doctor, simulator: Simulator, state: str
    ) -> None:
        simulator.service.campaigns[1002].state = CampaignState(state)
        visited = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes")
        assert visited.lines["state before"].state == "skipped"
        assert "pause_campaign" not in simulator.requests
        assert "resume_campaign" not in simulator.requests

    @pytest.mark.parametrize("kind", ["close_after", "truncate"])
    @pytest.mark.parametrize("verb", ["pause_campaign", "resume_campaign"])
    def test_the_campaign_is_started_again_when_a_switch_goes_wrong(
        self, doctor_visits: Doctor, simulator: Simulator, verb: str, kind: str
    ) -> None:
        simulator.inject(kind, verb=verb)
        visited = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes")
        assert visited.lines["restore"] == Line("ok", "started, as before", "")
        assert simulator.service.campaigns[1002].state is CampaignState.EXECUTING
        assert visited.status == 1

    def test_a_pause_without_a_response_may_still_take_effect_and_is_waited_for(
        self, doctor_visits: Doctor, simulator: Simulator, no_waiting: list[float]
    ) -> None:
        simulator.inject("close_before", verb="pause_campaign")
        line = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes").lines["restore"]
        assert line == Line("ok", "started, as before", "")
        assert 15.0 in no_waiting  # the timeout, and a margin

    def test_a_campaign_that_cannot_be_started_again_is_named(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        simulator.inject("result", verb="resume_campaign", code="0200001", times=10)
        line = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes").lines["restore"]
        assert line.state == "fail"
        assert "campaign 1002 (VDN 25)" in line.finding
        assert "look for it in the console" in line.advice

    def test_a_campaign_that_cannot_be_started_again_is_not_named_in_public(
        self, doctor_visits: Doctor, simulator: Simulator
    ) -> None:
        answer = {"resultCode": "0200011", "returnCode": "0200011", "resultDesc": "ask Li Wei about 1002"}
        simulator.inject("answer", verb="resume_campaign", status=200, body=json.dumps(answer), times=10)
        visited = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes", "--public")
        assert visited.lines["restore"].state == "fail"
        for private in ("1002", "VDN 25", "Li Wei"):
            assert private not in visited.output

    def test_a_pause_accepted_without_effect_is_reported(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        simulator.inject("result", verb="pause_campaign", code="0200000")
        line = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes").lines["pause whole"]
        assert (line.state, line.finding) == ("fail", "[0200000] accepted; the details say started after 2.5 s")

    def test_the_delay_of_stale_details_is_reported(self, doctor_visits: Doctor) -> None:
        with platform(details_lag=1) as simulator:
            line = doctor_visits(simulator, "1001", "--write", "--switch", "1002", "--yes").lines["pause whole"]
        assert line.finding == "[0200000] accepted; the details say suspended after 0.5 s"

    def test_switch_needs_write(self, doctor_visits: Doctor, simulator: Simulator) -> None:
        with pytest.raises(UsageError, match="--switch suspends and resumes a campaign: add --write"):
            doctor_visits(simulator, "1001", "--switch", "1002")


class TestOneStepAfterTheOther:
    def steps(self, *outcomes: State | Exception) -> list[Step]:
        def find(outcome: State | Exception) -> Callable[[], Finding]:
            def finding() -> Finding:
                if isinstance(outcome, Exception):
                    raise outcome
                return Finding(outcome, "found")

            return finding

        return [Step(f"step {number}", find(outcome)) for number, outcome in enumerate(outcomes)]

    @pytest.mark.parametrize("error", [ISalesError("broken"), ZeroDivisionError("a bug")], ids=str)
    def test_the_other_steps_run_after_an_exception_in_one(self, error: Exception) -> None:
        states = [finding.state for _, finding in run_steps(self.steps(error, State.OK))]
        assert states == [State.FAIL, State.OK]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (State.OK, State.OK),
            (State.WARN, State.OK),
            (State.FAIL, State.SKIPPED),
            (State.SKIPPED, State.SKIPPED),
        ],
    )
    def test_a_step_is_skipped_without_the_one_it_needs(self, first: State, second: State) -> None:
        one, other = self.steps(first, State.OK)
        states = [finding.state for _, finding in run_steps([one, other._replace(needs=one.name)])]
        assert states == [first, second]


@pytest.mark.usefixtures("names_resolve")
def test_public_output_does_not_identify_the_platform(
    doctor_visits: Doctor, simulator: Simulator, tmp_path: Path
) -> None:
    words = f"ask Li Wei, 138 1234 5678 or +86-10-65529988, at {HOST} (10.1.2.3, fe80::1)"
    body = json.dumps({"resultCode": "0219999", "returnCode": "0219999", "resultDesc": words})
    simulator.inject("answer", status=200, body=body, times=1000)
    outputs = [
        doctor_visits(simulator, "1001", "--write", "--yes", "--public", **fields).output
        for fields in ({}, {"host": HOST})  # the one is answered, the other has the wrong certificate
    ]
    for private in ("Li Wei", "1234", "6552", HOST, "127.0.0.1", "10.1.2.3", "fe80", "simulator", str(tmp_path)):
        assert all(private not in output for output in outputs), private
    assert "[0219999]" in outputs[0]
    assert "Hostname mismatch" in outputs[1]


class TestTheProcess:
    def environment(self, simulator: Simulator) -> dict[str, str]:
        return {**os.environ, CONN: simulator.connection()}

    def run(self, simulator: Simulator, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment(simulator),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG,
            stdin=subprocess.DEVNULL,
        )

    def test_doctor_exits_with_0_when_all_is_well(self, simulator: Simulator) -> None:
        done = self.run(simulator, "1001", "--write", "--yes")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("\n22 ok\n")
        assert done.stderr == ""

    def test_doctor_exits_with_1_when_something_is_wrong(self, simulator: Simulator) -> None:
        simulator.clock_offset = timedelta(hours=1)
        assert self.run(simulator, "1001").returncode == 1

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["1001", "--write"], "isales: --write changes the platform, and there is no terminal to ask: add --yes\n"),
            (["--write", "--yes"], "isales: --write needs a campaign to create a batch in: isales doctor CAMPAIGN"),
            (["1001", "--connection-file", "no-such-file"], "isales: no-such-file can't be read"),
        ],
    )
    def test_doctor_exits_with_2_when_it_could_not_run(
        self, simulator: Simulator, arguments: list[str], complaint: str
    ) -> None:
        done = self.run(simulator, *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith(complaint)

    @pytest.mark.parametrize(
        ("number", "status"),
        [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 0)],  # a terminal that is closed ends nothing
    )
    def test_the_doctors_batch_is_deleted_on_interrupt(
        self, simulator: Simulator, campaign: Campaign, number: signal.Signals, status: int
    ) -> None:
        interrupted = threading.Event()
        simulator.on_request = lambda verb, body: wait_until(interrupted.is_set) if verb == "resume" else None
        process = subprocess.Popen(
            [*COMMAND, "1001", "--write", "--yes"],
            env=self.environment(simulator),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: simulator.requests.get("resume"))
        process.send_signal(number)
        interrupted.set()
        output, errors = process.communicate(timeout=LONG)
        assert process.returncode == status
        assert read(output)["delete"].state == "ok"
        assert ("isales: interrupted" in errors) is bool(status)
        assert len(campaign.batches) == 3

    def test_the_switched_campaign_is_started_again_on_interrupt(self, simulator: Simulator) -> None:
        def check(timeout: float) -> None:
            simulator.requests.clear()
            simulator.inject("delay", verb="pause_campaign", seconds=timeout / 2)
            isales = Isales({**self.environment(simulator), CONN: simulator.connection(timeout=timeout)})
            process = isales.start("doctor", "1001", "--write", "--switch", "1002", "--yes")
            wait_until(lambda: simulator.requests.get("pause_campaign") or process.poll() is not None)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=LONG)
            assert process.returncode == 130
            assert read(output)["restore"].state == "ok"
            assert simulator.service.campaigns[1002].state is CampaignState.EXECUTING

        try_longer_timeouts(check, first=3.0, last=20.0)

    @pytest.mark.parametrize(("answer", "made"), [("n\n", 0), ("y\n", 1)])
    def test_doctor_asks_on_a_terminal_before_it_writes(self, simulator: Simulator, answer: str, made: int) -> None:
        terminal = Isales(self.environment(simulator)).on_terminal("doctor", "1001", "--write")
        terminal.type(answer)
        assert terminal.end() == (0 if made else 2)
        assert "Create a batch without numbers in campaign 1001 (VDN 25)" in terminal.shown
        assert simulator.requests.get("create", 0) == made


class TestTheDocs:
    def test_each_item_that_we_could_not_verify_names_the_step_that_answers_it(self, simulator: Simulator) -> None:
        page = Path(__file__).parents[2] / "docs" / "client.md"
        if not page.exists():
            pytest.skip("there are no docs here")
        client = simulator.client()
        campaign = client.campaign(1001)
        steps = doctor.make_reading_steps(client, campaign, None) + BatchTrial(client, campaign).make_steps()
        names = {step.name for step in steps + CampaignTrial(client, campaign).make_steps()}
        items = re.findall(
            r"^- (.*(?:\n  .*)*)", page.read_text().partition("## What we could not verify")[2], re.MULTILINE
        )
        assert len(items) >= 7
        for item in items:
            named = re.search(r"\((no step|`[a-z `,]+`)\)[;.]$", item)
            assert named, item
            assert {*re.findall("`(.*?)`", named[1])} <= names, item

    def test_the_page_of_the_doctor_has_every_step(self) -> None:
        page = Path(__file__).parents[2] / "docs" / "live-platform.md"
        if not page.exists():
            pytest.skip("there are no docs here")
        rows = re.findall(r"^- (`.*?`): ", page.read_text().partition("## Step by step")[2], re.MULTILINE)
        assert [name for row in rows for name in re.findall("`(.*?)`", row)] == READING + WRITING + SWITCHING
