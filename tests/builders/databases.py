"""Opening a database, counting what is asked of it, and letting it be full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from hub.store.engine import open_engine, sole_of


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """What the block sends to the database: each statement with its values."""
    seen: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool) -> None:
        seen.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


_ROWS = re.compile(r"(?<=VALUES )\(\?(?:, \?)*\)(?:, \(\?(?:, \?)*\))*")


def whole(statements: Iterable[str]) -> list[str]:
    """What was sent; a write of many rows counts once, in however many parts it went (``hub.store.many``)."""
    found: list[str] = []
    for statement in statements:
        plain = _ROWS.sub("(…)", statement)
        if plain == statement or found[-1:] != [plain]:
            found.append(plain)
    return found


def take_anew(engine: Engine) -> None:
    """The connection with which the process writes."""
    sole = sole_of(engine)
    assert sole is not None
    sole.close()


@contextmanager
def full(engine: Engine) -> Iterator[None]:
    """SQLite's file may not grow."""
    limited = True

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages if limited else 2**31}")

    event.listen(engine, "checkout", limit)
    take_anew(engine)
    try:
        yield
    finally:
        limited = False
        take_anew(engine)
