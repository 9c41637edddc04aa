"""The answer of a query as one value.

SQLite's driver lets go of the interpreter's lock at every row it reads, and where other threads want the lock it is
back only after 0.5 ms; so that rows by the dozen come as one row, a JSON array of arrays (JSON as RFC 8259 has it).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import JSON, CompoundSelect, Connection, LargeBinary, Select, func, select
from sqlalchemy.engine import Dialect, IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData

from hub.store.engine import is_sqlite

Change = Callable[[Any], Any]


class Whole:
    """``query``, whose columns are of types that JSON can hold: any but bytes. For SQLite.

    Raises TypeError for a column of bytes.
    """

    def __init__(self, query: Select[Any] | CompoundSelect[Any]) -> None:
        rows = query.subquery("whole")
        kinds = [column.type for column in rows.c]
        if any(isinstance(kind, LargeBinary) for kind in kinds):
            raise TypeError("SQLite's JSON holds no bytes")
        within = [func.json(column) if isinstance(column.type, JSON) else column for column in rows.c]
        self._query = select(func.json_group_array(func.json_array(*within)))
        self._kinds = [(place, kind) for place, kind in enumerate(kinds) if not isinstance(kind, JSON)]
        self._names = SimpleResultMetaData([column.key or "" for column in query.selected_columns])
        self._changes: list[tuple[int, Change]] | None = None

    def of(self, connection: Connection, values: Mapping[str, Any]) -> Result[Any]:
        """The rows, in the order of the query."""
        found = json.loads(connection.execute(self._query, values).scalar_one())
        return IteratorResult(self._names, self._read(found, connection.dialect))

    def _read(self, rows: list[list[Any]], dialect: Dialect) -> Iterator[tuple[Any, ...]]:
        if self._changes is None:
            as_read = (
                (place, kind.dialect_impl(dialect).result_processor(dialect, None)) for place, kind in self._kinds
            )
            self._changes = [(place, change) for place, change in as_read if change is not None]
        for row in rows:
            for place, change in self._changes:
                row[place] = change(row[place])
            yield tuple(row)


def whole(connection: Connection, query: Select[Any] | CompoundSelect[Any]) -> Result[Any]:
    """The rows of a query, at once where that is quicker. Raises TypeError for a column of bytes."""
    return Whole(query).of(connection, {}) if is_sqlite(connection) else connection.execute(query)
