"""What the overview tells of the database. Nothing of it grows with what ever was: what waits is counted by its partial
index, and what came by the ids, which begin with the second they were made in (``store.ids``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, case, func, select, text

from hub.store import tables as t

_SECOND = 200  # documents that may come in one
_d, _v, _r = t.document.c, t.delivery.c, t.refusal.c


@dataclass(frozen=True, slots=True)
class Came:
    """What came in a span: documents, deliveries of documents, and rules that refused packets broke, once a packet."""

    documents: int = 0
    deliveries: int = 0
    refused: int = 0
    rules: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Came) -> Came:
        return Came(
            self.documents + other.documents,
            self.deliveries + other.deliveries,
            self.refused + other.refused,
            self.rules + other.rules,
        )


def came(connection: Connection, since: datetime, until: datetime) -> Came:
    """From ``since`` until before ``until``, both whole seconds."""
    a, b = _prefix(since), _prefix(until)
    documents = select(func.count()).where(_d.id >= a, _d.id < b)
    deliveries = select(func.count()).where(_v.id >= a, _v.id < b, _v.report_id.is_(None))
    refusals = select(_r.violations).where(_r.at >= since, _r.at < until)
    refused, rules = 0, Counter[str]()
    for violations in connection.execute(refusals).scalars():
        refused += 1
        rules.update({one["rule"] for one in violations if one.get("severity", "error") == "error"})
    counted = connection.execute(documents).scalar_one(), connection.execute(deliveries).scalar_one()
    return Came(*counted, refused, rules)


def _prefix(at: datetime) -> str:
    return f"{int(at.timestamp()) & 0xFFFFFFFF:08x}"


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits for one system, or for any (None): how many, of these too long, and the ``seq`` of the first."""

    system_id: str | None
    count: int
    late: int
    first: int


def waiting(connection: Connection, late: datetime) -> list[Waits]:
    """By system, the longest waiting first; ``late``: who began to wait before it waits too long."""
    # A document keeps its seq, a delivery that begins to wait again gets another; ids of one second have no order.
    older = select(_d.seq).where(_d.id < _prefix(late)).order_by(_d.id.desc()).limit(_SECOND).subquery()
    bound = connection.execute(select(func.max(older.c.seq))).scalar_one() or 0
    is_late = _v.seq <= bound
    found = (
        select(_v.system_id, func.count(), func.sum(case((is_late, 1), else_=0)), func.min(_v.seq))
        .where(text("state = 'waiting'"))  # written out: a partial index serves only what the planner can compare
        .group_by(_v.system_id)
    )
    rows = [Waits(system, count, int(old), first) for system, count, old, first in connection.execute(found)]
    return sorted(rows, key=lambda each: each.first)


def began(connection: Connection, seqs: list[int]) -> list[RowMapping]:
    """Since when these wait, and what they are: ``{seq, since, delivery, recipient, document, number, symbol,
    subject}``.
    """
    since = func.coalesce(_v.again_at, _v.created_at, type_=_v.created_at.type).label("since")
    found = (
        select(
            _v.seq, since, _v.id.label("delivery"), _v.recipient, _d.id.label("document"), _d.number, _d.symbol,
            _d.subject,
        )
        .join_from(t.delivery, t.document, _v.document_id == _d.id)
        .where(_v.seq.in_(seqs))
    )  # fmt: skip
    return list(connection.execute(found).mappings())


def unswept(connection: Connection) -> datetime | None:
    """The first moment at which the sweep has something to end, or had."""
    lease = select(func.min(_v.lease_until)).where(text("state = 'taken'"))
    expiry = select(func.min(_v.expires_at)).where(text("state IN ('waiting','taken')"))
    moments = [connection.execute(each).scalar_one() for each in (lease, expiry)]
    return min((moment for moment in moments if moment is not None), default=None)
