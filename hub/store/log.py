"""The delivery log: one line per packet and recipient, and the whole story of one document.

Searches read newest first by key, never count and never sort what they do not show.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, literal_column, select, text

from hub.domain import numbering
from hub.domain.document import VIETNAM
from hub.domain.search import KINDS, Query
from hub.store import tables as t
from hub.store.engine import is_sqlite

_LINE = (
    select(
        t.document.c.seq,
        t.document.c.id.label("document"),
        t.document.c.document_id,
        t.document.c.accepted_at,
        t.document.c.sender,
        t.document.c.issuer,
        t.document.c.kind,
        t.document.c.number,
        t.document.c.symbol,
        t.document.c.year,
        t.document.c.subject,
        t.packet.c.standing,
        t.delivery.c.id.label("delivery"),
        t.delivery.c.recipient,
        t.delivery.c.addressed,
        t.delivery.c.state,
        t.delivery.c.status,
        t.delivery.c.fetched_at,
        t.delivery.c.created_at,
        t.delivery.c.reason,
        t.report.c.code.label("status_code"),
        t.report.c.sender.label("status_from"),
    )
    .join_from(t.document, t.delivery, t.delivery.c.document_id == t.document.c.id)
    .join(t.packet, t.delivery.c.packet_id == t.packet.c.id)
    .outerjoin(t.report, t.delivery.c.report_id == t.report.c.id)
)


def lines(connection: Connection, query: Query, *, limit: int) -> list[RowMapping]:
    """Lines that fit, newest document first."""
    found = _filtered(connection, _LINE, query)
    if not (query.recipient or query.state or query.status or query.kind):
        # Every document has a line: as many documents as lines are enough, found by their own order.
        newest = _of_documents(connection, select(t.document.c.seq), query)
        found = found.where(t.document.c.seq.in_(newest.order_by(t.document.c.seq.desc()).limit(limit)))
    ordered = found.order_by(t.document.c.seq.desc(), t.delivery.c.id).limit(limit)
    return list(connection.execute(ordered).mappings())


def newer(connection: Connection, query: Query, after: int, limit: int) -> list[RowMapping]:
    """Lines of documents accepted after ``after``, oldest first (for following the log)."""
    found = _filtered(connection, _LINE, query).where(t.document.c.seq > after)
    return list(connection.execute(found.order_by(t.document.c.seq, t.delivery.c.id).limit(limit)).mappings())


def _filtered(connection: Connection, found: Select[Any], query: Query) -> Select[Any]:
    v = t.delivery.c
    found = _of_documents(connection, found, query)
    if query.recipient:
        found = found.where(v.recipient == query.recipient)
    if query.state:
        found = found.where(v.state == query.state)
    if query.status:
        found = found.where(v.status == query.status)
    if query.kind == "status":
        return found.where(v.report_id.is_not(None))
    if query.kind:
        found = found.where(t.document.c.kind == KINDS[query.kind])
    return found.where(v.report_id.is_(None))


def _of_documents(connection: Connection, found: Select[Any], query: Query) -> Select[Any]:
    """The part of a query that speaks of the document alone."""
    d = t.document.c
    if query.sender:
        found = found.where(d.sender == query.sender)
    if query.issuer:
        found = found.where(d.issuer == query.issuer)
    if query.number:
        number, symbol = numbering.split_code(query.number)
        found = found.where(d.number == numbering.plain_number(number)) if number else found
        found = found.where(d.symbol == symbol) if symbol else found
    if query.year is not None:
        found = found.where(d.year == query.year)
    if query.after is not None:
        found = found.where(d.accepted_at >= datetime.combine(query.after, time.min, VIETNAM))
    if query.before is not None:
        found = found.where(d.accepted_at <= datetime.combine(query.before, time.max, VIETNAM))
    return _containing(connection, found, query.phrases)


def _containing(connection: Connection, found: Select[Any], phrases: tuple[tuple[str, ...], ...]) -> Select[Any]:
    """Documents whose folded text has every phrase; each engine by its own index."""
    if not phrases:
        return found
    if is_sqlite(connection):
        match = " AND ".join('"' + " ".join(words) + '"' for words in phrases)
        hits = text("SELECT rowid FROM document_fts WHERE document_fts MATCH :match").bindparams(match=match)
        return found.where(t.document.c.seq.in_(hits.columns(literal_column("rowid"))))
    vector = func.to_tsvector(literal_column("'simple'"), t.document.c.search)
    for words in phrases:
        found = found.where(vector.op("@@")(func.phraseto_tsquery(literal_column("'simple'"), " ".join(words))))
    return found


def refusals(connection: Connection, query: Query, limit: int) -> list[RowMapping]:
    """Refused packets that fit the sender, the days and the words of a query, newest first."""
    c = t.refusal.c
    found = select(t.refusal)
    if query.sender:
        found = found.where(c.sender == query.sender)
    if query.after is not None:
        found = found.where(c.at >= datetime.combine(query.after, time.min, VIETNAM))
    if query.before is not None:
        found = found.where(c.at <= datetime.combine(query.before, time.max, VIETNAM))
    for words in query.phrases:
        found = found.where(c.search.contains(" ".join(words), autoescape=True))
    return list(connection.execute(found.order_by(c.at.desc(), c.id.desc()).limit(limit)).mappings())


def find_document(connection: Connection, key: str) -> str | None:
    """The id of a document by its own id, or that of a delivery, packet or report of it, or by its DocumentId."""
    for table, column in (
        (t.document, t.document.c.id),
        (t.delivery, t.delivery.c.document_id),
        (t.packet, t.packet.c.document_id),
        (t.report, t.report.c.document_id),
    ):
        found = connection.execute(select(column).where(table.c.id == key)).scalar_one_or_none()
        if found is not None:
            return str(found)
    d = t.document.c
    by_name = select(d.id).where(d.document_id == numbering.canonical_document_id(key)).order_by(d.seq.desc()).limit(1)
    found = connection.execute(by_name).scalar_one_or_none()
    return None if found is None else str(found)


def refusal(connection: Connection, refusal_id: str) -> RowMapping | None:
    return connection.execute(select(t.refusal).where(t.refusal.c.id == refusal_id)).mappings().one_or_none()
