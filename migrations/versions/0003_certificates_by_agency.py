"""The certificates of an agency are found without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_certificate_code", "certificate", ["code"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_certificate_code", table_name="certificate")
