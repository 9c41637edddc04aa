"""A document's evidence is read in pages: its index has the order too."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_index("ix_evidence_document_id_seq", "evidence", ["document_id", "seq"])
    op.drop_index("ix_evidence_document_id", "evidence")


def downgrade() -> None:
    op.create_index("ix_evidence_document_id", "evidence", ["document_id"])
    op.drop_index("ix_evidence_document_id_seq", "evidence")
