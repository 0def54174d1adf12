"""The call batch interfaces, one row for each. Source: "Outbound Call Batch Interfaces"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from airflow_provider_isales.client.answers import Answer, Page, read_batch_page, read_created_id, read_nothing
from airflow_provider_isales.client.errors import ALREADY_SUSPENDED
from airflow_provider_isales.client.models import BatchStatus, CampaignKey, Outcome

T_co = TypeVar("T_co", covariant=True)

#: Where an interface is, below the base URL.
PATH = "/rest/isales/v1/openapi/campaigns/{vdn_id}/callbatch/{campaign_id}/{verb}"


@dataclass(frozen=True, kw_only=True)
class Verb(Generic[T_co]):
    """
    One interface.

    :param name: the last part of its path
    :param doing: its name in messages, before what it is done to
    :param read: reads what a response holds besides code and description
    :param also_success: one more result code that says that the goal is reached
    :param repeatable: whether a request that may have reached the server may be sent again
    :param when_unknown: advice when the request may have taken effect; it may name fields in braces
    """

    name: str
    doing: str
    read: Callable[[Answer], T_co]
    method: Literal["GET", "POST"] = "POST"
    also_success: str | None = None
    repeatable: bool = True
    when_unknown: str = ""

    def path(self, campaign: CampaignKey) -> str:
        """Return the path of this interface for a campaign."""
        return PATH.format(vdn_id=campaign.vdn_id, campaign_id=campaign.campaign_id, verb=self.name)


@dataclass(frozen=True, kw_only=True)
class Switch(Verb[None]):
    """
    An interface that switches a batch to the status ``wanted``.

    :param done: the outcome for a batch that was switched
    :param already: the outcome for a batch that had that status
    """

    wanted: BatchStatus
    done: Outcome
    already: Outcome

    def find_outcome(self, code: str) -> Outcome:
        """Return the outcome that a result code of success stands for."""
        return self.already if code == self.also_success else self.done

    @property
    def opposite(self) -> BatchStatus:
        """The status that a batch has before."""
        return BatchStatus.STARTED if self.wanted is BatchStatus.SUSPENDED else BatchStatus.SUSPENDED


PAUSE = Switch(
    name="pause",
    doing="Pausing",
    read=read_nothing,
    also_success=ALREADY_SUSPENDED,
    wanted=BatchStatus.SUSPENDED,
    done=Outcome.PAUSED,
    already=Outcome.ALREADY_PAUSED,
)
RESUME = Switch(  # the code for "already started" is not documented, so no other code counts as success
    name="resume",
    doing="Resuming",
    read=read_nothing,
    wanted=BatchStatus.STARTED,
    done=Outcome.RESUMED,
    already=Outcome.ALREADY_STARTED,
)
CREATE: Verb[str] = Verb(
    name="create",
    doing="Creating a call batch in",
    read=read_created_id,
    repeatable=False,
    when_unknown="Look for {name!r} with list before you create it again.",
)
UPDATE: Verb[None] = Verb(name="update", doing="Renaming", read=read_nothing)
DELETE: Verb[None] = Verb(name="delete", doing="Deleting", read=read_nothing)
LIST: Verb[Page] = Verb(name="list", method="GET", doing="Listing the batches of", read=read_batch_page)
