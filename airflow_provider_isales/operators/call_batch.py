"""Operators that pause and resume call batches: one, or many of a campaign at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_isales.client.arguments import (
    ALL,
    check_batch_exclude,
    check_batch_id,
    check_batch_ids,
    check_campaign_id,
    check_parallelism,
)
from airflow_provider_isales.client.errors import ISalesError, ISalesNotAllowedError
from airflow_provider_isales.operators.base import EXECUTION_TIMEOUT, ISalesOperator
from airflow_provider_isales.operators.bulk import BULK_EXECUTION_TIMEOUT, REMEMBERED, ISalesBulkOperator
from airflow_provider_isales.provider_info import DEFAULT_CONN_ID
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.support.checks import (
    check_choice,
    check_ids_unless_templated,
    check_unless_templated,
    read_rendered_list,
)
from airflow_provider_isales.support.failures import skip_if_suspended
from airflow_provider_isales.support.memory import Memory
from airflow_provider_isales.support.metrics import send_metrics

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_isales.client.bulk import BulkSwitch
    from airflow_provider_isales.client.client import ISalesClient
    from airflow_provider_isales.client.models import CallBatchResult


class _OneBatchOperator(ISalesOperator):
    """Pauses or resumes one batch."""

    template_fields: Sequence[str] = ("campaign_id", "batch_id", "vdn_id", "isales_conn_id")

    def _set_batch(self, campaign_id: int | str, batch_id: str) -> None:
        self.campaign_id, self.batch_id = campaign_id, batch_id
        check_unless_templated(check_campaign_id, campaign_id)
        check_unless_templated(check_batch_id, batch_id)

    def _report_batch(self, result: CallBatchResult, context: Context) -> dict[str, Any]:
        done = result.outcome.replace("_", " ").capitalize()
        self.log.info("%s %s: [%s] %s", done, result.batch, result.result_code, result.result_desc)
        return self._report(result, context)


class PauseCallBatchOperator(_OneBatchOperator):
    """
    Pauses one call batch. A batch that is already paused is a success, so the task can safely run twice.

    The task succeeds only if CC-iSales said that the batch is suspended. Permanent errors (a campaign that does not
    exist, a wrong key) fail the task for good; others fail the try, so that Airflow's ``retries`` apply.

    Returns, as XCom, a dict with ``vdn_id``, ``campaign_id``, ``batch_id``, ``outcome`` (``paused`` or
    ``already_paused``), ``result_code``, ``result_desc`` and ``confirmed_at`` (ISO 8601, in UTC); with ``shifts``,
    ``shift_end`` and ``seconds_after_shift_end`` too. Source: "Suspending an Outbound Call Batch".

    :param campaign_id: the campaign ("outbound call task" in the console), a positive integer (templated)
    :param batch_id: the call batch, text of digits (templated)
    :param vdn_id: the VDN, 1 to 9999; the connection's when None (templated)
    :param isales_conn_id: the connection (templated)
    :param shifts: when people may be called: a run while a shift is on skips, so that it does not stop the shift's
        work, or fails for good if an earlier try failed
    :param max_lateness: how long after the end of the shift the batch may still be started; requires ``shifts``. If it
        is found started later, it is paused and the task fails for good. The task also fails if its run starts only
        during the next shift
    :param campaign_suspended: what to do if CC-iSales refuses because the campaign itself is suspended, so that nobody
        is called: ``"skip"`` the task if the campaign's details confirm that, or ``"fail"`` for good
    :param hold: None, or overtime, during which the task skips: a mapping, or its text as JSON or a Python literal,
        with ``until`` (an ISO time with its time zone, at most 24 hours ahead, or ``"HH:MM"`` in the time zone of
        ``shifts``, on the day the shift began), and optionally ``campaign_ids`` (a list; all by default) and
        ``reason``. An invalid hold is ignored, and fails the task for good afterwards (templated)
    :param execution_timeout: how long a try may take; 5 minutes unless set here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    template_fields: Sequence[str] = (*_OneBatchOperator.template_fields, "hold")
    _pauses = True

    def __init__(
        self,
        *,
        campaign_id: int | str,
        batch_id: str,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        shifts: ShiftCalendar | None = None,
        max_lateness: timedelta | None = None,
        campaign_suspended: Literal["fail", "skip"] = "skip",
        hold: Mapping[str, Any] | str | None = None,
        execution_timeout: timedelta | None = EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vdn_id=vdn_id, isales_conn_id=isales_conn_id, shifts=shifts, execution_timeout=execution_timeout, **kwargs
        )
        self._set_pause_options(max_lateness, hold, campaign_suspended)
        self._set_batch(campaign_id, batch_id)

    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        campaign = client.campaign(self.campaign_id, self.vdn_id)
        try:
            result = client.pause_call_batch(campaign.campaign_id, self.batch_id, campaign.vdn_id)
        except ISalesError as error:
            if isinstance(error, ISalesNotAllowedError) and self.campaign_suspended == "skip":
                skip_if_suspended(client, campaign, error, self.log)
            send_metrics({**vars(campaign), "outcome": "failed"}, self._kind)
            raise
        return self._report_batch(result, context)


class ResumeCallBatchOperator(_OneBatchOperator):
    """
    Resumes one call batch. A batch that is already started is a success.

    Parameters, result and failures are those of :class:`.PauseCallBatchOperator`, but ``outcome`` is ``resumed`` or
    ``already_started``, and with ``shifts`` a run outside every shift skips, or fails for good after an earlier try.
    Source: "Outbound Call Batch Interfaces".
    """

    _pauses = False

    def __init__(
        self,
        *,
        campaign_id: int | str,
        batch_id: str,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        shifts: ShiftCalendar | None = None,
        execution_timeout: timedelta | None = EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vdn_id=vdn_id, isales_conn_id=isales_conn_id, shifts=shifts, execution_timeout=execution_timeout, **kwargs
        )
        self._set_batch(campaign_id, batch_id)

    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        return self._report_batch(client.resume_call_batch(self.campaign_id, self.batch_id, self.vdn_id), context)


class _ManyBatchesOperator(ISalesBulkOperator):
    """Pauses or resumes batches of one campaign."""

    template_fields: Sequence[str] = ("campaign_id", "batch_ids", "exclude", "select", "vdn_id", "isales_conn_id")

    def _set_batches(
        self, campaign_id: int | str, batch_ids: Sequence[str] | str, exclude: Sequence[str], parallel: int
    ) -> None:
        self.campaign_id, self.batch_ids, self.exclude = campaign_id, batch_ids, exclude
        self.max_parallel_requests = parallel
        check_unless_templated(check_campaign_id, campaign_id)
        check_unless_templated(check_parallelism, parallel)
        if self._pauses or batch_ids != REMEMBERED:
            check_ids_unless_templated("batch_ids", batch_ids, check_batch_ids, check_batch_id)
        check_ids_unless_templated("exclude", exclude, check_batch_exclude, partial(check_batch_id, name="exclude"))

    def _new_bulk_switch(self, client: ISalesClient, ids: Any, **settings: Any) -> BulkSwitch:
        # Imported here, like the hook.
        from airflow_provider_isales.client.bulk import BulkSwitch  # noqa: PLC0415
        from airflow_provider_isales.client.verbs import PAUSE, RESUME  # noqa: PLC0415

        campaign, parallel = client.campaign(self.campaign_id, self.vdn_id), self.max_parallel_requests
        switch = PAUSE if self._pauses else RESUME
        settings |= self._read_select()
        ids = read_rendered_list("batch_ids", ids, "batch")
        exclude = read_rendered_list("exclude", self.exclude, "batch")
        return BulkSwitch(switch, client.session, campaign, ids, parallel, exclude=exclude, **settings)

    def _new_memory(self, client: ISalesClient) -> Memory:
        campaign = client.campaign(self.campaign_id, self.vdn_id)
        name = f"isales_paused_{self.isales_conn_id}_{campaign.vdn_id}_{campaign.campaign_id}"
        return self._make_memory(name, check_batch_id)


class PauseCallBatchesOperator(_ManyBatchesOperator):
    """
    Pauses many call batches of a campaign in one task, and confirms it by ``list``.

    All batches are tried, however many fail. Then ``list`` decides: a batch that is still started is tried once more,
    then counts as failed. The task fails if any batch failed, and for good if no retry can help.

    Returns, as XCom, a dict with ``vdn_id``, ``campaign_id``, ``paused`` and ``already_paused`` (lists of batch ids),
    ``failed`` (reasons by batch id), ``gone``, ``unknown``, ``not_tried`` and ``excluded`` (lists), and
    ``confirmed_at`` (ISO 8601, in UTC), also when it fails. With ``shifts`` it has ``shift_end`` and
    ``seconds_after_shift_end`` too, and with ``max_lateness`` the list ``late`` if any was.

    Parameters that are not listed here are those of :class:`.PauseCallBatchOperator`.

    :param batch_ids: a list of batch ids; ``"all"`` for every batch that ``list`` has as started, including those that
        are started while the task runs. None, which a template or another task may return, is an error (templated)
    :param exclude: batch ids to leave alone, whatever their status (templated)
    :param select: with ``batch_ids="all"``, only batches whose name contains this text, whatever its case. The result
        has the dict ``matched`` then: the names of all that match, by batch id (templated)
    :param select_required: whether a ``select`` that matches nothing fails the try, instead of being a warning
    :param remember: whether to record what it pauses in an Airflow Variable, for ``ResumeCallBatchesOperator`` with
        ``batch_ids="remembered"``
    :param max_parallel_requests: number of parallel requests, 1 to 64
    :param execution_timeout: how long a try may take; 30 minutes unless set here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    template_fields: Sequence[str] = (*_ManyBatchesOperator.template_fields, "hold")
    _pauses = True

    def __init__(
        self,
        *,
        campaign_id: int | str,
        batch_ids: Sequence[str] | Literal["all"] = ALL,
        exclude: Sequence[str] = (),
        select: str | None = None,
        select_required: bool = False,
        remember: bool = False,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        shifts: ShiftCalendar | None = None,
        max_lateness: timedelta | None = None,
        campaign_suspended: Literal["fail", "skip"] = "skip",
        hold: Mapping[str, Any] | str | None = None,
        execution_timeout: timedelta | None = BULK_EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vdn_id=vdn_id, isales_conn_id=isales_conn_id, shifts=shifts, execution_timeout=execution_timeout, **kwargs
        )
        self._set_pause_options(max_lateness, hold, campaign_suspended)
        self.remember = remember
        self._set_batches(campaign_id, batch_ids, exclude, max_parallel_requests)
        self._set_select(select, batch_ids, required=select_required)

    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        return self._pause(client, self.batch_ids, context, remember=self.remember)


class ResumeCallBatchesOperator(_ManyBatchesOperator):
    """
    Resumes many call batches of a campaign in one task, and confirms it by ``list``.

    Parameters, result and failures are those of :class:`.PauseCallBatchesOperator`, but ``"all"`` means every batch
    that ``list`` has as suspended, no matter who suspended it; the lists in the result are ``resumed`` and
    ``already_started``; and with ``shifts`` a run outside every shift skips, or fails for good after an earlier try.

    ``batch_ids="remembered"`` resumes what ``PauseCallBatchesOperator(remember=True)`` has paused with the same
    connection, VDN and campaign. Batches that are confirmed as started or gone are then removed from the memory. If it
    is empty, the task succeeds with a warning; if all of its batches are gone, the task fails and keeps it.

    :param missing_memory: what to do if the memory does not exist or can't be decrypted: ``"warn"`` and succeed, or
        ``"fail"`` the try
    """

    _pauses = False

    def __init__(
        self,
        *,
        campaign_id: int | str,
        batch_ids: Sequence[str] | Literal["all", "remembered"] = ALL,
        missing_memory: Literal["warn", "fail"] = "warn",
        exclude: Sequence[str] = (),
        select: str | None = None,
        select_required: bool = False,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        shifts: ShiftCalendar | None = None,
        execution_timeout: timedelta | None = BULK_EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vdn_id=vdn_id, isales_conn_id=isales_conn_id, shifts=shifts, execution_timeout=execution_timeout, **kwargs
        )
        self.missing_memory = missing_memory
        check_choice("missing_memory", missing_memory, ("warn", "fail"))
        self._set_batches(campaign_id, batch_ids, exclude, max_parallel_requests)
        self._set_select(select, batch_ids, required=select_required)

    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        return self._resume(client, self.batch_ids, context, missing_memory=self.missing_memory)
