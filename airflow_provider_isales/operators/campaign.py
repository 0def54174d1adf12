"""Operators that pause and resume campaigns as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_isales.client.arguments import (
    ALL,
    check_campaign_exclude,
    check_campaign_id,
    check_campaign_ids,
    check_parallelism,
)
from airflow_provider_isales.operators.bulk import BULK_EXECUTION_TIMEOUT, REMEMBERED, ISalesBulkOperator
from airflow_provider_isales.provider_info import DEFAULT_CONN_ID
from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.support.checks import (
    check_choice,
    check_ids_unless_templated,
    check_unless_templated,
    read_rendered_list,
)
from airflow_provider_isales.support.memory import Memory

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_isales.client.bulk import BulkSwitch
    from airflow_provider_isales.client.client import ISalesClient


class _CampaignsOperator(ISalesBulkOperator):
    """Pauses or resumes campaigns of a VDN."""

    template_fields: Sequence[str] = ("campaign_ids", "exclude", "vdn_id", "isales_conn_id")
    _kind = "campaigns"

    def _set_campaigns(self, campaign_ids: Sequence[int | str] | str, exclude: Sequence[int | str], most: int) -> None:
        self.campaign_ids, self.exclude, self.max_parallel_requests = campaign_ids, exclude, most
        check_unless_templated(check_parallelism, most)
        if self._pauses or campaign_ids != REMEMBERED:
            check_ids = partial(check_campaign_ids, may_be_all=self._pauses)
            check_id = partial(check_campaign_id, name="campaign_ids")
            check_ids_unless_templated("campaign_ids", campaign_ids, check_ids, check_id)
        check_excluded = partial(check_campaign_id, name="exclude")
        check_ids_unless_templated("exclude", exclude, check_campaign_exclude, check_excluded)

    def _find_held(self, campaign_ids: Collection[int]) -> list[int] | None:
        exclude = check_campaign_exclude(read_rendered_list("exclude", self.exclude, "campaign"))
        ids = check_campaign_ids(read_rendered_list("campaign_ids", self.campaign_ids, "campaign"))
        held = sorted({*campaign_ids} - {*exclude})
        if ids == ALL:
            return held
        given = {str(each).lstrip("0") for each in ids} - {*map(str, exclude)}
        held = [each for each in held if str(each) in given]
        return None if held and len(held) == len(given) else held

    def _new_bulk_switch(self, client: ISalesClient, ids: Any, **settings: Any) -> BulkSwitch:
        # Imported here, like the hook.
        from airflow_provider_isales.client.bulk import BulkSwitch  # noqa: PLC0415
        from airflow_provider_isales.client.verbs import PAUSE_CAMPAIGN, RESUME_CAMPAIGN  # noqa: PLC0415

        exclude = read_rendered_list("exclude", self.exclude, "campaign")
        if self._held:
            exclude = [*exclude, *self._held]
        return BulkSwitch(
            PAUSE_CAMPAIGN if self._pauses else RESUME_CAMPAIGN,
            client.session,
            client.vdn(self.vdn_id),
            read_rendered_list("campaign_ids", ids, "campaign"),
            self.max_parallel_requests,
            exclude=exclude,
            timezone=client.timezone or (self.shifts.timezone if self.shifts else None),
            next_start=self._find_next_start() if self._pauses else None,
            **self._read_select(),
            **settings,
        )

    def _find_next_start(self) -> datetime | None:
        """Return when people may be called again: at the end of time after the calendar's last shift."""
        if self.shifts is None:
            return None
        return self._window.until or datetime.max.replace(tzinfo=UTC)

    def _new_memory(self, client: ISalesClient) -> Memory:
        name = f"isales_paused_campaigns_{self.isales_conn_id}_{client.vdn(self.vdn_id).vdn_id}"
        return self._make_memory(name, check_campaign_id)


class PauseCampaignsOperator(_CampaignsOperator):
    """
    Pauses campaigns of a VDN as a whole, one request each, and confirms it by their details and a list.

    The batches keep their own status. A campaign that calls nobody without being suspended is a success: a draft, one
    that is completed, or one that begins later; one that begins before the next shift is a warning in the log. The task
    fails if any campaign failed, and for good if no retry can help.

    Returns, as XCom, a dict with ``vdn_id``, ``paused``, ``already_paused`` and ``not_running`` (lists of campaign
    ids), ``failed`` (reasons by id), ``gone``, ``unknown``, ``not_tried`` and ``excluded`` (lists), ``names`` and
    ``begins_at`` (by id as text), and ``confirmed_at`` (ISO 8601, in UTC), also when it fails. With ``shifts`` it has
    ``shift_end`` and ``seconds_after_shift_end`` too, with ``max_lateness`` the list ``late`` if any was, and with a
    hold ``held_until``.
    Source: "Suspending an Outbound Campaign".

    :param campaign_ids: a list of campaign ids, integers or their digits as text; ``"all"`` for every campaign of the
        VDN that is started, including those that somebody creates or starts while the task runs. None, which a
        template or another task may return, is an error (templated)
    :param exclude: campaign ids to leave alone, whatever their status (templated)
    :param select: with ``campaign_ids="all"``, only campaigns whose name contains this text, whatever its case. The
        result has the dict ``matched`` then: the names of all that match, by id as text (templated)
    :param select_required: whether a ``select`` that matches nothing fails the try, instead of being a warning
    :param shifts: when people may be called: a run while a shift is on skips, so that it does not stop the shift's
        work, or fails for good if an earlier try failed
    :param max_lateness: how long after the end of the shift a campaign may still be started; requires ``shifts``. One
        that is found started later is paused and the task fails for good. The task also fails if its run starts only
        during the next shift
    :param hold: None, or overtime as for :class:`.PauseCallBatchOperator`. If it has ``campaign_ids``, only those are
        left alone, and are the list ``held`` in the result (templated)
    :param remember: whether to record what it pauses in an Airflow Variable, for ``ResumeCampaignsOperator`` with
        ``campaign_ids="remembered"``. With ``shifts``, what is started after a pause for the same end of the shift has
        completed is paused, but not remembered
    :param max_parallel_requests: number of parallel requests, 1 to 64
    :param vdn_id: the VDN, 1 to 9999; the connection's when None (templated)
    :param isales_conn_id: the connection (templated)
    :param execution_timeout: how long a try may take; 30 minutes unless set here or in ``default_args``
    :raises ISalesArgumentError: when the DAG is parsed, for a value that is not allowed and not templated
    """

    template_fields: Sequence[str] = (*_CampaignsOperator.template_fields, "select", "hold")
    _pauses = True

    def __init__(
        self,
        *,
        campaign_ids: Sequence[int | str] | Literal["all"] = ALL,
        exclude: Sequence[int | str] = (),
        select: str | None = None,
        select_required: bool = False,
        shifts: ShiftCalendar | None = None,
        max_lateness: timedelta | None = None,
        hold: Mapping[str, Any] | str | None = None,
        remember: bool = False,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        execution_timeout: timedelta | None = BULK_EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vdn_id=vdn_id, isales_conn_id=isales_conn_id, shifts=shifts, execution_timeout=execution_timeout, **kwargs
        )
        self._set_pause_options(max_lateness, hold)
        self.remember = remember
        self._set_campaigns(campaign_ids, exclude, max_parallel_requests)
        self._set_select(select, campaign_ids, required=select_required)

    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        return self._pause(client, self.campaign_ids, context, remember=self.remember)


class ResumeCampaignsOperator(_CampaignsOperator):
    """
    Resumes campaigns of a VDN as a whole: they dial their started batches again.

    Parameters, result and failures are those of :class:`.PauseCampaignsOperator`, but the lists in the result are
    ``resumed`` and ``already_started``, and with ``shifts`` a run outside every shift skips, or fails for good after an
    earlier try. Source: "Resuming an Outbound Campaign".

    :param campaign_ids: a list of campaign ids; ``"remembered"`` for what ``PauseCampaignsOperator(remember=True)`` has
        paused with the same connection and VDN. Campaigns that are confirmed as started or gone are then removed from
        the memory. ``"all"`` is an error: it would also resume what somebody suspended on purpose (templated)
    :param missing_memory: what to do if the memory does not exist or can't be decrypted: ``"warn"`` and succeed, or
        ``"fail"`` the try
    """

    _pauses = False

    def __init__(
        self,
        *,
        campaign_ids: Sequence[int | str] | Literal["remembered"],
        missing_memory: Literal["warn", "fail"] = "warn",
        exclude: Sequence[int | str] = (),
        shifts: ShiftCalendar | None = None,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
        isales_conn_id: str = DEFAULT_CONN_ID,
        execution_timeout: timedelta | None = BULK_EXECUTION_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vdn_id=vdn_id, isales_conn_id=isales_conn_id, shifts=shifts, execution_timeout=execution_timeout, **kwargs
        )
        self.missing_memory = missing_memory
        check_choice("missing_memory", missing_memory, ("warn", "fail"))
        self._set_campaigns(campaign_ids, exclude, max_parallel_requests)

    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        return self._resume(client, self.campaign_ids, context, missing_memory=self.missing_memory)
