"""What many requests at once are for: the batches of a campaign, or the campaigns of a VDN."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from datetime import datetime, tzinfo
from typing import Any

from airflow_provider_isales import clock
from airflow_provider_isales.client.arguments import (
    check_batch_id,
    check_batch_ids,
    check_campaign_exclude,
    check_campaign_id,
    check_campaign_ids,
    check_exclude,
)
from airflow_provider_isales.client.campaign_switch import find_begin, look_up_effect, send_request
from airflow_provider_isales.client.listing import list_batches, list_campaigns
from airflow_provider_isales.client.models import BatchKey, CallBatch, Campaign, CampaignKey, VdnKey
from airflow_provider_isales.client.retry import RetryPolicy
from airflow_provider_isales.client.session import Session
from airflow_provider_isales.client.target_state import Sent, Switched
from airflow_provider_isales.client.verbs import Switch


class Targets(ABC):
    """
    What a bulk run switches; ids are text of digits for batches, and integers for campaigns.

    :param zone: the platform's time zone, None if it is not known
    """

    #: What they are called in messages.
    name: str

    def __init__(self, switch: Switch, session: Session, scope: VdnKey, zone: tzinfo | None) -> None:
        self.switch, self.scope = switch, scope
        self._session, self._zone = session, zone

    @abstractmethod
    def check_ids(self, value: object) -> Any:
        """Return ``"all"``, or a list whose entries are for :meth:`check_id`."""

    @abstractmethod
    def check_id(self, value: object) -> Any:
        """Return an id that is allowed, or raise ``ISalesArgumentError``."""

    @abstractmethod
    def check_exclude(self, value: object) -> Collection[Any]:
        """Return a list of ids that are allowed, or raise ``ISalesArgumentError``."""

    @abstractmethod
    def list_once(self, retry: RetryPolicy | None, ends: float, parallel: int) -> Iterator[CallBatch | Campaign]:
        """Yield all there are, as :func:`.list_batches` does."""

    @abstractmethod
    def send_request(self, item_id: Any, timeout: float | None) -> Switched | Sent:
        """
        Switch one with one request; return what came of it, or what :meth:`look_up_effect` takes.

        :param timeout: the timeout in seconds, where this is less than the transport's
        :raises ISalesError: if it is not as wanted, or that is not known
        """

    @abstractmethod
    def look_up_effect(self, item_id: Any, sent: Sent, deadline: float, timeout: float | None) -> Switched:
        """
        Pass the gate, and return what came of a request, by one more; otherwise as :meth:`send_request`.

        :param deadline: when to give up at the gate, on the ``time.monotonic()`` clock
        """

    def find_later_begin(self, item: CallBatch | Campaign) -> datetime | None:
        """Return when a campaign begins, if that is in the future."""
        begins_at = find_begin(item, self._zone) if isinstance(item, Campaign) else None
        return begins_at if begins_at and begins_at > clock.utc_now() else None


class BatchTargets(Targets):
    """The batches of a campaign."""

    scope: CampaignKey
    name = "call batches"
    check_ids = staticmethod(check_batch_ids)
    check_id = staticmethod(check_batch_id)
    check_exclude = staticmethod(check_exclude)

    def list_once(self, retry: RetryPolicy | None, ends: float, parallel: int) -> Iterator[CallBatch]:
        return list_batches(self._session, self.scope, retry=retry, ends=ends, parallel=parallel)

    def send_request(self, item_id: str, timeout: float | None) -> Switched:
        batch = BatchKey(self.scope.vdn_id, self.scope.campaign_id, item_id)
        answer, _ = self._session.call_once(self.switch, batch, timeout)
        return Switched(self.switch.find_outcome(answer.code), answer.code, answer.description)

    def look_up_effect(self, item_id: str, sent: Sent, deadline: float, timeout: float | None) -> Switched:
        raise NotImplementedError("a batch's response says it")


class CampaignTargets(Targets):
    """The campaigns of a VDN. Each is switched with one request, and its details are read afterwards."""

    name = "campaigns"
    check_id = staticmethod(check_campaign_id)
    check_exclude = staticmethod(check_campaign_exclude)

    def check_ids(self, value: object) -> Any:
        return check_campaign_ids(value, may_be_all=bool(self.switch.not_running))

    def list_once(self, retry: RetryPolicy | None, ends: float, parallel: int) -> Iterator[Campaign]:
        return list_campaigns(self._session, self.scope, retry=retry, ends=ends, parallel=parallel)

    def send_request(self, item_id: int, timeout: float | None) -> Sent:
        return send_request(self._session, self.switch, CampaignKey(self.scope.vdn_id, item_id), timeout)

    def look_up_effect(self, item_id: int, sent: Sent, deadline: float, timeout: float | None) -> Switched:
        campaign = CampaignKey(self.scope.vdn_id, item_id)
        return look_up_effect(
            self._session, self.switch, campaign, sent, self._zone, deadline=deadline, timeout=timeout
        )
