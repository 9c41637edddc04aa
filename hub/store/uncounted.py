"""What figures are still to be made of: rows that were not counted yet, as :mod:`hub.domain.tally` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, bindparam, exists, func, or_, select, text, update

from hub.store import examination_tables as et
from hub.store import tables as t
from hub.store.listing import Listing

_d, _e, _v, _x, _p = t.document.c, t.evidence.c, t.event.c, et.examination.c, t.packet.c
_earlier = t.evidence.alias()

_IS_FIRST = (
    _e.seq == select(func.min(_earlier.c.seq)).where(_earlier.c.document_id == _e.document_id).scalar_subquery()
).label("first")
_WINDOW = and_(_e.leaf_index >= bindparam("after"), _e.leaf_index < bindparam("until"))
_ACCEPTED = (
    select(
        _e.at, _e.body["recipients"].label("recipients"), _IS_FIRST, _d.sender, _d.issuer, _d.kind, _d.urgent,
        _d.promulgated_on, _d.due_on, _d.flags, _d.accepted_at,
    )
    .join(t.document, _d.id == _e.document_id)
    .where(_WINDOW, _e.kind == "accept")
)  # fmt: skip
_TAKEN_BACK = select(_e.at, _e.body["sender"].as_string().label("sender")).where(
    _WINDOW, _e.kind == "status", _e.body["status"].as_string() == "13"
)
_CHANGED = (
    select(
        _v.at, _v.state_before, _v.state_after, _v.status_before, _v.status_after, t.delivery.c.recipient,
        t.delivery.c.created_at, t.delivery.c.fetched_at, _d.sender, _d.due_on, _d.kind,
    )
    .join_from(t.event, t.delivery, t.delivery.c.id == _v.delivery_id)
    .join(t.document, _d.id == t.delivery.c.document_id)
    .where(_v.id > bindparam("after"), _v.id <= bindparam("until"), t.delivery.c.report_id.is_(None))
    .where(or_(_v.state_before != _v.state_after, _v.status_before != _v.status_after))
)  # fmt: skip
_EXAMINED = (
    select(_d.id, _d.sender, _d.accepted_at).join(t.document, _d.id == _e.document_id).where(_WINDOW, _IS_FIRST.element)
)
_packet = t.packet.alias()
_FIRST_PACKET = select(func.min(_packet.c.seq)).where(_packet.c.document_id == _p.document_id).scalar_subquery()
_SIGNED = Listing(
    select(_p.document_id, _p.standing, _x.part, _x.verdict, _x.detail)
    .join_from(t.packet, et.examination, _x.packet_id == _p.id, isouter=True)
    .where(_p.seq == _FIRST_PACKET),
    _p.document_id,
)
_REFUSED = (
    select(t.refusal.c.id, t.refusal.c.at, t.refusal.c.code, t.refusal.c.violations, t.system.c.code.label("agency"))
    .join(t.system, t.system.c.id == t.refusal.c.system_id)
    .where(text("refusal.tallied = 0"))  # written out, not bound: a partial index serves no other
    .order_by(t.refusal.c.id)
)
_OLD_REFUSED = (
    select(t.refusal.c.id, t.refusal.c.at, t.refusal.c.code, t.refusal.c.violations, t.system.c.code.label("agency"))
    .join(t.system, t.system.c.id == t.refusal.c.system_id)
    .order_by(t.refusal.c.at)
)


def ends(connection: Connection) -> tuple[int, int, int]:
    """Up to where there is something to count: entries of the log, events, entries that were examined."""
    last_event = select(func.coalesce(func.max(_v.id), 0)).scalar_subquery()
    entries, event, examined = connection.execute(
        select(t.counter.c.entries, last_event, select(et.examined.c.leaf_index).scalar_subquery())
    ).one()
    return entries, event, min(examined, entries)


def acceptances(connection: Connection, after: int, until: int) -> list[RowMapping]:
    """Packets accepted by entries from ``after`` on and before ``until``, with what is counted of their documents."""
    return list(connection.execute(_ACCEPTED, {"after": after, "until": until}).mappings())


def take_backs(connection: Connection, after: int, until: int) -> list[RowMapping]:
    """The same of statuses 13: ``{sender, at}``."""
    return list(connection.execute(_TAKEN_BACK, {"after": after, "until": until}).mappings())


def changes(connection: Connection, after: int, until: int) -> list[RowMapping]:
    """Events after one and up to another that changed documents' own deliveries."""
    return list(connection.execute(_CHANGED, {"after": after, "until": until}).mappings())


def first_accepted(connection: Connection, after: int, until: int) -> list[RowMapping]:
    """Documents whose first acceptance is one of these entries: ``{id, sender, accepted_at}``."""
    return list(connection.execute(_EXAMINED, {"after": after, "until": until}).mappings())


def examined_document(connection: Connection, document_id: str) -> RowMapping | None:
    """The same of a document whose first packet has examinations; None of any other."""
    found = (
        select(_d.id, _d.sender, _d.accepted_at)
        .join(t.packet, _p.document_id == _d.id)
        .where(_d.id == document_id, _p.seq == _FIRST_PACKET, exists().where(_x.packet_id == _p.id))
    )
    return connection.execute(found).mappings().one_or_none()


def signed(connection: Connection, document_ids: Iterable[str]) -> dict[str, list[RowMapping]]:
    """By document, of the packet it was first accepted with: standing, and per examination part, verdict, detail (one
    row without, where there is none).
    """
    found: dict[str, list[RowMapping]] = {}
    for row in _SIGNED.of(connection, document_ids).mappings():
        found.setdefault(row["document_id"], []).append(row)
    return found


def refusals(connection: Connection, most: int) -> list[RowMapping]:
    """Refusals that were not counted yet: ``{id, at, code, violations, agency}``."""
    return list(connection.execute(_REFUSED.limit(most)).mappings())


def refusals_before(connection: Connection, before: datetime, most: int) -> list[RowMapping]:
    """The oldest refusals of before a moment, as :func:`hub.store.retention.remove_refusals` takes them."""
    return list(connection.execute(_OLD_REFUSED.where(t.refusal.c.at < before).limit(most)).mappings())


def mark(connection: Connection, refusal_ids: Sequence[str]) -> bool:
    """These refusals are counted now; False where some were already."""
    c = t.refusal.c
    done = connection.execute(update(t.refusal).where(c.id.in_(refusal_ids), c.tallied == 0).values(tallied=1))
    return done.rowcount == len(refusal_ids)
