"""An asterisk stands between words on PostgreSQL too: 0012 gave it no space of its own, and it vanished."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    _index_of_words(15)


def _index_of_words(spaces: int) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    words = f"translate(search, '/-_.@:+,~&=?%#*', repeat(' ', {spaces}))"
    op.execute("DROP INDEX document_fts")
    op.execute(f"CREATE INDEX document_fts ON document USING gin (to_tsvector('simple', {words}))")


def downgrade() -> None:
    _index_of_words(14)
