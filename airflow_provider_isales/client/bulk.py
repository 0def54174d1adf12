"""Pausing and resuming many call batches of a campaign at once, and making sure by ``list`` that it was done."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
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
    ISalesAlreadySuspendedError,
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

    :param verb: the interface
    :param doing: how to speak of it
    :param done: the outcome for a batch that was switched
    :param already: the outcome for a batch that was found switched
    :param wanted: the status that they shall have
    :param counts_as_success: one more result code that says that a batch is as wanted
    """

    verb: str
    doing: str
    done: Outcome
    already: Outcome
    wanted: BatchStatus
    counts_as_success: str | None

    @property
    def opposite(self) -> BatchStatus:
        """The status that they shall no longer have."""
        return BatchStatus.STARTED if self.wanted is BatchStatus.SUSPENDED else BatchStatus.SUSPENDED


PAUSE = Direction(
    "pause",
    "Pausing",
    Outcome.PAUSED,
    Outcome.ALREADY_PAUSED,
    BatchStatus.SUSPENDED,
    counts_as_success=ISalesAlreadySuspendedError.code,
)
RESUME = Direction(
    "resume",
    "Resuming",
    Outcome.RESUMED,
    Outcome.ALREADY_STARTED,
    BatchStatus.STARTED,
    counts_as_success=None,  # the code for "already started" is not documented: list tells
)


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
    :param on_interrupt: is given what was done when an exception from outside interrupts it
    :param outcomes: what came of each batch, to begin with nothing
    """

    direction: Direction
    campaign: CampaignKey
    batch_ids: Collection[str] | None
    max_parallel_requests: int
    switch: Callable[[BatchKey], Outcome]
    list_batches: Callable[[BatchStatus | None], Iterator[CallBatch]]
    stop: Callable[[], None]
    on_interrupt: Callable[[BulkResult], None] | None = None
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
            targets, unlisted = self._first_targets()
            self._switch_all(targets)
            if unlisted:
                raise unlisted
            if again := self._verify():
                self._switch_all(again)
                for batch_id in self._verify():
                    if not isinstance(self.outcomes.get(batch_id), ISalesError):
                        status = self.direction.opposite.name.lower()
                        self.outcomes[batch_id] = ISalesUnchangedError(f"list still has it as {status}")
        except ISalesError as error:
            if not self.outcomes:
                raise  # nothing was done, so it says all
            raise self._failure(str(error), error) from error
        except BaseException:  # a timeout of the task, an interrupt
            self.stop()
            log.warning("%s was interrupted: %s.", self, self._counts())
            if self.on_interrupt:
                self.on_interrupt(self._result())
            raise
        if failures := self._failures():
            raise self._failure(_reasons(failures))
        log.info("%s: %s; list confirms it.", self, self._counts())
        return self._result()

    def __str__(self) -> str:
        return f"{self.direction.doing} the call batches of {self.campaign}"

    def _first_targets(self) -> tuple[list[str], ISalesError | None]:
        """Give the batches to switch, and the error that kept others from being listed, if any."""
        targets: dict[str, None] = {}
        if self.batch_ids is None:
            try:
                for batch in self.list_batches(self.direction.opposite):
                    targets[batch.id] = None
            except ISalesError as error:
                return list(targets), error
            if not targets:
                log.warning("%s: list has none that is %s.", self, self.direction.opposite.name.lower())
        for batch_id in self.batch_ids or ():
            try:
                targets[check_batch_id(batch_id)] = None
            except ISalesArgumentError as error:  # one bad id must not keep the other batches from being paused
                self.outcomes[repr(batch_id)] = error
        return list(targets), None

    def _switch_all(self, batch_ids: Collection[str]) -> None:
        """Switch batches in parallel, every one however many fail, and log how far it is every few seconds."""
        # Also for whoever interrupts: what is not done is not forgotten. From here on the threads only change values,
        # so the outcomes can be read while they run.
        self.outcomes |= dict.fromkeys(batch_ids, ISalesStoppedError("it was not tried"))
        began = time.monotonic()
        executor = ThreadPoolExecutor(self.max_parallel_requests, thread_name_prefix="isales")
        try:
            running = {executor.submit(self._switch_one, batch_id) for batch_id in batch_ids}
            while running:
                _, running = wait(running, timeout=PROGRESS_SECONDS)
                if running:
                    self._log_progress(len(batch_ids) - len(running), len(batch_ids), time.monotonic() - began)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
        if stopped := next((error for error in self.outcomes.values() if isinstance(error, ISalesStoppedError)), None):
            raise stopped

    def _switch_one(self, batch_id: str) -> None:
        key = BatchKey(self.campaign.vdn_id, self.campaign.campaign_id, batch_id)
        try:
            self.outcomes[batch_id] = self.switch(key)
        except ISalesError as error:
            self.outcomes[batch_id] = error
        except Exception as error:  # a bug must not keep the other batches from being paused
            log.exception("%s: %s", self, key)
            self.outcomes[batch_id] = ISalesUnchangedError(f"unexpected {type(error).__name__}: {error}")

    def _verify(self) -> list[str]:
        """
        Compare the outcomes with what ``list`` says, which counts.

        All batches are listed, whatever their status: in a selection by status, batches whose status changes meanwhile
        move others from one page to another.

        :return: the batches that have the opposite status
        """
        listed = {batch.id: batch.status for batch in self.list_batches(None)}
        given = self.batch_ids is not None
        for batch_id, outcome in self.outcomes.items():
            status = listed.get(batch_id)
            if status is self.direction.wanted and isinstance(outcome, ISalesError):
                # Nobody else was asked to change what was listed in the opposite status a moment ago.
                self.outcomes[batch_id] = self.direction.already if given else self.direction.done
            if status is None and isinstance(outcome, Outcome) and given:
                self.outcomes[batch_id] = missing = ISalesBatchNotFoundError("list does not have it")
                missing.retryable = True  # it answered, so it was there
        wrong = [batch_id for batch_id, status in listed.items() if status is self.direction.opposite]
        return [batch_id for batch_id in wrong if batch_id in self.outcomes] if given else wrong

    def _failures(self) -> dict[str, ISalesError]:
        return {batch_id: outcome for batch_id, outcome in self.outcomes.items() if isinstance(outcome, ISalesError)}

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

    def _failure(self, reason: str, error: ISalesError | None = None) -> ISalesBulkError:
        failure = ISalesBulkError(f"{self._counts()}. {reason.removesuffix('.')}", self._result())
        failure.action = str(self)
        reasons = [*self._failures().values(), *([error] if error else [])]
        failure.retryable = any(reason.retryable for reason in reasons)
        failure.advice = "To try again does no harm." if failure.retryable else ""
        return failure

    def _counts(self) -> str:
        kinds = Counter(type(each) if isinstance(each, ISalesError) else each for each in self.outcomes.values())
        done, already = kinds[self.direction.done], kinds[self.direction.already]
        not_tried = kinds[ISalesStoppedError]
        counts = (
            f"{done} {self.direction.done.value}, {already} {self.direction.already.value}, "
            f"{kinds.total() - done - already - not_tried} failed"
        )
        return f"{counts}, {not_tried} not tried" if not_tried else counts

    def _log_progress(self, finished: int, total: int, seconds: float) -> None:
        rate = finished / seconds
        log.info("%s: %d of %d done, %.0f a second; so far %s.", self, finished, total, rate, self._counts())


def _reasons(failures: Mapping[str, ISalesError], few: int = 3) -> str:
    """Say why batches failed: the first few reasons, each with what to do about it and its first few batches."""
    batches: dict[str, list[str]] = {}
    for batch_id, error in failures.items():
        batches.setdefault(f"{error.problem}. {error.advice}".strip(), []).append(batch_id)
    told = [
        f"{len(ids)} of them ({', '.join(ids[:few])}{', ...' if len(ids) > few else ''}): {reason}"
        for reason, ids in islice(batches.items(), few)
    ]
    more = len(batches) - few
    return " ".join([*told, f"And {more} more reasons."] if more > 0 else told)
