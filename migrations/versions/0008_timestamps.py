"""Timestamps of others on the evidence log's checkpoints, and roots that count for these alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    _allow("root", "intermediate", "person", "tsa")
    op.add_column("log_head", sa.Column("tsa_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "log_timestamp",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_timestamp")),
    )


def downgrade() -> None:
    op.drop_table("log_timestamp")
    op.drop_column("log_head", "tsa_at")
    op.execute("DELETE FROM trusted WHERE role = 'tsa'")
    _allow("root", "intermediate", "person")


def _allow(*roles: str) -> None:
    """SQLite changes no constraint: there the table is made anew."""
    listed = ",".join(f"'{role}'" for role in roles)
    check = sa.CheckConstraint(f"role IN ({listed})", name=op.f("ck_trusted_role"))
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_trusted_role"), "trusted", type_="check")
        op.create_check_constraint(op.f("ck_trusted_role"), "trusted", check.sqltext)
        return
    table = sa.Table(
        "trusted",
        sa.MetaData(),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        check,
        sa.CheckConstraint("(role = 'person') = (code <> '')", name=op.f("ck_trusted_code_of_persons")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_trusted")),
    )
    with op.batch_alter_table("trusted", recreate="always", copy_from=table):
        pass
