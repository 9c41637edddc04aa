"""The counter: one row whose lock orders everything that becomes visible, in every process (see ``tables.counter``)."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from hub.store import tables as t

# What every transaction asks is put together once.
_c = t.counter.c
_LOCK = update(t.counter).values(seq=_c.seq + 1).returning(_c.seq, _c.directory, _c.entries)
_SETTLE = update(t.counter).values(seq=bindparam("last"), entries=bindparam("entries_then"))


def lock(connection: Connection) -> tuple[int, int, int]:
    """The lock, until the transaction ends: the first ``seq`` it may give out is the one after this; the version of the
    directory; and how many entries the evidence log has.
    """
    seq, version, entries = connection.execute(_LOCK).one()
    return seq, version, entries


def last(connection: Connection) -> int:
    """The last ``seq`` of what is committed: all up to it is there to be read, and nothing comes before it any more."""
    return int(connection.execute(select(_c.seq)).scalar_one())


def settle(connection: Connection, seq: int, entries: int) -> None:
    """The last ``seq`` that was given out, and how many entries there are now."""
    connection.execute(_SETTLE, {"last": seq, "entries_then": entries})


def directory_changed(connection: Connection) -> None:
    """Every change of agencies, systems or certificates says so; snapshots are compared by this number."""
    connection.execute(update(t.counter).values(directory=t.counter.c.directory + 1))


def units_changed(connection: Connection) -> None:
    """The same of units: whoever shows them looks at this number too, whoever routes a packet does not."""
    connection.execute(update(t.counter).values(units=t.counter.c.units + 1))
