"""The delivery log: one line per packet and recipient, and the whole story of one document.

Which lines a search finds is ``hub.store.search``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from sqlalchemy import Connection, RowMapping, select

from hub.domain import numbering
from hub.domain.document import VIETNAM
from hub.domain.search import Query
from hub.store import search
from hub.store import tables as t
from hub.store.listing import Listing
from hub.store.refusals import spoken
from hub.store.search import BEFORE_ALL
from hub.store.search_filters import Place

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
_LINES = Listing(_LINE, t.delivery.c.id)


def lines(connection: Connection, query: Query, *, limit: int) -> list[RowMapping]:
    """Lines that fit, newest document first: ``limit``, or all there are, however long it takes."""
    keys: list[Place] = []
    place: Place | None = None
    while True:
        found = search.find(connection, query, limit=limit - len(keys), place=place)
        keys += found.keys
        place = found.onward(newer=False)
        if place is None or len(keys) >= limit:
            return of(connection, keys)


def end(connection: Connection) -> Place:
    """Behind all that is there: what comes from now on is :func:`newer`."""
    return Place(search.newest(connection), BEFORE_ALL)


def newer(connection: Connection, query: Query, place: Place, limit: int) -> tuple[list[RowMapping], Place]:
    """Lines newer than a place, oldest first, and the place to follow the log from: it may lie within a document."""
    found = search.find(connection, query, limit=limit, place=place, newer=True)
    shown = found.keys[0] if found.keys else place
    return of(connection, found.keys)[::-1], found.onward(newer=True) or shown


def of(connection: Connection, keys: Sequence[Place]) -> list[RowMapping]:
    """The lines with these keys, in their order."""
    found = _LINES.of(connection, [key.delivery for key in keys]).mappings() if keys else ()
    by_delivery = {row["delivery"]: row for row in found}
    return [by_delivery[key.delivery] for key in keys if key.delivery in by_delivery]


def refusals(connection: Connection, query: Query, limit: int) -> list[RowMapping]:
    """Refused packets that fit the sender, the days and the words of a query, newest first."""
    c = t.refusal.c
    found = select(t.refusal)
    if query.sender:
        found = found.where(c.sender.in_(query.sender))
    if query.after is not None:
        found = found.where(c.at >= datetime.combine(query.after, time.min, VIETNAM))
    if query.before is not None:
        found = found.where(c.at <= datetime.combine(query.before, time.max, VIETNAM))
    found = found.where(*spoken(query.phrases))
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
