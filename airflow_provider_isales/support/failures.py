"""Translates errors to Airflow exceptions: one log line, and no retries for permanent failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from airflow_provider_isales.client.errors import ISalesArgumentError, ISalesError
from airflow_provider_isales.client.models import CampaignKey, CampaignStatus

if TYPE_CHECKING:
    from airflow_provider_isales.client.client import ISalesClient


class InvalidArgumentError(AirflowFailException, ISalesArgumentError):
    """A value that is not allowed. Fails the import of a DAG, or a mapped task without retries."""


@contextmanager
def report_failures(log: Any) -> Iterator[None]:
    """Log in one line why a task fails or skips, as the UI cuts long tracebacks; don't retry permanent failures."""
    try:
        yield
    except AirflowSkipException as skip:
        log.warning("%s", skip)
        raise
    except ISalesError as error:
        log.error("%s", error)
        if error.retryable:
            raise
        # At night, one traceback that ends with the message is easier to read than two.
        raise AirflowFailException(str(error)) from None
    except Exception as error:
        log.error("%s: %s", type(error).__name__, error)
        raise


def skip_if_suspended(client: ISalesClient, campaign: CampaignKey, error: ISalesError, log: Any) -> None:
    """
    Skip, instead of failing for an error, if the details confirm that the campaign is suspended.

    If they do not, the error becomes retryable.

    :raises AirflowSkipException: the campaign is suspended
    """
    # Imported here to keep the parsing of DAG files fast.
    from airflow_provider_isales.client.target_state import describe_status  # noqa: PLC0415

    try:
        status = client.get_campaign(campaign.campaign_id, campaign.vdn_id).status
    except ISalesError as problem:
        log.warning("Could not find out whether the campaign is suspended. %s", problem)
    else:
        if status is CampaignStatus.SUSPENDED:
            raise AirflowSkipException(
                f"{error} Skipped: the campaign is suspended, so nobody is being called. Its started batches will be "
                "dialled again when it resumes."
            ) from None
        found = describe_status(status)
        log.warning("Not skipped, because the campaign's details show it as %s: its batches may be dialled.", found)
    error.retryable = True
