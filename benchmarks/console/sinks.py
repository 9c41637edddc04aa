"""Writing rows in bulk, each engine by its own quickest way: no index, trigger or constraint until all are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from psycopg import sql
from sqlalchemy import Table

from benchmarks.console.columns import COLUMNS, Rows
from benchmarks.console.places import Place
from hub.store.tables import metadata

Told = Callable[[str], None]  # what is done now


class Sink(Protocol):
    """Takes rows of the tables of :mod:`benchmarks.console.columns`."""

    def write(self, rows: Rows) -> None: ...

    def run(self, statement: str) -> Any:
        """One statement, which may give one value."""


@contextmanager
def sink(place: Place, told: Told) -> Iterator[Sink]:
    """Where rows go; at the end everything that was taken away is made again."""
    _check()
    with (_sqlite if place.database == "sqlite" else _postgresql)(place, told) as found:
        yield found


def _check() -> None:
    """Raises RuntimeError where a table has come to need what nothing is given for."""
    for name, given in COLUMNS.items():
        table: Table = metadata.tables[name]
        lacking = [
            column.name
            for column in table.c
            if not column.nullable and column.server_default is None and column.name not in given
            and not (column.primary_key and column is table.autoincrement_column)
        ]  # fmt: skip
        if lacking:
            raise RuntimeError(f"{name} needs {', '.join(lacking)}: give it in columns.py and history.py")


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._insert = {
            name: f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            for name, columns in COLUMNS.items()
        }

    def write(self, rows: Rows) -> None:
        for name, some in rows.items():
            self._connection.executemany(self._insert[name], some)

    def run(self, statement: str) -> Any:
        found = self._connection.execute(statement).fetchone()
        return found[0] if found else None


@contextmanager
def _sqlite(place: Place, told: Told) -> Iterator[Sink]:
    connection = sqlite3.connect(place.data_dir / "hub.db", isolation_level=None)
    try:
        for pragma in (
            "journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-1000000", "foreign_keys=OFF",
            "temp_store=FILE", "threads=2",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        asked = (
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('index','trigger') ORDER BY 1"
        )
        taken = [
            (kind, name, text)
            for kind, name, text in connection.execute(asked).fetchall()
            if _table_of(connection, name) in COLUMNS
        ]
        for kind, name, _ in taken:
            connection.execute(f'DROP {kind} "{name}"')
        connection.execute("BEGIN")
        yield _Sqlite(connection)
        for _, name, text in taken:
            told(name)
            connection.execute(text)
        told("document_fts")
        connection.execute("INSERT INTO document_fts (document_fts) VALUES ('rebuild')")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _table_of(connection: sqlite3.Connection, name: str) -> str:
    asked = "SELECT tbl_name FROM sqlite_master WHERE name = ?"
    return str(connection.execute(asked, (name,)).fetchone()[0])


class _Postgresql:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._copy = {
            name: sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            for name, columns in COLUMNS.items()
        }

    def write(self, rows: Rows) -> None:
        with self._connection.cursor() as cursor:
            for name, some in rows.items():
                if some:
                    with cursor.copy(self._copy[name]) as copy:
                        copy.write("".join(map(_line, some)))

    def run(self, statement: str) -> Any:
        found = self._connection.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return row[0] if row else None


def _line(row: Sequence[Any]) -> str:
    return "\t".join([each.translate(_ESCAPED) if type(each) is str else _text(each) for each in row]) + "\n"


_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _text(value: object) -> str:
    if value is None:
        return r"\N"
    return rf"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


@contextmanager
def _postgresql(place: Place, told: Told) -> Iterator[Sink]:
    with psycopg.connect(place.url, autocommit=True) as connection:
        keys, indexes = _constraints(connection, "pu"), _indexes(connection)
        references = _constraints(connection, "f")
        for table, name, _ in (*references, *keys):
            connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"'.encode())
        yield _Postgresql(connection)
        made = [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}' for table, name, text in keys]
        _run_all(place, told, made)
        _run_all(place, told, [text for _, text in indexes])
        _run_all(
            place, told, [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}' for table, name, text in references]
        )
        told("VACUUM ANALYZE")
        connection.execute("VACUUM (ANALYZE)")


def _constraints(connection: psycopg.Connection[Any], kinds: str) -> list[tuple[str, str, str]]:
    """Table, name and text; references of all tables, since one goes with what it leads to."""
    rows = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype = ANY(%s)",
        (list(kinds),),
    ).fetchall()
    return [row for row in rows if kinds == "f" or row[0] in COLUMNS]


def _indexes(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN"
        " (SELECT conname FROM pg_constraint)"
    ).fetchall()
    return [(name, text) for table, name, text in rows if table in COLUMNS]


def _run_all(place: Place, told: Told, statements: Sequence[str]) -> None:
    """Two at once: each is one processor's work."""

    def run(statement: str) -> None:
        told(statement[:70])
        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute("SET max_parallel_maintenance_workers = 0")
            connection.execute(statement.encode())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, statements))
