"""What documents answer, for those that are accepted from now on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_table(
        "reference",
        sa.Column("document_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("organ_id", sa.String(length=64), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("promulgated_on", sa.Date(), nullable=True),
        sa.Column("business", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["document_seq"], ["document.seq"], name=op.f("fk_reference_document_seq")),
        sa.PrimaryKeyConstraint("document_seq", "position", name=op.f("pk_reference")),
    )
    op.create_index("ix_reference_named_organ_id_document_seq", "reference", ["named", "organ_id", "document_seq"])
    op.create_index("ix_reference_business_document_seq", "reference", ["business", "document_seq"])


def downgrade() -> None:
    op.drop_table("reference")
