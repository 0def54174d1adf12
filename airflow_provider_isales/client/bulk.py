"""Pausing and resuming many call batches of a campaign at once, and making sure by ``list`` that it was done."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from airflow_provider_isales.client.arguments import (
    BatchKey,
    CampaignKey,
    check_batch_id,
    check_batch_ids,
    check_parallelism,
)
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBatchNotFoundError,
    ISalesBulkError,
    ISalesError,
    ISalesStoppedError,
    ISalesUnchangedError,
)
from airflow_provider_isales.client.models import BatchStatus, BulkResult, CallBatch, Outcome

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Direction:
    """
    Which way batches are switched.

    :param doing: how to speak of it
    :param done: the outcome for a batch that was switched
    :param already: the outcome for a batch that was found switched
    :param wanted: the status that they shall have
    """

    doing: str
    done: Outcome
    already: Outcome
    wanted: BatchStatus

    @property
    def opposite(self) -> BatchStatus:
        """The status that they shall no longer have."""
        return BatchStatus.STARTED if self.wanted is BatchStatus.SUSPENDED else BatchStatus.SUSPENDED


PAUSE = Direction("Pausing", Outcome.PAUSED, Outcome.ALREADY_PAUSED, BatchStatus.SUSPENDED)
RESUME = Direction("Resuming", Outcome.RESUMED, Outcome.ALREADY_STARTED, BatchStatus.STARTED)


@dataclass
class BulkSwitch:
    """
    One run over the batches of a campaign.

    :param direction: pause or resume
    :param campaign: the campaign
    :param batch_ids: the batches; None for all that have the opposite status
    :param max_parallel_requests: how many requests are under way at once
    :param switch: switches one batch and gives its outcome
    :param list_batches: lists the campaign's batches, of one status or of all
    :param stop: has ``switch`` send nothing more
    """

    direction: Direction
    campaign: CampaignKey
    batch_ids: Collection[str] | None
    max_parallel_requests: int
    switch: Callable[[BatchKey], Outcome]
    list_batches: Callable[[BatchStatus | None], Iterator[CallBatch]]
    stop: Callable[[], None]
    outcomes: dict[str, Outcome | ISalesError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.batch_ids = check_batch_ids(self.batch_ids)
        check_parallelism(self.max_parallel_requests)

    def run(self) -> BulkResult:
        """
        Switch all batches, then ask ``list``; what is not as wanted is tried once more, and ``list`` has the last word.

        :raises ISalesBulkError: if any batch failed, or it could not be verified; it has the result
        """
        try:
            self._switch_all(self._first_targets())
            if again := self._verify():
                self._switch_all(again)
                for batch_id in self._verify():
                    if not isinstance(self.outcomes.get(batch_id), ISalesError):
                        status = self.direction.opposite.name.lower()
                        self.outcomes[batch_id] = ISalesUnchangedError(f"list still has it as {status}")
        except ISalesError as error:
            raise self._failure(str(error), retryable=error.retryable) from error
        except BaseException:  # a timeout of the task, an interrupt
            self.stop()
            log.warning("%s was interrupted: %s.", self, self._counts())
            raise
        if failures := self._failures():
            retryable = any(error.retryable for error in failures.values())
            raise self._failure(_first_few(failures), retryable=retryable)
        log.info("%s: %s; list confirms it.", self, self._counts())
        return self._result()

    def __str__(self) -> str:
        return f"{self.direction.doing} the call batches of {self.campaign}"

    def _first_targets(self) -> list[str]:
        if self.batch_ids is None:
            return [batch.id for batch in self.list_batches(self.direction.opposite)]
        targets: dict[str, None] = {}
        for batch_id in self.batch_ids:
            try:
                targets[check_batch_id(batch_id)] = None
            except ISalesArgumentError as error:  # one bad id must not keep the other batches from being paused
                self.outcomes[repr(batch_id)] = error
        return list(targets)

    def _switch_all(self, batch_ids: Collection[str]) -> None:
        """Switch batches in parallel, every one however many fail, and log how far it is every few seconds."""
        # Also for whoever interrupts: what is not done is not forgotten.
        self.outcomes |= dict.fromkeys(batch_ids, ISalesStoppedError("it was not tried"))
        began = time.monotonic()
        executor = ThreadPoolExecutor(self.max_parallel_requests, thread_name_prefix="isales")
        try:
            running = {executor.submit(self._switch_one, batch_id) for batch_id in batch_ids}
            while running:
                finished, running = wait(running, timeout=PROGRESS_SECONDS)
                if running:
                    self._log_progress(len(batch_ids) - len(running), len(batch_ids), time.monotonic() - began)
                _raise_surprises(finished)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
        if any(isinstance(outcome, ISalesStoppedError) for outcome in self.outcomes.values()):
            raise ISalesStoppedError("it was stopped")

    def _switch_one(self, batch_id: str) -> None:
        key = BatchKey(self.campaign.vdn_id, self.campaign.campaign_id, batch_id)
        try:
            self.outcomes[batch_id] = self.switch(key)
        except ISalesError as error:
            self.outcomes[batch_id] = error

    def _verify(self) -> list[str]:
        """
        Compare the outcomes with what ``list`` says, which counts.

        :return: the batches that have the opposite status
        """
        everything = self.batch_ids is not None
        listed = {
            batch.id: batch.status for batch in self.list_batches(None if everything else self.direction.opposite)
        }
        for batch_id, outcome in self.outcomes.items():
            status = listed.get(batch_id, None if everything else self.direction.wanted)
            if status is self.direction.wanted and isinstance(outcome, ISalesError):
                self.outcomes[batch_id] = self.direction.already if everything else self.direction.done
            if status is None and isinstance(outcome, Outcome):
                self.outcomes[batch_id] = ISalesBatchNotFoundError("list does not have it")
        wrong = [batch_id for batch_id, status in listed.items() if status is self.direction.opposite]
        return [batch_id for batch_id in wrong if batch_id in self.outcomes] if everything else wrong

    def _failures(self) -> dict[str, ISalesError]:
        outcomes = list(self.outcomes.items())  # other threads write to it
        return {batch_id: outcome for batch_id, outcome in outcomes if isinstance(outcome, ISalesError)}

    def _result(self) -> BulkResult:
        def ids(wanted: Outcome) -> list[str]:
            return [batch_id for batch_id, outcome in self.outcomes.items() if outcome is wanted]

        return BulkResult(
            vdn_id=self.campaign.vdn_id,
            campaign_id=self.campaign.campaign_id,
            done=self.direction.done,
            already=self.direction.already,
            changed=ids(self.direction.done),
            unchanged=ids(self.direction.already),
            failed={batch_id: error.problem for batch_id, error in self._failures().items()},
        )

    def _failure(self, reason: str, *, retryable: bool) -> ISalesBulkError:
        error = ISalesBulkError(f"{self._counts()}. {reason}", self._result())
        error.action = str(self)
        error.retryable = retryable
        return error

    def _counts(self) -> str:
        outcomes = list(self.outcomes.values())  # other threads write to it
        kinds = Counter(type(outcome) if isinstance(outcome, ISalesError) else outcome for outcome in outcomes)
        not_tried = kinds[ISalesStoppedError]
        counts = (
            f"{kinds[self.direction.done]} {self.direction.done.value}, "
            f"{kinds[self.direction.already]} {self.direction.already.value}, "
            f"{len(self._failures()) - not_tried} failed"
        )
        return f"{counts}, {not_tried} not tried" if not_tried else counts

    def _log_progress(self, finished: int, total: int, seconds: float) -> None:
        rate = finished / seconds
        log.info("%s: %d of %d done, %.0f a second; so far %s.", self, finished, total, rate, self._counts())


def _first_few(failures: dict[str, ISalesError], few: int = 5) -> str:
    reasons = "; ".join(f"{batch_id}: {error.problem}" for batch_id, error in islice(failures.items(), few))
    more = len(failures) - few
    return f"{reasons}; and {more} more" if more > 0 else reasons


def _raise_surprises(finished: Iterable[Future[None]]) -> None:
    for future in finished:
        future.result()
