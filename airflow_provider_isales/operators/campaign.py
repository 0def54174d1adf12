"""What all operators have in common: the campaign, the guard against the wrong hour, and what a pause answers for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, BaseOperator

from airflow_provider_isales.client import CallBatchResult, ISalesArgumentError, ISalesError
from airflow_provider_isales.client.arguments import check_campaign_id, check_vdn_id
from airflow_provider_isales.operators.evidence import count_paused, tell_assets
from airflow_provider_isales.operators.failures import InvalidArgumentError, failures_told
from airflow_provider_isales.operators.guard import Window, pause_window
from airflow_provider_isales.operators.lateness import late_batches, told
from airflow_provider_isales.provider_info import DEFAULT_CONN_ID
from airflow_provider_isales.shifts import ShiftCalendar

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_isales.client import BulkResult, ISalesClient
    from airflow_provider_isales.hooks.isales import ISalesHook


class CampaignOperator(BaseOperator):
    """What all operators have in common: where to find the campaign, and the guard against the wrong hour."""

    _guard: ClassVar[staticmethod[[ShiftCalendar, Context, timedelta], Window]]

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
        self._window = Window(None, None)
        check_unless_templated(check_campaign_id, campaign_id)
        if vdn_id is not None:
            check_unless_templated(check_vdn_id, vdn_id)
        if not isinstance(shifts, ShiftCalendar | None):
            raise InvalidArgumentError(f"shifts must be a ShiftCalendar, not {shifts!r}")

    def execute(self, context: Context) -> dict[str, Any]:
        with failures_told(self.log.error), self.new_hook().get_conn() as client:
            self._client = client
            if self.shifts is not None:
                self._window = self._guard(self.shifts, context, client.margin)
                if self._window.until is not None:
                    client.stop_before(self._window.until)
            if self._killed:
                client.stop()
            return self.carry_out(client, context)

    def on_kill(self) -> None:
        """Send nothing more."""
        self._killed = True
        if self._client is not None:
            self._client.stop()

    def new_hook(self, **settings: Any) -> ISalesHook:
        # Imported here, because DAG files are parsed again and again, and need nothing of what it imports.
        from airflow_provider_isales.hooks.isales import ISalesHook  # noqa: PLC0415

        return ISalesHook(self.isales_conn_id, **settings)

    @abstractmethod
    def carry_out(self, client: ISalesClient, context: Context) -> dict[str, Any]: ...

    def succeed(self, context: Context, result: CallBatchResult | BulkResult, problem: str = "") -> dict[str, Any]:
        """
        Leave evidence of what was done, and return the task's result.

        :param problem: for which the task is to fail all the same
        """
        record, lateness = self.account_for(result)
        if lateness or problem:
            self.keep(record, context)
            # For good: a next try would find all as wanted, and be green.
            raise AirflowFailException(" ".join(filter(None, (lateness, problem))))
        tell_assets(self.outlets, record, context)
        return record

    def account_for(self, result: CallBatchResult | BulkResult) -> tuple[dict[str, Any], str]:
        """Return the task's result, and what is to be said of batches that were late."""
        return result.to_dict(), ""

    def keep(self, record: dict[str, Any], context: Context) -> None:
        """Write the result of a task that does not succeed."""
        try:
            context["ti"].xcom_push(key="return_value", value=record)
        except Exception:  # what failed the task matters more
            self.log.exception("The result could not be written to XCom.")


class PausingOperator(CampaignOperator):
    """What the operators that pause have in common: when it was done, and whether that was in time."""

    _guard = staticmethod(pause_window)

    def __init__(
        self,
        *,
        max_lateness: timedelta | None = None,
        campaign_suspended: Literal["fail", "skip"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_lateness = max_lateness
        self.campaign_suspended = campaign_suspended
        is_duration = isinstance(max_lateness, timedelta) and max_lateness >= timedelta()
        if not (is_duration or max_lateness is None):
            raise InvalidArgumentError(f"max_lateness must be a timedelta of 0 or more, not {max_lateness!r}")
        if max_lateness is not None and self.shifts is None:
            raise InvalidArgumentError("max_lateness needs shifts: without, no shift has an end to be late after")
        if campaign_suspended not in ("fail", "skip"):
            raise InvalidArgumentError(f'campaign_suspended must be "fail" or "skip", not {campaign_suspended!r}')

    def account_for(self, result: CallBatchResult | BulkResult) -> tuple[dict[str, Any], str]:
        """Do it, and send the metrics."""
        record: dict[str, Any] = result.to_dict()
        problem = ""
        if (shift_end := self._window.since) is not None:
            record["shift_end"] = shift_end.isoformat()
            if result.confirmed_at is not None:
                record["seconds_after_shift_end"] = round((result.confirmed_at - shift_end).total_seconds(), 3)
            if self.max_lateness is not None and (
                late := late_batches(result.changed_when_asked, shift_end, self.max_lateness)
            ):
                record["late"] = sorted(late)
                problem = told(late, shift_end)
        count_paused(record)
        return record, problem

    def skip_if_wanted(self, error: ISalesError) -> None:
        if self.campaign_suspended == "skip":
            raise AirflowSkipException(
                f"{error} Skipped, because nobody is called while the campaign is suspended. What is started in it is "
                "dialled again once the campaign goes on."
            ) from None


def check_unless_templated(check: Callable[[object], object], value: object) -> None:
    is_template = isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#"))
    is_resolved_later = hasattr(value, "resolve")  # an XComArg or another value that Airflow fills in
    if not (is_template or is_resolved_later):
        try:
            check(value)
        except ISalesArgumentError as error:
            raise InvalidArgumentError(error.problem) from None
