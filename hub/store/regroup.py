"""The figures of groups once more, from those of agencies: what differs was there before them, or was counted by a
program that knows of none, or belongs to another group since the directory changed.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, func, select, union_all

from hub.domain.groups import Grouping, Groups
from hub.domain.tally import WAITS, Measure
from hub.store.figure_tables import figure, group_figure
from hub.store.figures import BY_DAY_ALONE, GroupCell
from hub.store.whole import whole

_f, _g = figure.c, group_figure.c
_LONG = {"D": timedelta(days=7), "M": timedelta(days=31)}  # of thousands of agencies some ten thousand figures


class Window(NamedTuple):
    """A measure's figures from a day on and before another."""

    span: str
    measure: Measure
    since: date
    until: date


def windows(connection: Connection) -> list[Window]:
    """All there are to go through, each small enough to be read at once."""
    ends = union_all(
        *(select(func.min(c.day).label("first"), func.max(c.day).label("last")) for c in (_f, _g))
    ).subquery()
    first, last = connection.execute(select(func.min(ends.c.first), func.max(ends.c.last))).one()
    found: list[Window] = []
    for span, long in _LONG.items():
        at = first
        while at is not None and at <= last:
            found += [
                Window(span, m, at, at + long) for m in Measure if m not in (WAITS if span == "D" else BY_DAY_ALONE)
            ]
            at += long
    return found


def lacking(connection: Connection, window: Window, groups: Groups) -> dict[GroupCell, int]:
    """What groups' figures lack to be those of their agencies."""
    span, measure, since, until = window
    found: Counter[GroupCell] = Counter()
    agencies = select(_f.day, _f.agency, _f.key, _f.value).where(_f.span == span, _f.measure == measure)
    for row in whole(connection, agencies.where(_f.day >= since, _f.day < until)):
        for grouping in Grouping:
            found[GroupCell(grouping, span, measure, row.day, groups.of(grouping, row.agency), row.key)] += row.value
    for grouping in Grouping:
        kept = select(_g.day, _g.name, _g.key, _g.value).where(
            _g.grouping == grouping, _g.span == span, _g.measure == measure, _g.day >= since, _g.day < until
        )
        for row in whole(connection, kept):
            found[GroupCell(grouping, span, measure, row.day, row.name, row.key)] -= row.value
    return {cell: n for cell, n in found.items() if n}
