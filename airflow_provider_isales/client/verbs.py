"""
The table of interfaces.

Sources: "Outbound Call Batch Interfaces", "Querying All Outbound Campaigns", "Querying Details About an Outbound
Campaign", "Suspending an Outbound Campaign", "Resuming an Outbound Campaign" and "Querying the Special Date List of an
Outbound Campaign".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar
from urllib.parse import quote, urlencode

from airflow_provider_isales.client.campaign_responses import read_campaign, read_campaign_page, read_special_dates
from airflow_provider_isales.client.errors import (
    ISalesBatchNotFoundError,
    ISalesCampaignNotFoundError,
    ISalesResultError,
)
from airflow_provider_isales.client.http_response import Response
from airflow_provider_isales.client.models import (
    BatchKey,
    BatchStatus,
    CallBatch,
    Campaign,
    CampaignStatus,
    Outcome,
    SpecialDate,
    VdnKey,
)
from airflow_provider_isales.client.responses import (
    Page,
    Success,
    parse_response,
    read_batch_page,
    read_created_id,
    read_success,
)
from airflow_provider_isales.client.result_codes import (
    ALREADY_SUSPENDED,
    CAMPAIGN_RESULT_CODES,
    RESULT_CODES,
    ResultCode,
)

T_co = TypeVar("T_co", covariant=True)

# The paths of the interfaces for a VDN, for the batches of a campaign, and for a campaign.
_VDN_PATH = "/rest/isales/v1/openapi/campaigns/{vdn_id}"
_BATCH_PATH = _VDN_PATH + "/callbatch/{campaign_id}/{verb}"
_CAMPAIGN_PATH = _VDN_PATH + "/{campaign_id}"

_TO_JSON = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class Verb(Generic[T_co]):
    """
    One interface.

    :param name: its name; for batches, the last part of its path
    :param doing: the words for it in messages, before its target
    :param path: its path below the base URL, with fields of the key in braces
    :param codes: its failure codes by the reference
    :param read: returns the data of a response
    :param also_success: one more result code that means success
    :param when_unknown: advice if a request may have taken effect, with fields in braces; it is then not sent again
    """

    name: str
    doing: str
    read: Callable[[Success], T_co]
    method: Literal["GET", "POST", "PUT"] = "POST"
    path: str = _BATCH_PATH
    codes: tuple[ResultCode, ...] = RESULT_CODES
    also_success: str | None = None
    when_unknown: str = ""

    def make_request(self, target: VdnKey, fields: Mapping[str, object]) -> tuple[str, bytes]:
        """
        Return path and body of a request. Fields are sent as JSON in the body for batches, in the query for campaigns.

        :param target: the VDN, campaign or batch
        :param fields: more fields of the request
        """
        path = self.path.format(verb=self.name, **vars(target))
        if self.path == _BATCH_PATH:
            batch = {"id": target.batch_id} if isinstance(target, BatchKey) else {}
            return path, _TO_JSON.encode({**batch, **fields}).encode()
        query = urlencode(fields, safe="", quote_via=quote)
        return (f"{path}?{query}" if query else path), b""

    def parse(self, response: Response) -> Success:
        """Return a response that says success; raise ``ISalesError`` for any other."""
        return parse_response(response, self.also_success, self.codes)


@dataclass(frozen=True, kw_only=True)
class Switch(Verb[Success]):
    """
    An interface that switches a batch or a campaign to the status ``wanted``.

    :param opposite: the status that it changes
    :param done: the outcome for a target that was switched
    :param already: the outcome for a target that already had the wanted status
    :param not_found: the error for a target that does not exist
    :param not_running: other statuses of campaigns that call nobody, and so need not be paused
    """

    read: Callable[[Success], Success] = read_success
    wanted: BatchStatus | CampaignStatus
    opposite: BatchStatus | CampaignStatus
    done: Outcome
    already: Outcome
    not_found: type[ISalesResultError] = ISalesBatchNotFoundError
    not_running: tuple[CampaignStatus, ...] = ()

    def find_outcome(self, code: str) -> Outcome:
        """Return the outcome for a result code of success."""
        return self.already if code == self.also_success else self.done


PAUSE = Switch(
    name="pause",
    doing="Pausing",
    also_success=ALREADY_SUSPENDED,
    wanted=BatchStatus.SUSPENDED,
    opposite=BatchStatus.STARTED,
    done=Outcome.PAUSED,
    already=Outcome.ALREADY_PAUSED,
)
RESUME = Switch(  # the code for "already started" is not documented, so no other code counts as success
    name="resume",
    doing="Resuming",
    wanted=BatchStatus.STARTED,
    opposite=BatchStatus.SUSPENDED,
    done=Outcome.RESUMED,
    already=Outcome.ALREADY_STARTED,
)
CREATE: Verb[str] = Verb(
    name="create",
    doing="Creating a call batch in",
    read=read_created_id,
    when_unknown="Look for {name!r} in the list before you create it again.",
)
UPDATE: Verb[Success] = Verb(name="update", doing="Renaming", read=read_success)
DELETE: Verb[Success] = Verb(name="delete", doing="Deleting", read=read_success)
LIST: Verb[Page[CallBatch]] = Verb(name="list", method="GET", doing="Listing the batches of", read=read_batch_page)

LIST_CAMPAIGNS: Verb[Page[Campaign]] = Verb(
    name="list_campaigns",
    method="GET",
    path=_VDN_PATH,
    # Without the code for a campaign that does not exist: the request names none.
    codes=tuple(known for known in CAMPAIGN_RESULT_CODES if known.code != ISalesCampaignNotFoundError.code),
    doing="Listing the campaigns of",
    read=read_campaign_page,
)
GET_CAMPAIGN: Verb[Campaign] = Verb(
    name="get_campaign",
    method="GET",
    path=_CAMPAIGN_PATH,
    codes=CAMPAIGN_RESULT_CODES,
    doing="Reading the details of",
    read=read_campaign,
)
LIST_SPECIAL_DATES: Verb[list[SpecialDate]] = Verb(
    name="list_special_dates",
    method="GET",
    path=_VDN_PATH + "/holiday/{campaign_id}",
    codes=CAMPAIGN_RESULT_CODES,
    doing="Listing the special dates of",
    read=read_special_dates,
)
PAUSE_CAMPAIGN = Switch(
    name="pause_campaign",
    method="PUT",
    path=_CAMPAIGN_PATH + "/pause",
    codes=CAMPAIGN_RESULT_CODES,
    doing="Pausing",
    wanted=CampaignStatus.SUSPENDED,
    opposite=CampaignStatus.STARTED,
    not_found=ISalesCampaignNotFoundError,
    not_running=(CampaignStatus.DRAFT, CampaignStatus.COMPLETED),
    done=Outcome.PAUSED,
    already=Outcome.ALREADY_PAUSED,
)
RESUME_CAMPAIGN = Switch(
    name="resume_campaign",
    method="PUT",
    path=_CAMPAIGN_PATH + "/resume",
    codes=CAMPAIGN_RESULT_CODES,
    doing="Resuming",
    wanted=CampaignStatus.STARTED,
    opposite=CampaignStatus.SUSPENDED,
    not_found=ISalesCampaignNotFoundError,
    done=Outcome.RESUMED,
    already=Outcome.ALREADY_STARTED,
)
