"""Requests about campaigns and what their responses hold."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_isales.client import (
    C2Auth,
    Campaign,
    CampaignStatus,
    ISalesArgumentError,
    ISalesClient,
    ISalesProtocolError,
    SigningProfile,
    SpecialDate,
)
from airflow_provider_isales.client.campaign_responses import read_campaign, read_campaign_page, read_special_dates
from airflow_provider_isales.client.models import CampaignKey, VdnKey
from airflow_provider_isales.client.responses import Success
from airflow_provider_isales.client.verbs import (
    GET_CAMPAIGN,
    LIST_CAMPAIGNS,
    LIST_SPECIAL_DATES,
    PAUSE_CAMPAIGN,
    RESUME_CAMPAIGN,
    Verb,
)

VECTORS = json.loads(Path(__file__).parents[1].joinpath("vectors", "c2_vectors.json").read_text())
WITH_QUERY = [vector for vector in VECTORS if vector["query"]]
CAMPAIGN = CampaignKey(25, 1001)
OPENAPI = "/rest/isales/v1/openapi/campaigns"


@pytest.mark.parametrize("vector", WITH_QUERY, ids=[vector["name"] for vector in WITH_QUERY])
def test_a_list_of_campaigns_is_signed_as_in_the_vendors_examples(vector: dict[str, Any]) -> None:
    path, body = LIST_CAMPAIGNS.make_request(VdnKey(int(vector["path"].rpartition("/")[2])), vector["query"])
    profile = {"milliseconds": SigningProfile.CURRENT, "seconds": SigningProfile.LEGACY}[vector["precision"]]
    now = datetime.fromisoformat(vector["timestamp"])
    auth = C2Auth(vector["access_key"], vector["secret_key"], profile, clock=lambda: now)
    given = {"Content-Type": "application/json; charset=UTF-8", "Content-Length": str(len(body))}
    url = f"https://{vector['signed_headers']['host']}{path}"
    assert auth.make_headers("GET", url, given, body)["Authorization"] == vector["authorization"]


@pytest.mark.parametrize(
    ("verb", "method", "path"),
    [
        (GET_CAMPAIGN, "GET", f"{OPENAPI}/25/1001"),
        (PAUSE_CAMPAIGN, "PUT", f"{OPENAPI}/25/1001/pause"),
        (RESUME_CAMPAIGN, "PUT", f"{OPENAPI}/25/1001/resume"),
        (LIST_SPECIAL_DATES, "GET", f"{OPENAPI}/25/holiday/1001"),
    ],
)
def test_a_request_to_a_campaign_has_neither_query_nor_body(verb: Verb[Any], method: str, path: str) -> None:
    assert (verb.method, *verb.make_request(CAMPAIGN, {})) == (method, path, b"")


def test_a_query_keeps_what_it_is_given_whatever_characters_it_has() -> None:
    path, _ = LIST_CAMPAIGNS.make_request(VdnKey(25), {"name": "外呼 1&b=c/+%"})
    assert dict(parse_qsl(urlsplit(path).query)) == {"name": "外呼 1&b=c/+%"}
    assert " " not in path


ENTRY = {"id": 7, "name": "night", "status": 2, "strBeginTime": "2026-11-28 09:30:00", "strEndTime": "2026-12-31"}


def success(**payload: Any) -> Success:
    return Success("0200000", "", payload)


def test_a_page_of_campaigns_has_their_begin_and_end_as_the_platform_writes_them() -> None:
    campaign = Campaign(7, "night", CampaignStatus.STARTED, datetime(2026, 11, 28, 9, 30), datetime(2027, 1, 1))
    assert read_campaign_page(success(totalSize=7, data=[ENTRY])) == ([campaign], 7, None, None)


@pytest.mark.parametrize("text", [None, "", "tomorrow", 5, "2026-13-01"])
def test_a_begin_that_cannot_be_read_is_none(text: Any) -> None:
    assert read_campaign(success(returnObject={**ENTRY, "strBeginTime": text})).begin is None


def test_numbers_may_come_as_text() -> None:
    assert read_campaign(success(returnObject={**ENTRY, "id": "7", "status": "3"})).status is CampaignStatus.SUSPENDED


def test_an_unknown_status_stays_a_number() -> None:
    status = read_campaign(success(returnObject={**ENTRY, "status": 9})).status
    assert (status, isinstance(status, CampaignStatus)) == (9, False)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        *({**ENTRY, "id": campaign_id} for campaign_id in (None, 0, 1.5, -7, "1" * 65)),
        *({**ENTRY, "status": status} for status in (None, True, "on", -1)),
    ],
)
def test_an_entry_that_is_not_a_campaign_is_a_protocol_error(entry: Any) -> None:
    with pytest.raises(ISalesProtocolError):
        read_campaign(success(returnObject=entry))
    page = read_campaign_page(success(totalSize=2, data=[entry, ENTRY]))
    assert ([each.id for each in page.items], type(page.problem)) == ([7], ISalesProtocolError)


@pytest.mark.parametrize(
    "payload", [{"data": []}, {"totalSize": -1, "data": []}, {"totalSize": 1}, {"totalSize": 1, "data": {}}]
)
def test_a_response_that_is_not_a_page_is_a_protocol_error(payload: dict[str, Any]) -> None:
    with pytest.raises(ISalesProtocolError):
        read_campaign_page(success(**payload))


def test_the_hours_of_the_platform_are_the_pairs_that_are_filled_in() -> None:
    schedule = {
        "workdayBeginTime1": "09:00",
        "workdayEndTime1": "12:00",
        "workdayBeginTime2": "13:30",
        "workdayEndTime2": "21:00",
        "workdayBeginTime3": "",
        "workdayEndTime3": None,
        "holidayBeginTime1": "10:00",
        "holidayEndTime1": "12:00",
    }
    campaign = read_campaign(success(returnObject={**ENTRY, "scheduleParam": schedule}))
    assert campaign.workday_hours == (("09:00", "12:00"), ("13:30", "21:00"))
    assert campaign.special_day_hours == (("10:00", "12:00"),)


def test_a_special_date_has_its_kind_and_its_days() -> None:
    entry = {"id": 1, "name": "weekend", "type": 1, "week": "6,7", "beginTime": None, "endTime": None}
    assert read_special_dates(success(data=[entry])) == [SpecialDate("weekend", 1, "6,7", "", "")]


@pytest.mark.parametrize("data", [None, {}, ["weekend"]])
def test_a_response_without_special_dates_is_a_protocol_error(data: Any) -> None:
    with pytest.raises(ISalesProtocolError):
        read_special_dates(success(data=data))


@pytest.fixture
def client() -> ISalesClient:
    return ISalesClient("isales.example.com", "AK", "SK", vdn_id=25)


@pytest.mark.parametrize("status", [0, 1, 5, "2", True])
def test_only_started_suspended_and_completed_campaigns_can_be_asked_for(client: ISalesClient, status: Any) -> None:
    with pytest.raises(ISalesArgumentError, match=r"status must be 2 \(started\), 3 \(suspended\) or 4 \(completed\)"):
        client.list_campaigns(status)


@pytest.mark.parametrize("timezone", ["", "Mars/Olympus", "../etc/passwd", "Asia", 8, "Asia/Shanghai\n"])
def test_a_time_zone_must_be_one_that_is_known(timezone: Any) -> None:
    with pytest.raises(ISalesArgumentError, match="timezone must be the IANA name of a time zone"):
        ISalesClient("isales.example.com", "AK", "SK", timezone=timezone)
