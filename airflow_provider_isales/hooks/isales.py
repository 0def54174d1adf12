"""``ISalesHook``: from an Airflow connection to CC-iSales."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_isales.client import (
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesClient,
    ISalesError,
    ISalesResultError,
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
    Makes an :class:`.ISalesClient` from an Airflow connection of type ``isales``.

    >>> with ISalesHook().get_conn() as client:
    ...     client.pause_call_batch(1001, "174712034211433247704877116507")

    :param isales_conn_id: the connection: host, port (443 when empty), login (access key), password (secret key), and
        in extra ``vdn_id``, ``verify``, ``timeout`` (seconds), ``signing_profile`` and ``proxies``
    :param max_connections: how many connections are kept open: as many as threads use the client at once
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

    def get_conn(self) -> ISalesClient:
        """
        Return the client, the same at each call. Close it, or use it as a context manager, when done.

        :raises ISalesArgumentError: for a value in the connection that is not allowed
        """
        if self._client is None:
            with self._naming_the_connection():
                self._client = self._new_client(self._read_connection())
        return self._client

    def test_connection(self) -> tuple[bool, str]:
        """
        Find out whether the server is there and accepts the signature, with one ``list`` that changes nothing.

        :return: whether it is so, and a sentence for people
        """
        try:
            settings = self._read_connection()
            try:
                return True, self._probe(settings)
            except ISalesAuthenticationError as refused:
                other = self._accepted_profile(settings)
                if other is None:
                    raise
                return False, (
                    f"{refused.problem} of signing profile {_profile(settings).value!r}, but it accepts "
                    f"{other.value!r}. Set the connection's extra 'signing_profile' to {other.value!r}."
                )
        except ISalesError as error:
            return False, f"{error.problem}. {error.advice}".strip()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's extra fields to Airflow before 3.2, which does not read them in the provider info."""
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
        """Return the form's labels and placeholders to Airflow before 3.2."""
        behaviour = get_provider_info()["connection-types"][0]["ui-field-behaviour"]
        return {key.replace("-", "_"): value for key, value in behaviour.items()}

    def _read_connection(self) -> dict[str, Any]:
        return client_settings(self.get_connection(self.isales_conn_id))

    def _new_client(self, settings: dict[str, Any]) -> ISalesClient:
        return ISalesClient(**settings, max_connections=self.max_connections)

    @contextmanager
    def _naming_the_connection(self) -> Iterator[None]:
        try:
            yield
        except ISalesArgumentError as error:
            # A new error, raised here: no frame below, whose variables hold the connection's secrets, hangs on it.
            raise error.during(f"Reading connection {self.isales_conn_id!r}") from None

    def _probe(self, settings: dict[str, Any]) -> str:
        told = f"CC-iSales accepted the signature (signing profile {_profile(settings).value!r})."
        with self._new_client(settings | {"retry": RetryPolicy(attempts=1)}) as client:
            try:
                next(client.list_call_batches(_PROBED_CAMPAIGN, vdn_id=client.vdn_id or _PROBED_VDN), None)
            except ISalesResultError as error:
                told += f" To a list of campaign {_PROBED_CAMPAIGN} it answered: {error.problem}."
        return told if client.vdn_id else f"{told} The connection names no vdn_id, so every operator must."

    def _accepted_profile(self, settings: dict[str, Any]) -> SigningProfile | None:
        """Return another signing profile that the server accepts, if any."""
        for other in SigningProfile:
            if other is not _profile(settings):
                with suppress(ISalesError):
                    self._probe(settings | {"signing_profile": other})
                    return other
        return None


def _profile(settings: dict[str, Any]) -> SigningProfile:
    profile: SigningProfile = settings.get("signing_profile", SigningProfile.CURRENT)
    return profile
