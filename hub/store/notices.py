"""Telling other processes of a commit, and hearing of theirs: PostgreSQL's NOTIFY. On SQLite nobody is told.

When the database goes away the listening thread comes back by itself and names everybody, for what it may have missed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import Connection, Engine, text

from hub.store.engine import VANISHED, is_sqlite

CHANNEL = "hub_inbox"
ALL = "*"  # in place of system ids
_NAMED = 7000  # characters of system ids in one notification (PostgreSQL takes 7999); more name everybody
_AGAIN = 1.0  # seconds before another try, and between looks at whether to stop


def notify(connection: Connection, systems: Collection[str]) -> None:
    """With the transaction's commit, name the systems for which something became visible."""
    if systems and not is_sqlite(connection):
        payload = ",".join(systems)
        payload = payload if len(payload) <= _NAMED else ALL
        connection.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload})


@contextmanager
def listening(engine: Engine, heard: Callable[[list[str]], None]) -> Iterator[None]:
    """Calls ``heard`` with the systems that each notification names, in a thread of its own, while the block runs."""
    if engine.dialect.name == "sqlite":
        yield
        return
    stop = threading.Event()
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    thread = threading.Thread(target=_listen, args=(url, heard, stop), name="listen", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            connection.execute(f"NOTIFY {CHANNEL}")  # ends the thread's wait; names no system
        thread.join()


def _listen(url: str, heard: Callable[[list[str]], None], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True, **VANISHED) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                heard([ALL])
                while not stop.is_set():
                    for notice in connection.notifies(timeout=_AGAIN, stop_after=1):
                        heard(notice.payload.split(","))
        except psycopg.Error:
            stop.wait(_AGAIN)
