"""Rows of evidence, the tiles over them, and the hub's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, and_, bindparam, func, insert, or_, select, update

from hub.store import log_tables as lt
from hub.store import tables as t
from hub.store.engine import is_sqlite
from hub.store.listing import is_listed, listed
from hub.store.many import Changes, Inserts, Rows

ENTRIES = -1  # the level of the tiles that hold entries
_e = t.evidence.c
_ADD, _PLACE = Inserts(t.evidence), Changes(t.evidence, ("id",), ("leaf_index", "entry", "receipt"))
_BEHIND = select(_e.leaf_index, _e.entry).where(_e.leaf_index >= bindparam("size")).order_by(_e.leaf_index)
_UNPLACED = select(t.evidence).where(_e.leaf_index.is_(None)).order_by(_e.seq)


def add(connection: Connection, rows: Rows) -> None:
    if rows:
        _ADD.execute(connection, rows)


class Own(NamedTuple):
    """What of a document's evidence is a recipient's: that of the hand-overs of these ``deliveries``, of acceptances
    that name one of these ``codes``, and of their reports."""

    deliveries: frozenset[str]
    codes: frozenset[str]


def fetched(connection: Connection, document_id: str, system_id: str) -> Own:
    """What is a recipient's by what its system has fetched of the document; nothing where it has not."""
    c = t.delivery.c
    query = select(c.id, c.recipient).where(
        c.document_id == document_id, c.report_id.is_(None), c.system_id == system_id, c.fetched_at.is_not(None)
    )
    rows = connection.execute(query).all()
    return Own(frozenset(row.id for row in rows), frozenset(row.recipient for row in rows))


def _owned(query: Select[Any], *, sqlite: bool) -> Select[Any]:
    if sqlite:
        named = func.json_each(_e.body, "$.recipients").table_valued("value", name="named")
    else:
        named = func.json_array_elements_text(_e.body["recipients"]).table_valued("value", name="named")
    is_named = select(1).select_from(named).where(is_listed(named.c.value, "codes", sqlite=sqlite)).exists()
    reported = is_listed(_e.body["sender"].as_string(), "codes", sqlite=sqlite)
    handed = is_listed(_e.delivery_id, "deliveries", sqlite=sqlite)
    return query.where(or_(handed, and_(_e.kind == "accept", is_named), and_(_e.kind == "status", reported)))


_OF_DOCUMENT = (
    select(t.evidence)
    .where(_e.document_id == bindparam("document"), _e.seq > bindparam("after"), _e.seq <= bindparam("until"))
    .order_by(_e.seq)
    .limit(bindparam("most"))
)
_OWNED = [_owned(_OF_DOCUMENT, sqlite=sqlite) for sqlite in (False, True)]


def of_document(
    connection: Connection, document_id: str, own: Own | None, after: int, until: int, most: int
) -> list[RowMapping]:
    """The next entries of a document behind ``after`` and up to ``until`` (of ``seq``), in the order in which they were
    written: all, or those that are a recipient's ``own``.
    """
    asked: dict[str, Any] = {"document": document_id, "after": after, "until": until, "most": most}
    if own is None:
        return list(connection.execute(_OF_DOCUMENT, asked).mappings())
    sqlite = is_sqlite(connection)
    lists = {name: listed(values, sqlite=sqlite) for name, values in own._asdict().items()}
    return list(connection.execute(_OWNED[sqlite], asked | lists).mappings())


def receipts_of(connection: Connection, document_id: str) -> list[str]:
    """Those of a document's acceptance, in order."""
    query = select(_e.receipt).where(_e.document_id == document_id, _e.kind == "accept", _e.receipt.is_not(None))
    return list(connection.execute(query.order_by(_e.seq)).scalars())


def receipt_about(connection: Connection, about: str) -> str | None:
    """The last for a delivery's hand-over, or that for a report; None of one that a program before receipts wrote."""
    for column in (_e.delivery_id, _e.report_id):  # one after the other: each has an index
        query = select(_e.receipt).where(column == about).order_by(_e.seq.desc()).limit(1)
        found: str | None = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return found
    return None


# The log


def size(connection: Connection) -> int:
    """How many entries there are, in the tiles or not yet."""
    return int(connection.execute(select(t.counter.c.entries)).scalar_one())


def behind(connection: Connection, size: int, most: int) -> list[bytes]:
    """The next entries from this one on. They have no gap: RuntimeError where rows were taken out."""
    rows = connection.execute(_BEHIND.limit(most), {"size": size}).all()
    if [row.leaf_index for row in rows] != list(range(size, size + len(rows))):
        raise RuntimeError(f"entries of the evidence log are missing from {size} on")
    return [row.entry for row in rows]


def unplaced(connection: Connection, most: int) -> list[RowMapping]:
    """Rows of a program before the log, in their order."""
    return list(connection.execute(_UNPLACED.limit(most)).mappings())


def place(connection: Connection, rows: Rows) -> None:
    """Give rows their place: ``{_id, _to_leaf_index, _to_entry, _to_receipt}``."""
    _PLACE.execute(connection, rows)


def head(connection: Connection) -> RowMapping | None:
    """``{origin, size, checkpoint}``; None where no log was begun."""
    return connection.execute(select(lt.log_head)).mappings().one_or_none()


def claimed(connection: Connection) -> RowMapping | None:
    """The head, locked until the transaction ends; None where another process has it."""
    query = select(lt.log_head)
    if not is_sqlite(connection):  # which has one writer at a time
        query = query.with_for_update(skip_locked=True)
    return connection.execute(query).mappings().one_or_none()


def begin(connection: Connection, origin: str) -> None:
    """The head of an empty log."""
    connection.execute(insert(lt.log_head), {"one": 1, "origin": origin, "size": 0, "checkpoint": ""})


def advance(connection: Connection, size: int, checkpoint: str) -> None:
    connection.execute(update(lt.log_head).values(size=size, checkpoint=checkpoint))


def tile(connection: Connection, level: int, number: int) -> bytes | None:
    """Its bytes, as far as it has grown."""
    c = lt.log_tile.c
    found = connection.execute(select(c.data).where(c.level == level, c.number == number)).scalar_one_or_none()
    return None if found is None else bytes(found)


def put_tiles(connection: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    """Write tiles by level and number; one that is there has grown."""
    rows: list[dict[str, Any]] = [
        {"level": level, "number": number, "data": data} for (level, number), data in tiles.items()
    ]
    if is_sqlite(connection):
        from sqlalchemy.dialects.sqlite import insert as insert_here
    else:
        from sqlalchemy.dialects.postgresql import insert as insert_here  # type: ignore[assignment]  # alike here
    statement = insert_here(lt.log_tile)
    names = ["level", "number"]
    connection.execute(
        statement.on_conflict_do_update(index_elements=names, set_={"data": statement.excluded.data}), rows
    )


# The hub's keys


def keys(connection: Connection, purpose: str) -> list[RowMapping]:
    """The newest first."""
    c = lt.signing_key.c
    query = select(lt.signing_key).where(c.purpose == purpose).order_by(c.number.desc())
    return list(connection.execute(query).mappings())


def add_key(connection: Connection, row: Mapping[str, Any]) -> None:
    """``{purpose, public, sealed, made_at}``; it gets the next number."""
    c = lt.signing_key.c
    last = connection.execute(select(c.number).order_by(c.number.desc()).limit(1)).scalar_one_or_none() or 0
    connection.execute(insert(lt.signing_key), {**row, "number": last + 1})
