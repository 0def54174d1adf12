"""The demo is red, with the logs, when anything is not as promised; that it is green is for ``make demo`` to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import demo
import pytest
from ended_shift import make_shift_until
from throwaway_airflow import ThrowawayAirflow

from airflow_provider_isales.simulator import Campaign

IN_TIME = {"seconds_after_shift_end": 24.6}
LATE = {"late": [1001], "seconds_after_shift_end": 61.2}


class Ended(ThrowawayAirflow):
    """An Airflow as the demo reads it after its first run."""

    def __init__(self, state: str, result: Mapping[str, Any], message: str = "") -> None:
        self._state, self._result, self._message = state, result, message

    def list_runs(self, dag_id: str) -> list[dict[str, Any]]:
        return [{"dag_run_id": "first", "state": self._state}]

    def list_task_instances(self, run: str) -> list[dict[str, Any]]:
        return [{"task_id": "pause"}]

    def get_xcom(self, instance: Mapping[str, Any]) -> Any:
        return self._result

    def get_log(self, instance: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"event": "Task failed", "error_detail": [{"exc_value": self._message}]}]


@pytest.fixture
def campaign() -> Campaign:
    return Campaign(1001, state="suspended")


def test_a_run_in_time_is_green(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    demo.show_pause(Ended("success", IN_TIME), campaign)
    assert "Its run is green: a listing confirmed the pause, 25 s after the end." in capsys.readouterr().out


def test_a_run_may_be_red_where_it_came_late(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    demo.show_pause(Ended("failed", LATE, "1 campaign of VDN 25 was dialled"), campaign)
    assert "Its log says: 1 campaign of VDN 25 was dialled" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "run",
    [Ended("success", LATE), Ended("failed", IN_TIME), Ended("failed", {}), Ended("success", {})],
    ids=["green though late", "red though in time", "red without a result", "green without a result"],
)
def test_any_other_run_breaks_the_promise(campaign: Campaign, run: Ended) -> None:
    with pytest.raises(demo.NotAsPromisedError, match="run first is"):
        demo.show_pause(run, campaign)


def test_the_wait_for_a_stray_that_is_never_stopped_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "WAIT_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match="campaign 1002 to be paused"):
        demo.show_stray_stopped(Ended("success", IN_TIME), Campaign(1002))


def test_a_broken_promise_is_reported_with_the_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never_up(*_: object) -> None:
        raise TimeoutError("waited 300 s for Airflow")

    monkeypatch.setattr(demo, "ThrowawayAirflow", never_up)
    monkeypatch.setattr(demo, "HOME", tmp_path)
    (tmp_path / "standalone.log").write_text("no space left on device")
    assert demo.main() == 1
    told = capsys.readouterr().out
    assert told.index("no space left on device") < told.index("NOT AS PROMISED: waited 300 s for Airflow")


@pytest.mark.parametrize("time", ["09:30:00", "09:30:01", "09:29:59", "00:00:00", "00:00:01", "23:59:59"])
def test_a_shift_can_end_at_any_second(time: str) -> None:
    end = datetime.fromisoformat(f"2026-11-24T{time}").replace(tzinfo=UTC)
    shift = make_shift_until(end).shift_at(end - timedelta(seconds=1))
    assert shift is not None
    assert shift.end == end
