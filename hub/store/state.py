"""What the page of metrics tells of the database: read by its indexes, so that it costs what waits and not what ever
was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from hub.store import evidence
from hub.store import tables as t

_c = t.delivery.c
_e = t.evidence.c
# Written out, not bound: a partial index serves only a condition the planner can compare with its own.
_WAITING = select(func.count(), func.min(_c.seq)).where(text("state = 'waiting'"))
_TAKEN = select(func.count()).select_from(t.delivery).where(text("state = 'taken'"))
_NOT_OVER = select(func.count()).select_from(t.delivery).where(text("state IN ('waiting','taken','failed','expired')"))


@dataclass(frozen=True, slots=True)
class State:
    """``undelivered``: failed or expired, and could still be fetched. ``since``: when the oldest began to wait."""

    waiting: int
    taken: int
    undelivered: int
    since: datetime | None
    covered: int  # entries of the evidence log that its checkpoint covers
    behind: int  # and those that it does not yet
    newest: datetime | None  # when the last of the first was made
    oldest: datetime | None  # and the first of the others


def state(connection: Connection) -> State:
    waiting, first = connection.execute(_WAITING).one()
    taken = connection.execute(_TAKEN).scalar_one()
    not_over = connection.execute(_NOT_OVER).scalar_one()
    head = evidence.head(connection)
    covered = head["size"] if head is not None else 0
    made = dict(connection.execute(select(_e.leaf_index, _e.at).where(_e.leaf_index.in_((covered - 1, covered)))).all())
    return State(
        waiting=waiting,
        taken=taken,
        undelivered=max(0, not_over - waiting - taken),  # on PostgreSQL each was counted at its own moment
        since=_since(connection, first),
        covered=covered,
        behind=max(0, evidence.size(connection) - covered),
        newest=made.get(covered - 1),
        oldest=made.get(covered),
    )


def _since(connection: Connection, seq: int | None) -> datetime | None:
    """When a delivery that waits came, or came back."""
    if seq is None:
        return None
    came = func.coalesce(_c.again_at, _c.created_at, type_=_c.created_at.type)
    return connection.execute(select(came).where(_c.seq == seq)).scalar_one_or_none()
