"""SQLite's log (WAL) is written back to its file by a thread beside those who commit.

By itself SQLite does so inside a commit, of every thousand pages that were written: under load in nearly each, and
everybody whose work is in it waits for that. What is durable does not change: a commit is, once it is in the log.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Engine

from hub.store.engine import Sole, sole_of, temporary

log = structlog.get_logger()
_EVERY = 2.0  # seconds
_LONG = 20_000  # pages of 4 KiB: of so many the log begins anew
_REST = 1000  # pages that are written back while nobody commits


def write_back(engine: Engine, sole: Sole) -> None:
    """Write to the file what the log has, as far as no reader still needs the file without it.

    Nobody waits for it. Only once the log is long, and what is left of it short, commits wait for that rest: the next
    one then begins the log anew, which would otherwise grow as long as somebody writes.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        _, pages, done = _passed(cursor)
        if pages > _LONG and pages - done <= _REST:
            with sole.turn():
                _passed(cursor)
    finally:
        connection.close()


def _passed(cursor: Any) -> tuple[int, int, int]:
    """Whether another process was at it, how many pages the log has, and of how many the file knows."""
    found: tuple[int, int, int] = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return found


@contextmanager
def keeping(engine: Engine) -> Iterator[None]:
    """It is done again and again while the block runs; PostgreSQL does so by itself."""
    sole = sole_of(engine)
    if sole is None:
        yield
        return
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(_EVERY):
            try:
                write_back(engine, sole)
            except Exception as fault:
                if temporary(fault) is None:
                    log.exception("writeback-fault")

    thread = threading.Thread(target=keep, name="writeback", daemon=True)
    sole.leave_log(to_others=True)
    thread.start()
    try:
        yield
    finally:
        sole.leave_log(to_others=False)
        ended.set()
        thread.join()
