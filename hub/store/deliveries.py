"""Rows of deliveries, their events, the requests about them and what their senders read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.engine import Result

from hub.domain.delivery import Status, Transport
from hub.domain.turns import Turn
from hub.store import tables as t
from hub.store.listing import Listing, Pairs, only_after
from hub.store.many import Changes, Inserts, Rows

_CHUNK = 1000  # values in one IN: a statement takes 32,766 parameters on SQLite, 65,535 on PostgreSQL


@dataclass(frozen=True, slots=True)
class Delivery:
    """One packet towards one recipient. ``report_id`` is set when the packet is a status."""

    id: str
    seq: int
    document_id: str
    packet_id: str
    report_id: str | None
    recipient: str
    addressed: str
    system_id: str | None
    state: Transport
    status: Status
    fetched_at: datetime | None
    lease: str | None
    lease_until: datetime | None
    attempts: int
    reason: str
    urgent: bool
    created_at: datetime
    expires_at: datetime
    turn: Turn = Turn.ORDINARY
    again_at: datetime | None = None

    @property
    def fetched(self) -> bool:
        return self.fetched_at is not None


# Written out, not bound: a partial index serves only a condition the planner can compare with its own.
_WAITING = text("delivery.state = 'waiting'")
_TAKEN = text("delivery.state = 'taken'")
_FETCHABLE = text("delivery.state IN ('waiting','taken','failed','expired')")
_ON_ITS_WAY = text("delivery.state IN ('waiting','taken')")

_NAMES = tuple(f.name for f in fields(Delivery))
_ENUMERATED = frozenset({"state", "status", "turn"})
_COLUMNS = [t.delivery.c[name] for name in _NAMES]


def _delivery(row: Any) -> Delivery:
    values = list(row)
    values[8], values[9], values[18] = Transport(values[8]), Status(values[9]), Turn(values[18])
    return Delivery(*values)


def row_of(delivery: Delivery, names: Iterable[str] = _NAMES) -> dict[str, Any]:
    """The row to insert, or what it has under these names."""
    row = {name: getattr(delivery, name) for name in names}
    for name in _ENUMERATED & row.keys():
        row[name] = row[name].value
    return row


# What is asked all the time is put together once: that takes longer than to ask it.
_ADD, _ADD_EVENTS, _ADD_OUTBOX = Inserts(t.delivery), Inserts(t.event), Inserts(t.outbox)
_ONE = select(*_COLUMNS).where(t.delivery.c.id == bindparam("id"))
_SOME = Listing(select(*_COLUMNS), t.delivery.c.id)


def add(connection: Connection, rows: Rows) -> None:
    if rows:
        _ADD.execute(connection, rows)


def get(connection: Connection, delivery_id: str) -> Delivery | None:
    found = connection.execute(_ONE, {"id": delivery_id}).one_or_none()
    return None if found is None else _delivery(found)


def some(connection: Connection, delivery_ids: Collection[str]) -> dict[str, Delivery]:
    """Those of the deliveries that there are, by id."""
    found = (_delivery(row) for row in _SOME.of(connection, delivery_ids).all()) if delivery_ids else ()
    return {delivery.id: delivery for delivery in found}


class Carried(NamedTuple):
    """What a delivery carries: who sent it, and its packet's SHA-256 (hex). None of it ever changes."""

    sender: str
    sha256: str


_CARRIED = Listing(
    select(t.delivery.c.id, func.coalesce(t.report.c.sender, t.document.c.sender).label("sender"), t.packet.c.sha256)
    .join_from(t.delivery, t.document, t.delivery.c.document_id == t.document.c.id)
    .join(t.packet, t.delivery.c.packet_id == t.packet.c.id)
    .outerjoin(t.report, t.delivery.c.report_id == t.report.c.id),
    t.delivery.c.id,
)


def carried(connection: Connection, delivery_ids: Collection[str]) -> dict[str, Carried]:
    """What deliveries carry, by id. A status's sender is the recipient of the document it is about; the other way for
    a 13.
    """
    return {row.id: Carried(row.sender, row.sha256) for row in _CARRIED.of(connection, delivery_ids).all()}


def of_document(connection: Connection, document_id: str) -> list[Delivery]:
    """The document's own deliveries (no status packets), in the order they became visible."""
    c = t.delivery.c
    query = select(*_COLUMNS).where(c.document_id == document_id, c.report_id.is_(None)).order_by(c.created_at, c.seq)
    return [_delivery(row) for row in connection.execute(query)]


def statuses_about(connection: Connection, document_id: str) -> list[Delivery]:
    """The deliveries of status packets about a document."""
    c = t.delivery.c
    query = (
        select(*_COLUMNS).where(c.document_id == document_id, c.report_id.is_not(None)).order_by(c.created_at, c.seq)
    )
    return [_delivery(row) for row in connection.execute(query)]


def of_documents(
    connection: Connection, document_ids: Sequence[str], recipients: Collection[str], limit: int
) -> list[Delivery]:
    """The deliveries of several documents to these recipients (no status packets); at most ``limit``."""
    c = t.delivery.c
    query = select(*_COLUMNS).where(c.report_id.is_(None)).order_by(c.seq).limit(limit)
    if len(recipients) <= _CHUNK:  # more are compared here: most of what the documents have is meant
        query = query.where(c.recipient.in_(recipients))
    found = [
        _delivery(row)
        for some in _chunks(document_ids)
        for row in connection.execute(query.where(c.document_id.in_(some)))
    ]
    return [delivery for delivery in found if delivery.recipient in recipients]


_DESCRIBED = [t.document.c[name] for name in ("id", "sender", "document_id", "year", "kind", "pared")]


@cache
def _described(*names: str) -> Select[Any]:
    """Deliveries of documents whose columns of these names have the values given: a sender's, or to a recipient."""
    columns = {name: t.delivery.c.recipient if name == "recipient" else t.document.c[name] for name in names}
    return (
        select(*_DESCRIBED, *_COLUMNS)
        .join_from(t.document, t.delivery, t.delivery.c.document_id == t.document.c.id)
        .where(t.delivery.c.report_id.is_(None), *(column == bindparam(name) for name, column in columns.items()))
        .order_by(t.document.c.seq.desc(), t.delivery.c.seq)
    )


def of_described(
    connection: Connection,
    document: Mapping[str, str | int],
    **party: str,
) -> list[tuple[dict[str, Any], Delivery]]:
    """The deliveries, by one ``sender`` or to one ``recipient``, of documents with these column values, newest first.

    Each with what is needed of its document: id, sender, document_id, year, kind, and whether it was pared.
    """
    values = {**document, **party}
    return _with_documents(connection.execute(_described(*values), values))


def _with_documents(found: Result[Any]) -> list[tuple[dict[str, Any], Delivery]]:
    count = len(_DESCRIBED)
    return [
        ({column.name: value for column, value in zip(_DESCRIBED, row[:count], strict=True)}, _delivery(row[count:]))
        for row in found.all()
    ]


_RECEIVED = Pairs(_described(), t.document.c.document_id, t.delivery.c.recipient)


def received(connection: Connection, pairs: Iterable[tuple[str, str]]) -> list[tuple[dict[str, Any], Delivery]]:
    """The same for pairs of a canonical DocumentId and a recipient."""
    return _with_documents(_RECEIVED.of(connection, pairs))


def write(connection: Connection, before: Sequence[Delivery], after: Sequence[Delivery], names: Sequence[str]) -> None:
    """Change the named columns of rows that are still in the state and status that ``before`` says.

    Raises RuntimeError where one is not: the caller's locking is defective.
    """
    rows = [
        {"_id": old.id, "_state": old.state.value, "_status": old.status.value}
        | {f"_to_{name}": value for name, value in row_of(new, names).items()}
        for old, new in zip(before, after, strict=True)
    ]
    done = _changes(*names).execute(connection, rows)
    if done != len(rows):
        raise RuntimeError(f"{len(rows) - done} of {len(rows)} deliveries from {before[0].id} have changed")


@cache
def _changes(*names: str) -> Changes:
    return Changes(t.delivery, ("id", "state", "status"), names)


def add_events(connection: Connection, rows: Rows) -> None:
    if rows:
        _ADD_EVENTS.execute(connection, rows)


_EVENTS = Listing(select(t.event), t.event.c.delivery_id)


def events_of(connection: Connection, delivery_ids: Sequence[str]) -> list[RowMapping]:
    """The history of deliveries, oldest first."""
    found = _EVENTS.of(connection, delivery_ids).mappings()
    return sorted(found, key=lambda row: (row["at"], row["id"]))


_INBOX = (
    select(
        *_COLUMNS,
        t.document.c.document_id.label("business_id"),
        t.document.c.sender,
        t.document.c.issuer,
        t.document.c.kind,
        t.document.c.year,
        t.document.c.number,
        t.document.c.symbol,
        t.document.c.subject,
        t.document.c.type_name,
        t.document.c.promulgated_on,
        t.document.c.due_on,
        t.packet.c.sha256,
        t.packet.c.standing,
        t.packet.c.signer,
        t.packet.c.size,
        t.report.c.code.label("status_code"),
        t.report.c.description.label("status_description"),
        t.report.c.stated_at.label("status_stated_at"),
        t.report.c.sender.label("status_from"),
    )
    .join_from(t.delivery, t.document, t.delivery.c.document_id == t.document.c.id)
    .join(t.packet, t.delivery.c.packet_id == t.packet.c.id)
    .outerjoin(t.report, t.delivery.c.report_id == t.report.c.id)
)


_WAITING_FOR = (
    _INBOX.where(only_after(t.delivery.c.system_id, t.delivery.c.seq), _WAITING)
    .order_by(t.delivery.c.system_id, t.delivery.c.seq)
    .limit(bindparam("limit"))
)


def inbox(connection: Connection, system_id: str, after: int, limit: int) -> list[RowMapping]:
    """What waits for a system after ``after``, oldest first; reads ``limit`` rows whatever else is stored."""
    asked = {"only": system_id, "after": after, "limit": limit}
    return list(connection.execute(_WAITING_FOR, asked).mappings().all())


def described(connection: Connection, delivery_id: str) -> RowMapping | None:
    """One delivery as the inbox tells it, in any state."""
    return connection.execute(_INBOX.where(t.delivery.c.id == delivery_id)).mappings().one_or_none()


def overdue_leases(connection: Connection, now: datetime, limit: int) -> list[Delivery]:
    c = t.delivery.c
    query = select(*_COLUMNS).where(_TAKEN, c.lease_until <= now).order_by(c.lease_until).limit(limit)
    return [_delivery(row) for row in connection.execute(query)]


def overdue(connection: Connection, now: datetime, limit: int) -> list[Delivery]:
    """Deliveries past their expiry that are still on their way."""
    c = t.delivery.c
    query = select(*_COLUMNS).where(_ON_ITS_WAY, c.expires_at <= now).order_by(c.expires_at).limit(limit)
    return [_delivery(row) for row in connection.execute(query)]


def _unfetched() -> ColumnElement[bool]:
    """What could still be fetched, and no connected system has fetched."""
    c = t.delivery.c
    retired = select(t.system.c.id).where(t.system.c.state == "retired")
    return and_(_FETCHABLE, or_(c.fetched_at.is_(None), c.system_id.in_(retired)))


def unfetched_routes(connection: Connection) -> list[tuple[str, str | None, bool]]:
    """The routes of what nobody fetched: (recipient, system, whether a status), each once."""
    c = t.delivery.c
    query = select(c.recipient, c.system_id, c.report_id.is_not(None)).where(_unfetched()).distinct()
    return [(row[0], row[1], bool(row[2])) for row in connection.execute(query)]


def unfetched(connection: Connection, recipient: str, system_id: str | None, is_status: bool) -> list[Delivery]:
    """What nobody fetched of one route, oldest first."""
    c = t.delivery.c
    same = c.system_id.is_(None) if system_id is None else c.system_id == system_id
    kind = c.report_id.is_not(None) if is_status else c.report_id.is_(None)
    query = select(*_COLUMNS).where(_unfetched(), c.recipient == recipient, same, kind).order_by(c.seq)
    return [_delivery(row) for row in connection.execute(query)]


def add_requests(connection: Connection, rows: Rows) -> None:
    if rows:
        connection.execute(insert(t.request), rows)


_REQUESTS = Listing(select(t.request), t.request.c.delivery_id)
_is_open = select(t.request).where(t.request.c.outcome == "open")
_OPEN = Listing(_is_open, t.request.c.delivery_id)
_OPEN_BY = Listing(_is_open, t.request.c.asking_document_id)
_OPEN_MADE = Listing(_is_open, t.request.c.asking_delivery_id)


def open_requests(connection: Connection, delivery_ids: Sequence[str]) -> list[RowMapping]:
    """Open requests about deliveries, newest first."""
    return sorted(_OPEN.of(connection, delivery_ids).mappings(), key=_seq, reverse=True)


def open_requests_by(connection: Connection, asking_document_ids: Sequence[str]) -> list[RowMapping]:
    """Open requests that asking documents made, newest first."""
    return sorted(_OPEN_BY.of(connection, asking_document_ids).mappings(), key=_seq, reverse=True)


def open_requests_made(connection: Connection, asking_delivery_ids: Sequence[str]) -> list[RowMapping]:
    """Open requests that deliveries carry."""
    return list(_OPEN_MADE.of(connection, asking_delivery_ids).mappings())


def close_requests(connection: Connection, ids: Sequence[str], outcome: str, at: datetime) -> None:
    c = t.request.c
    query = update(t.request).where(c.outcome == "open").values(outcome=outcome, closed_at=at)
    for some in _chunks(ids):
        connection.execute(query.where(c.id.in_(some)))


def requests_of(connection: Connection, delivery_ids: Sequence[str]) -> list[RowMapping]:
    """All requests about deliveries, oldest first."""
    return sorted(_REQUESTS.of(connection, delivery_ids).mappings(), key=_seq)


def _seq(row: RowMapping) -> int:
    return int(row["seq"])


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def add_outbox(connection: Connection, rows: Rows) -> None:
    if rows:
        _ADD_OUTBOX.execute(connection, rows)


_OUTBOX = (
    select(
        t.outbox,
        t.delivery.c.recipient,
        t.delivery.c.addressed,
        t.document.c.document_id.label("business_id"),
    )
    .join_from(t.outbox, t.delivery, t.outbox.c.delivery_id == t.delivery.c.id)
    .join(t.document, t.outbox.c.document_id == t.document.c.id)
    .where(only_after(t.outbox.c.owner, t.outbox.c.seq))
    .order_by(t.outbox.c.owner, t.outbox.c.seq)
    .limit(bindparam("limit"))
)


def outbox(connection: Connection, owner: str, after: int, limit: int) -> list[RowMapping]:
    """What the system of an agency code reads about the documents sent, in order."""
    return list(connection.execute(_OUTBOX, {"only": owner, "after": after, "limit": limit}).mappings().all())


def outbox_owners_without_system(connection: Connection) -> list[str]:
    """Codes that entries of the outbox wait under while no system stands for them."""
    connected = select(t.system.c.code).where(t.system.c.state != "retired")
    query = select(t.outbox.c.owner).where(t.outbox.c.owner.not_in(connected)).distinct()
    return list(connection.execute(query).scalars())


def give_outbox(connection: Connection, owner: str, to: str) -> None:
    connection.execute(update(t.outbox).where(t.outbox.c.owner == owner).values(owner=to))
