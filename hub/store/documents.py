"""Rows of documents, their packets, links and reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, insert, or_, select, update

from hub.domain.duplicates import First
from hub.store import tables as t
from hub.store.console_tables import reference
from hub.store.listing import Listing
from hub.store.many import Inserts, Rows

_d = t.document.c
_BY_IDENTITY = Listing(select(_d.identity, _d.id, _d.content_digest), _d.identity)
_BY_BUSINESS = Listing(select(_d.business, _d.id, _d.content_digest).order_by(_d.seq.desc()), _d.business)
_YEARS = Listing(select(_d.sender, _d.document_id, _d.year).distinct(), _d.document_id)


def by_identity(connection: Connection, identities: Iterable[str]) -> dict[str, First]:
    found = _BY_IDENTITY.of(connection, identities)
    return {row.identity: First(row.id, row.content_digest) for row in found}


def by_business(connection: Connection, keys: Iterable[str]) -> dict[str, First]:
    """The first document of each business identity."""
    found = _BY_BUSINESS.of(connection, keys)
    return {row.business: First(row.id, row.content_digest) for row in found}


def years_of(connection: Connection, ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
    """The years in which a sender used a DocumentId, by (sender, canonical DocumentId)."""
    wanted, years = set(ids), dict[tuple[str, str], set[int]]()
    for row in _YEARS.of(connection, {document_id for _, document_id in wanted}):
        if (row.sender, row.document_id) in wanted:
            years.setdefault((row.sender, row.document_id), set()).add(row.year)
    return years


# What is asked all the time is put together once: that takes longer than to ask it.
_ADD, _ADD_PACKETS, _ADD_REPORTS, _ADD_REFERENCES = map(Inserts, (t.document, t.packet, t.report, reference))


def add(connection: Connection, documents: Rows, packets: Rows) -> None:
    """New documents with their packets; a broken unique constraint raises IntegrityError."""
    if documents:
        _ADD.execute(connection, documents)
    if packets:
        _ADD_PACKETS.execute(connection, packets)


def add_links(connection: Connection, rows: Rows) -> None:
    if rows:
        connection.execute(insert(t.link), rows)


def add_references(connection: Connection, rows: Rows) -> None:
    if rows:
        _ADD_REFERENCES.execute(connection, rows)


def get(connection: Connection, document_id: str) -> RowMapping | None:
    found = connection.execute(select(t.document).where(t.document.c.id == document_id))
    return found.mappings().one_or_none()


def by_document_id(connection: Connection, document_ids: Collection[str], *, sender: str) -> list[RowMapping]:
    """A sender's documents with these canonical DocumentIds, newest first: id, document_id, year, kind."""
    c = t.document.c
    query = select(c.id, c.document_id, c.year, c.kind).where(c.document_id.in_(document_ids), c.sender == sender)
    return list(connection.execute(query.order_by(c.seq.desc())).mappings())


def used_by_others(connection: Connection, document_ids: Collection[str], sender: str) -> set[str]:
    """Which of these canonical DocumentIds agencies other than the sender have used."""
    c = t.document.c
    query = select(c.document_id).where(c.document_id.in_(document_ids), c.sender != sender).distinct()
    return set(connection.execute(query).scalars())


_PACKET = select(t.packet).where(t.packet.c.id == bindparam("id"))


def packet(connection: Connection, packet_id: str) -> RowMapping:
    """A packet with its bytes (``body``) or the place they lie at."""
    return connection.execute(_PACKET, {"id": packet_id}).mappings().one()


_FACTS = [column for column in t.packet.c if column.name != "body"]


def packet_facts(connection: Connection, packet_id: str) -> RowMapping:
    """A packet without its bytes."""
    return connection.execute(select(*_FACTS).where(t.packet.c.id == packet_id)).mappings().one()


def first_packet(connection: Connection, document_id: str) -> RowMapping:
    """The packet the document was accepted with, without its bytes."""
    query = select(*_FACTS).where(t.packet.c.document_id == document_id)
    return connection.execute(query.order_by(t.packet.c.seq).limit(1)).mappings().one()


def places_in_use(connection: Connection, places: Iterable[str]) -> set[str]:
    query = select(t.packet.c.place).where(t.packet.c.place.in_(list(places)))
    return {place for place in connection.execute(query).scalars() if place}


def links_of(connection: Connection, document_id: str) -> list[RowMapping]:
    """What a document acts on, and what acts on it."""
    c = t.link.c
    query = select(t.link).where(or_(c.document_id == document_id, c.target_id == document_id))
    return list(connection.execute(query).mappings())


def add_refusal(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(insert(t.refusal), [row])


def refusals_between(connection: Connection, sender: str, document_id: str, until: datetime | None) -> list[RowMapping]:
    """Refused tries of one DocumentId by one sender."""
    c = t.refusal.c
    query = select(t.refusal).where(and_(c.sender == sender, c.document_id == document_id))
    if until is not None:
        query = query.where(c.at <= until)
    return list(connection.execute(query.order_by(c.at)).mappings())


def add_reports(connection: Connection, rows: Rows) -> None:
    if rows:
        _ADD_REPORTS.execute(connection, rows)


def freshen(connection: Connection, document_id: str) -> None:
    """Something new came to a document: where it was pared already, it is again in its time."""
    c = t.document.c
    connection.execute(update(t.document).where(c.id == document_id, c.pared != 0).values(pared=0))


def report(connection: Connection, report_id: str) -> RowMapping | None:
    return connection.execute(select(t.report).where(t.report.c.id == report_id)).mappings().one_or_none()


_ANSWERS = Listing(select(t.report.c.repeat_key, t.report.c.answer), t.report.c.repeat_key)


def answers_by_repeat_key(connection: Connection, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """What was answered to these reports, as far as they were taken before."""
    return {row.repeat_key: row.answer for row in _ANSWERS.of(connection, keys).all()}


def reports_of(connection: Connection, document_id: str) -> list[RowMapping]:
    query = select(t.report).where(t.report.c.document_id == document_id).order_by(t.report.c.received_at)
    return list(connection.execute(query).mappings())
