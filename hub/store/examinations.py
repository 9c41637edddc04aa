"""Rows of examinations, and whose turn it is to make them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from hub.store import examination_tables as et
from hub.store import tables as t
from hub.store.many import Rows

_e, _h = t.evidence.c, et.examined.c


def next_accepted(connection: Connection, most: int) -> tuple[int, list[RowMapping]]:
    """The place that is next, and the entries from there on: ``{leaf_index, kind, document_id, body}``."""
    place = int(connection.execute(select(_h.leaf_index)).scalar_one())
    query = select(_e.leaf_index, _e.kind, _e.document_id, _e.body).where(_e.leaf_index >= place)
    return place, list(connection.execute(query.order_by(_e.leaf_index).limit(most)).mappings())


def claim(connection: Connection, place: int, holder: str, now: datetime, until: datetime) -> bool:
    """Whether the entries from this place on are this process's to examine, until then."""
    free = or_(_h.until.is_(None), _h.until <= now, _h.holder == holder)
    taken = update(et.examined).where(_h.leaf_index == place, free).values(holder=holder, until=until)
    return connection.execute(taken).rowcount == 1


def settle(connection: Connection, before: int, after: int, holder: str) -> bool:
    """Go on from a later place; False where another process has taken over meanwhile."""
    over = update(et.examined).where(_h.leaf_index == before, _h.holder == holder)
    return connection.execute(over.values(leaf_index=after, until=None)).rowcount == 1


def packet_of(connection: Connection, document_id: str, sha256: str) -> RowMapping | None:
    """The packet that a document was accepted with in these bytes; None where it is gone."""
    c = t.packet.c
    found = select(t.packet).where(c.document_id == document_id, c.sha256 == sha256).order_by(c.seq).limit(1)
    return connection.execute(found).mappings().one_or_none()


def add(connection: Connection, rows: Rows, material: Mapping[str, bytes]) -> None:
    """Keep what was found, and what it was found from, by SHA-256."""
    m = et.material.c
    known = set(connection.execute(select(m.sha256).where(m.sha256.in_(list(material)))).scalars())
    new = [{"sha256": sha256, "der": der} for sha256, der in material.items() if sha256 not in known]
    if new:
        connection.execute(insert(et.material), new)
    if rows:
        connection.execute(insert(et.examination), rows)


def of_document(connection: Connection, document_id: str) -> list[RowMapping]:
    """By packet and part, with the packet's ``packet_sha256``."""
    c, p = et.examination.c, t.packet.c
    found = select(et.examination, p.sha256.label("packet_sha256")).join(t.packet, p.id == c.packet_id)
    found = found.where(c.document_id == document_id).order_by(c.packet_id, c.part)
    return list(connection.execute(found).mappings())


def material(connection: Connection, sha256s: set[str]) -> dict[str, bytes]:
    m = et.material.c
    found = connection.execute(select(m.sha256, m.der).where(m.sha256.in_(list(sha256s))))
    return {row.sha256: bytes(row.der) for row in found}
