"""What the operators share: connection, guard, holds and report."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, Asset, BaseOperator

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import check_campaign_id, check_vdn_id
from airflow_provider_isales.client.errors import ISalesError
from airflow_provider_isales.client.text import format_value
from airflow_provider_isales.shifts import ShiftCalendar, in_utc
from airflow_provider_isales.support.checks import check_choice, check_dag, check_unless_templated, run_check
from airflow_provider_isales.support.failures import InvalidArgumentError, report_failures
from airflow_provider_isales.support.guard import (
    CLOCK_TOLERANCE,
    Window,
    find_pause_window,
    find_resume_window,
    skip_or_fail,
)
from airflow_provider_isales.support.holds import Hold, check_hold, find_first_run, read_hold
from airflow_provider_isales.support.metrics import send_metrics
from airflow_provider_isales.support.runs import Deadline, describe_late, explain_lateness, find_due_time

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pendulum import DateTime

    from airflow_provider_isales.client.client import ISalesClient
    from airflow_provider_isales.client.models import BulkResult, CallBatchResult
    from airflow_provider_isales.hooks.isales import ISalesHook

# For what no other timeout bounds: a server that keeps responding, but very slowly.
EXECUTION_TIMEOUT = timedelta(minutes=5)


class ISalesOperator(BaseOperator):
    """Base of all operators: applies guard and hold, and reports the result of ``_switch``, which they implement."""

    _pauses: ClassVar[bool]
    _kind: ClassVar[str] = "batches"  # what is paused or resumed, in results, metrics and messages
    max_parallel_requests: int = 1
    campaign_id: Any  # of the operators for batches

    def __init__(
        self, *, vdn_id: int | str | None, isales_conn_id: str, shifts: ShiftCalendar | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.vdn_id = vdn_id
        self.isales_conn_id = isales_conn_id
        self.shifts = shifts
        self._client: ISalesClient | None = None
        self._killed = False
        self._window = Window(None, None)
        self._hold: Hold | None = None
        self._held: list[int] = []  # the campaigns that a hold leaves alone, if it does not cover all
        self._hold_problem = ""
        if vdn_id is not None:
            check_unless_templated(check_vdn_id, vdn_id)
        if not isinstance(shifts, ShiftCalendar | None):
            raise InvalidArgumentError(f"shifts must be a ShiftCalendar, not {shifts!r}")

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        operator = super().partial(**kwargs)
        if cls._pauses:
            known = operator.kwargs
            blocks = bool(known.get("depends_on_past") or known.get("wait_for_downstream"))
            check_dag(known.get("dag"), blocks=blocks, holds=known.get("hold") is not None)
        return operator

    def execute(self, context: Context) -> dict[str, Any]:
        with report_failures(self.log), self._new_hook().get_conn() as client:
            self._client = client
            if self.shifts is not None:
                self._apply_guard(client, self.shifts, context)
            if self._killed:
                client.stop()
            if self._pauses:
                self._apply_hold(context)
            try:
                return self._switch(client, context)
            except AirflowSkipException as skip:
                if not self._hold_problem:
                    raise
                raise AirflowFailException(f"{skip} {self._hold_problem}") from None

    def on_kill(self) -> None:
        """Stop sending requests."""
        self._killed = True
        if self._client is not None:
            self._client.stop()

    def _set_pause_options(
        self, max_lateness: timedelta | None, hold: Mapping[str, Any] | str | None, campaign_suspended: str = "fail"
    ) -> None:
        self.max_lateness = max_lateness
        self.hold = hold
        self.campaign_suspended = campaign_suspended
        run_check(partial(check_hold, shifts=self.shifts), hold)  # it skips templates
        # wait_for_downstream sets depends_on_past, too.
        check_dag(self.get_dag(), blocks=self.depends_on_past, holds=hold is not None)
        if max_lateness is not None:
            if not isinstance(max_lateness, timedelta) or max_lateness < timedelta():
                raise InvalidArgumentError(f"max_lateness must be a timedelta of 0 or more, not {max_lateness!r}")
            if self.shifts is None:
                raise InvalidArgumentError("max_lateness requires shifts")
        check_choice("campaign_suspended", campaign_suspended, ("fail", "skip"))

    def _new_hook(self) -> ISalesHook:
        # Imported here to keep the parsing of DAG files fast.
        from airflow_provider_isales.hooks.isales import ISalesHook  # noqa: PLC0415

        return ISalesHook(self.isales_conn_id, max_connections=self.max_parallel_requests)

    def _apply_guard(self, client: ISalesClient, shifts: ShiftCalendar, context: Context) -> None:
        """Skip at the wrong time, or else act only within the present window."""
        now = in_utc(clock.utc_now())
        if self._pauses:
            missed = self.max_lateness is not None
            self._window = find_pause_window(shifts, context, client.margin, now, fail_if_missed=missed)
        else:
            self._window = find_resume_window(shifts, context, client.margin, now)
        if self._window.until is not None:
            client.stop_before(self._window.until)

    def _apply_hold(self, context: Context) -> None:
        """
        Leave alone what a hold covers, while it lasts.

        An invalid hold is ignored, and fails the task afterwards.
        """
        now, due = in_utc(clock.utc_now()), find_due_time(context)
        if due is not None and now < due <= now + CLOCK_TOLERANCE:
            now = due  # with a slow clock, the run that is due when the hold ends would leave the pause to the next
        try:
            hold = read_hold(self.hold, self.shifts, now)
        except Exception as error:
            problem = error.problem if isinstance(error, ISalesError) else format_value(error)
            self._hold_problem = f"The hold is invalid and was ignored: {problem}."
            self.log.warning("%s", self._hold_problem)  # the error in the log is the failure afterwards
            return
        if hold is None:
            return
        held = None if hold.campaign_ids is None else self._find_held(hold.campaign_ids)
        if held == []:
            return
        self._hold = hold
        if now < hold.until:
            text = hold.describe(held or ())
            if held is None:
                skip_or_fail(context, text)
            self._held = held
            self.log.warning("%s", text)

    def _find_held(self, campaign_ids: Collection[int]) -> list[int] | None:
        """Return which of these campaigns the task would pause; None if it would pause no others."""
        return None if check_campaign_id(self.campaign_id) in campaign_ids else []

    @abstractmethod
    def _switch(self, client: ISalesClient, context: Context) -> dict[str, Any]:
        """Pause or resume; return the task's result."""

    def _report(
        self, result: CallBatchResult | BulkResult, context: Context, problem: str = "", note: str = ""
    ) -> dict[str, Any]:
        """
        Publish the result of a pause or resume; return it as the task's result.

        :param problem: why the task fails nevertheless
        :param note: what to add to the log or to the message of the failure
        """
        record, lateness = self._make_record(result, context)
        problem = " ".join(filter(None, (problem, self._hold_problem)))
        if lateness or problem:
            self._push_result(record, context)
            # Not retried: the next try would find everything paused and succeed.
            raise AirflowFailException(" ".join(filter(None, (lateness, note, problem))))
        if note:
            self.log.warning("%s", note)
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra.update(record)
        return record

    def _make_record(self, result: CallBatchResult | BulkResult, context: Context) -> tuple[dict[str, Any], str]:
        """Return the task's result, and a message about what was late; send the metrics of a pause."""
        record: dict[str, Any] = result.to_dict()
        lateness = ""
        if not self._pauses:
            return record, lateness
        if self._hold is not None:
            record["held_until"] = self._hold.until.isoformat()
        if self._held:
            record["held"] = self._held
            record["excluded"] = [each for each in record["excluded"] if each not in self._held]
        if self.shifts is not None and (shift_end := self._window.since) is not None:
            record["shift_end"] = shift_end.isoformat()
            if result.confirmed_at is not None:
                record["seconds_after_shift_end"] = round((result.confirmed_at - shift_end).total_seconds(), 3)
            lateness = self._describe_lateness(result.changed_when_asked, record, context, shift_end)
        send_metrics(record, self._kind)
        return record, lateness

    def _describe_lateness(
        self, asked_at: Mapping[Any, datetime], record: dict[str, Any], context: Context, shift_end: DateTime
    ) -> str:
        """
        Add what was late to the task's result and return a message about it; empty if nothing was late.

        :param asked_at: when the requests were sent that paused something, by its id
        """
        if self.shifts is None or self.max_lateness is None:
            return ""
        late: dict[Deadline, dict[Any, datetime]] = defaultdict(dict)
        for key, asked in asked_at.items():
            deadline = self._find_deadline(key, self.shifts, shift_end)
            if asked > deadline.due + self.max_lateness:
                late[deadline][key] = asked
        if late:
            record["late"] = sorted(chain.from_iterable(late.values()))
        texts = []
        for deadline, items in late.items():
            reason = explain_lateness(self.shifts, context, deadline.since, self.max_lateness)
            texts.append(describe_late(items, deadline, record, reason))
        return " ".join(texts)

    def _find_deadline(self, key: Any, shifts: ShiftCalendar, shift_end: DateTime) -> Deadline:
        """Return when this campaign or batch had to be paused: at the end of the shift, or of a hold that covers it."""
        hold = self._hold
        if hold is None or (self._kind == "campaigns" and not hold.covers(key)):
            return Deadline(shift_end, shift_end)
        due = find_first_run(hold, shifts, shift_end, getattr(self.get_dag(), "timetable", None))
        return Deadline(hold.until, due, "the hold until")

    def _push_result(self, record: dict[str, Any], context: Context) -> None:
        """Write the result of a task that does not succeed."""
        try:
            context["ti"].xcom_push(key="return_value", value=record)
        except Exception:  # the task's own failure matters more
            self.log.warning("The result could not be written to XCom.", exc_info=True)
