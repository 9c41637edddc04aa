"""Rows of the operator's calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, delete, insert, select

from hub.domain.deadlines import Day, DayKind
from hub.store.figure_tables import calendar_day

_c = calendar_day.c


def days(connection: Connection) -> list[Day]:
    """What the operator says, by day."""
    rows = connection.execute(select(calendar_day).order_by(_c.day))
    return [Day(row.day, DayKind(row.kind), row.name) for row in rows]


def put(connection: Connection, rows: Iterable[Day]) -> None:
    """Say this of these days instead of what was said of them."""
    new = {row.day: row for row in rows}.values()
    if new:
        remove(connection, [row.day for row in new])
        connection.execute(insert(calendar_day), [{"day": d.day, "kind": d.kind.value, "name": d.name} for d in new])


def remove(connection: Connection, gone: Iterable[date]) -> None:
    connection.execute(delete(calendar_day).where(_c.day.in_(list(gone))))
