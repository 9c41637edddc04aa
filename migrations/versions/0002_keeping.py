"""Documents that are over and past their time are pared down: which parts of each are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # With a default, so that a process of the program before goes on accepting beside this one's.
    op.add_column("document", sa.Column("pared", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_document_pared_seq", "document", ["pared", "seq"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER document_fts_update AFTER UPDATE OF search ON document"
            " BEGIN INSERT INTO document_fts (document_fts, rowid, search) VALUES ('delete', OLD.seq, OLD.search);"
            " INSERT INTO document_fts (rowid, search) VALUES (NEW.seq, NEW.search); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER document_fts_update")
    op.drop_index("ix_document_pared_seq", table_name="document")
    op.drop_column("document", "pared")
