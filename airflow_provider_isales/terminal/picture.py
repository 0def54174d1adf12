"""A picture of days of a shift calendar, as SVG. What is drawn is what the calendar answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from xml.etree import ElementTree as ET

from airflow_provider_isales.shifts import ShiftCalendar
from airflow_provider_isales.terminal.preview import Day, days_of, edges, midnights, without_last_call

_HOURS = 24
_HOUR, _ROW = 28, 26
_LEFT, _TOP, _RIGHT, _BOTTOM = 110, 46, 150, 50
_BAR, _EDGE = 14, 18
_OPEN, _START, _END, _GRID, _TEXT = "#9ecae1", "#238b45", "#cb181d", "#dddddd", "#222222"
_AFTER_LAST_CALL = "url(#after-last-call)"


def drawn(calendar: ShiftCalendar, first: date, count: int) -> str:
    """
    Return the picture of so many days.

    :param calendar: the calendar
    :param first: the first day
    :param count: how many days
    """
    days = days_of(calendar, first, count)
    width, height = _LEFT + _HOURS * _HOUR + _RIGHT, _TOP + len(days) * _ROW + _BOTTOM
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "font-family": "DejaVu Sans, Helvetica, Arial, sans-serif",
            "font-size": "12",
            "fill": _TEXT,
        },
    )
    ET.SubElement(svg, "title").text = f"Shifts: {calendar.summary}"
    _define_hatching(svg)
    _box(svg, (0, 0), (width, height), "white")
    _draw_legend(svg, with_last_call="last_call" in calendar.to_dict())
    _draw_axis(svg, len(days), calendar.timezone)
    for number, day in enumerate(days):
        _draw_day(svg, _TOP + number * _ROW + _ROW / 2, day, calendar)
    ET.indent(svg)
    return ET.tostring(svg, encoding="unicode") + "\n"


def _define_hatching(svg: ET.Element) -> None:
    pattern = ET.SubElement(
        ET.SubElement(svg, "defs"),
        "pattern",
        {
            "id": "after-last-call",
            "width": "5",
            "height": "5",
            "patternUnits": "userSpaceOnUse",
            "patternTransform": "rotate(45)",
        },
    )
    _line(pattern, (0, 0), (0, 5), _OPEN, 4)


def _draw_legend(svg: ET.Element, *, with_last_call: bool) -> None:
    x, y = float(_LEFT), 20.0
    for color, label in ((_START, "start"), (_END, "end: pause")):
        _line(svg, (x, y - _EDGE / 2), (x, y + _EDGE / 2), color, 3)
        _write(svg, x + 8, y, label)
        x += 110
    for fill, label in ((_OPEN, "shift"), (_AFTER_LAST_CALL, "after last call"))[: 1 + with_last_call]:
        _box(svg, (x, y - _BAR / 2), (22, _BAR), fill)
        _write(svg, x + 28, y, label)
        x += 90


def _draw_axis(svg: ET.Element, rows: int, timezone: str) -> None:
    bottom = _TOP + rows * _ROW
    for hour in range(0, _HOURS + 1, 3):
        _line(svg, (_x(hour), _TOP), (_x(hour), bottom), _GRID, 1)
        _write(svg, _x(hour), bottom + 14, f"{hour:02}:00", "middle")
    _write(svg, _x(_HOURS / 2), bottom + 36, f"local time, {timezone}", "middle")


def _draw_day(svg: ET.Element, y: float, day: Day, calendar: ShiftCalendar) -> None:
    _write(svg, _LEFT - 10, y, f"{day.date:%a %d %b}", "end")
    _write(svg, _x(_HOURS) + 10, y, day.note)
    for whose, fill in ((without_last_call(calendar), _AFTER_LAST_CALL), (calendar, _OPEN)):
        for first, last in _hours_on(whose, day.date):
            _box(svg, (_x(first), y - _BAR / 2), (max(last - first, 0) * _HOUR, _BAR), fill)
    midnight, next_midnight = midnights(calendar, day.date)
    for next_edge, color, label in ((calendar.next_start, _START, "start"), (calendar.next_end, _END, "pause")):
        for edge in edges(next_edge, midnight, next_midnight):
            x = _x(_hour(edge))
            mark = _line(svg, (x, y - _EDGE / 2), (x, y + _EDGE / 2), color, 3)
            ET.SubElement(mark, "title").text = f"{label} {edge:%H:%M}"


def _hours_on(calendar: ShiftCalendar, day: date) -> Iterator[tuple[float, float]]:
    """Yield from when to when shifts are on on a date, in hours by the clock on the wall."""
    at, end_of_day = midnights(calendar, day)
    is_on = calendar.is_on(at)
    while at < end_of_day:
        edge = calendar.next_end(at) if is_on else calendar.next_start(at)
        until = edge if edge and edge < end_of_day else end_of_day
        if is_on:
            yield _hour(at), _hour(until) if until < end_of_day else _HOURS
        at, is_on = until, not is_on


def _hour(at: datetime) -> float:
    return at.hour + at.minute / 60 + at.second / 3600


def _x(hour: float) -> float:
    return _LEFT + hour * _HOUR


def _box(parent: ET.Element, corner: tuple[float, float], size: tuple[float, float], fill: str) -> None:
    numbers = zip(("x", "y", "width", "height"), (*corner, *size), strict=True)
    ET.SubElement(parent, "rect", {name: f"{number:g}" for name, number in numbers} | {"fill": fill})


def _line(
    parent: ET.Element, start: tuple[float, float], end: tuple[float, float], color: str, width: float
) -> ET.Element:
    numbers = zip(("x1", "y1", "x2", "y2", "stroke-width"), (*start, *end, width), strict=True)
    return ET.SubElement(parent, "line", {name: f"{number:g}" for name, number in numbers} | {"stroke": color})


def _write(parent: ET.Element, x: float, y: float, text: str, anchor: str = "start") -> None:
    where = {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor, "dominant-baseline": "central"}
    ET.SubElement(parent, "text", where).text = text
