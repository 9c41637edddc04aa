"""Other processes' commits on PostgreSQL: LISTEN in a thread of its own, passed on to the bell.

When the database goes away the thread comes back by itself and rings everybody, for what it may have missed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import Engine

from hub.api.bell import ALL, Bell
from hub.exchange.writer import CHANNEL
from hub.store.engine import VANISHED

_AGAIN = 1.0  # seconds before another try, and between looks at whether to stop


@contextmanager
def listening(engine: Engine, bell: Bell) -> Iterator[None]:
    """Rings the bell for every notification while the block runs; does nothing on SQLite."""
    if engine.dialect.name == "sqlite":
        yield
        return
    stop = threading.Event()
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    thread = threading.Thread(target=_listen, args=(url, bell, stop), name="listen", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            connection.execute(f"NOTIFY {CHANNEL}")  # ends the thread's wait; names no system, so it rings nobody
        thread.join()


def _listen(url: str, bell: Bell, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with psycopg.connect(url, autocommit=True, **VANISHED) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                bell.ring([ALL])
                while not stop.is_set():
                    for notice in connection.notifies(timeout=_AGAIN, stop_after=1):
                        bell.ring(notice.payload.split(","))
        except psycopg.Error:
            stop.wait(_AGAIN)
