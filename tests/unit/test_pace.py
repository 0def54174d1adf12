"""How fast requests follow one another; a server is played that counts them, on a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from airflow_provider_isales.client.pace import Pace


@dataclass
class Played:
    """A server that accepts so many requests in each second and answers at once, and one thread that sends them."""

    limit: int
    now: float = 1000.0
    refused: int = 0
    accepted: list[float] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)

    def send(self, requests: int, rests: float = 0.25) -> None:
        """Send until so many requests were accepted, resting after each that was refused."""
        until = len(self.accepted) + requests
        while len(self.accepted) < until:
            self.now = max(self.now, self.pace.next_turn(self.now)) + 0.0005
            if sum(int(at) == int(self.now) for at in self.accepted[-self.limit :]) < self.limit:
                self.accepted.append(self.now)
            else:
                self.refused += 1
                self.pace.slow_down(self.now)
                self.now += rests


def test_requests_are_unlimited_before_the_first_refusal() -> None:
    pace = Pace()
    assert [pace.next_turn(1000.0 + number / 1e4) for number in range(100)] == [1000.0 + n / 1e4 for n in range(100)]


@pytest.mark.parametrize("limit", [50, 100, 1000])
def test_after_a_refusal_requests_keep_just_below_what_is_accepted(limit: int) -> None:
    server = Played(limit)
    server.send(10 * limit)
    assert server.now - 1000 < 11.5
    assert server.refused <= 0.02 * 10 * limit


def test_requests_are_evenly_spaced_after_a_refusal() -> None:
    server = Played(100)
    server.send(150)
    turns = [server.pace.next_turn(server.now) for _ in range(20)]
    assert [after - before for before, after in pairwise(turns)] == pytest.approx([0.0105] * 19, abs=0.001)


def test_the_pace_increases_while_the_server_accepts_more() -> None:
    server = Played(20)
    server.send(60)
    server.limit = 10_000
    began = server.now
    server.send(1500)
    assert server.now - began < 25


def test_the_pace_is_never_below_thirty_requests_a_second() -> None:
    pace = Pace()
    pace.next_turn(1000.0)
    for _ in range(50):
        pace.slow_down(1000.0)
    assert pace.next_turn(1000.5) == pytest.approx(1000.5)
    assert pace.next_turn(1000.5) == pytest.approx(1000.5 + 1 / 30)


def test_single_refusals_do_not_slow_down_requests() -> None:
    pace = Pace()
    for number in range(1000):
        now = 1000 + number / 200
        assert pace.next_turn(now) == now
        if number % 50 == 49:  # 2 %
            pace.slow_down(now)


def test_the_pace_is_much_faster_after_half_a_minute_without_a_refusal() -> None:
    server = Played(50)
    server.send(150)
    later = server.now + 31
    first, *_, last = (server.pace.next_turn(later) for _ in range(100))
    assert last - first < 0.05


def test_idle_time_also_increases_the_pace() -> None:
    asked, idle = Played(50), Played(50)
    for server in (asked, idle):
        server.send(51)
    began = idle.now
    while asked.now < began + 10:
        asked.now = asked.pace.next_turn(asked.now)
    idle.now = asked.now

    def rate(pace: Pace, now: float) -> float:
        first, second = (pace.next_turn(now + 1) for _ in range(2))
        return 1 / (second - first)

    assert rate(idle.pace, idle.now) == pytest.approx(rate(asked.pace, asked.now), rel=0.05)
