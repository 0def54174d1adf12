"""Operators that pause and resume one call batch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_isales.client import CallBatchResult, ISalesArgumentError, ISalesError, Outcome
from airflow_provider_isales.client.arguments import BatchKey, check_batch_id, check_campaign_id, check_vdn_id
from airflow_provider_isales.hooks.isales import ISalesHook
from airflow_provider_isales.operators.guard import skip_pause_during_shift, skip_resume_outside_shifts
from airflow_provider_isales.shifts import ShiftCalendar

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

# Bounds what nothing else does: a server that goes on answering, but ever so slowly.
EXECUTION_TIMEOUT = timedelta(minutes=5)

_SENTENCES = {
    Outcome.PAUSED: "Paused %s: [%s] %s",
    Outcome.ALREADY_PAUSED: "Was paused already: %s: [%s] %s",
    Outcome.RESUMED: "Resumed %s: [%s] %s",
    Outcome.ALREADY_STARTED: "Was started already: %s: [%s] %s",
}


class _CallBatchOperator(BaseOperator):
    template_fields: Sequence[str] = ("campaign_id", "batch_id", "vdn_id", "isales_conn_id")

    def __init__(
        self,
        *,
        campaign_id: int | str,
        batch_id: str,
        vdn_id: int | str | None = None,
        isales_conn_id: str = ISalesHook.default_conn_name,
        shifts: ShiftCalendar | None = None,
        execution_timeout: timedelta | None = EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(execution_timeout=execution_timeout, **kwargs)
        self.campaign_id = campaign_id
        self.batch_id = batch_id
        self.vdn_id = vdn_id
        self.isales_conn_id = isales_conn_id
        self.shifts = shifts
        _check_unless_templated(check_campaign_id, campaign_id)
        _check_unless_templated(check_batch_id, batch_id)
        if vdn_id is not None:
            _check_unless_templated(check_vdn_id, vdn_id)
        if not isinstance(shifts, ShiftCalendar | None):
            raise InvalidArgumentError(f"shifts must be a ShiftCalendar, not {shifts!r}")

    def execute(self, context: Context) -> dict[str, str | int]:
        if self.shifts is not None:
            self._skip_at_the_wrong_hour(self.shifts)
        hook = ISalesHook(self.isales_conn_id)
        with permanent_errors_fail_for_good(), hook.get_conn():
            result = self._carry_out(hook)
        batch = BatchKey(result.vdn_id, result.campaign_id, result.batch_id)
        self.log.info(_SENTENCES[result.outcome], batch, result.result_code, result.result_desc)
        return result.to_dict()

    @abstractmethod
    def _skip_at_the_wrong_hour(self, shifts: ShiftCalendar) -> None: ...

    @abstractmethod
    def _carry_out(self, hook: ISalesHook) -> CallBatchResult: ...


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

    def _skip_at_the_wrong_hour(self, shifts: ShiftCalendar) -> None:
        skip_pause_during_shift(shifts)

    def _carry_out(self, hook: ISalesHook) -> CallBatchResult:
        return hook.pause_call_batch(self.campaign_id, self.batch_id, self.vdn_id)


class ResumeCallBatchOperator(_CallBatchOperator):
    """
    Resumes one call batch. A batch that is started already is as good.

    Parameters, result and failures are those of :class:`PauseCallBatchOperator`, but ``outcome`` is ``resumed`` or
    ``already_started``, and with ``shifts`` a run outside every shift skips, instead of having people called then.
    Source: "Outbound Call Batch Interfaces".
    """

    def _skip_at_the_wrong_hour(self, shifts: ShiftCalendar) -> None:
        skip_resume_outside_shifts(shifts)

    def _carry_out(self, hook: ISalesHook) -> CallBatchResult:
        return hook.resume_call_batch(self.campaign_id, self.batch_id, self.vdn_id)


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
