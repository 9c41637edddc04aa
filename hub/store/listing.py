"""Queries for rows that have one of many values, whatever their number: one text of SQL, compiled and planned once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, Text, any_, bindparam, func, select
from sqlalchemy.engine import CursorResult

from hub.store.engine import is_sqlite


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
