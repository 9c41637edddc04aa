"""The tables of operators' actions on deliveries: each run as it was ordered, and what became of each delivery."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from hub.store.columns import ID, Long, Moment
from hub.store.tables import metadata

# Its id is made with the form, so that the same form sent twice is one run. `place`: so many of its deliveries were
# looked at; what is behind it is still to be done, by whoever comes by.
steering_run = Table(
    "steering_run",
    metadata,
    Column("seq", Long, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False, unique=True),
    Column("by", Text, nullable=False),  # as in the audit
    Column("action", String(15), nullable=False),
    Column("reason", Text, nullable=False),
    Column("query", Text, nullable=False),  # that found the deliveries; empty: they were chosen one by one
    Column("until", Moment),
    Column("seen_at", Moment, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("total", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("ended_at", Moment),
    CheckConstraint("action IN ('release','again','extend','undeliverable')", name="action"),
    CheckConstraint("done <= place AND place <= total", name="place"),
    CheckConstraint("(action = 'extend') = (until IS NOT NULL)", name="until"),
)
Index(
    "ix_steering_run_open",
    steering_run.c.seq,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)

steering_delivery = Table(
    "steering_delivery",
    metadata,
    Column("run", Long, ForeignKey("steering_run.seq"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("delivery_id", ID, ForeignKey("delivery.id"), nullable=False),
    Column("outcome", String(12), nullable=False),  # empty: to be done; `done`; or of hub.domain.steering.Left
    Index("ix_steering_delivery_delivery_id", "delivery_id"),
)
