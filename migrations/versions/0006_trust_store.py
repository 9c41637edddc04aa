"""The trust store: roots, intermediates, persons, what is known of revocation, whose end was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "trusted",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('root','intermediate','person')", name=op.f("ck_trusted_role")),
        sa.CheckConstraint("(role = 'person') = (code <> '')", name=op.f("ck_trusted_code_of_persons")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_trusted")),
    )
    op.create_table(
        "revocation",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('crl','ocsp')", name=op.f("ck_revocation_kind")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_revocation")),
    )
    op.create_index("ix_revocation_about", "revocation", ["about"])
    op.create_table(
        "ending_told",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_ending_told")),
    )


def downgrade() -> None:
    for table in ("ending_told", "revocation", "trusted"):
        op.drop_table(table)
