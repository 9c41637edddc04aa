"""Figures of levels and provinces beside those of agencies; what is there already, the hub adds up when it runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_table(
        "group_figure",
        sa.Column("grouping", sa.String(length=8), nullable=False),
        sa.Column("span", sa.String(length=1), nullable=False),
        sa.Column("measure", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", _LONG, nullable=False),
        sa.CheckConstraint("grouping IN ('level','province')", name=op.f("ck_group_figure_grouping")),
        sa.CheckConstraint("span IN ('D','M')", name=op.f("ck_group_figure_span")),
        sa.PrimaryKeyConstraint("grouping", "span", "measure", "day", "name", "key", name=op.f("pk_group_figure")),
        sqlite_with_rowid=False,
    )
    # With defaults that say "not yet": a process of the program before goes on counting beside this one's.
    op.add_column("tally", sa.Column("grouped", _LONG, server_default=sa.text("-1"), nullable=False))
    op.add_column("tally", sa.Column("regroup", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("tally", sa.Column("mark", sa.String(length=64), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("tally", "mark")
    op.drop_column("tally", "regroup")
    op.drop_column("tally", "grouped")
    op.drop_table("group_figure")
