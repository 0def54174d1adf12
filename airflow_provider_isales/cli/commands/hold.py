"""``isales hold``: writes the Airflow Variable that pause tasks read as their ``hold``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from airflow_provider_isales import clock
from airflow_provider_isales.cli.connections import make_client
from airflow_provider_isales.cli.output import FAILURE, SUCCESS, UsageError, discard_output, print_error, print_line
from airflow_provider_isales.support.holds import MAX_HOLD, is_time_of_day, read_until


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if bool(arguments.until) == arguments.clear:
        raise UsageError("add either --until TIME or --clear")
    if arguments.clear:
        return _clear(arguments.variable)
    until = _read_until(arguments)
    hold: dict[str, Any] = {"until": until.isoformat(timespec="seconds")}
    if arguments.campaign:
        hold["campaign_ids"] = sorted(set(arguments.campaign))
    if arguments.reason:
        hold["reason"] = arguments.reason
    what = f"campaigns {', '.join(map(str, hold['campaign_ids']))}" if arguments.campaign else "all campaigns"
    return _write(arguments.variable, hold, f"Pause tasks leave {what} alone until {hold['until']}.")


def _read_until(arguments: argparse.Namespace) -> datetime:
    """Return the end of the hold, with its time zone; a ``UsageError`` if it is past or too far ahead."""
    text, zone = arguments.until, arguments.timezone
    if is_time_of_day(text) and zone is None:
        with suppress(UsageError):  # without a connection nothing names a zone
            zone = make_client(arguments).timezone
        if zone is None:
            raise UsageError(
                f"--until {text} needs a time zone: add --timezone Asia/Shanghai, set the connection's extra "
                "'timezone', or write date, time and offset"
            )
    now = clock.utc_now()
    until = read_until(text, zone, now).astimezone(zone or UTC)
    if not now < until <= now + MAX_HOLD:
        raise UsageError(f"--until {until.isoformat()} is not within the next 24 hours: for another day, add the date")
    return until


def _clear(name: str) -> int:
    """End a hold now, so that lateness counts from now. Delete a hold that is over or unreadable."""
    found, now = _read(name), clock.utc_now()
    with suppress(ValueError, TypeError, LookupError):
        hold = json.loads(found)
        if datetime.fromisoformat(hold["until"]) > now:
            return _write(name, {**hold, "until": now.isoformat(timespec="seconds")}, "The hold is over.")
    _use_variable(name, "deleted", lambda variable: variable.delete(name))
    return _confirm(name, None, f"There is no hold in the Variable {name}.")


def _write(name: str, hold: dict[str, Any], done: str) -> int:
    text = json.dumps(hold)
    _use_variable(name, "written", lambda variable: variable.set(name, text))
    return _confirm(name, text, f"{done} The Variable {name} holds {text}")


def _confirm(name: str, text: str | None, done: str) -> int:
    """Report what was done if the Variable has this text, or None for no Variable; return the exit status."""
    if _read(name) != text:
        print_error(f"isales: the Variable {name} was changed, but a secrets backend or the environment overrides it")
        return FAILURE
    print_line(done)
    return SUCCESS


def _read(name: str) -> Any:
    return _use_variable(name, "read", lambda variable: variable.get(name, default_var=None))


def _use_variable(name: str, done: str, use: Callable[[Any], Any]) -> Any:
    """Call ``use`` with Airflow's model of Variables; a ``UsageError`` if that fails."""
    with discard_output():
        try:
            return use(import_module("airflow.models.variable").Variable)
        except ImportError as error:
            problem = f"Airflow, which stores it, can't be imported ({error})"
        except Exception as error:  # of the database
            problem = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    raise UsageError(f"the Variable {name} can't be {done}: {problem}")
