"""Operators that pause and resume call batches: one, or many of a campaign at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_isales.client import (
    CallBatchResult,
    ISalesArgumentError,
    ISalesBulkError,
    ISalesError,
    Outcome,
)
from airflow_provider_isales.client.arguments import (
    ALL,
    check_batch_id,
    check_batch_ids,
    check_campaign_id,
    check_parallelism,
    check_vdn_id,
)
from airflow_provider_isales.operators.guard import pause_until, resume_until
from airflow_provider_isales.provider_info import DEFAULT_CONN_ID
from airflow_provider_isales.shifts import ShiftCalendar

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_isales.client import BulkResult, BulkSwitch, ISalesClient
    from airflow_provider_isales.hooks.isales import ISalesHook

# Bounds what nothing else does: a server that goes on answering, but ever so slowly.
EXECUTION_TIMEOUT = timedelta(minutes=5)
BULK_EXECUTION_TIMEOUT = timedelta(minutes=30)

_SENTENCES = {
    Outcome.PAUSED: "Paused %s: [%s] %s",
    Outcome.ALREADY_PAUSED: "Already paused: %s: [%s] %s",
    Outcome.RESUMED: "Resumed %s: [%s] %s",
    Outcome.ALREADY_STARTED: "Already started: %s: [%s] %s",
}


class _CampaignOperator(BaseOperator):
    """What all operators have in common: where to find the campaign, and the guard against the wrong hour."""

    _guard: ClassVar[staticmethod[[ShiftCalendar, Context, timedelta], datetime | None]]

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
        with permanent_errors_fail_for_good(), self._new_hook().get_conn() as client:
            self._client = client
            if self.shifts is not None and (edge := self._guard(self.shifts, context, client.margin)) is not None:
                client.stop_before(edge)
            if self._killed:
                client.stop()
            return self._carry_out(client, context)

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
    def _carry_out(self, client: ISalesClient, context: Context) -> dict[str, Any]: ...


class _CallBatchOperator(_CampaignOperator):
    template_fields: Sequence[str] = ("campaign_id", "batch_id", "vdn_id", "isales_conn_id")

    def __init__(
        self, *, batch_id: str, execution_timeout: timedelta | None = EXECUTION_TIMEOUT, **kwargs: Any
    ) -> None:
        super().__init__(execution_timeout=execution_timeout, **kwargs)
        self.batch_id = batch_id
        _check_unless_templated(check_batch_id, batch_id)

    def _carry_out(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        result = self._switch(client)
        self.log.info(_SENTENCES[result.outcome], result.batch, result.result_code, result.result_desc)
        return result.to_dict()

    @abstractmethod
    def _switch(self, client: ISalesClient) -> CallBatchResult: ...


class PauseCallBatchOperator(_CallBatchOperator):
    """
    Pauses one call batch. A batch that is already paused counts as success, so a task may run twice without harm.

    The task succeeds only if CC-iSales said that the batch is suspended. It fails for good where trying again cannot
    help (a campaign that does not exist, a wrong key); otherwise it fails the try, so that Airflow's ``retries`` apply.

    Returns, as XCom, a dict with ``vdn_id``, ``campaign_id``, ``batch_id``, ``outcome`` (``paused`` or
    ``already_paused``), ``result_code`` and ``result_desc``. Source: "Suspending an Outbound Call Batch".

    :param campaign_id: the campaign ("outbound call task" in the console), a positive integer (templated)
    :param batch_id: the call batch, text of digits (templated)
    :param vdn_id: the VDN, 1 to 9999; the connection's when None (templated)
    :param isales_conn_id: the connection (templated)
    :param shifts: when people may be called: a run while a shift is on skips, instead of stopping the shift's work, or
        fails for good if an earlier try failed
    :param execution_timeout: how long a try may take; 5 minutes unless set here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    _guard = staticmethod(pause_until)

    def _switch(self, client: ISalesClient) -> CallBatchResult:
        return client.pause_call_batch(self.campaign_id, self.batch_id, self.vdn_id)


class ResumeCallBatchOperator(_CallBatchOperator):
    """
    Resumes one call batch. A batch that is already started counts as success.

    Parameters, result and failures are those of :class:`.PauseCallBatchOperator`, but ``outcome`` is ``resumed`` or
    ``already_started``, and with ``shifts`` a run outside every shift skips, or fails for good after an earlier try,
    instead of having people called then.
    Source: "Outbound Call Batch Interfaces".
    """

    _guard = staticmethod(resume_until)

    def _switch(self, client: ISalesClient) -> CallBatchResult:
        return client.resume_call_batch(self.campaign_id, self.batch_id, self.vdn_id)


class _CallBatchesOperator(_CampaignOperator):
    template_fields: Sequence[str] = ("campaign_id", "batch_ids", "vdn_id", "isales_conn_id")

    _verb: ClassVar[Literal["pause", "resume"]]

    def __init__(
        self,
        *,
        batch_ids: Sequence[str] | Literal["all"] = ALL,
        max_parallel_requests: int = 8,
        execution_timeout: timedelta | None = BULK_EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(execution_timeout=execution_timeout, **kwargs)
        self.batch_ids = batch_ids
        self.max_parallel_requests = max_parallel_requests
        _check_unless_templated(check_parallelism, max_parallel_requests)
        _check_unless_templated(check_batch_ids, batch_ids)
        if isinstance(batch_ids, (list, tuple)):
            for batch_id in batch_ids:
                _check_unless_templated(check_batch_id, batch_id)

    def _new_hook(self, **settings: Any) -> ISalesHook:
        return super()._new_hook(max_connections=self.max_parallel_requests, **settings)

    def _carry_out(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        bulk = self._new_bulk_switch(client)
        try:
            return bulk.run().to_dict()
        except BaseException as error:  # also a timeout or the task's end: the summary says how far it was
            nothing_was_done = isinstance(error, ISalesError) and not isinstance(error, ISalesBulkError)
            if not nothing_was_done:
                self._keep(bulk.result(), context)
            raise

    def _new_bulk_switch(self, client: ISalesClient) -> BulkSwitch:
        # Imported here, like the hook.
        from airflow_provider_isales.client import BulkSwitch  # noqa: PLC0415
        from airflow_provider_isales.client.verbs import SWITCHES  # noqa: PLC0415

        campaign = client.campaign(self.campaign_id, self.vdn_id)
        return BulkSwitch(SWITCHES[self._verb], client, campaign, self.batch_ids, self.max_parallel_requests)

    def _keep(self, result: BulkResult, context: Context) -> None:
        try:
            context["ti"].xcom_push(key="return_value", value=result.to_dict())
        except Exception:  # what failed the task matters more
            self.log.exception("The summary could not be written to XCom.")


class PauseCallBatchesOperator(_CallBatchesOperator):
    """
    Pauses many call batches of a campaign in one task, and makes sure by ``list`` that it was done.

    All are tried, however many fail. Then ``list`` is asked, and has the last word: a batch that it still has as
    started is tried once more, then counts as failed, whatever its answer said. The task fails if any batch failed: for
    good if trying again cannot help any of them.

    Returns, as XCom, a dict with ``vdn_id``, ``campaign_id``, ``paused`` and ``already_paused`` (lists of batch ids),
    and ``failed`` (reasons by batch id), also when it fails.

    :param campaign_id: the campaign, a positive integer (templated)
    :param batch_ids: a list of batch ids; ``"all"`` for every batch that ``list`` has as started, including those that
        are started while the task runs. None, which a template or another task may give, is an error (templated)
    :param max_parallel_requests: how many requests are under way at once, 1 to 64
    :param vdn_id: the VDN, 1 to 9999; the connection's when None (templated)
    :param isales_conn_id: the connection (templated)
    :param shifts: when people may be called: a run while a shift is on skips, instead of stopping the shift's work, or
        fails for good if an earlier try failed
    :param execution_timeout: how long a try may take; 30 minutes unless set here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    _guard = staticmethod(pause_until)
    _verb = "pause"


class ResumeCallBatchesOperator(_CallBatchesOperator):
    """
    Resumes many call batches of a campaign in one task, and makes sure by ``list`` that it was done.

    Parameters, result and failures are those of :class:`.PauseCallBatchesOperator`, but ``"all"`` means every batch
    that ``list`` has as suspended, no matter who suspended it; the lists in the result are ``resumed`` and
    ``already_started``; and with ``shifts`` a run outside every shift skips, or fails for good after an earlier try.
    """

    _guard = staticmethod(resume_until)
    _verb = "resume"


@contextmanager
def permanent_errors_fail_for_good() -> Iterator[None]:
    """Turn an error for which trying again cannot help into one after which Airflow does not retry."""
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
