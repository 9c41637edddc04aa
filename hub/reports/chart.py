"""The geometry of a report's chart: horizontal bars, a pair for each row. A page draws them, and shows the table."""

from __future__ import annotations

from dataclasses import dataclass

from hub.reports import sheet
from hub.reports.build import Report

_MOST = 12  # rows
_LABEL, _WIDTH, _VALUE, _BAR, _GAP = 150, 720, 80, 13, 12  # units of the drawing


@dataclass(frozen=True, slots=True)
class Bar:
    """``series`` from 1."""

    series: int
    y: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """``series`` are the names of what is drawn, ``left`` where bars begin, ``is_part`` whether others are not."""

    series: tuple[str, ...]
    groups: tuple[Group, ...]
    width: int
    height: int
    left: int
    is_part: bool
    said: str  # for who does not see it


def chart(report: Report, language: int) -> Chart | None:
    """None where there is nothing to draw."""
    charted = [(n, column) for n, column in enumerate(report.columns) if column.charted]
    rows = [row for row in report.rows if any(row.values[n] for n, _ in charted)]
    if not rows:
        return None
    shown = rows[:_MOST]
    most = max(float(row.values[n] or 0) for row in shown for n, _ in charted)
    scale = (_WIDTH - _LABEL - _VALUE) / most if most else 0
    height, groups, told = _GAP, [], []
    for row in shown:
        bars, top = [], height
        for series, (n, column) in enumerate(charted, 1):
            value = row.values[n] or 0
            text = sheet.said(value, column.form, language)
            bars.append(Bar(series, height, round(max(0.0, value * scale), 1), text))
            height += _BAR
        label = sheet.label(report, row, language)
        groups.append(Group(label, (top + height) / 2 + 4, tuple(bars)))
        told.append(f"{label}: {', '.join(bar.text for bar in bars)}")
        height += _GAP
    names = tuple(column.en if language else column.vi for _, column in charted)
    said = f"{', '.join(names)}. {'; '.join(told)}."
    return Chart(names, tuple(groups), _WIDTH, height, _LABEL, len(rows) > len(shown), said)
