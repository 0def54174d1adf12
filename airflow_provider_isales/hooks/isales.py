"""``ISalesHook``: makes a client from an Airflow connection."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_isales.client.client import ISalesClient
from airflow_provider_isales.client.diagnosis import PROBED_CAMPAIGN, check_signature, find_accepted_profile
from airflow_provider_isales.client.errors import (
    ISalesArgumentError,
    ISalesAuthenticationError,
    ISalesError,
    ISalesResultError,
)
from airflow_provider_isales.provider_info import CONNECTION_FIELDS, DEFAULT_CONN_ID, get_provider_info
from airflow_provider_isales.support.settings import read_client_settings


class ISalesHook(BaseHook):
    """
    Makes an :class:`.ISalesClient` from an Airflow connection of type ``isales``.

    >>> with ISalesHook().get_conn() as client:
    ...     client.pause_call_batch(1001, "174712034211433247704877116507")

    :param isales_conn_id: the connection: host, port (443 if empty), login (access key), password (secret key), and in
        extra any of ``vdn_id``, ``verify``, ``verify_strict``, ``client_cert``, ``timeout``, ``signing_profile``,
        ``proxies`` and ``timezone``, as :class:`.ISalesClient` takes them
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
            try:
                self._client = self._make_client()
            except ISalesArgumentError as error:
                # A copy, raised here: it lacks the frames below, whose variables hold the connection's secrets.
                raise error.during(f"Reading connection {self.isales_conn_id!r}") from None
        return self._client

    def test_connection(self) -> tuple[bool, str]:
        """
        Check that the server responds and accepts the signature, by one ``list`` that changes nothing.

        :return: whether it does, and a message for people
        """
        try:
            with self._make_client() as client:
                return _test_signature(client)
        except ISalesError as error:
            return False, str(error)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's extra fields to Airflow before 3.2, which does not read them in the provider info."""
        # Imported here, because only Airflow 2 and the FAB provider bring these packages.
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget  # noqa: PLC0415
        from wtforms import StringField  # noqa: PLC0415

        return {
            name: StringField(
                field["label"],
                description=field["description"],
                default=field["schema"].get("default"),
                widget=BS3TextFieldWidget(),
            )
            for name, field in CONNECTION_FIELDS.items()
        }

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the form's labels and placeholders to Airflow before 3.2."""
        behaviour = get_provider_info()["connection-types"][0]["ui-field-behaviour"]
        return {key.replace("-", "_"): value for key, value in behaviour.items()}

    def _make_client(self) -> ISalesClient:
        settings = read_client_settings(self.get_connection(self.isales_conn_id))
        return ISalesClient(**settings, max_connections=self.max_connections)


def _test_signature(client: ISalesClient) -> tuple[bool, str]:
    observed, used = check_signature(client), client.auth.profile
    if isinstance(observed.error, ISalesAuthenticationError) and (accepted := find_accepted_profile(client)):
        return False, (
            f"{observed.error.problem} of signing profile {used.value!r}, but it accepts {accepted.value!r}. "
            f"Set the connection's extra 'signing_profile' to {accepted.value!r}."
        )
    if observed.error and not isinstance(observed.error, ISalesResultError):
        return False, str(observed.error)
    message = f"CC-iSales accepted the signature (signing profile {used.value!r})."
    if observed.error:
        message += f" Its response to a listing of campaign {PROBED_CAMPAIGN}: {observed.error.problem}."
    return True, message if client.vdn_id else f"{message} The connection names no vdn_id, so every operator must."
