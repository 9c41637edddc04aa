"""What systems list in the gateway dialect, whose pages have an end: what waits for one, and what one has sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, select, text, update

from hub.domain.turns import Turn
from hub.store import roster
from hub.store import tables as t
from hub.store.listing import Listing, only

_c = t.delivery.c
# Written out, not bound: a partial index serves only a condition the planner can compare with its own.
_DOCUMENTS = text("delivery.state = 'waiting' AND delivery.report_id IS NULL")
_STATUSES = text("delivery.state = 'waiting' AND delivery.report_id IS NOT NULL")

_LISTED = [_c.id, _c.report_id, _c.addressed, _c.fetched_at, _c.created_at, _c.again_at]
_ROWS_OF_DOCUMENTS = Listing(
    select(*_LISTED, t.document.c.sender).join_from(t.delivery, t.document, _c.document_id == t.document.c.id), _c.id
)
_ROWS_OF_STATUSES = Listing(
    select(*_LISTED, t.report.c.sender).join_from(t.delivery, t.report, _c.report_id == t.report.c.id), _c.id
)


def documents(
    connection: Connection,
    system_id: str,
    turn: Turn,
    most: int,
    *,
    newest: bool = False,
    after: datetime | None = None,
    until: datetime | None = None,
) -> list[str]:
    """Deliveries of documents that wait for a system in a turn, the oldest or the newest first; of those that became
    available, the first time or again, between two moments.
    """
    query = select(_c.id).where(_c.system_id == system_id, _DOCUMENTS, only(_c.turn, int(turn)))
    order = (_c.turn.desc(), _c.seq.desc()) if newest else (_c.turn, _c.seq)
    query = query.where(*_between(after, until)).order_by(*order).limit(most)
    return list(connection.execute(query).scalars())


def statuses(
    connection: Connection, system_id: str, most: int, after: datetime | None = None, until: datetime | None = None
) -> list[str]:
    """The same of status packets, the oldest first."""
    query = select(_c.id).where(only(_c.system_id, system_id), _STATUSES, *_between(after, until))
    return list(connection.execute(query.order_by(_c.system_id, _c.seq).limit(most)).scalars())


def _between(after: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    at = func.coalesce(_c.again_at, _c.created_at)
    return [*([at >= after] if after is not None else []), *([at <= until] if until is not None else [])]


def rows(connection: Connection, delivery_ids: Sequence[str], *, statuses: bool) -> list[RowMapping]:
    """What a list tells of these deliveries, in their order."""
    places = {delivery_id: place for place, delivery_id in enumerate(delivery_ids)}
    found = (_ROWS_OF_STATUSES if statuses else _ROWS_OF_DOCUMENTS).of(connection, delivery_ids).mappings()
    return sorted(found, key=lambda row: places[row["id"]])


def count(connection: Connection, system_id: str, *, statuses: bool) -> int:
    """How much waits for a system in all."""
    waiting = select(func.count()).where(_c.system_id == system_id, _STATUSES if statuses else _DOCUMENTS)
    found: int = connection.execute(waiting).scalar_one()
    return found


def sink(connection: Connection, system_id: str, delivery_ids: Sequence[str]) -> int:
    """Give waiting deliveries of a system the last turn."""
    change = update(t.delivery).where(
        _c.id.in_(delivery_ids), _c.system_id == system_id, _c.state == "waiting", _c.turn != int(Turn.SUNK)
    )
    sunk: int = connection.execute(change.values(turn=int(Turn.SUNK))).rowcount
    return sunk


_SENT = [
    _c.id, _c.addressed, _c.state, _c.status, _c.reason, _c.fetched_at,
    t.document.c.sender, t.document.c.subject, t.document.c.number, t.document.c.symbol,
]  # fmt: skip
# A row for each recipient of a document; the key is its delivery.
_DOCUMENTS_SENT = (
    select(*_SENT, _c.id.label("key"), t.document.c.id.label("sent"), t.document.c.accepted_at.label("at"))
    .join_from(t.document, t.delivery, and_(_c.document_id == t.document.c.id, _c.report_id.is_(None)))
    .order_by(t.document.c.system_id.desc(), t.document.c.seq.desc(), _c.created_at, _c.seq)
)
# A row for each status packet, whether or not it was handed on; the key is its report.
_STATUSES_SENT = (
    select(
        *_SENT, t.report.c.id.label("key"), t.report.c.id.label("sent"), t.report.c.received_at.label("at"),
        t.report.c.code, t.report.c.addressee, t.report.c.sender.label("reporter"),
    )
    .join_from(t.report, t.document, t.report.c.document_id == t.document.c.id)
    .outerjoin(t.delivery, _c.report_id == t.report.c.id)
    .order_by(t.report.c.system_id.desc(), t.report.c.received_at.desc(), t.report.c.id.desc())
)  # fmt: skip
_ENDED = text("outbox.what IN ('failed','expired')")  # written out, as above


def sent_document(connection: Connection, document_id: str) -> list[RowMapping]:
    """A row for each recipient of a document, however many there are."""
    return list(connection.execute(_DOCUMENTS_SENT.where(t.document.c.id == document_id)).mappings())


def sent_statuses(connection: Connection, report_ids: Sequence[str]) -> list[RowMapping]:
    """The rows of status packets."""
    return list(connection.execute(_STATUSES_SENT.where(t.report.c.id.in_(report_ids))).mappings())


def sent(connection: Connection, code: str, *, statuses: bool, limit: int) -> list[RowMapping]:
    """A row for each recipient of what an agency's systems sent: at most half of ``limit`` of the newest that failed or
    expired and still have, so that their sender sees them however long ago it sent; then the newest that were sent.
    """
    query, packet = (_STATUSES_SENT, t.report) if statuses else (_DOCUMENTS_SENT, t.document)
    rows = {row["key"]: row for row in _ended(connection, code, statuses, limit // 2)}
    newest: list[RowMapping] = []
    for system_id in roster.systems_ever(connection, [code]):  # of several at once the planner would read and sort all
        newest += connection.execute(query.where(only(packet.c.system_id, system_id)).limit(limit)).mappings()
    for row in sorted(newest, key=lambda row: row["at"], reverse=True):
        rows.setdefault(row["key"], row)
    return list(rows.values())[:limit]


def _ended(connection: Connection, code: str, statuses: bool, limit: int) -> list[RowMapping]:
    told = (
        select(_c.report_id if statuses else _c.id)
        .join_from(t.outbox, t.delivery, t.outbox.c.delivery_id == _c.id)
        .where(only(t.outbox.c.owner, code), _ENDED, _c.state.in_(("failed", "expired")))
        .where(_c.report_id.is_not(None) if statuses else _c.report_id.is_(None))
        .order_by(t.outbox.c.owner.desc(), t.outbox.c.seq.desc())
        .limit(limit)
    )
    places = {key: place for place, key in enumerate(dict.fromkeys(connection.execute(told).scalars()))}
    if not places:
        return []
    if statuses:
        rows = sent_statuses(connection, list(places))
    else:
        rows = list(connection.execute(_DOCUMENTS_SENT.where(_c.id.in_(list(places)))).mappings())
    return sorted(rows, key=lambda row: places[row["key"]])
