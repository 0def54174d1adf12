"""Airflow's Variables, as the UI reads and writes them: by the database. Tasks have another way in Airflow 3."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def with_database(action: Callable[[Any, Any], Any]) -> Any:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        return action(session, Variable)


def delete_variable(name: str) -> None:
    with_database(lambda session, model: session.query(model).filter(model.key == name).delete())


def set_variable(name: str, text: str) -> None:
    delete_variable(name)
    with_database(lambda session, model: session.add(model(key=name, val=text)))


def read_text(name: str) -> str | None:
    """Return the text of a Variable, or None if there is no such Variable."""
    found = with_database(lambda session, model: [row.val for row in session.query(model).filter(model.key == name)])
    return found[0] if found else None


def read_variable(name: str) -> Any:
    """Return the JSON in a Variable, or None if there is no such Variable."""
    text = read_text(name)
    return None if text is None else json.loads(text)
