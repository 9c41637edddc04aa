"""Connected systems as an operator reads them: what waits for each, since when, and how much of what it sends fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, text

from hub.store import tables as t
from hub.store.listing import only

_d, _v, _r = t.document.c, t.delivery.c, t.refusal.c
_WAITING = text("delivery.state = 'waiting'")  # written out, not bound: its index is partial
MOST = 10_000  # rows that are counted; more is told as more


def of_code(connection: Connection, code: str) -> list[RowMapping]:
    """All that stand or stood for a code, the newest first; without secrets."""
    c = t.system.c
    told = [
        c[name] for name in ("id", "code", "state", "profile", "algorithms", "enrolled_at", "ended_at", "addresses")
    ]
    return list(connection.execute(select(*told).where(c.code == code).order_by(c.enrolled_at.desc())).mappings())


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a system: at most :data:`MOST` + 1 are counted. ``since``: when the oldest became available."""

    waiting: int
    since: datetime | None


def backlog(connection: Connection, system_id: str) -> Backlog:
    mine = select(_v.seq).where(only(_v.system_id, system_id), _WAITING)
    waiting = connection.execute(select(func.count()).select_from(mine.limit(MOST + 1).subquery("some"))).scalar_one()
    came = func.coalesce(_v.again_at, _v.created_at, type_=_v.created_at.type)
    oldest = select(came).where(only(_v.system_id, system_id), _WAITING).order_by(_v.system_id, _v.seq).limit(1)
    return Backlog(waiting, connection.execute(oldest).scalar_one_or_none())


def accepted_since(connection: Connection, system_id: str, seq: int) -> int:
    """Documents that a system sent from ``seq`` on; at most :data:`MOST` + 1 are counted."""
    mine = select(_d.seq).where(only(_d.system_id, system_id), _d.seq >= seq).limit(MOST + 1)
    return int(connection.execute(select(func.count()).select_from(mine.subquery("some"))).scalar_one())


def refused_since(connection: Connection, sender: str, moment: datetime) -> int:
    """Packets of a sender that were refused from a moment on; at most :data:`MOST` + 1 are counted."""
    mine = select(_r.at).where(_r.sender == sender, _r.at >= moment).limit(MOST + 1)
    return int(connection.execute(select(func.count()).select_from(mine.subquery("some"))).scalar_one())


def first_seq(connection: Connection, moment: datetime) -> int:
    """From which ``seq`` on documents were accepted at the moment or later, found by halving: both grow together."""
    low, high = 0, connection.execute(select(func.coalesce(func.max(_d.seq), 0))).scalar_one() + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(select(_d.seq, _d.accepted_at).where(_d.seq >= middle).order_by(_d.seq).limit(1))
        row = found.one_or_none()
        if row is None or row.accepted_at >= moment:
            high = middle
        else:
            low = row.seq + 1
    return int(low)
