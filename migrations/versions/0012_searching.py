"""What searches of the delivery log are read by, and saved searches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_INDEXES = (
    ("ix_document_sender_seq", "document", ["sender", "seq"], None),
    ("ix_document_issuer_seq", "document", ["issuer", "seq"], None),
    ("ix_document_year_seq", "document", ["year", "seq"], None),
    ("ix_document_trace_id", "document", ["trace_id"], None),
    ("ix_document_not_new", "document", ["kind", "seq"], "kind <> 0"),
    ("ix_document_urgent", "document", ["urgent", "seq"], "urgent"),
    ("ix_document_due", "document", ["seq", "due_on"], "due_on IS NOT NULL"),
    ("ix_delivery_recipient_document_seq", "delivery", ["recipient", "document_seq", "report_id"], "report_id IS NULL"),
    ("ix_delivery_recipient_status_packets", "delivery", ["recipient", "document_seq"], "report_id IS NOT NULL"),
    ("ix_delivery_not_delivered", "delivery", ["state", "document_seq"], "state <> 'delivered'"),
    ("ix_delivery_rare_status", "delivery", ["status", "document_seq"], "status IN ('02','cancelled','replaced')"),
    ("ix_packet_not_signed", "packet", ["standing", "id"], "standing <> 'signed'"),
)


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.add_column("delivery", sa.Column("document_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
    op.execute("UPDATE delivery SET document_seq = (SELECT seq FROM document WHERE id = delivery.document_id)")
    # By the database itself: a process of the program before goes on beside this one's, and does not know the column.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER delivery_document_seq AFTER INSERT ON delivery WHEN NEW.document_seq IS NULL BEGIN"
            " UPDATE delivery SET document_seq = (SELECT seq FROM document WHERE id = NEW.document_id)"
            " WHERE rowid = NEW.rowid; END"
        )
    else:
        op.execute(
            "CREATE FUNCTION delivery_document_seq() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " NEW.document_seq := (SELECT seq FROM document WHERE id = NEW.document_id); RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER delivery_document_seq BEFORE INSERT ON delivery"
            " FOR EACH ROW WHEN (NEW.document_seq IS NULL) EXECUTE FUNCTION delivery_document_seq()"
        )
        _index_of_words("translate(search, '/-_.@:+,~&=?%#*', repeat(' ', 14))")
    for name, table, columns, condition in _INDEXES:
        where = None if condition is None else sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    op.drop_index("ix_delivery_recipient", "delivery")
    op.create_table(
        "saved_search",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
    )
    op.create_index("uq_saved_search_owner_name", "saved_search", ["owner", "name"], unique=True)
    shared = sa.text("shared")
    op.create_index("ix_saved_search_shared", "saved_search", ["name"], sqlite_where=shared, postgresql_where=shared)


def _index_of_words(expression: str) -> None:
    """PostgreSQL's own parser takes ``15/vpcp-th`` for the path of a file, and finds no word in it."""
    op.execute("DROP INDEX document_fts")
    op.execute(f"CREATE INDEX document_fts ON document USING gin (to_tsvector('simple', {expression}))")


def downgrade() -> None:
    op.drop_table("saved_search")
    op.create_index("ix_delivery_recipient", "delivery", ["recipient"])
    for name, table, _columns, _condition in reversed(_INDEXES):
        op.drop_index(name, table)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER delivery_document_seq")
    else:
        op.execute("DROP TRIGGER delivery_document_seq ON delivery")
        op.execute("DROP FUNCTION delivery_document_seq")
        _index_of_words("search")
    op.drop_column("delivery", "document_seq")
