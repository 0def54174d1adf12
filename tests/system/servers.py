"""PostgreSQL and Redis as Debian packages them, on loopback, with data that is thrown away."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from processes import ProcessGroup, find_free_port, is_open, wait_for

POSTGRESQL_DIRECTORIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def postgresql(logs: Path) -> Iterator[str]:
    """
    Run a PostgreSQL server with an empty database ``airflow``; yield that database's address.

    :param logs: the directory for its log
    """
    port, as_user = str(find_free_port()), []
    # A directory of its own: the user postgres may not look into those of pytest.
    with TemporaryDirectory(prefix="isales-postgresql-") as data:
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            shutil.chown(data, "postgres")
            as_user = [program("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        subprocess.check_call(
            [*as_user, program("initdb"), "--pgdata", data, "--username=airflow", "--auth=trust", "--no-sync"],
            cwd="/",
            stdout=subprocess.DEVNULL,
        )
        command = [*as_user, program("postgres"), "-D", data, "-k", data, "-h", "127.0.0.1", "-p", port, "-F"]
        with running(command, logs / "postgresql.log", int(port)):
            subprocess.check_call([program("createdb"), "-h", "127.0.0.1", "-p", port, "-U", "airflow", "airflow"])
            yield f"airflow@127.0.0.1:{port}/airflow"


@contextmanager
def redis(logs: Path) -> Iterator[str]:
    """
    Run a Redis server that keeps nothing; yield its address.

    :param logs: the directory for its log
    """
    port = find_free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(logs)]
    with running(command, logs / "redis.log", port):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def running(command: list[str], log: Path, port: int) -> Iterator[None]:
    """Run a server from when it listens to the end of the block."""
    server = ProcessGroup(command, log)

    def listens() -> bool:
        server.check()
        return is_open(port)

    try:
        wait_for(listens, f"{command[0]}; see {log}", seconds=120)
        yield
    finally:
        server.stop()


def program(name: str) -> str:
    """Find a program on the PATH, or where Debian has those of PostgreSQL."""
    path = os.pathsep.join([os.environ["PATH"], *map(str, POSTGRESQL_DIRECTORIES)])
    found = shutil.which(name, path=path)
    assert found, f"there is no {name}: install Debian's packages postgresql and redis-server"
    return found
