"""Examinations of signatures: up to where, what was found, and from what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "examined",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_index", long, nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_examined")),
    )
    op.execute("INSERT INTO examined (one, leaf_index, holder) VALUES (1, 0, '')")
    op.create_table(
        "examination",
        sa.Column("packet_id", sa.String(length=24), nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["packet_id"], ["packet.id"], name=op.f("fk_examination_packet_id")),
        sa.PrimaryKeyConstraint("packet_id", "part", name=op.f("pk_examination")),
    )
    op.create_index("ix_examination_document_id", "examination", ["document_id"])
    op.create_table(
        "material",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_material")),
    )


def downgrade() -> None:
    for table in ("material", "examination", "examined"):
        op.drop_table(table)
