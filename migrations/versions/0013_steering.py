"""Operators' actions on many deliveries: runs that any process can go on with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_table(
        "steering_run",
        sa.Column("seq", _LONG, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=15), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("until", _MOMENT, nullable=True),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.CheckConstraint(
            "action IN ('release','again','extend','undeliverable')", name=op.f("ck_steering_run_action")
        ),
        sa.CheckConstraint("done <= place AND place <= total", name=op.f("ck_steering_run_place")),
        sa.CheckConstraint("(action = 'extend') = (until IS NOT NULL)", name=op.f("ck_steering_run_until")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_steering_run")),
        sa.UniqueConstraint("id", name=op.f("uq_steering_run_id")),
    )
    running = sa.text("ended_at IS NULL")
    op.create_index("ix_steering_run_open", "steering_run", ["seq"], sqlite_where=running, postgresql_where=running)
    op.create_table(
        "steering_delivery",
        sa.Column("run", _LONG, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_steering_delivery_delivery_id")),
        sa.ForeignKeyConstraint(["run"], ["steering_run.seq"], name=op.f("fk_steering_delivery_run")),
        sa.PrimaryKeyConstraint("run", "place", name=op.f("pk_steering_delivery")),
    )
    op.create_index("ix_steering_delivery_delivery_id", "steering_delivery", ["delivery_id"])


def downgrade() -> None:
    op.drop_table("steering_delivery")
    op.drop_table("steering_run")
