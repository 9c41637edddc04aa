"""Statements for many rows, put together once: the toolkit would look at every value of every row again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Update
from sqlalchemy.engine import CursorResult, Dialect

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]  # of one table, all with the same names
_Put = Callable[[Sequence[Row]], list[Any]]


class Many:
    """An insert, or an update with named parameters, for rows that all have a value for the same names."""

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement
        self._known: dict[tuple[str, tuple[str, ...]], tuple[str, _Put]] = {}  # by engine and names

    def execute(self, connection: Connection, rows: Sequence[Row]) -> CursorResult[Any]:
        """Write them, at least one. A broken constraint raises IntegrityError."""
        key = connection.dialect.name, tuple(rows[0])
        if key not in self._known:
            self._known[key] = self._put_together(connection.dialect, key[1])
        sql, put = self._known[key]
        return connection.exec_driver_sql(sql, put(rows))

    def _put_together(self, dialect: Dialect, names: tuple[str, ...]) -> tuple[str, _Put]:
        columns = list(names) if isinstance(self._statement, Insert) else None
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=columns, for_executemany=True)
        as_stored = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect) for name, bound in compiled.binds.items()
        }
        order = compiled.positiontup or list(as_stored)
        changed = {place: change for place, name in enumerate(order) if (change := as_stored[name])}

        def put(rows: Sequence[Row]) -> list[Any]:
            found = []
            for row in rows:
                values = [row[name] for name in order]
                for place, change in changed.items():
                    values[place] = change(values[place])
                found.append(tuple(values) if compiled.positional else dict(zip(order, values, strict=True)))
            return found

        return str(compiled), put
