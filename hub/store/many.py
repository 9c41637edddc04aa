"""Statements for many rows, put together once: the toolkit would look at every value of every row again.

To SQLite the rows go in one statement, for its driver lets go of the interpreter's lock at every execution: where other
threads want the lock, a row by itself took 0.7 ms, and one of sixteen 0.08.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, Table, Update, bindparam, insert, update
from sqlalchemy.engine import Dialect

from hub.store.engine import is_sqlite

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]  # of one table, all with the same names
_MOST = 64  # rows in one statement


class _Put(NamedTuple):
    """A statement and how rows become its parameters: one for each, or all together in one of SQLite's."""

    sql: str
    group: str  # of placeholders, once for each row
    values: Callable[[Row], list[Any]]
    named: tuple[str, ...]


class Inserts:
    """Inserts rows that all have a value for the same names into a table; ``then`` is the end of the statement."""

    def __init__(self, table: Table, then: str = "") -> None:
        self._table, self._then = table, then
        self._known: dict[tuple[str, tuple[str, ...]], _Put] = {}  # by engine and names

    def execute(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write them, at least one. A broken constraint raises IntegrityError."""
        key = connection.dialect.name, tuple(rows[0])
        if key not in self._known:
            self._known[key] = self._put(connection.dialect, key[1])
        _execute(connection, self._known[key], rows)

    def _put(self, dialect: Dialect, names: tuple[str, ...]) -> _Put:
        columns = ", ".join(map(dialect.identifier_preparer.quote, names))
        into = f"INSERT INTO {self._table.name} ({columns}) VALUES %s {self._then}"  # noqa: S608  (names of our tables)
        types = {name: self._table.c[name].type for name in names}
        put = _put_together(dialect, into, insert(self._table), types)
        return put if dialect.name == "sqlite" else put._replace(sql=f"{put.sql} {self._then}")


class Changes:
    """Changes the columns ``changed`` of a table's rows, each found by the values of the columns ``found``."""

    def __init__(self, table: Table, found: Sequence[str], changed: Sequence[str]) -> None:
        self._table, self._found, self._changed = table, found, changed
        self._known: dict[str, _Put] = {}

    def execute(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Write them, at least one: a value for each column to find it by as ``_name``, and for each that changes as
        ``_to_name``. Gives how many rows were found.
        """
        dialect = connection.dialect
        if dialect.name not in self._known:
            self._known[dialect.name] = self._put(dialect)
        return _execute(connection, self._known[dialect.name], rows)

    def _put(self, dialect: Dialect) -> _Put:
        c, quote = self._table.c, dialect.identifier_preparer.quote
        types = {f"_{name}": c[name].type for name in self._found}
        types |= {f"_to_{name}": c[name].type for name in self._changed}
        given = {name: f"given.column{place}" for place, name in enumerate(types, 1)}
        to = ", ".join(f"{quote(name)} = {given[f'_to_{name}']}" for name in self._changed)
        where = " AND ".join(f"{self._table.name}.{quote(name)} = {given[f'_{name}']}" for name in self._found)
        together = f"UPDATE {self._table.name} SET {to} FROM (VALUES %s) AS given WHERE {where}"  # noqa: S608  (likewise)
        each = update(self._table).where(*(c[name] == bindparam(f"_{name}") for name in self._found))
        each = each.values({name: bindparam(f"_to_{name}") for name in self._changed})
        return _put_together(dialect, together, each, types)


def _put_together(dialect: Dialect, together: str, each: Insert | Update, types: Mapping[str, Any]) -> _Put:
    names = tuple(types)
    as_stored = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in types.items()}
    changed = {place: change for place, name in enumerate(names) if (change := as_stored[name])}

    def values(row: Row) -> list[Any]:
        found = [row[name] for name in names]
        for place, change in changed.items():
            found[place] = change(found[place])
        return found

    if dialect.name == "sqlite":
        return _Put(together, f"({', '.join('?' * len(names))})", values, names)
    columns = list(names) if isinstance(each, Insert) else None
    compiled = each.compile(dialect=dialect, column_keys=columns, for_executemany=True)
    return _Put(str(compiled), "", values, names)


def _execute(connection: Connection, put: _Put, rows: Sequence[Row]) -> int:
    """Gives how many rows were inserted or changed."""
    if not is_sqlite(connection):
        each = [dict(zip(put.named, put.values(row), strict=True)) for row in rows]
        return connection.exec_driver_sql(put.sql, each).rowcount
    count = 0
    for some in _parts(rows):
        values = tuple(value for row in some for value in put.values(row))
        count += connection.exec_driver_sql(put.sql % ", ".join([put.group] * len(some)), values).rowcount
    return count


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """In parts of 64, 32, … 1: the driver keeps few prepared statements, and every number of rows is one of its own."""
    start, size = 0, _MOST
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size
