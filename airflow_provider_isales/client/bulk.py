"""Pausing and resuming many call batches of a campaign at once, and making sure by ``list`` that it was done."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import islice
from typing import Literal, Protocol

from airflow_provider_isales.client.arguments import ALL, batch_key, check_batch_ids, check_parallelism
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesBatchNotFoundError,
    ISalesBulkError,
    ISalesError,
    ISalesStoppedError,
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
from airflow_provider_isales.client.verbs import Switch

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0


class Client(Protocol):
    """What is needed of an ``ISalesClient``."""

    def switch(self, switch: Switch, batch: BatchKey) -> CallBatchResult:
        """Pause or resume one batch."""

    def list_call_batches(
        self, campaign_id: int | str, *, status: BatchStatus | int | None = None, vdn_id: int | str | None = None
    ) -> Iterator[CallBatch]:
        """List the batches of a campaign."""

    def stop(self) -> None:
        """Send nothing more."""


class BulkSwitch:
    """
    One run over the batches of a campaign.

    All are tried, however many fail. Afterwards ``list`` is asked, and has the last word: a batch that does not have
    the wanted status is tried once more, then counts as failed, whatever its answer said; one whose answer was a
    failure but that has the wanted status counts as switched. With ``"all"``, this catches batches whose status was
    changed meanwhile.

    :param switch: ``PAUSE`` or ``RESUME``
    :param client: carries out the calls
    :param campaign: the campaign
    :param batch_ids: the batches; ``"all"`` for those that have the opposite status
    :param max_parallel_requests: how many requests are under way at once, 1 to 64
    :raises ISalesArgumentError: for a value that is not allowed
    """

    def __init__(
        self,
        switch: Switch,
        client: Client,
        campaign: CampaignKey,
        batch_ids: Collection[str] | Literal["all"] = ALL,
        max_parallel_requests: int = 8,
    ) -> None:
        self.switch = switch
        self.client = client
        self.campaign = campaign
        self.batch_ids = check_batch_ids(batch_ids)
        self.max_parallel_requests = check_parallelism(max_parallel_requests)
        self._outcomes: dict[str, Outcome | ISalesError] = {}

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
                    if not isinstance(self._outcomes.get(batch_id), ISalesError):
                        status = self.switch.opposite.name.lower()
                        self._outcomes[batch_id] = ISalesUnchangedError(f"list still has it as {status}")
        except ISalesError as error:
            if not self._outcomes:
                raise  # nothing was done, so it says all
            raise self._failure(str(error), error) from error
        except BaseException:  # a timeout of the task, an interrupt
            self.client.stop()
            log.warning("%s was interrupted: %s.", self, self._counts())
            raise
        if failures := self._failures():
            raise self._failure(_reasons(failures))
        log.info("%s: %s; list confirms it.", self, self._counts())
        return self.result()

    def result(self) -> BulkResult:
        """Return what is known by now, also while it runs or after it was interrupted."""

        def ids(wanted: Outcome) -> list[str]:
            return [batch_id for batch_id, outcome in self._outcomes.items() if outcome is wanted]

        return BulkResult(
            campaign=self.campaign,
            done=self.switch.done,
            already=self.switch.already,
            changed=ids(self.switch.done),
            unchanged=ids(self.switch.already),
            failed={batch_id: error.problem for batch_id, error in self._failures().items()},
        )

    def __str__(self) -> str:
        return f"{self.switch.doing} the call batches of {self.campaign}"

    def _first_targets(self) -> tuple[list[str], ISalesError | None]:
        """Return the batches to switch, and the error that kept others from being listed, if any."""
        targets: dict[str, None] = {}
        if self.batch_ids == ALL:
            try:
                for batch in self._list(self.switch.opposite):
                    targets[batch.id] = None
            except ISalesError as error:
                return list(targets), error
            if not targets:
                log.warning("%s: list has none that is %s.", self, self.switch.opposite.name.lower())
            return list(targets), None
        for batch_id in self.batch_ids:
            try:
                targets[self._key(batch_id).batch_id] = None
            except ISalesArgumentError as error:  # one bad id must not keep the other batches from being paused
                self._outcomes[repr(batch_id)] = error
        return list(targets), None

    def _key(self, batch_id: object) -> BatchKey:
        return batch_key(self.campaign.vdn_id, self.campaign.campaign_id, batch_id)

    def _list(self, status: BatchStatus | None = None) -> Iterator[CallBatch]:
        return self.client.list_call_batches(self.campaign.campaign_id, status=status, vdn_id=self.campaign.vdn_id)

    def _switch_all(self, batch_ids: Collection[str]) -> None:
        """Switch batches in parallel, every one however many fail, and log how far it is every few seconds."""
        # Also for whoever interrupts: what is not done is not forgotten. From here on the threads only change values,
        # so the outcomes can be read while they run.
        self._outcomes |= dict.fromkeys(batch_ids, ISalesStoppedError("it was not tried"))
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
        if stopped := next((error for error in self._outcomes.values() if isinstance(error, ISalesStoppedError)), None):
            raise stopped

    def _switch_one(self, batch_id: str) -> None:
        key = self._key(batch_id)
        try:
            result = self.client.switch(self.switch, key)
            # Listed in the opposite status a moment ago, so an earlier attempt whose answer was lost has switched it.
            ours = self.batch_ids == ALL and result.attempts > 1
            self._outcomes[batch_id] = self.switch.done if ours else result.outcome
        except ISalesError as error:
            self._outcomes[batch_id] = error
        except Exception as error:  # a bug must not keep the other batches from being paused
            log.exception("%s: %s", self, key)
            self._outcomes[batch_id] = ISalesUnchangedError(f"unexpected {type(error).__name__}: {error}")

    def _verify(self) -> list[str]:
        """
        Compare the outcomes with what ``list`` says, which counts.

        All batches are listed, whatever their status: in a selection by status, batches whose status changes meanwhile
        move others from one page to another.

        :return: the batches that have the opposite status
        """
        listed = {batch.id: batch.status for batch in self._list()}
        given = self.batch_ids != ALL
        for batch_id, outcome in self._outcomes.items():
            status = listed.get(batch_id)
            if status is self.switch.wanted and isinstance(outcome, ISalesError):
                # Nobody else was asked to change what was listed in the opposite status a moment ago.
                self._outcomes[batch_id] = self.switch.already if given else self.switch.done
            if status is None and isinstance(outcome, Outcome) and given:
                # Retryable: it answered, so it was there.
                self._outcomes[batch_id] = ISalesBatchNotFoundError("list does not have it", retryable=True)
        wrong = [batch_id for batch_id, status in listed.items() if status is self.switch.opposite]
        return [batch_id for batch_id in wrong if batch_id in self._outcomes] if given else wrong

    def _failures(self) -> dict[str, ISalesError]:
        return {batch_id: outcome for batch_id, outcome in self._outcomes.items() if isinstance(outcome, ISalesError)}

    def _failure(self, reason: str, error: ISalesError | None = None) -> ISalesBulkError:
        reasons = [*self._failures().values(), *([error] if error else [])]
        return ISalesBulkError(
            f"{self._counts()}. {reason.removesuffix('.')}",
            self.result(),
            retryable=any(reason.retryable for reason in reasons),
        ).during(str(self))

    def _counts(self) -> str:
        kinds = Counter(type(each) if isinstance(each, ISalesError) else each for each in self._outcomes.values())
        done, already = kinds[self.switch.done], kinds[self.switch.already]
        not_tried = kinds[ISalesStoppedError]
        counts = (
            f"{done} {self.switch.done.value}, {already} {self.switch.already.value}, "
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
