"""The client as a plain library, against the simulator over HTTPS."""

from __future__ import annotations

import json
import logging
import select
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import certifi
import pytest

from airflow_provider_isales.client import (
    BatchStatus,
    CallBatch,
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesBatchNotFoundError,
    ISalesCertificateError,
    ISalesClient,
    ISalesConnectError,
    ISalesConnectionLostError,
    ISalesDatabaseError,
    ISalesDuplicateNameError,
    ISalesHTTPStatusError,
    ISalesNotAllowedError,
    ISalesProtocolError,
    ISalesResultError,
    ISalesTimeoutError,
    ISalesTooManyBatchesError,
    Outcome,
    RetryPolicy,
    SigningProfile,
)
from airflow_provider_isales.simulator import Campaign, CampaignState, Simulator

SUCCESS = {"resultCode": "0200000", "resultDesc": "ok", "returnCode": "0200000", "returnDesc": "ok"}


@pytest.fixture
def campaign(simulator: Simulator) -> Campaign:
    return simulator.add_campaign(7, batches=3)


class _Proxy(socketserver.BaseRequestHandler):
    """An HTTP proxy that knows CONNECT and nothing else."""

    def handle(self) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += self.request.recv(1)
        host, _, port = request.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            other = {self.request: server, server: self.request}
            while True:
                for ready in select.select(list(other), [], [], 10)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    other[ready].sendall(data)


@pytest.fixture
def connect_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()


def first(campaign: Campaign) -> str:
    return next(iter(campaign.batches))


def requests_during(simulator: Simulator, verb: str, action) -> int:
    before = simulator.requests.get(verb, 0)
    action()
    return simulator.requests.get(verb, 0) - before


class TestPause:
    def test_a_started_batch_is_paused(self, client: ISalesClient, campaign: Campaign):
        assert client.pause_call_batch(25, 7, first(campaign)).outcome is Outcome.PAUSED
        assert campaign.batches[first(campaign)].status is BatchStatus.SUSPENDED

    def test_a_paused_batch_is_already_paused(self, client: ISalesClient, campaign: Campaign):
        client.pause_call_batch(25, 7, first(campaign))
        result = client.pause_call_batch(25, 7, first(campaign))
        assert (result.outcome, result.result_code) == (Outcome.ALREADY_PAUSED, "03000006")

    def test_ids_may_be_digits_as_templates_render_them(self, client: ISalesClient, campaign: Campaign):
        assert client.pause_call_batch("25", "7", first(campaign)).campaign_id == 7

    def test_the_result_for_xcom_is_a_plain_dict(self, client: ISalesClient, campaign: Campaign):
        result = client.pause_call_batch(25, 7, first(campaign)).to_dict()
        assert json.loads(json.dumps(result)) == {
            "vdn_id": 25,
            "campaign_id": 7,
            "batch_id": first(campaign),
            "outcome": "paused",
            "result_code": "0200000",
            "result_desc": "success",
        }

    def test_a_batch_of_a_suspended_campaign_is_refused(self, client: ISalesClient, simulator: Simulator):
        campaign = simulator.add_campaign(8, batches=1, state=CampaignState.SUSPENDED)
        with pytest.raises(ISalesNotAllowedError):
            client.pause_call_batch(25, 8, first(campaign))

    def test_a_pause_that_took_effect_but_was_not_answered_is_asked_again(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ):
        simulator.inject("close_after")
        result = client.pause_call_batch(25, 7, first(campaign))
        assert (result.outcome, result.attempts) == (Outcome.ALREADY_PAUSED, 2)

    def test_a_pause_that_never_arrived_is_sent_again(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ):
        simulator.inject("close_before")
        result = client.pause_call_batch(25, 7, first(campaign))
        assert (result.outcome, result.attempts) == (Outcome.PAUSED, 2)

    def test_a_bad_argument_is_refused_before_anything_is_sent(self, client: ISalesClient, simulator: Simulator):
        def pause_nonsense() -> None:
            with pytest.raises(ISalesArgumentError):
                client.pause_call_batch(25, 7, "nonsense")

        assert requests_during(simulator, "pause", pause_nonsense) == 0


class TestResume:
    def test_a_paused_batch_is_resumed(self, client: ISalesClient, campaign: Campaign):
        client.pause_call_batch(25, 7, first(campaign))
        assert client.resume_call_batch(25, 7, first(campaign)).outcome is Outcome.RESUMED

    def test_a_started_batch_is_already_started_because_list_says_so(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ):
        assert client.resume_call_batch(25, 7, first(campaign)).outcome is Outcome.ALREADY_STARTED
        assert simulator.requests["list"] >= 1

    def test_a_refusal_stands_while_list_says_suspended(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ):
        campaign.set_status(first(campaign), BatchStatus.SUSPENDED)
        simulator.inject("result", code="03000002", verb="resume")
        with pytest.raises(ISalesNotAllowedError):
            client.resume_call_batch(25, 7, first(campaign))

    def test_a_refusal_stands_when_list_fails(self, client: ISalesClient, simulator: Simulator, campaign: Campaign):
        simulator.inject("answer", status=404, verb="list")
        with pytest.raises(ISalesResultError, match="03999999"):
            client.resume_call_batch(25, 7, first(campaign))

    def test_a_batch_that_does_not_exist_is_not_found(self, client: ISalesClient, campaign: Campaign):
        with pytest.raises(ISalesBatchNotFoundError):
            client.resume_call_batch(25, 7, "404")


class TestCreateUpdateDelete:
    def test_a_batch_is_created_suspended_unless_told_otherwise(self, client: ISalesClient, campaign: Campaign):
        created = client.create_call_batch(25, 7, "早班-催收 批次")
        assert campaign.batches[created.id] == CallBatch(created.id, "早班-催收 批次", BatchStatus.SUSPENDED)

    def test_a_batch_can_be_created_started(self, client: ISalesClient, campaign: Campaign):
        created = client.create_call_batch(25, 7, "a", BatchStatus.STARTED)
        assert campaign.batches[created.id].status is BatchStatus.STARTED

    def test_a_name_that_exists_is_refused(self, client: ISalesClient, campaign: Campaign):
        with pytest.raises(ISalesDuplicateNameError):
            client.create_call_batch(25, 7, "batch-1")

    def test_a_full_campaign_takes_no_more(self, client: ISalesClient, simulator: Simulator):
        simulator.add_campaign(8, batches=2, max_batches=2)
        with pytest.raises(ISalesTooManyBatchesError):
            client.create_call_batch(25, 8, "a")

    @pytest.mark.parametrize("kind", ["close_before", "close_after", "truncate"])
    def test_a_create_that_may_have_arrived_is_not_sent_twice(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, kind: str
    ):
        def create() -> None:
            with pytest.raises(ISalesConnectionLostError, match="Look for 'a' with list before you create it again"):
                client.create_call_batch(25, 7, "a")

        simulator.inject(kind)
        assert requests_during(simulator, "create", create) == 1

    def test_a_create_that_could_not_connect_is_tried_again(self, simulator: Simulator, no_waiting: list[float]):
        with (
            simulator.client(port=1, retry=RetryPolicy(attempts=3)) as client,
            pytest.raises(ISalesConnectError, match=r"\(3 attempts\)"),
        ):
            client.create_call_batch(25, 7, "a")

    def test_a_create_that_was_lost_behind_a_proxy_is_not_sent_twice(
        self, simulator: Simulator, campaign: Campaign, connect_proxy: str, no_waiting: list[float]
    ):
        def create() -> None:
            with (
                simulator.client(proxies={"https": connect_proxy}) as client,
                pytest.raises(ISalesConnectionLostError),
            ):
                client.create_call_batch(25, 7, "a")

        simulator.inject("close_after")
        assert requests_during(simulator, "create", create) == 1

    def test_a_created_batch_without_an_id_is_a_protocol_error(self, client: ISalesClient, simulator: Simulator):
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS))
        with pytest.raises(ISalesProtocolError, match="without the new batch's id"):
            client.create_call_batch(25, 7, "a")

    def test_a_batch_is_renamed(self, client: ISalesClient, campaign: Campaign):
        client.update_call_batch(25, 7, first(campaign), "evening")
        assert campaign.batches[first(campaign)].name == "evening"

    def test_a_batch_is_deleted(self, client: ISalesClient, campaign: Campaign):
        deleted = first(campaign)
        client.delete_call_batch(25, 7, deleted)
        assert deleted not in campaign.batches


class TestList:
    @pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
    def test_every_batch_is_listed_once(self, client: ISalesClient, simulator: Simulator, size: int):
        campaign = simulator.add_campaign(8, batches=size)
        assert [batch.id for batch in client.list_call_batches(25, 8)] == list(campaign.batches)

    def test_the_next_page_is_asked_for_only_when_it_is_read(self, client: ISalesClient, simulator: Simulator):
        simulator.add_campaign(8, batches=250)
        assert requests_during(simulator, "list", lambda: next(client.list_call_batches(25, 8))) == 1

    def test_batches_are_selected_by_status(self, client: ISalesClient, campaign: Campaign):
        client.pause_call_batch(25, 7, first(campaign))
        suspended = client.list_call_batches(25, 7, status=BatchStatus.SUSPENDED)
        assert [batch.id for batch in suspended] == [first(campaign)]

    def test_batches_are_selected_by_part_of_their_name(self, client: ISalesClient, campaign: Campaign):
        assert [batch.name for batch in client.list_call_batches(25, 7, name="h-2")] == ["batch-2"]

    def test_a_bad_argument_is_refused_at_the_call_not_at_the_first_batch(self, client: ISalesClient):
        with pytest.raises(ISalesArgumentError):
            client.list_call_batches(25, 7, status=3)

    @pytest.mark.parametrize("largest", [1, 7, 50])
    def test_a_server_that_gives_smaller_pages_is_read_to_the_end(
        self, client: ISalesClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, largest: int
    ):
        monkeypatch.setattr(simulator.service, "max_page_size", largest)
        campaign = simulator.add_campaign(8, batches=101)
        assert [batch.id for batch in client.list_call_batches(25, 8)] == list(campaign.batches)

    @pytest.mark.parametrize("batches", [[], [{"id": "1", "name": "a", "status": 1}]])
    def test_a_page_that_is_shorter_than_it_should_be_loses_nothing_silently(
        self, client: ISalesClient, simulator: Simulator, batches: list[object]
    ):
        body = json.dumps(SUCCESS | {"totalCount": 3, "data": batches})
        simulator.inject("answer", status=200, body=body)
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"totalCount": 3, "data": []}))
        with pytest.raises(ISalesProtocolError, match=r"0 came from offset [01] on, of 3 in all"):
            list(client.list_call_batches(25, 7))

    def test_a_status_may_come_as_text(self, client: ISalesClient, simulator: Simulator):
        page = SUCCESS | {"totalCount": 1, "data": [{"id": "1", "name": "a", "status": "2"}]}
        simulator.inject("answer", status=200, body=json.dumps(page))
        assert list(client.list_call_batches(25, 7)) == [CallBatch("1", "a", BatchStatus.SUSPENDED)]

    def test_a_batch_without_a_name_is_a_batch(self, client: ISalesClient, simulator: Simulator):
        page = SUCCESS | {"totalCount": 1, "data": [{"id": "1", "name": None, "status": 1}]}
        simulator.inject("answer", status=200, body=json.dumps(page))
        assert list(client.list_call_batches(25, 7)) == [CallBatch("1", "", BatchStatus.STARTED)]

    def test_a_server_that_repeats_a_page_loses_nothing_silently(self, client: ISalesClient, simulator: Simulator):
        batches = [{"id": str(n), "name": "a", "status": 1} for n in range(100)]
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"totalCount": 200, "data": batches}), times=2)
        with pytest.raises(ISalesProtocolError, match="only 100 of 200 came"):
            list(client.list_call_batches(25, 7))

    @pytest.mark.parametrize(
        "page",
        [
            {"totalCount": "1", "data": []},
            {"totalCount": True, "data": []},
            {"totalCount": 1, "data": None},
            {"totalCount": 1, "data": [{"id": 1, "name": "a", "status": 1}]},
            {"totalCount": 1, "data": [{"id": "1", "name": "a", "status": 3}]},
            {"totalCount": 1, "data": [{"id": "1", "name": "a", "status": True}]},
            {"totalCount": 1, "data": ["1"]},
        ],
    )
    def test_a_page_that_is_not_as_documented_is_a_protocol_error(
        self, client: ISalesClient, simulator: Simulator, page: dict[str, object]
    ):
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | page))
        with pytest.raises(ISalesProtocolError):
            list(client.list_call_batches(25, 7))


class TestAnswers:
    @pytest.mark.parametrize(
        "answer",
        [
            {"resultCode": "0200000"},
            {"returnCode": "0200000"},
            {"resultCode": "0200000", "returnCode": ""},
            {"resultCode": None, "returnCode": "0200000"},
        ],
    )
    def test_success_is_the_success_code_in_every_code_field_that_is_filled(
        self, client: ISalesClient, simulator: Simulator, answer: dict[str, object]
    ):
        simulator.inject("answer", status=200, body=json.dumps(answer))
        assert client.pause_call_batch(25, 7, "1").outcome is Outcome.PAUSED

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            ("{}", "neither a resultCode nor a returnCode"),
            ('{"resultCode": "", "returnCode": null}', "neither a resultCode nor a returnCode"),
            ('{"resultCode": "0200000", "returnCode": "0200006"}', "contradicts itself"),
            ('{"resultCode": "03000006", "returnCode": "0200000"}', "contradicts itself"),
            ('{"resultCode": "0200006", "resultCode": "0200000"}', "has a field twice"),
            ('{"resultCode": 200000}', "resultCode is 200000, which is not text"),
            ('{"resultCode": "0200000", "returnCode": 200000}', "returnCode is 200000, which is not text"),
            ('{"resultCode": false}', "resultCode is False, which is not text"),
            ('["0200000"]', "not a JSON object"),
            ('"0200000"', "not a JSON object"),
            ("null", "not a JSON object"),
            ('{"resultCode": "0200000"', "not JSON"),
            ("<html>welcome</html>", "not JSON: '<html>welcome</html>'"),
            ("", "not JSON"),
            ("[" * 100_000, "not JSON"),
            (json.dumps(SUCCESS | {"padding": "x" * 2**21}), "larger than 1024 KiB"),
        ],
    )
    def test_any_other_answer_is_a_protocol_error(
        self, client: ISalesClient, simulator: Simulator, body: str, complaint: str
    ):
        simulator.inject("answer", status=200, body=body, times=8)
        with pytest.raises(ISalesProtocolError, match=complaint):
            client.pause_call_batch(25, 7, "1")

    @pytest.mark.parametrize("status", [201, 202, 204, 304])
    def test_an_http_status_other_than_200_is_never_success(
        self, client: ISalesClient, simulator: Simulator, status: int
    ):
        simulator.inject("answer", status=status, body="" if status in (204, 304) else json.dumps(SUCCESS))
        with pytest.raises(ISalesHTTPStatusError, match=f"HTTP {status}"):
            client.pause_call_batch(25, 7, "1")

    def test_a_redirect_is_not_followed(self, client: ISalesClient, simulator: Simulator, campaign: Campaign):
        simulator.inject("answer", status=307, headers={"Location": "/elsewhere"})
        with pytest.raises(ISalesHTTPStatusError, match="a redirect to '/elsewhere', which is not followed"):
            client.pause_call_batch(25, 7, first(campaign))

    def test_the_body_of_a_redirect_is_not_read(self, client: ISalesClient, simulator: Simulator):
        simulator.inject("answer", status=302, headers={"Location": "https://[bad"}, body="x" * 2**22)
        with pytest.raises(ISalesHTTPStatusError, match="HTTP 302 Found, a redirect to"):
            client.pause_call_batch(25, 7, "1")

    @pytest.mark.parametrize("echo", ["resultDesc", "resultCode"])
    def test_a_signature_that_the_server_echoes_is_not_shown(
        self, client: ISalesClient, simulator: Simulator, echo: str
    ):
        answer = {"resultCode": "0200001", "resultDesc": "no"} | {echo: "bad\nauth-v2/ak/now/host/5167 header"}
        simulator.inject("answer", status=200, body=json.dumps(answer))
        with pytest.raises(ISalesResultError, match=r"bad auth-v2/\*\*\* header"):
            client.pause_call_batch(25, 7, "1")

    def test_a_long_description_is_cut(self, client: ISalesClient, simulator: Simulator):
        simulator.inject("answer", status=200, body=json.dumps(SUCCESS | {"resultDesc": "x" * 9000}))
        assert len(client.pause_call_batch(25, 7, "1").result_desc) < 250


class TestRetries:
    def test_attempts_are_bounded(self, client: ISalesClient, simulator: Simulator, campaign: Campaign):
        def pause() -> None:
            with pytest.raises(ISalesDatabaseError, match=r"\(8 attempts\)"):
                client.pause_call_batch(25, 7, first(campaign))

        simulator.inject("result", code="0200006", times=9)
        assert requests_during(simulator, "pause", pause) == 8

    def test_the_whole_time_is_bounded(self, simulator: Simulator, campaign: Campaign, no_waiting: list[float]):
        simulator.inject("answer", status=429, headers={"Retry-After": "10"}, times=9)
        with (
            simulator.client(retry=RetryPolicy(total=5)) as client,
            pytest.raises(ISalesHTTPStatusError, match=r"HTTP 429 Too Many Requests\. "),
        ):
            client.pause_call_batch(25, 7, first(campaign))

    def test_retry_after_is_honoured(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, no_waiting: list[float]
    ):
        simulator.inject("answer", status=429, headers={"Retry-After": "7"})
        client.pause_call_batch(25, 7, first(campaign))
        assert no_waiting == [7.0]

    def test_retry_after_is_honoured_up_to_a_cap(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, no_waiting: list[float]
    ):
        simulator.inject("answer", status=503, headers={"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"})
        client.pause_call_batch(25, 7, first(campaign))
        assert no_waiting == [30.0]

    @pytest.mark.parametrize("value", ["soon", "-1", "1.5", "", "Fri, 99 Foo 2026"])
    def test_an_unreadable_retry_after_leaves_the_wait_to_the_backoff(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, no_waiting: list[float], value: str
    ):
        simulator.inject("answer", status=503, headers={"Retry-After": value})
        client.pause_call_batch(25, 7, first(campaign))
        assert 0 <= no_waiting[0] <= 0.5

    def test_a_server_that_asks_to_come_back_at_once_is_not_hammered(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, no_waiting: list[float]
    ):
        simulator.inject("answer", status=503, headers={"Retry-After": "0"}, times=7)
        client.pause_call_batch(25, 7, first(campaign))
        assert sum(no_waiting) > 0.5

    def test_what_the_caller_was_handling_is_not_taken_for_the_cause(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign
    ):
        simulator.inject("close_before")
        try:
            with simulator.client(verify=True) as elsewhere:
                elsewhere.pause_call_batch(25, 7, first(campaign))
        except ISalesCertificateError:
            assert client.pause_call_batch(25, 7, first(campaign)).attempts == 2

    def test_a_wait_is_logged_with_what_and_why(
        self, client: ISalesClient, simulator: Simulator, campaign: Campaign, caplog: pytest.LogCaptureFixture
    ):
        simulator.inject("answer", status=502)
        with caplog.at_level(logging.WARNING):
            client.pause_call_batch(25, 7, first(campaign))
        assert f"Pausing call batch {first(campaign)} of campaign 7 (VDN 25): attempt 1 of at most 8" in caplog.text

    def test_a_server_that_is_too_slow_is_a_timeout(self, simulator: Simulator, campaign: Campaign):
        simulator.inject("delay", seconds=1)
        with (
            simulator.client(timeout=0.2, retry=RetryPolicy(attempts=1)) as client,
            pytest.raises(ISalesTimeoutError, match="no answer in time"),
        ):
            client.pause_call_batch(25, 7, first(campaign))


class TestTrustAndSettings:
    def test_a_certificate_of_an_unknown_authority_is_refused_at_once(self, simulator: Simulator):
        with simulator.client(verify=True) as client, pytest.raises(ISalesCertificateError, match="is not trusted"):
            client.pause_call_batch(25, 7, "1")

    def test_a_named_bundle_wins_over_requests_ca_bundle(
        self, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
        with simulator.client() as client:
            assert client.pause_call_batch(25, 7, first(campaign)).outcome is Outcome.PAUSED

    def test_requests_ca_bundle_counts_when_verify_is_true(
        self, simulator: Simulator, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(simulator.ca_file))
        with simulator.client(verify=True) as client:
            assert client.pause_call_batch(25, 7, first(campaign)).outcome is Outcome.PAUSED

    @pytest.mark.parametrize("profile", list(SigningProfile))
    def test_the_server_accepts_both_signing_profiles(
        self, simulator: Simulator, campaign: Campaign, profile: SigningProfile
    ):
        with simulator.client(signing_profile=profile) as client:
            assert client.pause_call_batch(25, 7, first(campaign)).outcome is Outcome.PAUSED

    def test_a_wrong_secret_key_is_an_authentication_error_that_does_not_show_it(self, simulator: Simulator):
        with simulator.client(secret_key="wrong-secret") as client:
            with pytest.raises(ISalesAuthenticationError) as caught:
                client.pause_call_batch(25, 7, "1")
            assert "wrong-secret" not in repr(vars(caught.value)) + str(caught.value) + repr(client)

    def test_a_clock_that_is_wrong_is_named_as_the_cause(self):
        with (
            Simulator(clock_offset=timedelta(minutes=20)) as simulator,
            simulator.client() as client,
            pytest.raises(ISalesAuthenticationError, match=r"this machine's clock is 1[12]\d\d s behind the server's"),
        ):
            client.pause_call_batch(25, 7, "1")

    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ({"host": "http://isales.example.com"}, "host must be a bare name or address"),
            ({"host": "isales.example.com/rest"}, "host must be a bare name or address"),
            ({"host": "isales.example.com:8443"}, "host must be a bare name or address"),
            ({"host": ""}, "host must be a bare name or address"),
            ({"port": 0}, "port must be an integer from 1 to 65535, not 0"),
            ({"port": "8443"}, "port must be an integer from 1 to 65535, not '8443'"),
            ({"timeout": 0}, "timeout must be a number of seconds above 0, up to 600, not 0"),
            ({"timeout": float("nan")}, "timeout must be a number of seconds above 0, up to 600, not nan"),
            ({"timeout": "soon"}, "timeout must be a number of seconds above 0, up to 600, not 'soon'"),
            ({"timeout": 1e300}, "timeout must be a number of seconds above 0, up to 600, not 1e\\+300"),
            ({"host": "10.22.26.181:28080"}, "host must be a bare name or address"),
            ({"host": "face:8080"}, "host must be a bare name or address"),
            ({"host": "a..b"}, "host must be a bare name or address"),
            ({"host": "x" * 64}, "host must be a bare name or address"),
            ({"access_key": "secret/with/slashes"}, "the access key must be visible ASCII characters"),
            ({"verify": 1}, "verify must be true, false or the path of a CA bundle, not 1"),
            ({"verify": "/no/such.pem"}, "verify names no CA bundle that can be read: '/no/such.pem'"),
        ],
    )
    def test_a_setting_that_cannot_work_is_refused(self, settings: dict[str, object], complaint: str):
        with pytest.raises(ISalesArgumentError, match=complaint):
            ISalesClient(**({"host": "isales.example.com", "access_key": "ak", "secret_key": "sk"} | settings))

    def test_no_log_however_verbose_shows_key_or_signature(
        self, simulator: Simulator, campaign: Campaign, caplog: pytest.LogCaptureFixture, no_waiting: list[float]
    ):
        simulator.inject("close_after")
        with caplog.at_level(logging.DEBUG), simulator.client() as client:
            client.pause_call_batch(25, 7, first(campaign))
        shown = (word in caplog.text for word in ("callbatch/7/pause", "simulator-secret-key", "auth-v2"))
        assert tuple(shown) == (True, False, False)

    def test_the_client_imports_nothing_of_airflow(self):
        program = "import sys, airflow_provider_isales.client; print('airflow' in sys.modules)"
        assert subprocess.check_output([sys.executable, "-c", program], text=True) == "False\n"
