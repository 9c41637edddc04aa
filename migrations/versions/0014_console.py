"""What operators' pages read: refusals by rule, when systems last asked, who looked at a document."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # First what every writer takes first, so that none waits for this and holds what this waits for.
    op.execute("UPDATE counter SET seq = seq")
    op.create_table(
        "refusal_rule",
        sa.Column("refusal_id", sa.String(length=24), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["refusal_id"], ["refusal.id"], name=op.f("fk_refusal_rule_refusal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("refusal_id", "rule", name=op.f("pk_refusal_rule")),
    )
    _fill()
    op.create_index("ix_refusal_rule_at_sender_rule", "refusal_rule", ["at", "sender", "rule"])
    op.create_index("ix_refusal_rule_rule_at_refusal_id", "refusal_rule", ["rule", "at", "refusal_id"])
    op.create_index("ix_refusal_rule_sender_rule_at_refusal_id", "refusal_rule", ["sender", "rule", "at", "refusal_id"])
    op.create_index("ix_refusal_sender_at", "refusal", ["sender", "at"])
    op.create_index("ix_refusal_document_id_sender", "refusal", ["document_id", "sender"])
    op.create_table(
        "system_poll",
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_system_poll_system_id")),
        sa.PrimaryKeyConstraint("system_id", name=op.f("pk_system_poll")),
    )
    op.create_table(
        "document_view",
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_view_document_id")),
        sa.PrimaryKeyConstraint("document_id", "day", "operator", name=op.f("pk_document_view")),
    )


def _fill() -> None:
    """The rules of refusals that are there already, as ``hub.exchange.refuse`` writes them."""
    op.execute(_OF_SQLITE if op.get_bind().dialect.name == "sqlite" else _OF_POSTGRESQL)


_OF_SQLITE = """
    INSERT INTO refusal_rule (refusal_id, rule, sender, at)
    SELECT DISTINCT refusal.id, json_extract(one.value, '$.rule'), sender, at FROM refusal, json_each(violations) AS one
    WHERE json_extract(one.value, '$.severity') = 'error'
    UNION ALL SELECT id, code, sender, at FROM refusal WHERE NOT EXISTS
    (SELECT 1 FROM json_each(violations) AS one WHERE json_extract(one.value, '$.severity') = 'error')
"""
_OF_POSTGRESQL = """
    INSERT INTO refusal_rule (refusal_id, rule, sender, at)
    SELECT DISTINCT refusal.id, one ->> 'rule', sender, at FROM refusal, json_array_elements(violations) AS one
    WHERE one ->> 'severity' = 'error'
    UNION ALL SELECT id, code, sender, at FROM refusal WHERE NOT EXISTS
    (SELECT 1 FROM json_array_elements(violations) AS one WHERE one ->> 'severity' = 'error')
"""


def downgrade() -> None:
    op.drop_table("document_view")
    op.drop_table("system_poll")
    op.drop_index("ix_refusal_document_id_sender", "refusal")
    op.drop_index("ix_refusal_sender_at", "refusal")
    op.drop_table("refusal_rule")
