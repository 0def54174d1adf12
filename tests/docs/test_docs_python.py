"""
Every Python block of the pages runs as it is written, on a real Airflow and against the simulator.

The blocks of a page make one DAG file, each line where the page has it, so that an error names the line of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("airflow.sdk.definitions.deadline", reason="a page has what came with Airflow 3.1")
import docs_prelude
from airflow_runs import read_dags
from pages import Block, blocks_to_run

from airflow_provider_isales.simulator import Simulator

PAGES = blocks_to_run("python")


@pytest.fixture
def read_page(
    server: Simulator,
    renew_platform: Callable[[], None],
    fill_in: Callable[[str], str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], Any]]:
    """Reads the Python of a page as Airflow reads a DAG file; returns the bag of DAGs."""
    renew_platform()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AIRFLOW_CONN_ISALES_DEFAULT", server.connection())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
    monkeypatch.setattr(docs_prelude, "simulator", server, raising=False)

    def read_page(name: str) -> Any:
        file = folder / f"page_{name.replace('-', '_')}.py"
        file.write_text(fill_in(python_of(PAGES[name])))
        return read_dags(file)

    with server.client() as client:
        monkeypatch.setattr(docs_prelude, "client", client, raising=False)
        yield read_page


def python_of(blocks: list[Block]) -> str:
    """Return the blocks of a page as one file. In place of the heading is what the page takes as given."""
    lines = ["from docs_prelude import *  # all that a DAG of Airflow needs"]
    for block in blocks:
        lines += [""] * (block.line - 1 - len(lines))
        lines += block.code.splitlines()
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_runs_and_its_dags_are_read(page: str, read_page: Callable[[str], Any]) -> None:
    bag = read_page(page)
    assert not bag.import_errors, "\n".join(bag.import_errors.values())
    code = "".join(block.code for block in PAGES[page])
    assert len(bag.dags) >= code.count("with DAG(")
    for dag in bag.dags.values():
        assert dag.tasks
        for task in dag.tasks:
            render_templates(dag, task)


def render_templates(dag: Any, task: Any) -> None:
    """Render what a task has templates for, with the DAG's own parameters; an undefined name is an error."""
    context = {"params": dag.params.dump(), "var": {"value": {}}}
    for field in task.template_fields:
        if not task.is_mapped:
            task.render_template(getattr(task, field), context, jinja_env=dag.get_template_env())
