"""SQLite's log (WAL) is written back to its file by a thread beside those who commit.

By itself SQLite does so inside a commit, of every thousand pages that were written: under load in nearly each, and
everybody whose work is in it waits for that. What is durable does not change: a commit is, once it is in the log.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine

from hub.store.engine import temporary

log = structlog.get_logger()
_EVERY = 2.0  # seconds


def write_back(engine: Engine) -> None:
    """Write to the file what the log has, as far as no reader still needs the file without it; holds up nobody."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()


@contextmanager
def keeping(engine: Engine) -> Iterator[None]:
    """It is done again and again while the block runs; PostgreSQL does so by itself."""
    if engine.dialect.name != "sqlite":
        yield
        return
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(_EVERY):
            try:
                write_back(engine)
            except Exception as fault:
                if temporary(fault) is None:
                    log.exception("writeback-fault")

    thread = threading.Thread(target=keep, name="writeback", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
