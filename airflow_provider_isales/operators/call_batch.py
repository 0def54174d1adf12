"""Operators that pause and resume call batches: one, or many of a campaign at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_isales.client import (
    BulkResult,
    CallBatchResult,
    ISalesArgumentError,
    ISalesBulkError,
    ISalesError,
    Outcome,
)
from airflow_provider_isales.client.arguments import (
    BatchKey,
    check_batch_id,
    check_batch_ids,
    check_campaign_id,
    check_parallelism,
    check_vdn_id,
)
from airflow_provider_isales.operators.guard import skip_pause_during_shift, skip_resume_outside_shifts
from airflow_provider_isales.provider_info import DEFAULT_CONN_ID
from airflow_provider_isales.shifts import ShiftCalendar

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_isales.client import ISalesClient
    from airflow_provider_isales.hooks.isales import ISalesHook

# Bounds what nothing else does: a server that goes on answering, but ever so slowly.
EXECUTION_TIMEOUT = timedelta(minutes=5)
BULK_EXECUTION_TIMEOUT = timedelta(minutes=30)

_NONE_IS_NOT_ALL = (
    "batch_ids came out as None, from a template or another task: give a list, which may be empty. For all batches of "
    "the campaign, leave batch_ids out"
)


class _EveryBatch:
    """The default for ``batch_ids``: a mapped task can't else tell None that was given from nothing that was given."""


EVERY_BATCH = _EveryBatch()

_SENTENCES = {
    Outcome.PAUSED: "Paused %s: [%s] %s",
    Outcome.ALREADY_PAUSED: "Was paused already: %s: [%s] %s",
    Outcome.RESUMED: "Resumed %s: [%s] %s",
    Outcome.ALREADY_STARTED: "Was started already: %s: [%s] %s",
}


class _CampaignOperator(BaseOperator):
    """What all operators have in common: where to find the campaign, and the guard against the wrong hour."""

    _guard: ClassVar[staticmethod[[ShiftCalendar], float | None]]

    def __init__(
        self,
        *,
        campaign_id: int | str,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        shifts: ShiftCalendar | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaign_id = campaign_id
        self.vdn_id = vdn_id
        self.isales_conn_id = isales_conn_id
        self.shifts = shifts
        self._client: ISalesClient | None = None
        self._killed = False
        _check_unless_templated(check_campaign_id, campaign_id)
        if vdn_id is not None:
            _check_unless_templated(check_vdn_id, vdn_id)
        if not isinstance(shifts, ShiftCalendar | None):
            raise InvalidArgumentError(f"shifts must be a ShiftCalendar, not {shifts!r}")

    def execute(self, context: Context) -> dict[str, Any]:
        seconds = None if self.shifts is None else self._guard(self.shifts)
        hook = self._new_hook()
        with permanent_errors_fail_for_good(), hook.get_conn() as client:
            self._client = client
            if seconds is not None:
                client.stop_in(seconds)
            if self._killed:
                client.stop()
            return self._carry_out(hook, context)

    def on_kill(self) -> None:
        """Send nothing more."""
        self._killed = True
        if self._client is not None:
            self._client.stop()

    def _new_hook(self, **settings: Any) -> ISalesHook:
        # Imported here, because DAG files are parsed again and again, and need nothing of what it imports.
        from airflow_provider_isales.hooks.isales import ISalesHook  # noqa: PLC0415

        return ISalesHook(self.isales_conn_id, **settings)

    @abstractmethod
    def _carry_out(self, hook: ISalesHook, context: Context) -> dict[str, Any]: ...


class _CallBatchOperator(_CampaignOperator):
    template_fields: Sequence[str] = ("campaign_id", "batch_id", "vdn_id", "isales_conn_id")

    def __init__(
        self, *, batch_id: str, execution_timeout: timedelta | None = EXECUTION_TIMEOUT, **kwargs: Any
    ) -> None:
        super().__init__(execution_timeout=execution_timeout, **kwargs)
        self.batch_id = batch_id
        _check_unless_templated(check_batch_id, batch_id)

    def _carry_out(self, hook: ISalesHook, context: Context) -> dict[str, Any]:
        result = self._switch(hook)
        batch = BatchKey(result.vdn_id, result.campaign_id, result.batch_id)
        self.log.info(_SENTENCES[result.outcome], batch, result.result_code, result.result_desc)
        return result.to_dict()

    @abstractmethod
    def _switch(self, hook: ISalesHook) -> CallBatchResult: ...


class PauseCallBatchOperator(_CallBatchOperator):
    """
    Pauses one call batch. A batch that is paused already is as good, so a task may run twice without harm.

    The task succeeds only if CC-iSales said that the batch is suspended. It fails for good on what no retry mends (a
    campaign that does not exist, a wrong key), else it fails the try, so that Airflow's ``retries`` apply.

    Returns, as XCom, a dict with ``vdn_id``, ``campaign_id``, ``batch_id``, ``outcome`` (``paused`` or
    ``already_paused``), ``result_code`` and ``result_desc``. Source: "Suspending an Outbound Call Batch".

    :param campaign_id: the campaign ("outbound call task" in the console), a positive integer (templated)
    :param batch_id: the call batch, text of digits (templated)
    :param vdn_id: the VDN, 1 to 9999; the connection's when None (templated)
    :param isales_conn_id: the connection (templated)
    :param shifts: when people may be called: a run while a shift is on skips, instead of stopping the shift's work
    :param execution_timeout: after which time a try fails; 5 minutes unless told otherwise here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    _guard = staticmethod(skip_pause_during_shift)

    def _switch(self, hook: ISalesHook) -> CallBatchResult:
        return hook.pause_call_batch(self.campaign_id, self.batch_id, self.vdn_id)


class ResumeCallBatchOperator(_CallBatchOperator):
    """
    Resumes one call batch. A batch that is started already is as good.

    Parameters, result and failures are those of :class:`.PauseCallBatchOperator`, but ``outcome`` is ``resumed`` or
    ``already_started``, and with ``shifts`` a run outside every shift skips, instead of having people called then.
    Source: "Outbound Call Batch Interfaces".
    """

    _guard = staticmethod(skip_resume_outside_shifts)

    def _switch(self, hook: ISalesHook) -> CallBatchResult:
        return hook.resume_call_batch(self.campaign_id, self.batch_id, self.vdn_id)


class _CallBatchesOperator(_CampaignOperator):
    template_fields: Sequence[str] = ("campaign_id", "batch_ids", "vdn_id", "isales_conn_id")

    def __init__(
        self,
        *,
        batch_ids: Sequence[str] | _EveryBatch | None = EVERY_BATCH,
        max_parallel_requests: int = 8,
        execution_timeout: timedelta | None = BULK_EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(execution_timeout=execution_timeout, **kwargs)
        self._none_given = batch_ids is None
        self.batch_ids = batch_ids = None if isinstance(batch_ids, _EveryBatch) else batch_ids
        self.max_parallel_requests = max_parallel_requests
        self._all_batches = batch_ids is None
        _check_unless_templated(check_parallelism, max_parallel_requests)
        _check_unless_templated(check_batch_ids, batch_ids)
        if isinstance(batch_ids, (list, tuple)):
            for batch_id in batch_ids:
                _check_unless_templated(check_batch_id, batch_id)

    def _new_hook(self, **settings: Any) -> ISalesHook:
        return super()._new_hook(max_connections=self.max_parallel_requests, **settings)

    def _carry_out(self, hook: ISalesHook, context: Context) -> dict[str, Any]:
        # In a mapped task, what other tasks gave is there from the start.
        none_from_others = not self._all_batches or (self._none_given and context["ti"].map_index not in (None, -1))
        if self.batch_ids is None and none_from_others:
            raise ISalesArgumentError(_NONE_IS_NOT_ALL)

        def keep(result: BulkResult) -> None:
            try:
                context["ti"].xcom_push(key="return_value", value=result.to_dict())
            except Exception:  # what failed the task matters more
                self.log.exception("The summary could not be written to XCom.")

        try:
            result = self._method(hook)(
                self.campaign_id,
                self.batch_ids,
                max_parallel_requests=self.max_parallel_requests,
                vdn_id=self.vdn_id,
                on_interrupt=keep,
            )
            return result.to_dict()
        except ISalesBulkError as error:
            keep(error.result)
            raise

    @abstractmethod
    def _method(self, hook: ISalesHook) -> Callable[..., BulkResult]: ...


class PauseCallBatchesOperator(_CallBatchesOperator):
    """
    Pauses many call batches of a campaign in one task, and makes sure by ``list`` that it was done.

    All are tried, however many fail. Then ``list`` is asked, and has the last word: a batch that it still has as
    started is tried once more, then counts as failed, whatever its answer said. The task fails if any batch failed: for
    good if no retry mends any of them.

    Returns, as XCom, a dict with ``vdn_id``, ``campaign_id``, ``paused`` and ``already_paused`` (lists of batch ids),
    and ``failed`` (reasons by batch id), also when it fails.

    :param campaign_id: the campaign, a positive integer (templated)
    :param batch_ids: the batches; when left out, or None in the DAG file, every batch that ``list`` has as started,
        those included that are started while the task runs; None from a template or another task is an error
        (templated)
    :param max_parallel_requests: how many requests are under way at once, 1 to 64
    :param vdn_id: the VDN, 1 to 9999; the connection's when None (templated)
    :param isales_conn_id: the connection (templated)
    :param shifts: when people may be called: a run while a shift is on skips, instead of stopping the shift's work
    :param execution_timeout: after which time a try fails; 30 minutes unless told otherwise here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    _guard = staticmethod(skip_pause_during_shift)

    def _method(self, hook: ISalesHook) -> Callable[..., BulkResult]:
        return hook.pause_call_batches


class ResumeCallBatchesOperator(_CallBatchesOperator):
    """
    Resumes many call batches of a campaign in one task, and makes sure by ``list`` that it was done.

    Parameters, result and failures are those of :class:`.PauseCallBatchesOperator`, but None for ``batch_ids`` means
    every batch that ``list`` has as suspended, by whomever; the lists in the result are ``resumed`` and
    ``already_started``; and with ``shifts`` a run outside every shift skips.
    """

    _guard = staticmethod(skip_resume_outside_shifts)

    def _method(self, hook: ISalesHook) -> Callable[..., BulkResult]:
        return hook.resume_call_batches


@contextmanager
def permanent_errors_fail_for_good() -> Iterator[None]:
    """Turn an error that no retry mends into one after which Airflow does not retry."""
    try:
        yield
    except ISalesError as error:
        if error.retryable:
            raise
        # One traceback that ends with the message is easier to read at night than two.
        raise AirflowFailException(str(error)) from None


class InvalidArgumentError(AirflowFailException, ISalesArgumentError):
    """A value that is not allowed: an import error when the DAG is parsed, no retries when a mapped task finds it."""


def _check_unless_templated(check: Callable[[object], object], value: object) -> None:
    is_template = isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#"))
    is_resolved_later = hasattr(value, "resolve")  # an XComArg or another value that Airflow fills in
    if not (is_template or is_resolved_later):
        try:
            check(value)
        except ISalesArgumentError as error:
            raise InvalidArgumentError(error.problem) from None
