"""Pausing and resuming many call batches of a campaign at once, and making sure by ``list`` that it was done."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Literal, Protocol

from airflow_provider_isales.client.arguments import (
    ALL,
    check_batch_id,
    check_batch_ids,
    check_exclude,
    check_parallelism,
)
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBatchNotFoundError,
    ISalesBulkError,
    ISalesCampaignEditedError,
    ISalesError,
    ISalesProtocolError,
    ISalesTransportError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.models import (
    BatchKey,
    BatchStatus,
    BulkResult,
    CallBatch,
    CallBatchResult,
    CampaignKey,
    Outcome,
)
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.rounds import Rounds
from airflow_provider_isales.client.text import first_few, shown
from airflow_provider_isales.client.verbs import Switch

log = logging.getLogger(__name__)

MAX_LISTINGS = 5

Listed = Mapping[str, BatchStatus]


class Client(Protocol):
    """What is needed of an ``ISalesClient``."""

    @property
    def retry(self) -> RetryPolicy:
        """The bounds of trying again."""

    def wait_at_gate(self, deadline: float) -> None:
        """Wait while requests are held back."""

    def switch_once(self, switch: Switch, batch: BatchKey, timeout: float | None = None) -> CallBatchResult:
        """Pause or resume one batch by one request."""

    def batches_of(self, campaign: CampaignKey, *, patient: bool, parallel: int) -> Iterator[CallBatch]:
        """List the batches of a campaign."""

    def sleep(self, seconds: float) -> None:
        """Wait, but not once stopped."""

    def stop(self) -> None:
        """Send nothing more."""

    def now(self) -> datetime:
        """Return the time in UTC."""


class BulkSwitch:
    """
    One run over the batches of a campaign.

    All are tried, however many fail, and what failed in passing is tried again in rounds. ``list`` has the last word: a
    batch that does not have the wanted status afterwards is tried once more, then counts as failed, whatever its answer
    said; one whose answer was a failure but that has the wanted status counts as switched. With ``"all"``, batches that
    come or change meanwhile are switched too.

    A listing is only believed when nothing moved while it was read: every batch of the campaign is listed before and
    after, and when the two do not hold the same batches, listed again until two in a row do.

    :param switch: ``PAUSE`` or ``RESUME``
    :param client: carries out the calls
    :param campaign: the campaign
    :param batch_ids: the batches; ``"all"`` for those that have the opposite status
    :param max_parallel_requests: how many requests are under way at once, 1 to 64
    :param exclude: batches to leave alone, whatever their status
    :param deleted_is_gone: whether a batch that is not listed is gone, not failed; by default with ``"all"`` alone
    :param announce: is told which batches are listed with the opposite status and about to be switched, before the
        first request for them is sent; what it raises ends the run
    :raises ISalesArgumentError: for a value that is not allowed
    """

    def __init__(
        self,
        switch: Switch,
        client: Client,
        campaign: CampaignKey,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        max_parallel_requests: int = 8,
        *,
        exclude: Collection[str] = (),
        deleted_is_gone: bool | None = None,
        announce: Callable[[list[str]], None] = lambda batch_ids: None,
    ) -> None:
        self.switch = switch
        self.client = client
        self.campaign = campaign
        self.batch_ids = check_batch_ids(batch_ids)
        self.exclude = dict.fromkeys(check_exclude(exclude))
        self._deleted_is_gone = self._all if deleted_is_gone is None else deleted_is_gone
        self._announce = announce
        self.parallel = check_parallelism(max_parallel_requests)
        self._rounds = Rounds(str(self), client, self._switch_one, self.parallel)
        self._refused: dict[str, ISalesError] = {}
        self._found: dict[str, Outcome | ISalesError] = {}
        self._before: Listed = {}
        self._opposite: set[str] = set()
        self._asked_at: dict[str, datetime] = {}
        self._confirmed_at: datetime | None = None

    def run(self) -> BulkResult:
        """
        Switch all batches and verify it.

        :raises ISalesBulkError: if any batch failed, or it could not be verified; it has the result
        """
        try:
            self._before, problem = self._list(patient=self._all)
            self._switch_all(self._first_targets(), self._before)
            if self._all and problem and not isinstance(problem, ISalesCampaignEditedError):
                raise problem  # what was listed before it came is switched by now
            listed = self._verify(None if problem else self._before)
            if again := self._wrong(listed):
                self._switch_all(again, listed)
                for batch_id in self._wrong(self._verify(listed)):
                    self._take_as_unchanged(batch_id)
        except ISalesError as error:
            if not self._found:
                raise  # nothing was done, so it says all
            raise self._failure(str(error), error) from None
        except BaseException:  # a timeout of the task, an interrupt
            self.client.stop()
            log.warning("%s was interrupted: %s.", self, self._counts())
            raise
        if self._failures() or self._open:
            raise self._failure(_reasons(self._failures()) or self._rounds.outage)
        log.info("%s: %s; list confirms it.", self, self._counts())
        return self.result()

    def result(self) -> BulkResult:
        """Return what is known by now, also while it runs or after it was interrupted. Each batch is in one place."""
        return BulkResult(
            campaign=self.campaign,
            done=self.switch.done,
            already=self.switch.already,
            changed=self._ids(self.switch.done),
            unchanged=self._ids(self.switch.already),
            failed={batch_id: error.problem for batch_id, error in self._failures().items()},
            gone=self._ids(Outcome.GONE),
            unknown=self._ids(Outcome.UNKNOWN),
            not_tried=self._ids(Outcome.NOT_TRIED),
            excluded=list(self.exclude),
            confirmed_at=self._confirmed_at,
            asked_at=self._asked_at.copy(),
        )

    def failed_by(self, kind: type[ISalesError]) -> bool:
        """Whether some batches failed, all of them by one kind of error, and nothing is open."""
        failures = self._failures().values()
        return bool(failures) and not self._open and all(isinstance(error, kind) for error in failures)

    def __str__(self) -> str:
        return f"{self.switch.doing} the call batches of {self.campaign}"

    @property
    def _all(self) -> bool:
        return self.batch_ids == ALL

    def _first_targets(self) -> list[str]:
        if self._all:
            targets = self._wrong(self._before)
            if self._before and not targets:
                log.warning("%s: list has none that is %s.", self, self.switch.opposite.name.lower())
            return targets
        fit: dict[str, None] = {}
        for batch_id in self.batch_ids:
            try:
                if (fitting := check_batch_id(batch_id)) not in self.exclude:
                    fit[fitting] = None
            except ISalesArgumentError as error:  # one bad id must not keep the other batches from being paused
                self._refused[batch_id if isinstance(batch_id, str) else shown(batch_id)] = error
        return list(fit)

    def _switch_all(self, batch_ids: Collection[str], listed: Listed) -> None:
        opposite = [batch_id for batch_id in batch_ids if listed.get(batch_id) is self.switch.opposite]
        self._announce(opposite)
        self._opposite.update(opposite)
        # Also for whoever interrupts: what is not done is not forgotten. From here on the threads only change values,
        # so that all can be read while they run.
        self._found = {**dict.fromkeys(batch_ids, Outcome.NOT_TRIED), **self._found}
        self._confirmed_at = None
        self._rounds.run(batch_ids, self._progress)

    def _switch_one(self, batch_id: str, deadline: float, timeout: float | None) -> ISalesError | None:
        """Switch one batch by one request; return what went wrong."""
        before = self._found[batch_id]
        # An earlier attempt whose answer was lost may have switched it.
        lost = isinstance(before, ISalesError) and before.sent
        try:
            self.client.wait_at_gate(deadline)
            if not lost:
                self._asked_at[batch_id] = self.client.now()
            self._found[batch_id] = Outcome.UNKNOWN  # until it is answered
            batch = BatchKey(self.campaign.vdn_id, self.campaign.campaign_id, batch_id)
            outcome = self.client.switch_once(self.switch, batch, timeout).outcome
            self._found[batch_id] = self.switch.done if lost and batch_id in self._opposite else outcome
            return None
        except ISalesError as error:
            if self._found[batch_id] is Outcome.UNKNOWN:  # else it was never sent, and what is known stays
                self._found[batch_id] = error
            return error
        except Exception as error:  # a bug must not keep the other batches from being paused
            log.exception("%s: %s", self, batch_id)
            self._found[batch_id] = ISalesUnchangedError(f"unexpected {type(error).__name__}: {error}")
            return None

    def _list(self, *, patient: bool = True) -> tuple[Listed, ISalesError | None]:
        """Return what one listing has, and what kept it from being whole."""
        listed: dict[str, BatchStatus] = {}
        try:
            for batch in self.client.batches_of(self.campaign, patient=patient, parallel=self.parallel):
                listed[batch.id] = batch.status
        except ISalesError as error:
            return listed, error
        return listed, None

    def _verify(self, previous: Listed | None) -> Listed:
        """Compare what was found with what a listing says that can be believed, which counts; return that listing."""
        listed = self._agreed_listing(previous)
        for batch_id, found in self._found.items():
            status = listed.get(batch_id)
            if status is self.switch.wanted and found is Outcome.NOT_TRIED:
                self._found[batch_id] = self.switch.already
            elif status is self.switch.wanted and not isinstance(found, Outcome):
                ours = found.sent and batch_id in self._opposite
                self._found[batch_id] = self.switch.done if ours else self.switch.already
            elif status is None and self._deleted_is_gone:
                self._found[batch_id] = Outcome.GONE
            elif status is None and isinstance(found, Outcome) and found is not Outcome.NOT_TRIED:
                # Retryable: it answered, so it was there.
                self._found[batch_id] = ISalesBatchNotFoundError("list does not have it", retryable=True)
        self._confirmed_at = self.client.now()
        return listed

    def _agreed_listing(self, previous: Listed | None) -> Listed:
        for _ in range(MAX_LISTINGS):
            listed, problem = self._list(patient=not self._rounds.outage)
            if problem and not isinstance(problem, ISalesCampaignEditedError):
                raise problem
            if previous is not None and not problem and previous.keys() == listed.keys():
                return listed
            previous = None if problem else listed
        raise ISalesCampaignEditedError(f"no two listings in a row had the same batches, in {MAX_LISTINGS} listings")

    def _wrong(self, listed: Listed) -> list[str]:
        """Return the batches that should have the wanted status and don't."""
        return [
            batch_id
            for batch_id, status in listed.items()
            if status is self.switch.opposite
            and (batch_id not in self.exclude if self._all else batch_id in self._found)
        ]

    def _take_as_unchanged(self, batch_id: str) -> None:
        if self._found.get(batch_id) in (None, self.switch.done, self.switch.already):
            status = self.switch.opposite.name.lower()
            self._found[batch_id] = ISalesUnchangedError(f"list still has it as {status}")

    @property
    def _open(self) -> list[str]:
        """The batches of which nobody knows what became of them."""
        return self._ids(Outcome.UNKNOWN) + self._ids(Outcome.NOT_TRIED)

    def _ids(self, wanted: Outcome) -> list[str]:
        return [batch_id for batch_id, found in self._found.copy().items() if self._kind(found) is wanted]

    def _kind(self, found: Outcome | ISalesError) -> Outcome | None:
        """Return the outcome; None for a failure."""
        if isinstance(found, Outcome):
            return found
        # A request that was sent but not answered; once there is a listing, what it came to is known.
        unanswered = found.sent and isinstance(found, (ISalesTransportError, ISalesProtocolError))
        return Outcome.UNKNOWN if unanswered and self._confirmed_at is None else None

    def _failures(self) -> dict[str, ISalesError]:
        return self._refused | {
            batch_id: found
            for batch_id, found in self._found.copy().items()
            if isinstance(found, ISalesError) and not self._kind(found)
        }

    def _failure(self, reason: str, error: ISalesError | None = None) -> ISalesBulkError:
        reasons = [*self._failures().values(), *([error] if error else [])]
        return ISalesBulkError(
            f"{self._counts()}. {reason.removesuffix('.')}",
            self.result(),
            retryable=bool(self._open) or any(reason.retryable for reason in reasons),
        ).during(str(self))

    def _counts(self) -> str:
        kinds = Counter(map(self._kind, self._found.copy().values()))
        told = [
            f"{kinds[self.switch.done]} {self.switch.done.value}",
            f"{kinds[self.switch.already]} {self.switch.already.value}",
            f"{kinds[None] + len(self._refused)} failed",
            *(
                f"{kinds[kind]} {kind.value.replace('_', ' ')}"
                for kind in (Outcome.UNKNOWN, Outcome.NOT_TRIED, Outcome.GONE)
                if kinds[kind]
            ),
        ]
        return ", ".join(told)

    def _progress(self, finished: int, total: int, seconds: float) -> None:
        rate = finished / seconds
        log.info("%s: %d of %d done, %.0f a second; so far %s.", self, finished, total, rate, self._counts())


def _reasons(failures: Mapping[str, ISalesError], few: int = 3) -> str:
    """Say why batches failed: the first few reasons, each with what to do about it and its first few batches."""
    batches: dict[str, list[str]] = {}
    for batch_id, error in failures.items():
        batches.setdefault(f"{error.problem}. {error.advice}".strip(), []).append(batch_id)
    told = [f"{len(ids)} of them ({first_few(ids, few)}): {reason}" for reason, ids in islice(batches.items(), few)]
    more = len(batches) - few
    return " ".join([*told, f"And {more} more reasons."] if more > 0 else told)
