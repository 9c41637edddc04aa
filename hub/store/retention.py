"""What may go after its time. A document is over when every delivery of it and of the statuses about it is final and
nothing is asked about it any more; only then it is pared, part by part. What stays for ever: who sent what to whom and
when, what it answers, digests, identities (so that it is never taken for new), states, evidence.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntFlag

from sqlalchemy import Connection, Row, and_, delete, exists, not_, or_, select, update

from hub.store import tables as t

_ON_THE_WAY = ("waiting", "taken", "failed", "expired")  # not final: each of them can still become delivered


class Part(IntFlag):
    """A part that is removed by itself; ``document.pared`` has the bits of those that are gone."""

    PACKETS = 1  # the bytes of the document's packets and of the statuses about it
    METADATA = 2  # what people wrote: subject, words of the search, warnings, reasons
    HISTORY = 4  # the events of its deliveries


ALL = Part.PACKETS | Part.METADATA | Part.HISTORY


def unpared(connection: Connection, pared: int, after: int, limit: int) -> list[Row[tuple[int, str, datetime]]]:
    """Documents with exactly these parts gone, oldest first from ``seq`` ``after`` on: (seq, id, accepted_at)."""
    c = t.document.c
    query = select(c.seq, c.id, c.accepted_at).where(c.pared == pared, c.seq > after).order_by(c.seq).limit(limit)
    return list(connection.execute(query))


def is_over(connection: Connection, document_id: str, before: datetime) -> bool:
    """Whether all about a document is final, nothing is open, and the last delivery was made before the moment."""
    v, r = t.delivery.c, t.request.c
    own, is_open = v.document_id == document_id, r.outcome == "open"
    # One condition for each column that names a delivery: with an OR in one of them PostgreSQL would read all requests.
    reasons = (
        exists().where(own, or_(v.state.in_(_ON_THE_WAY), v.created_at >= before)),
        exists().where(own, is_open, r.delivery_id == v.id),
        exists().where(own, is_open, r.asking_delivery_id == v.id),
        exists().where(is_open, r.asking_document_id == document_id),
    )
    return not connection.execute(select(or_(*reasons))).scalar_one()


def remove_packets(connection: Connection, document_id: str, most: int) -> tuple[int, list[str]]:
    """Forget the bytes of at most ``most`` packets: how many, and the places of those that lie in the payload store."""
    p, r = t.packet.c, t.report.c
    kept = or_(p.place.is_(None), p.place != "")
    own = select(p.id, p.place).where(p.document_id == document_id, kept)
    told = select(p.id, p.place).join_from(t.report, t.packet, r.packet_id == p.id)
    found = connection.execute(own.union_all(told.where(r.document_id == document_id, kept)).limit(most)).all()
    connection.execute(update(t.packet).where(p.id.in_([row.id for row in found])).values(body=None, place=""))
    return len(found), [row.place for row in found if row.place]


def remove_metadata(connection: Connection, document_id: str) -> None:
    """Forget what people wrote about a document; numbers, dates, codes and states stay."""
    d, v, r = t.document.c, t.delivery.c, t.report.c
    connection.execute(
        update(t.document).where(d.id == document_id).values(subject="", type_name="", search="", warnings=[])
    )
    connection.execute(update(t.delivery).where(v.document_id == document_id, v.reason != "").values(reason=""))
    connection.execute(update(t.report).where(r.document_id == document_id, r.description != "").values(description=""))


def remove_history(connection: Connection, document_id: str, most: int) -> int:
    """Remove at most ``most`` events of a document's deliveries; gives how many."""
    own = select(t.delivery.c.id).where(t.delivery.c.document_id == document_id)
    some = select(t.event.c.id).where(t.event.c.delivery_id.in_(own)).limit(most)
    return connection.execute(delete(t.event).where(t.event.c.id.in_(some))).rowcount


def set_pared(connection: Connection, document_id: str, part: Part) -> None:
    d = t.document.c
    connection.execute(update(t.document).where(d.id == document_id).values(pared=d.pared.op("|")(int(part))))


def old_entries(connection: Connection, before: datetime, after: int, limit: int) -> tuple[list[int], int | None]:
    """Outbox entries from ``after`` on that may go, and where to go on; None when what follows is newer."""
    o = t.outbox.c
    asked = exists().where(t.request.c.delivery_id == o.delivery_id, t.request.c.outcome == "open")
    over = and_(t.delivery.c.state.not_in(_ON_THE_WAY), not_(asked)).label("over")
    query = select(o.seq, o.at, over).join_from(t.outbox, t.delivery, o.delivery_id == t.delivery.c.id)
    rows = connection.execute(query.where(o.seq > after).order_by(o.seq).limit(limit)).all()
    old = [row for row in rows if row.at < before]
    going_on = old[-1].seq if old and len(old) == limit else None
    return [row.seq for row in old if row.over], going_on


def remove_entries(connection: Connection, seqs: list[int]) -> int:
    return connection.execute(delete(t.outbox).where(t.outbox.c.seq.in_(seqs))).rowcount


def remove_refusals(connection: Connection, before: datetime, most: int) -> int:
    """Remove at most ``most`` refusals of before the moment, oldest first; gives how many."""
    r = t.refusal.c
    some = select(r.id).where(r.at < before).order_by(r.at).limit(most)
    return connection.execute(delete(t.refusal).where(r.id.in_(some))).rowcount
