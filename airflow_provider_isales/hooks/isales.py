"""``ISalesHook``: from an Airflow connection to CC-iSales."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_isales.client import (
    BatchStatus,
    BulkResult,
    CallBatch,
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesClient,
    ISalesError,
    ISalesResultError,
    PauseResult,
    ResumeResult,
    RetryPolicy,
    SigningProfile,
)
from airflow_provider_isales.hooks.settings import client_settings
from airflow_provider_isales.provider_info import CONNECTION_FIELDS, DEFAULT_CONN_ID, get_provider_info

# Any VDN and campaign do: an authenticated call is answered with HTTP 200 whatever it asks for.
_PROBED_VDN = 1
_PROBED_CAMPAIGN = 1


class ISalesHook(BaseHook):
    """
    Calls CC-iSales with the settings of an Airflow connection of type ``isales``.

    :param isales_conn_id: the connection: host, port (443 when empty), login (access key), password (secret key), and
        in extra ``vdn_id``, ``verify``, ``timeout`` (seconds), ``signing_profile`` and ``proxies``
    :param max_connections: how many connections are kept open: as many as threads use the hook at once
    """

    conn_name_attr = "isales_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = "isales"
    hook_name = "CC-iSales"

    def __init__(self, isales_conn_id: str = default_conn_name, *, max_connections: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.isales_conn_id = isales_conn_id
        self.max_connections = max_connections
        self._client: ISalesClient | None = None
        self._vdn_id: int | None = None

    def get_conn(self) -> ISalesClient:
        """
        Give the client, the same at each call. Close it, or use it as a context manager, when done.

        :raises ISalesArgumentError: for a value in the connection that is not allowed
        """
        if self._client is None:
            settings, self._vdn_id = self._read_connection()
            self._client = self._new_client(settings)
        return self._client

    def pause_call_batch(self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None) -> PauseResult:
        """
        Suspend a call batch; see :meth:`.ISalesClient.pause_call_batch`.

        :param campaign_id: a positive integer
        :param batch_id: text of digits
        :param vdn_id: 1 to 9999; the connection's when None, here and in the other methods
        """
        return self.get_conn().pause_call_batch(self._vdn(vdn_id), campaign_id, batch_id)

    def resume_call_batch(self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None) -> ResumeResult:
        """Resume a call batch; see :meth:`.ISalesClient.resume_call_batch`."""
        return self.get_conn().resume_call_batch(self._vdn(vdn_id), campaign_id, batch_id)

    def pause_call_batches(
        self,
        campaign_id: int | str,
        batch_ids: Collection[str] | None = None,
        *,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
        on_interrupt: Callable[[BulkResult], None] | None = None,
    ) -> BulkResult:
        """Suspend many call batches; see :meth:`.ISalesClient.pause_call_batches`."""
        return self.get_conn().pause_call_batches(
            self._vdn(vdn_id),
            campaign_id,
            batch_ids,
            max_parallel_requests=max_parallel_requests,
            on_interrupt=on_interrupt,
        )

    def resume_call_batches(
        self,
        campaign_id: int | str,
        batch_ids: Collection[str] | None = None,
        *,
        max_parallel_requests: int = 8,
        vdn_id: int | str | None = None,
        on_interrupt: Callable[[BulkResult], None] | None = None,
    ) -> BulkResult:
        """Resume many call batches; see :meth:`.ISalesClient.resume_call_batches`."""
        return self.get_conn().resume_call_batches(
            self._vdn(vdn_id),
            campaign_id,
            batch_ids,
            max_parallel_requests=max_parallel_requests,
            on_interrupt=on_interrupt,
        )

    def create_call_batch(
        self,
        campaign_id: int | str,
        name: str,
        status: BatchStatus | int = BatchStatus.SUSPENDED,
        vdn_id: int | str | None = None,
    ) -> CallBatch:
        """Create a call batch; see :meth:`.ISalesClient.create_call_batch`."""
        return self.get_conn().create_call_batch(self._vdn(vdn_id), campaign_id, name, status)

    def update_call_batch(
        self, campaign_id: int | str, batch_id: str, name: str, vdn_id: int | str | None = None
    ) -> None:
        """Rename a call batch; see :meth:`.ISalesClient.update_call_batch`."""
        self.get_conn().update_call_batch(self._vdn(vdn_id), campaign_id, batch_id, name)

    def delete_call_batch(self, campaign_id: int | str, batch_id: str, vdn_id: int | str | None = None) -> None:
        """Delete a call batch; see :meth:`.ISalesClient.delete_call_batch`."""
        self.get_conn().delete_call_batch(self._vdn(vdn_id), campaign_id, batch_id)

    def list_call_batches(
        self,
        campaign_id: int | str,
        *,
        status: BatchStatus | int | None = None,
        name: str | None = None,
        vdn_id: int | str | None = None,
    ) -> Iterator[CallBatch]:
        """List a campaign's call batches; see :meth:`.ISalesClient.list_call_batches`."""
        return self.get_conn().list_call_batches(self._vdn(vdn_id), campaign_id, status=status, name=name)

    def test_connection(self) -> tuple[bool, str]:
        """
        Find out whether the server is there and accepts the signature, with one ``list`` that changes nothing.

        :return: whether it is so, and a sentence for people
        """
        try:
            settings, vdn_id = self._read_connection()
            profile: SigningProfile = settings.get("signing_profile", SigningProfile.CURRENT)
            note = "" if vdn_id else " The connection names no vdn_id, so every operator must."
            vdn_id = vdn_id or _PROBED_VDN
            try:
                return True, self._probe(settings, vdn_id, profile) + note
            except ISalesAuthenticationError:
                (other,) = set(SigningProfile) - {profile}
                if self._is_accepted(settings, vdn_id, other):
                    return False, (
                        f"HTTP 401: the server does not accept signing profile {profile.value!r} but it accepts "
                        f"{other.value!r}. Set the connection's extra 'signing_profile' to {other.value!r}."
                    )
                raise
        except ISalesError as error:
            return False, f"{error.problem}. {error.advice}".strip()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Give the form's extra fields to Airflow before 3.2, which does not read them in the provider info."""
        # Here, because they come with Airflow 2 only, or with the FAB provider.
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget  # noqa: PLC0415
        from wtforms import IntegerField, StringField  # noqa: PLC0415
        from wtforms.validators import NumberRange, Optional, any_of  # noqa: PLC0415

        def widget(field: dict[str, Any]) -> Any:
            schema = field["schema"]
            validators = [Optional()]
            if "enum" in schema:
                validators.append(any_of(schema["enum"]))
            if "minimum" in schema:
                validators.append(NumberRange(schema["minimum"], schema["maximum"]))
            return (IntegerField if "integer" in schema["type"] else StringField)(
                field["label"],
                validators=validators,
                description=field["description"],
                default=schema.get("default"),
                widget=BS3TextFieldWidget(),
            )

        return {name: widget(field) for name, field in CONNECTION_FIELDS.items()}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Give the form's labels and placeholders to Airflow before 3.2."""
        behaviour = get_provider_info()["connection-types"][0]["ui-field-behaviour"]
        return {key.replace("-", "_"): value for key, value in behaviour.items()}

    def _read_connection(self) -> tuple[dict[str, Any], int | None]:
        with self._naming_the_connection():
            return client_settings(self.get_connection(self.isales_conn_id))

    def _new_client(self, settings: dict[str, Any]) -> ISalesClient:
        with self._naming_the_connection():
            return ISalesClient(**settings, max_connections=self.max_connections)

    @contextmanager
    def _naming_the_connection(self) -> Iterator[None]:
        try:
            yield
        except ISalesArgumentError as error:
            error.action = f"Reading connection {self.isales_conn_id!r}"
            raise

    def _vdn(self, vdn_id: int | str | None) -> int | str:
        self.get_conn()
        if vdn_id is not None:
            return vdn_id
        if self._vdn_id is None:
            raise ISalesArgumentError(
                f"no vdn_id: name it in the call, or set the extra 'vdn_id' of connection {self.isales_conn_id!r}"
            )
        return self._vdn_id

    def _probe(self, settings: dict[str, Any], vdn_id: int, profile: SigningProfile) -> str:
        accepted = f"CC-iSales accepted the signature (signing profile {profile.value!r})."
        settings = {**settings, "signing_profile": profile, "retry": RetryPolicy(attempts=1)}
        with self._new_client(settings) as client:
            try:
                client.check_access(vdn_id, _PROBED_CAMPAIGN)
            except ISalesResultError as error:
                return f"{accepted} To a list of campaign {_PROBED_CAMPAIGN} it answered: {error.problem}."
        return accepted

    def _is_accepted(self, settings: dict[str, Any], vdn_id: int, profile: SigningProfile) -> bool:
        try:
            self._probe(settings, vdn_id, profile)
        except ISalesError:
            return False
        return True
