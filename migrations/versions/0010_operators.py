"""Operators, their sessions, and the audit of what they did, which nobody can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    _people()
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
    )
    for column in ("operator", "action", "subject"):
        op.create_index(f"ix_audit_entry_{column}_seq", "audit_entry", [column, "seq"])
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _people() -> None:
    op.create_table(
        "operator",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=15), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("password_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer','operator','administrator')", name=op.f("ck_operator_role")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operator")),
    )
    op.create_table(
        "operator_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["operator.name"], name=op.f("fk_operator_session_name")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_operator_session")),
    )
    op.create_index("ix_operator_session_name", "operator_session", ["name"])
    op.create_index("ix_operator_session_seen_at", "operator_session", ["seen_at"])
    op.create_table(
        "operator_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["operator.name"], name=op.f("fk_operator_link_name")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_operator_link")),
    )
    op.create_index("ix_operator_link_name", "operator_link", ["name"])


def _sqlite() -> None:
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER audit_entry_{change} BEFORE {change.upper()} ON audit_entry"
            " BEGIN SELECT RAISE(ABORT, 'audit_entry_stays'); END"
        )


def _postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'audit_entry_stays' USING ERRCODE = 'check_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_change BEFORE UPDATE OR DELETE ON audit_entry"
        " FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON audit_entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()"
    )


def downgrade() -> None:
    for table in ("audit_entry", "operator_link", "operator_session", "operator"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_entry_stays()")
