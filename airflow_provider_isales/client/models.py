"""The things that the client speaks of, as plain immutable values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import Any


class BatchStatus(IntEnum):
    """The status of a call batch. Source: "Outbound Call Batch Interfaces", field ``status``."""

    STARTED = 1
    SUSPENDED = 2


class Outcome(StrEnum):
    """What a pause or a resume found and did."""

    PAUSED = "paused"
    ALREADY_PAUSED = "already_paused"
    RESUMED = "resumed"
    ALREADY_STARTED = "already_started"


@dataclass(frozen=True)
class CallBatch:
    """
    A named part of a campaign's numbers that can be suspended and resumed by itself.

    :param id: the batch id: text of digits, never a number
    :param name: its name, unique within the campaign
    :param status: whether it is being dialled
    """

    id: str
    name: str
    status: BatchStatus


@dataclass(frozen=True, kw_only=True)
class CallBatchResult:
    """
    What came of a pause or a resume; there is one only when the batch is in the state that was asked for.

    :param vdn_id: the VDN
    :param campaign_id: the campaign
    :param batch_id: the call batch
    :param outcome: whether this call changed the batch or found it as wanted
    :param result_code: the answer's ``resultCode``
    :param result_desc: the answer's ``resultDesc``
    :param attempts: how many requests it took; after more than one, an earlier attempt whose answer was lost may be
        what made the change that the outcome calls made already
    """

    vdn_id: int
    campaign_id: int
    batch_id: str
    outcome: Outcome
    result_code: str
    result_desc: str
    attempts: int

    def to_dict(self) -> dict[str, str | int]:
        """Give all but ``attempts`` as plain values, fit for XCom."""
        values = asdict(self) | {"outcome": self.outcome.value}
        del values["attempts"]
        return values


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """
    What came of pausing or resuming many batches of a campaign.

    :param vdn_id: the VDN
    :param campaign_id: the campaign
    :param done: what it means that a batch was changed: ``PAUSED`` or ``RESUMED``
    :param already: what it means that it was not: ``ALREADY_PAUSED`` or ``ALREADY_STARTED``
    :param changed: the ids of the batches that were changed
    :param unchanged: the ids of those that were as wanted
    :param failed: the reasons by the ids of those that are not as wanted, or of which that is not known
    """

    vdn_id: int
    campaign_id: int
    done: Outcome
    already: Outcome
    changed: list[str]
    unchanged: list[str]
    failed: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Give all as plain values, fit for XCom, under the names of the outcomes."""
        return {
            "vdn_id": self.vdn_id,
            "campaign_id": self.campaign_id,
            self.done.value: self.changed,
            self.already.value: self.unchanged,
            "failed": self.failed,
        }


class PauseResult(CallBatchResult):
    """What came of a pause; the outcome is ``PAUSED`` or ``ALREADY_PAUSED``."""


class ResumeResult(CallBatchResult):
    """What came of a resume; the outcome is ``RESUMED`` or ``ALREADY_STARTED``."""
