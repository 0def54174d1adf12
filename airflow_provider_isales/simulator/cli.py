"""The command ``isales-simulator``."""

from __future__ import annotations

import argparse
import shlex
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_isales.client.arguments import (
    check_campaign_id,
    check_signing_profile,
    check_vdn_id,
)
from airflow_provider_isales.client.auth import C2Auth
from airflow_provider_isales.client.errors import ISalesArgumentError
from airflow_provider_isales.client.profiles import SigningProfile
from airflow_provider_isales.client.route import MAX_PORT
from airflow_provider_isales.simulator.campaign import CampaignState

try:
    from airflow_provider_isales.simulator import Simulator
    from airflow_provider_isales.simulator.app import CONTROL
except ModuleNotFoundError as missing:  # the extra
    raise SystemExit(f"isales-simulator: {missing}") from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a simulator, say how to reach it, and run until interrupted or terminated."""
    options = _make_parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with _make_simulator(options) as simulator:
            print(_format_welcome(simulator), flush=True)
            stopped.wait()
    except (ValueError, OSError) as error:
        raise SystemExit(f"isales-simulator: {error}") from None


def _make_simulator(options: argparse.Namespace) -> Simulator:
    C2Auth(options.access_key, options.secret_key)  # raises for keys that cannot be used
    simulator = Simulator(
        vdn_id=options.vdn,
        access_key=options.access_key,
        secret_key=options.secret_key,
        profiles=[check_signing_profile(options.profile)] if options.profile else tuple(SigningProfile),
        host=options.host,
        port=options.port,
        ca_file=options.ca_file,
        clock_offset=timedelta(minutes=options.minutes_ahead),
        timezone=options.timezone,
        max_page_size=options.max_page_size,
        status_as_text=options.status_as_text,
        max_at_once=options.max_at_once,
    )
    for campaign_id in options.campaign or [1001]:
        simulator.add_campaign(
            campaign_id, batches=options.batches, state=options.state, begin=options.begin, end=options.end
        )
    return simulator


def _format_welcome(simulator: Simulator) -> str:
    control = f"https://{simulator.host}:{simulator.port}{CONTROL}"
    lines = [f"CC-iSales simulator on https://{simulator.host}:{simulator.port}, VDN {simulator.service.vdn_id}"]
    for campaign in simulator.service.campaigns.values():
        ids = list(campaign.batches)
        span = f": {ids[0]} ... {ids[-1]}" if ids else ""
        lines.append(f"  campaign {campaign.id} {campaign.name} ({campaign.state}), {len(ids)} batches{span}")
    return "\n".join(
        [
            *lines,
            "",
            "The connection for Airflow:",
            f"export AIRFLOW_CONN_ISALES_DEFAULT={shlex.quote(simulator.connection())}",
            "",
            "State, campaigns and faults:",
            f"curl --cacert {simulator.ca_file} {control}/state",
            f"curl --cacert {simulator.ca_file} {control}/campaigns/{next(iter(simulator.service.campaigns))} -d "
            """'{"state": "suspended"}'""",
            f"curl --cacert {simulator.ca_file} {control}/campaigns/{max(simulator.service.campaigns) + 1} -X PUT -d "
            """'{"name": "new", "batches": 2}'""",
            f"curl --cacert {simulator.ca_file} {control}/faults -d "
            """'{"kind": "answer", "status": 429, "headers": {"Retry-After": "2"}, "times": 3}'""",
        ]
    )


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="isales-simulator", description="A CC-iSales stand-in over real HTTPS.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_make_integer_type("port", 0, MAX_PORT),
        default=8443,
        help="the port; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--vdn", type=_make_checked_type(check_vdn_id), default=25, help="the VDN (default: %(default)s)"
    )
    parser.add_argument(
        "--campaign",
        type=_make_checked_type(check_campaign_id),
        action="append",
        help="a campaign's id; may be repeated (default: 1001)",
    )
    parser.add_argument(
        "--batches",
        type=_make_integer_type("batches", 0, 1000),
        default=3,
        help="batches in each campaign (default: %(default)s)",
    )
    parser.add_argument(
        "--state", type=CampaignState, choices=list(CampaignState), default=CampaignState.EXECUTING, help="of campaigns"
    )
    parser.add_argument("--begin", help="when campaigns begin, such as '2026-11-29 09:00:00' (default: long ago)")
    parser.add_argument("--end", help="when campaigns end (default: in the far future)")
    parser.add_argument(
        "--ca-file",
        type=_resolve_new_file,
        default="isales-simulator-ca.pem",
        help="where to write the CA certificate (default: %(default)s)",
    )
    parser.add_argument("--access-key", default="simulator", help="(default: %(default)s)")
    parser.add_argument("--secret-key", default="simulator-secret-key", help="(default: %(default)s)")
    parser.add_argument(
        "--profile", choices=[profile.value for profile in SigningProfile], help="accept this signing profile only"
    )
    _add_open_questions(parser)
    return parser


def _add_open_questions(parser: argparse.ArgumentParser) -> None:
    """Add options for what platforms may do differently."""
    group = parser.add_argument_group("what the reference leaves open")
    group.add_argument(
        "--max-page-size",
        type=_make_integer_type("max-page-size", 1, 1000),
        default=1000,
        help="the most batches or campaigns on a page of a list (default: %(default)s)",
    )
    group.add_argument("--status-as-text", action="store_true", help='a status is "1" or "2", not the number')
    group.add_argument(
        "--timezone",
        type=_check_timezone,
        default="Asia/Shanghai",
        help="the platform's, in which campaigns begin and end (default: %(default)s)",
    )
    group.add_argument(
        "--max-at-once", type=_make_integer_type("max-at-once", 1, 1000), help="HTTP 429 if more requests come at once"
    )
    group.add_argument(
        "--minutes-ahead", type=float, default=0.0, help="how far its clock is ahead; negative for behind"
    )


def _make_integer_type(name: str, least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{name} must be an integer from {least} to {most}, not {text!r}")
        return int(text)

    return convert


def _make_checked_type(check: Callable[[object], int]) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            return check(text)
        except ISalesArgumentError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _resolve_new_file(text: str) -> Path:
    path = Path(text).resolve()
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{path.parent} is not a directory: create it, or name another file")
    return path


def _check_timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise argparse.ArgumentTypeError(f"timezone must be a name such as Asia/Shanghai, not {text!r}") from None
