"""So that Airflow notes which of the workers on one machine ran a task."""

import os
import socket


def worker_name() -> str:
    return os.environ.get("WORKER_NAME") or socket.gethostname()
