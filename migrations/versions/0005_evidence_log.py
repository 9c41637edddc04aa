"""The evidence log: its place for each entry, tiles, head and keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("counter", sa.Column("entries", long, server_default=sa.text("0"), nullable=False))
    # Empty in what there is, and in what a process of the program before writes beside this one: it is adopted.
    op.add_column("evidence", sa.Column("leaf_index", long, nullable=True))
    op.add_column("evidence", sa.Column("entry", sa.LargeBinary(), nullable=True))
    op.add_column("evidence", sa.Column("receipt", sa.Text(), nullable=True))
    op.create_index("ix_evidence_leaf_index", "evidence", ["leaf_index"], unique=True)
    for name in ("delivery_id", "report_id"):
        named = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_evidence_{name}", "evidence", [name], sqlite_where=named, postgresql_where=named)
    unplaced = sa.text("leaf_index IS NULL")
    op.create_index("ix_evidence_adopted", "evidence", ["seq"], sqlite_where=unplaced, postgresql_where=unplaced)
    op.create_table(
        "log_head",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", long, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", long, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "signing_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('receipt','log')", name=op.f("ck_signing_key_purpose")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_signing_key")),
    )


def downgrade() -> None:
    for table in ("signing_key", "log_tile", "log_head"):
        op.drop_table(table)
    for name in ("adopted", "report_id", "delivery_id"):
        op.drop_index(f"ix_evidence_{name}", table_name="evidence")
    op.drop_index("ix_evidence_leaf_index", table_name="evidence")
    for table, column in (
        ("evidence", "receipt"), ("evidence", "entry"), ("evidence", "leaf_index"), ("counter", "entries"),
    ):  # fmt: skip
        op.drop_column(table, column)
