"""Charts as inline SVG: lines over time, and bars. Colours are the page's (``--c0`` …), so that it can be dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

from clients.replay.ledger.findings import Series
from clients.replay.verdict.words import unit_of

_WIDTH, _HEIGHT = 720, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 30
_BAR = 26
COLOURS = 6


def lines(series: Series, names: Mapping[str, str], unit: Callable[[float], str]) -> str:
    """One line for each of ``names`` (name -> what the legend says) over time; '' where there is nothing to show."""
    shown = {name: series.lines[name] for name in names if name in series.lines}
    values = [value for line in shown.values() for value in line if value is not None]
    if len(series.times) < 2 or not values or not any(values):
        return ""
    top, steps = _scale(max(values))
    last = series.times[-1] or 1.0

    def x(moment: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * moment / last

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top

    parts = [_head(_HEIGHT)]
    for step in range(steps + 1):
        value = top * step / steps
        parts.append(f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{escape(unit(value))}</text>')
    length, sign = unit_of(last)
    whole, steps = _scale(last / length)
    for step in range(steps + 1):
        value = whole * step / steps
        if value * length <= last * 1.001:
            parts.append(
                f'<text x="{x(value * length):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{value:g} {sign}</text>'
            )
    for place, line in enumerate(shown.values()):
        points = "".join(_points(series.times, line, x, y))
        parts.append(f'<path class="line c{place % COLOURS}" d="{points}"/>')
    legend = "".join(
        f'<li><i class="k{place % COLOURS}"></i>{escape(names[name])}</li>' for place, name in enumerate(shown)
    )
    return f'{"".join(parts)}</svg><ul class="legend">{legend}</ul>'


def bars(values: Mapping[str, int]) -> str:
    """Horizontal bars with their numbers, in the order given; '' for none."""
    if not values:
        return ""
    most, height, left = max(values.values()), len(values) * _BAR + 8, 210
    parts = [_head(height)]
    for place, (name, value) in enumerate(values.items()):
        top = 4 + place * _BAR
        width = max(2.0, (_WIDTH - left - 90) * value / most)
        parts.append(f'<text x="{left - 10}" y="{top + 16}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{top + 3}" width="{width:.1f}" height="{_BAR - 8}" rx="2"/>')
        parts.append(f'<text x="{left + width + 8:.1f}" y="{top + 16}">{value:,}</text>')
    return f"{''.join(parts)}</svg>"


def _head(height: int) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" aria-hidden="true">'


def _points(
    times: Sequence[float], line: Sequence[float | None], x: Callable[[float], float], y: Callable[[float], float]
) -> list[str]:
    """A path that breaks where nothing was measured; a point alone is drawn as a short stroke."""
    found, pen = [], "M"
    for moment, value in zip(times, line, strict=True):
        if value is None:
            pen = "M"
            continue
        found.append(f"{pen}{x(moment):.1f} {y(value):.1f}" + ("h.1" if pen == "M" else ""))
        pen = "L"
    return found


def _scale(most: float) -> tuple[float, int]:
    """A round number not below ``most``, and into how many round steps it goes."""
    size = 10 ** floor(log10(most))
    for step in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5):
        if (steps := ceil(most / (size * step) - 1e-9)) <= 5:
            return size * step * steps, steps
    raise AssertionError(most)
