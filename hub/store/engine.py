"""One database, two engines: how each is opened, and which of its faults are the hub's to answer for.

Nothing above ``hub.store`` knows which engine runs. Reading and writing are two kinds of transactions: on SQLite a
write takes the lock at its beginning (a later upgrade would fail or lose an update), a read never waits for it.
"""

from __future__ import annotations

import errno
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import Refusal

RETRY_AFTER = 5  # seconds told to a client when the database or the disk cannot serve it
_PATIENCE = 20.0  # seconds that one statement waits for another's lock

_LOG_BYTES = 128 * 1024 * 1024  # of SQLite's log that stay on the disk once it has begun anew

# A server that vanished with its machine answers nothing: without these its sessions would hang for a quarter of an
# hour, and the server that took over would be asked by nobody.
VANISHED: dict[str, Any] = {
    "connect_timeout": 5,  # seconds, for each host of several
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds
}
# And the other way round: a hub that vanished in a transaction would keep the counter's lock for two hours.
_VANISHED_HUB = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"

# What passes by itself: SQLite's primary result codes, PostgreSQL's SQLSTATEs. The rest of SQLite's
# OperationalErrors (no such table, syntax) are defects.
_SQLITE = {
    sqlite3.SQLITE_FULL: "storage-full",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_CANTOPEN: "database-away",
    sqlite3.SQLITE_IOERR: "database-away",
}
_POSTGRESQL = {
    "53100": "storage-full",
    "55P03": "busy",  # lock_timeout
    "40001": "busy",  # serialization failure
    "40P01": "busy",  # deadlock
}


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///…`` or ``postgresql://…`` (psycopg); the caller disposes of it.

    Of several servers, ``postgresql://HOST:PORT,HOST:PORT/…``, the one that takes writes is used.
    """
    parsed = make_url(_hosts_in_query(url))
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url)
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=10,
        max_overflow=20,
        pool_timeout=10,  # seconds
        pool_pre_ping=True,
        pool_use_lifo=True,  # statements are prepared in each connection by itself
        connect_args={**VANISHED, "options": f"-c timezone=UTC -c lock_timeout=20s -c jit=off {_VANISHED_HUB}"},
    )


def _hosts_in_query(url: str) -> str:
    """libpq's URL of several servers as SQLAlchemy can read it too: the hosts in its query."""
    found = re.fullmatch(r"postgresql://([^/]*@)?([^/?@]*,[^/?@]*)(/[^?]*)?(?:\?(.*))?", url)
    if found is None:
        return url
    user, hosts, database, query = found.groups(default="")
    pairs = [host.rpartition(":") if re.search(r":\d*$", host) else (host, "", "") for host in hosts.split(",")]
    names, ports = (",".join(pair[part].strip("[]") for pair in pairs) for part in (0, 2))
    if "target_session_attrs=" not in query:
        query = "&".join(filter(None, (query, "target_session_attrs=read-write")))
    return f"postgresql://{user}{database or '/'}?host={names}&port={ports}&{query}"


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": _PATIENCE, "check_same_thread": False},
        pool_size=10,
        max_overflow=20,
        pool_timeout=10,
        pool_use_lifo=True,  # so that few are open
    )
    sole = Sole(engine)
    engine.update_execution_options(sole=sole)
    event.listen(engine, "engine_disposed", lambda disposed: sole.close())

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN loses updates between threads
        _into_wal(connection)
        for pragma in (
            "synchronous=FULL",
            f"journal_size_limit={_LOG_BYTES}",
            "foreign_keys=ON",
            "cache_size=-16384",  # KiB, of each connection
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


class Sole:
    """The one connection with which a process writes to a file, one transaction after the other.

    A connection's cache of the file is of use until another connection commits: of several, each read again what the
    others had changed. And who waits here has its turn at once, where SQLite would look again after up to 0.1 s.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        self._is_written_back = False

    def leave_log(self, *, to_others: bool) -> None:
        """Whether another writes SQLite's log back (``hub.store.writeback``), or commits do."""
        with self._turn:
            self._is_written_back = to_others
            self._leave()

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """The connection, nobody else's for now. Raises PoolTimeout."""
        if not self._turn.acquire(timeout=_PATIENCE):
            raise PoolTimeout(f"another transaction of this process has written for {_PATIENCE} s")
        try:
            if self._connection is None:
                self._connection = self._connected()
            yield self._connection
        except BaseException:
            self._leave()
            raise
        finally:
            self._turn.release()

    def close(self) -> None:
        with self._turn:
            self._leave()

    def _connected(self) -> Connection:
        connection = self._engine.connect().execution_options(write=True)
        if self._is_written_back:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("PRAGMA wal_autocheckpoint=0")
        return connection

    def _leave(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if not connection.invalidated:
                connection.detach()  # closed for good: its pool may be gone
            connection.close()


def sole_of(engine: Engine) -> Sole | None:
    """Of an engine for SQLite."""
    sole: Sole | None = engine.get_execution_options().get("sole")
    return sole


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switch a file to its log. Of two processes that do so to a new file one is refused at once, timeout or not."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reads; what it sees is one moment on SQLite, each statement's moment on PostgreSQL."""
    with engine.connect() as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection for long reads that all see the same moment."""
    with engine.connect() as plain:
        level = {} if is_sqlite(plain) else {"isolation_level": "REPEATABLE READ"}
        yield plain.execution_options(**level)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A write transaction: committed at the end, rolled back by any exception. Of a hub that serves, only
    ``hub.exchange`` opens one."""
    sole = sole_of(engine)
    with sole.turn() if sole else engine.connect() as connection, connection.begin():
        yield connection


def temporary(fault: BaseException) -> Refusal | None:
    """The refusal for a fault that will pass by itself (database away, disk full), or None for a defect."""
    if isinstance(fault, OSError) and fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Refusal("storage-full", retry_after=RETRY_AFTER)
    if isinstance(fault, PoolTimeout):
        return Refusal("busy", retry_after=RETRY_AFTER)
    original = fault.orig if isinstance(fault, DBAPIError) else fault  # the driver's, of whoever asks it itself
    code: str | None = None
    if isinstance(original, sqlite3.Error):
        code = _SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)  # without the extended part
    elif isinstance(fault, DBAPIError):
        code = _passing(fault)
    return Refusal(code, retry_after=RETRY_AFTER) if code else None


def _passing(fault: DBAPIError) -> str | None:
    """The code for a fault of PostgreSQL."""
    original = fault.orig
    state = getattr(original, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    if fault.connection_invalidated:
        return "database-away"
    # Without a SQLSTATE either no connection came about (no statement then), or psycopg itself would not send it.
    told = state is not None or fault.statement is None
    away = told and isinstance(original, (psycopg.OperationalError, psycopg.InterfaceError))
    return "database-away" if away else None
