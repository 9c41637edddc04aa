"""Figures that are kept for reports, and the operator's calendar. What is there already, the first recount counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_table(
        "figure",
        sa.Column("span", sa.String(length=1), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", _LONG, nullable=False),
        sa.CheckConstraint("span IN ('D','M','G')", name=op.f("ck_figure_span")),
        sa.PrimaryKeyConstraint("span", "measure", "day", "agency", "key", name=op.f("pk_figure")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entries", _LONG, nullable=False),
        sa.Column("event", _LONG, nullable=False),
        sa.Column("signings", _LONG, nullable=False),
        sa.Column("version", _LONG, nullable=False),
        sa.Column("recount", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_tally")),
    )
    # What is there is left to the recount: counting it here would keep the hub away for minutes.
    op.execute(
        "INSERT INTO tally (one, entries, event, signings, version, recount, complete) SELECT 1, c.entries,"
        " coalesce((SELECT max(id) FROM event), 0), (SELECT leaf_index FROM examined), 0, 0,"
        " NOT EXISTS (SELECT 1 FROM evidence) AND NOT EXISTS (SELECT 1 FROM refusal) FROM counter c"
    )
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('holiday','workday','ordinary')", name=op.f("ck_calendar_day_kind")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
    )
    # With a default, so that a process of the program before goes on refusing beside this one's.
    op.add_column("refusal", sa.Column("tallied", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE refusal SET tallied = 1")
    op.create_index(
        "ix_refusal_untallied", "refusal", ["id"], sqlite_where=sa.text("tallied = 0"),
        postgresql_where=sa.text("tallied = 0"),
    )  # fmt: skip
    op.create_index(
        "ix_request_withdrawing", "request", ["opened_at"], sqlite_where=sa.text("ask IN ('take-back','revocation')"),
        postgresql_where=sa.text("ask IN ('take-back','revocation')"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_request_withdrawing", "request")
    op.drop_index("ix_refusal_untallied", "refusal")
    op.drop_column("refusal", "tallied")
    for table in ("calendar_day", "tally", "figure"):
        op.drop_table(table)
