"""Queries for rows that have one of many values, or pairs of values, whatever their number: one text of SQL, compiled
and planned once; and for the first rows of one value in the order of a number, read from the index that has both.

For ``owner = x ORDER BY seq LIMIT n`` PostgreSQL walks along the index of ``seq`` alone once it believes that many rows
are x's, and reads all that was ever stored before them. A range of one value is no constant to it, so that only the
index of (owner, seq) gives the order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, Text, and_, any_, bindparam, func, select, tuple_
from sqlalchemy.engine import Result

from hub.store.engine import is_sqlite
from hub.store.whole import Whole


def only(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    """``column`` is ``value``; to be ordered by it first."""
    return column.between(value, value)


def only_after(column: ColumnElement[Any], number: ColumnElement[Any]) -> ColumnElement[bool]:
    """``column`` is the parameter ``only``, and ``number`` above the parameter ``after``; to be ordered by both."""
    value, after = bindparam("only", type_=column.type), bindparam("after", type_=number.type)
    return and_(tuple_(column, number) > tuple_(value, after), column <= value)


def is_listed(column: ColumnElement[Any], name: str, *, sqlite: bool) -> ColumnElement[bool]:
    """``column`` has one of the values of the parameter ``name`` (see :func:`listed`)."""
    if sqlite:
        in_json = func.json_each(bindparam(name)).table_valued("value", name="listed")
        return column.in_(select(in_json.c.value))
    return column == any_(bindparam(name, type_=ARRAY(Text)))


def listed(values: Iterable[str], *, sqlite: bool) -> str | list[str]:
    """The values as a parameter."""
    return json.dumps(list(values)) if sqlite else list(values)


class Listing:
    """``query`` for the rows whose ``column`` has one of the values given."""

    def __init__(self, query: Select[Any], column: ColumnElement[Any]) -> None:
        self._sqlite = Whole(query.where(is_listed(column, "values", sqlite=True)))
        self._postgresql = query.where(is_listed(column, "values", sqlite=False))

    def of(self, connection: Connection, values: Iterable[str]) -> Result[Any]:
        """The rows."""
        if is_sqlite(connection):
            return self._sqlite.of(connection, {"values": listed(values, sqlite=True)})
        return connection.execute(self._postgresql, {"values": listed(values, sqlite=False)})


class Pairs:
    """``query`` for the rows of which two columns have one of the pairs of values given."""

    def __init__(self, query: Select[Any], first: ColumnElement[Any], second: ColumnElement[Any]) -> None:
        in_json = func.json_each(bindparam("pairs")).table_valued("value", name="listed").c.value
        self._sqlite = Whole(
            query.where(first == func.json_extract(in_json, "$[0]"), second == func.json_extract(in_json, "$[1]"))
        )
        arrays = (bindparam(name, type_=ARRAY(Text)) for name in ("firsts", "seconds"))
        listed = func.unnest(*arrays).table_valued("first", "second", name="listed").render_derived()
        self._postgresql = query.where(first == listed.c.first, second == listed.c.second)

    def of(self, connection: Connection, pairs: Iterable[tuple[str, str]]) -> Result[Any]:
        """The rows, each once."""
        once = list(dict.fromkeys(pairs))
        if is_sqlite(connection):
            return self._sqlite.of(connection, {"pairs": json.dumps(once)})
        firsts, seconds = ([pair[part] for pair in once] for part in (0, 1))
        return connection.execute(self._postgresql, {"firsts": firsts, "seconds": seconds})
