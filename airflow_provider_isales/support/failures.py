"""Translates errors to Airflow exceptions: one log line, and no retries for permanent failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from airflow_provider_isales.client.errors import ISalesArgumentError, ISalesError


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
