"""Queries for rows that have one of many values, whatever their number: one text of SQL, compiled and planned once;
and for the first rows of one value in the order of a number, read from the index that has both.

For ``owner = x ORDER BY seq LIMIT n`` PostgreSQL walks along the index of ``seq`` alone once it believes that many rows
are x's, and reads all that was ever stored before them. A range of one value is no constant to it, so that only the
index of (owner, seq) gives the order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, Text, and_, any_, bindparam, func, select, tuple_
from sqlalchemy.engine import CursorResult

from hub.store.engine import is_sqlite


def only(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    """``column`` is ``value``; to be ordered by it first."""
    return column.between(value, value)


def only_after(
    column: ColumnElement[Any], value: object, number: ColumnElement[Any], after: int
) -> ColumnElement[bool]:
    """``column`` is ``value``, and ``number`` above ``after``; to be ordered by both."""
    return and_(tuple_(column, number) > (value, after), column <= value)


class Listing:
    """``query`` for the rows whose ``column`` has one of the values given."""

    def __init__(self, query: Select[Any], column: ColumnElement[Any]) -> None:
        in_json = func.json_each(bindparam("values")).table_valued("value", name="listed")
        self._sqlite = query.where(column.in_(select(in_json.c.value)))
        self._postgresql = query.where(column == any_(bindparam("values", type_=ARRAY(Text))))

    def of(self, connection: Connection, values: Iterable[str]) -> CursorResult[Any]:
        """The rows."""
        if is_sqlite(connection):
            return connection.execute(self._sqlite, {"values": json.dumps(list(values))})
        return connection.execute(self._postgresql, {"values": list(values)})
