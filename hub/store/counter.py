"""The counter: one row whose lock orders everything that becomes visible, in every process (see ``tables.counter``)."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, update

from hub.store import tables as t

# What every transaction asks is put together once.
_LOCK = update(t.counter).values(seq=t.counter.c.seq + 1).returning(t.counter.c.seq, t.counter.c.directory)
_SETTLE = update(t.counter).values(seq=bindparam("last"))


def lock(connection: Connection) -> tuple[int, int]:
    """The lock, until the transaction ends: the first ``seq`` it may give out is the one after this; and the version
    of the directory."""
    seq, version = connection.execute(_LOCK).one()
    return seq, version


def settle(connection: Connection, seq: int) -> None:
    """The last ``seq`` that was given out."""
    connection.execute(_SETTLE, {"last": seq})


def directory_changed(connection: Connection) -> None:
    """Every change of agencies, systems or certificates says so; snapshots are compared by this number."""
    connection.execute(update(t.counter).values(directory=t.counter.c.directory + 1))


def units_changed(connection: Connection) -> None:
    """The same of units: whoever shows them looks at this number too, whoever routes a packet does not."""
    connection.execute(update(t.counter).values(units=t.counter.c.units + 1))
