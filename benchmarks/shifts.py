"""
Compare ``ShiftCalendar.next_end`` with what a team would use instead.

Weekly rule: shifts mon-fri 09:00-12:00 and 13:30-18:00 in Europe/Berlin. Their ends are the instants of the
cron expression ``0 12,18 * * 1-5``, which cronsim and croniter evaluate.

With holidays: one shift a day, 09:30-16:00 in America/New_York, as the sessions of the New York stock
exchange in exchange_calendars. The calendar is closed on the weekdays without a session and has special days
for the early closes, so that both have the same closes.

Every contender is called with the same instants in random order, and must return the same ends, before it is
timed. ``warm`` is a call to an object in use, the median of rounds in which the contenders take turns; ``cold``
is creating the object and calling it once. Rivals that are not installed are left out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from airflow_provider_isales.shifts import ShiftCalendar

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
FIRST, LAST = date(2024, 1, 2), date(2025, 12, 31)
INSTANTS, ROUNDS = 2000, 9


class Contender(NamedTuple):
    """The call for the next end, and how to make its argument, which is not timed."""

    next_end: Callable[[Any], Any]
    argument: Callable[[datetime], Any] = lambda at: at


class Row(NamedTuple):
    """One contender: microseconds per call, and the ratio to the calendar's."""

    rule: str
    contender: str
    warm: float
    cold: float
    ratio: float


def draw_instants(zone: ZoneInfo) -> list[datetime]:
    """Return random instants on whole minutes, which every contender reads alike."""
    draw = random.Random(3)
    begin = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    minutes = int((datetime(2025, 12, 20, tzinfo=UTC) - begin).total_seconds() // 60)
    return [(begin + timedelta(minutes=draw.randrange(minutes))).astimezone(zone) for _ in range(INSTANTS)]


def weekly() -> dict[str, Callable[[], Contender]]:
    """Return the makers of the contenders for the weekly rule."""

    def ours() -> Contender:
        week = {"mon-fri": ["09:00-12:00", "13:30-18:00"]}
        return Contender(ShiftCalendar("Europe/Berlin", week).next_end)

    def cronsim() -> Contender:
        from cronsim import CronSim

        return Contender(lambda at: next(CronSim("0 12,18 * * 1-5", at)))

    def croniter() -> Contender:
        from croniter import croniter

        ends = croniter("0 12,18 * * 1-5", datetime(2024, 1, 1, tzinfo=BERLIN))
        return Contender(lambda at: ends.get_next(datetime, start_time=at))

    return {"ShiftCalendar": ours, "cronsim": cronsim, "croniter": croniter}


def with_holidays() -> dict[str, Callable[[], Contender]]:
    """Return the makers of the contenders for the rule with holidays; empty without exchange_calendars."""
    if not find_spec("exchange_calendars"):
        return {}
    import pandas
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

    def exchange() -> Any:
        # Some days more than measured, because it refuses instants without a session before and after.
        return XNYSExchangeCalendar(start=FIRST - timedelta(days=10), end=LAST + timedelta(days=10))

    closes = {close.tz_convert(NEW_YORK).date(): close.tz_convert(NEW_YORK) for close in exchange().closes}
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days)]
    closed = [day for day in days if day.weekday() < 5 and day not in closes]
    early = {day: [f"09:30-{close:%H:%M}"] for day, close in closes.items() if (close.hour, close.minute) != (16, 0)}

    def ours() -> Contender:
        return Contender(ShiftCalendar("America/New_York", {"mon-fri": ["09:30-16:00"]}, closed, early).next_end)

    def theirs() -> Contender:
        return Contender(exchange().next_close, lambda at: pandas.Timestamp(at).tz_convert("UTC"))

    return {"ShiftCalendar": ours, "exchange_calendars": theirs}


def is_available(name: str) -> bool:
    return name == "ShiftCalendar" or find_spec(name) is not None


def measure_call(call: Callable[[Any], Any], arguments: list[Any]) -> float:
    """Return the microseconds per call."""
    begin = time.perf_counter()
    for argument in arguments:
        call(argument)
    return (time.perf_counter() - begin) / len(arguments) * 1e6


def measure_first_call(make: Callable[[], Contender], at: datetime) -> float:
    """Return the microseconds from creation to the first result."""
    ShiftCalendar._find_block.cache_clear()
    begin = time.perf_counter()
    contender = make()
    contender.next_end(contender.argument(at))
    return (time.perf_counter() - begin) * 1e6


def check_same_results(contenders: dict[str, Contender], at: list[datetime]) -> None:
    for instant in at:
        ends = {name: c.next_end(c.argument(instant)).timestamp() for name, c in contenders.items()}
        if len(set(ends.values())) > 1:
            raise AssertionError(f"the contenders disagree on the end after {instant.isoformat()}: {ends}")


def compare(rule: str, makers: dict[str, Callable[[], Contender]], at: list[datetime]) -> list[Row]:
    contenders = {name: make() for name, make in makers.items()}
    check_same_results(contenders, at)
    arguments = {name: [c.argument(instant) for instant in at] for name, c in contenders.items()}
    warm: dict[str, list[float]] = {name: [] for name in makers}
    cold: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            warm[name].append(measure_call(contender.next_end, arguments[name]))
    # Only now, as it empties the calendar's cache.
    for _ in range(ROUNDS):
        for name, make in makers.items():
            cold[name].append(measure_first_call(make, at[0]))
    return [
        Row(
            rule,
            name,
            median(warm[name]),
            median(cold[name]),
            median(warm[name]) / median(warm["ShiftCalendar"]),
        )
        for name in makers
    ]


def run() -> list[Row]:
    """Time every contender that is installed; fail if one disagrees with the calendar."""
    rules = (("weekly", weekly(), BERLIN), ("with holidays", with_holidays(), NEW_YORK))
    return [
        row
        for rule, makers, zone in rules
        for row in compare(rule, {name: makers[name] for name in makers if is_available(name)}, draw_instants(zone))
    ]


def main() -> None:
    print(f"{'rule':<15}{'contender':<20}{'warm, us/call':>14}{'cold, us':>12}{'ratio':>9}")
    for row in run():
        print(f"{row.rule:<15}{row.contender:<20}{row.warm:>14.2f}{row.cold:>12.0f}{row.ratio:>9.1f}")


if __name__ == "__main__":
    main()
