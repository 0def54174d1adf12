"""How errors leave a task: as one line that the UI shows in full, and without retries where they cannot help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException

from airflow_provider_isales.client import ISalesArgumentError, ISalesError


class InvalidArgumentError(AirflowFailException, ISalesArgumentError):
    """A value that is not allowed: an import error when the DAG is parsed, no retries when a mapped task finds it."""


@contextmanager
def failures_told(tell: Callable[..., None]) -> Iterator[None]:
    """
    Log the reason of a failure in one line before it is raised: the UI cuts the last line of a long traceback.

    An error for which trying again cannot help becomes one after which Airflow does not retry.

    :param tell: logs it, as the method of a logger
    """
    try:
        yield
    except AirflowSkipException:
        raise
    except ISalesError as error:
        tell("%s", error)
        if error.retryable:
            raise
        # One traceback that ends with the message is easier to read at night than two.
        raise AirflowFailException(str(error)) from None
    except Exception as error:
        tell("%s: %s", type(error).__name__, error)
        raise
