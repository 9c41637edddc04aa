"""One database, two engines: how each is opened, and which of its faults are the hub's to answer for.

Nothing above ``hub.store`` knows which engine runs. Reading and writing are two kinds of transactions: on SQLite a
write takes the lock at its beginning (a later upgrade would fail or lose an update), a read never waits for it.
"""

from __future__ import annotations

import errno
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import Refusal

RETRY_AFTER = 5  # seconds told to a client when the database or the disk cannot serve it


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///…`` or ``postgresql://…`` (psycopg); the caller disposes of it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url)
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=10,
        max_overflow=20,
        pool_timeout=10,  # seconds
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=20s"},
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": 20, "check_same_thread": False}, pool_size=10, max_overflow=20, pool_timeout=10
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN loses updates between threads
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reads; what it sees is one moment on SQLite, each statement's moment on PostgreSQL."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction: committed at the end, rolled back by any exception. Only ``hub.exchange`` opens one."""
    with engine.connect() as plain:
        connection = plain.execution_options(write=True)
        with connection.begin():
            yield connection


def new_id(now: datetime) -> str:
    """24 lower-case hex digits: 8 of the second, 16 of chance, so that neighbours in time lie together in the index."""
    return f"{int(now.timestamp()) & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"


def temporary(fault: BaseException) -> Refusal | None:
    """The refusal for a fault that will pass by itself (database away, disk full), or None for a defect."""
    if isinstance(fault, OSError) and fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Refusal("storage-full", retry_after=RETRY_AFTER)
    if isinstance(fault, PoolTimeout):
        return Refusal("busy", retry_after=RETRY_AFTER)
    if isinstance(fault, DBAPIError):
        original: Any = fault.orig
        message = str(original).lower()
        if getattr(original, "sqlstate", None) == "53100" or "disk is full" in message:
            return Refusal("storage-full", retry_after=RETRY_AFTER)
        if fault.connection_invalidated or type(original).__name__ in {"OperationalError", "InterfaceError"}:
            return Refusal("database-away", retry_after=RETRY_AFTER)
    return None
