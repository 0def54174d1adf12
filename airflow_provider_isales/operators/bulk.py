"""What the operators for many batches or campaigns share: ids, memory and result."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_isales.client.arguments import ALL, check_all_for_select, check_select
from airflow_provider_isales.client.errors import ISalesBulkError, ISalesError
from airflow_provider_isales.client.models import CampaignKey
from airflow_provider_isales.client.text import join_first
from airflow_provider_isales.operators.base import ISalesOperator
from airflow_provider_isales.support.checks import check_unless_templated
from airflow_provider_isales.support.failures import InvalidArgumentError, skip_if_suspended
from airflow_provider_isales.support.memory import Memory, MemoryFailedError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_isales.client.bulk import BulkSwitch
    from airflow_provider_isales.client.client import ISalesClient
    from airflow_provider_isales.client.models import BulkResult

# As EXECUTION_TIMEOUT, for many targets.
BULK_EXECUTION_TIMEOUT = timedelta(minutes=30)

REMEMBERED: Literal["remembered"] = "remembered"


class ISalesBulkOperator(ISalesOperator):
    """
    Base of the operators for many batches or campaigns.

    A subclass sets ``_kind`` and ``exclude``, implements ``_new_bulk_switch`` and ``_new_memory``, and calls ``_pause``
    or ``_resume`` in ``_switch``.
    """

    select: str | None = None
    select_required: bool = False
    _has_select: bool = False

    @abstractmethod
    def _new_bulk_switch(self, client: ISalesClient, ids: Any, **settings: Any) -> BulkSwitch:
        """Return the switch for these ids; the settings are those of ``BulkSwitch``."""

    @abstractmethod
    def _new_memory(self, client: ISalesClient) -> Memory:
        """Return the memory that pause and resume share."""

    def _make_memory(self, name: str, check_id: Callable[[object], Any]) -> Memory:
        timezone = self.shifts.timezone if self.shifts else None
        return Memory(name, self._kind, check_id, self._window.since, self.select, timezone)

    def _set_select(self, select: str | None, ids: object, *, required: bool) -> None:
        self.select, self.select_required = select, required
        # Stored separately, because a template may render to None, which must not pause everything.
        self._has_select = select is not None
        if self._has_select:
            check_unless_templated(check_select, select)
            check_unless_templated(check_all_for_select, ids)
        elif required:
            raise InvalidArgumentError("select_required requires select")

    def _read_select(self) -> dict[str, Any]:
        """Return the ``BulkSwitch`` settings of ``select``, checked after templates were rendered."""
        if not self._has_select:
            return {}
        return {"select": check_select(self.select), "select_required": self.select_required}

    def _pause(self, client: ISalesClient, ids: Any, context: Context, *, remember: bool) -> dict[str, Any]:
        memory = self._new_memory(client) if remember else None
        bulk = self._new_bulk_switch(client, ids, **({"announce": memory.announce} if memory else {}))
        try:
            result = self._run(bulk, context)
        except ISalesBulkError as error:
            if memory:
                problems = (memory.settle(error.result), memory.describe_not_remembered(error.result))
                error.advice = " ".join(filter(None, (error.advice, *problems)))
            scope = error.result.scope
            if bulk.is_not_allowed and isinstance(scope, CampaignKey) and self.campaign_suspended == "skip":
                skip_if_suspended(client, scope, error, self.log)
            raise
        if memory is None:
            return self._report(result, context)
        about = ALL if bulk.ids == ALL else result.confirmed
        if result.matched is not None:
            about = [each for each in result.matched if each not in result.excluded]
        problem = memory.settle(result, completed=about)
        return self._report(result, context, problem, memory.describe_not_remembered(result))

    def _resume(self, client: ISalesClient, ids: Any, context: Context, *, missing_memory: str) -> dict[str, Any]:
        if ids != REMEMBERED:
            return self._report(self._run(self._new_bulk_switch(client, ids), context), context)
        memory = self._new_memory(client)
        content = memory.read()
        remembered, since, others = content.ids, content.changed_at, memory.find_others(content)
        ids_to_resume = [each for each in remembered or [] if each not in others]
        bulk = self._new_bulk_switch(client, ids_to_resume, deleted_is_gone=True)
        scope = bulk.scope
        if not remembered:
            found = f"has been empty since {since}" if since else "is empty"
            if remembered is None:
                found = "does not exist (no pause has run yet) or can't be decrypted (another Fernet key)"
            problem = f"nothing to resume in {scope}: the Variable {memory.name} {found}"
            if remembered is None and missing_memory == "fail":
                raise MemoryFailedError(problem, advice="Check in the console what should be started.")
            self.log.warning("There is %s.", problem)
            return self._report(bulk.result(), context)
        excluded = bulk.result().excluded
        left = join_first([f"{each} ({zone})" for each, zone in others.items() if each not in excluded])
        if left:
            problem = f"calendars of other time zones paused {left}"
            advice = (
                'If the time zone of this calendar was changed, remove "timezone" and "zones" from the Variable '
                f"{memory.name}. If another task resumes them, exclude them."
            )
            if not ids_to_resume:
                raise MemoryFailedError(f"nothing to resume in {scope}: {problem}", advice=advice)
            self.log.warning("Not resumed: %s. %s", problem, advice)
        try:
            result = self._run(bulk, context)
        except ISalesBulkError as error:
            memory.forget_resumed(error.result)
            raise
        self._push_result(result.to_dict(), context)  # in case the task fails yet
        memory.forget_resumed(result)
        if result.gone and not result.found_any:
            raise MemoryFailedError(
                f"none of the {self._kind} in the Variable {memory.name} exists in {scope}: {join_first(result.gone)}",
                advice=f"They stay in the Variable. Check the connection; if the {self._kind} were deleted, delete the "
                "Variable.",
            )
        return self._report(result, context)

    def _run(self, bulk: BulkSwitch, context: Context) -> BulkResult:
        """Run the switch; if it fails, times out or is killed, push the result, too."""
        try:
            return bulk.run()
        except BaseException as error:
            if isinstance(error, ISalesBulkError) or not isinstance(error, ISalesError):  # otherwise nothing was sent
                record, lateness = self._make_record(bulk.result(), context)
                self._push_result(record, context)
                if isinstance(error, ISalesBulkError):
                    error.advice = f"{error.advice} {lateness}".strip()
                elif lateness:
                    self.log.error("%s", lateness)
            raise
