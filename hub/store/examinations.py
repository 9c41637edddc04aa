"""Rows of examinations, and whose turn it is to make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Insert,
    RowMapping,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    or_,
    select,
    text,
    update,
)

from hub.store import examination_tables as et
from hub.store import tables as t
from hub.store.engine import is_sqlite
from hub.store.listing import Listing
from hub.store.many import Rows

_TURN = 102_2017  # PostgreSQL advisory lock
_e, _p, _x, _l, _m = t.evidence.c, t.packet.c, et.examination.c, et.examination_material.c, et.material.c


class Turn:
    """One process's turn at examining, kept as long as the session with the database lasts: of several processes one
    has it, and whoever dies has it no more. A database in a file has one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._session: Connection | None = None

    def is_held(self) -> bool:
        """Take it, or see that it is still held."""
        if self._engine.dialect.name == "sqlite":
            return True
        try:
            if self._session is None:
                self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                taken = self._session.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _TURN}).scalar_one()
                if not taken:
                    self.give_up()
                    return False
                self._session.detach()  # closed, it is gone, and the lock with it
                return True
            self._session.execute(text("SELECT 1"))
        except Exception:
            self.give_up()
            raise
        return True

    def give_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()


_ACCEPTED = (
    select(
        _e.leaf_index, _e.document_id, _e.body["sha256"].as_string().label("sha256"),
        _e.body["sender"].as_string().label("sender"),
    )
    .where(_e.leaf_index >= bindparam("place"), _e.leaf_index < bindparam("end"), _e.kind == "accept")
    .order_by(_e.leaf_index)
    .limit(bindparam("most"))
)  # fmt: skip
_ENTRY = select(_e.id).where(_e.leaf_index == bindparam("place"))
_PLACES = select(et.examined.c.leaf_index, select(t.counter.c.entries).scalar_subquery())
_PACKET = (
    select(t.packet)
    .where(_p.document_id == bindparam("document"), _p.sha256 == bindparam("sha256"))
    .order_by(_p.seq)
    .limit(1)
)


def places(connection: Connection) -> tuple[int, int]:
    """Up to where acceptances were examined, and how many entries of evidence there are."""
    place, end = connection.execute(_PLACES).one()
    return place, end


def accepted(connection: Connection, place: int, end: int, most: int) -> list[RowMapping]:
    """Acceptances among these entries, in their order: ``{leaf_index, document_id, sha256, sender}``."""
    return list(connection.execute(_ACCEPTED, {"place": place, "end": end, "most": most}).mappings())


def entry(connection: Connection, leaf_index: int) -> str:
    """The id of an entry of the log; empty where there is none."""
    return connection.execute(_ENTRY, {"place": leaf_index}).scalar_one_or_none() or ""


def packet_of(connection: Connection, document_id: str, sha256: str) -> RowMapping | None:
    """The packet that a document was accepted with in these bytes, with them, or the place they lie at."""
    return connection.execute(_PACKET, {"document": document_id, "sha256": sha256}).mappings().one_or_none()


def settle(connection: Connection, before: int, after: int) -> bool:
    """Go on from a later place; False where another process has done so meanwhile."""
    over = update(et.examined).where(et.examined.c.leaf_index == before).values(leaf_index=after)
    return connection.execute(over).rowcount == 1


_WHERE_THEY_LIE = Listing(select(_p.id, _p.place), _p.id)
_KNOWN = Listing(select(_m.sha256), _m.sha256)


def removed(connection: Connection, packet_ids: Iterable[str]) -> set[str]:
    """Those of the packets whose bytes were removed. They are told apart here: asked for both, SQLite reads all packets
    that were ever removed.
    """
    return {row.id for row in _WHERE_THEY_LIE.of(connection, packet_ids) if row.place == ""}


def add(connection: Connection, rows: Rows, material: Mapping[tuple[str, int], Mapping[str, bytes]]) -> None:
    """Keep what was found, and by packet and part what it was found from. What is there stays; of a packet whose bytes
    were removed nothing is kept.
    """
    gone = removed(connection, {row["packet_id"] for row in rows})
    rows = [row for row in rows if row["packet_id"] not in gone]
    _put(connection, et.examination, rows)
    kept = {(row["packet_id"], row["part"]) for row in rows}
    named = {place: each for place, each in material.items() if place in kept}
    ders = {sha256: der for each in named.values() for sha256, der in each.items()}
    known = set(_KNOWN.of(connection, ders).scalars())
    _put(connection, et.material, [{"sha256": one, "der": der} for one, der in ders.items() if one not in known])
    links = [
        {"packet_id": packet, "part": part, "sha256": one} for (packet, part), each in named.items() for one in each
    ]
    _put(connection, et.examination_material, links)


def _put(connection: Connection, table: Table, rows: Rows) -> None:
    if rows:
        connection.execute(_insert(connection, table), rows)


def _insert(connection: Connection, table: Table) -> Insert:
    if is_sqlite(connection):
        from sqlalchemy.dialects.sqlite import insert as insert_here
    else:
        from sqlalchemy.dialects.postgresql import insert as insert_here  # type: ignore[assignment]  # alike here
    return insert_here(table).on_conflict_do_nothing()


def is_pending(connection: Connection, document_id: str) -> bool:
    """Whether an acceptance of the document is still to be examined."""
    place = select(et.examined.c.leaf_index).scalar_subquery()
    later = or_(_e.leaf_index.is_(None), _e.leaf_index >= place)
    return bool(
        connection.execute(
            select(exists().where(_e.document_id == document_id, _e.kind == "accept", later))
        ).scalar_one()
    )


def _of_document(*columns: Any) -> Select[Any]:
    return (
        select(*columns, _p.sha256.label("packet_sha256"))
        .join_from(et.examination, t.packet, _p.id == _x.packet_id)
        .where(_x.document_id == bindparam("document"))
        .order_by(_p.seq, _x.part)
    )


_OF_DOCUMENT = _of_document(et.examination)
_PARTS = _of_document(_x.packet_id, _x.part)
_SAME = t.packet.alias()
_FETCHED = Listing(select(_SAME.c.sha256).join(t.delivery, t.delivery.c.packet_id == _SAME.c.id), t.delivery.c.id)


def of_document(connection: Connection, document_id: str, deliveries: frozenset[str] | None) -> list[RowMapping]:
    """By packet and part: of all its packets, or of those that came with these deliveries."""
    return _seen(connection, _OF_DOCUMENT, document_id, deliveries)


def parts_of_document(connection: Connection, document_id: str, deliveries: frozenset[str] | None) -> list[RowMapping]:
    """The same, of each only ``packet_id`` and ``part``."""
    return _seen(connection, _PARTS, document_id, deliveries)


def _seen(
    connection: Connection, query: Select[Any], document_id: str, deliveries: frozenset[str] | None
) -> list[RowMapping]:
    rows = connection.execute(query, {"document": document_id}).mappings()
    if deliveries is None:
        return list(rows)
    digests = set(_FETCHED.of(connection, deliveries).scalars())
    return [row for row in rows if row["packet_sha256"] in digests]


_NAMED = Listing(select(et.examination_material).order_by(_l.packet_id, _l.part, _l.sha256), _l.packet_id)


def material_of(connection: Connection, packet_ids: set[str]) -> dict[tuple[str, int], list[str]]:
    """What the examinations of these packets rest on, by packet and part."""
    found: dict[tuple[str, int], list[str]] = {}
    for row in _NAMED.of(connection, packet_ids):
        found.setdefault((row.packet_id, row.part), []).append(row.sha256)
    return found


def material(connection: Connection, sha256: str) -> bytes | None:
    found = connection.execute(select(_m.der).where(_m.sha256 == sha256)).scalar_one_or_none()
    return None if found is None else bytes(found)


def forget(connection: Connection, document_id: str) -> None:
    """Leave of a document's examinations what was found and when; names and material that nothing else rests on go."""
    own = select(_l.sha256).join(et.examination, (_x.packet_id == _l.packet_id) & (_x.part == _l.part))
    named = set(connection.execute(own.where(_x.document_id == document_id)).scalars())
    packets = select(_x.packet_id).where(_x.document_id == document_id)
    connection.execute(delete(et.examination_material).where(_l.packet_id.in_(packets)))
    used = exists().where(_l.sha256 == _m.sha256)
    for sha256 in named:
        connection.execute(delete(et.material).where(_m.sha256 == sha256, ~used))
    connection.execute(update(et.examination).where(_x.document_id == document_id).values(name="", detail="{}"))
