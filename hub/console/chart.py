"""Charts as SVG, drawn here: no script, readable by screen readers, their data in a table beside them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from hub.console.figures import Bar
from hub.console.frame import number

_WIDTH, _HEIGHT = 760, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 24


def steps(most: int, wanted: int = 4) -> list[int]:
    """Round numbers from 0 to at least ``most``, about ``wanted`` of them."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if size * factor * wanted >= most:
                return [size * factor * n for n in range(wanted + 1)]
        size *= 10


def drawn(bars: Sequence[Bar], title: str, description: str, lang: str) -> Markup:
    """Quarters of an hour: deliveries, and before them the documents they are of."""
    marks = steps(max((bar.deliveries for bar in bars), default=0) or 1)
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    slot = wide / max(len(bars), 1)
    ground = _TOP + high

    def height(value: int) -> float:
        return high * value / marks[-1]

    lines = []
    for mark in marks:
        y = ground - height(mark)
        lines.append(f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(mark, lang)}</text>')
    for n, bar in enumerate(bars):
        x = _LEFT + n * slot
        for kind, value, inset in (("mark-2", bar.deliveries, 0.12), ("mark-1", bar.documents, 0.28)):
            if value:
                y, tall, across = ground - height(value), height(value), slot * (1 - 2 * inset)
                lines.append(
                    f'<rect class="{kind}" x="{x + slot * inset:.1f}" y="{y:.1f}" width="{across:.1f}" '
                    f'height="{max(tall, 1):.1f}"/>'
                )
        if bar.at.minute == 0 and bar.at.hour % 2 == 0:
            lines.append(f'<text x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{bar.at:%H:%M}</text>')
    head = Markup("<title>{}</title><desc>{}</desc>").format(title, description)
    opened = f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
    # Numbers and times alone, but for the head, which is escaped.
    return Markup(f"{opened}{head}{''.join(lines)}</svg>")  # noqa: S704  (escaped above)
