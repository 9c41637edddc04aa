"""What the gateway dialect needs: turns of its lists, units that systems register, networks a system is bound to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_index("ix_system_code", "system", ["code"])
    op.create_index("ix_document_system_id_seq", "document", ["system_id", "seq"])
    op.create_index("ix_report_system_id_received_at", "report", ["system_id", "received_at"])
    ended = sa.text("what IN ('failed','expired')")
    op.create_index("ix_outbox_ended", "outbox", ["owner", "seq"], sqlite_where=ended, postgresql_where=ended)
    # With defaults, so that a process of the program before goes on accepting beside this one's.
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("counter", sa.Column("units", long, server_default=sa.text("0"), nullable=False))
    op.add_column("system", sa.Column("addresses", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("agency", sa.Column("registered_by", sa.String(length=64), nullable=True))
    op.add_column("agency", sa.Column("contact", sa.JSON(), nullable=True))
    op.add_column("agency", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("turn", sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
    op.add_column("delivery", sa.Column("again_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE delivery SET turn = 0 WHERE state = 'waiting' AND urgent")
    for name, columns, statuses in (
        ("ix_delivery_listed", ["system_id", "turn", "seq"], "IS NULL"),
        ("ix_delivery_listed_statuses", ["system_id", "seq"], "IS NOT NULL"),
    ):
        waiting = sa.text(f"state = 'waiting' AND report_id {statuses}")
        op.create_index(name, "delivery", columns, sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index("ix_outbox_ended", table_name="outbox")
    op.drop_index("ix_report_system_id_received_at", table_name="report")
    op.drop_index("ix_document_system_id_seq", table_name="document")
    op.drop_index("ix_delivery_listed_statuses", table_name="delivery")
    op.drop_index("ix_delivery_listed", table_name="delivery")
    op.drop_index("ix_system_code", table_name="system")
    for table, column in (
        ("delivery", "again_at"), ("delivery", "turn"), ("agency", "changed_at"), ("agency", "contact"),
        ("agency", "registered_by"), ("system", "addresses"), ("counter", "units"),
    ):  # fmt: skip
        op.drop_column(table, column)
