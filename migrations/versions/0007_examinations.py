"""Examinations of signatures: up to where, what was found and from what; and what each system's PDF files must be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "examined",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_index", long, nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_examined")),
    )
    op.execute("INSERT INTO examined (one, leaf_index) VALUES (1, 0)")
    op.create_table(
        "examination",
        sa.Column("packet_id", sa.String(length=24), nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
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
    op.create_table(
        "examination_material",
        sa.Column("packet_id", sa.String(length=24), nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["material.sha256"], name=op.f("fk_examination_material_sha256")),
        sa.ForeignKeyConstraint(
            ["packet_id", "part"],
            ["examination.packet_id", "examination.part"],
            name=op.f("fk_examination_material_packet_id_part"),
        ),
        sa.PrimaryKeyConstraint("packet_id", "part", "sha256", name=op.f("pk_examination_material")),
    )
    op.create_index("ix_examination_material_sha256", "examination_material", ["sha256"])
    # With a default, so that a process of the program before goes on enrolling beside this one's.
    op.add_column("system", sa.Column("pdf_policy", sa.String(length=10), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    op.drop_column("system", "pdf_policy")
    for table in ("examination_material", "material", "examination", "examined"):
        op.drop_table(table)
