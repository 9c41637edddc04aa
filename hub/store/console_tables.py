"""What only the operators' pages need: rules that refusals broke, when systems last asked, who looked at a document,
and what documents answer.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, SmallInteger, String, Table, Text

from hub.store.columns import CODE, ID, SYSTEM_ID, Long, Moment
from hub.store.tables import metadata

# Each rule that a refused packet broke, once; goes with its refusal. `at` and `sender` are the refusal's, so that a day
# is grouped by an index alone.
refusal_rule = Table(
    "refusal_rule",
    metadata,
    Column("refusal_id", ID, ForeignKey("refusal.id", ondelete="CASCADE"), primary_key=True),
    Column("rule", String(40), primary_key=True),
    Column("sender", CODE, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_refusal_rule_at_sender_rule", "at", "sender", "rule"),
    Index("ix_refusal_rule_rule_at_refusal_id", "rule", "at", "refusal_id"),
    Index("ix_refusal_rule_sender_rule_at_refusal_id", "sender", "rule", "at", "refusal_id"),
)

# When a system last asked what waits for it, in either dialect; at most a minute late.
system_poll = Table(
    "system_poll",
    metadata,
    Column("system_id", SYSTEM_ID, ForeignKey("system.id"), primary_key=True),
    Column("at", Moment, nullable=False),
)

# Who opened a document's page, once a day; `took`: what was downloaded, `packet`, `evidence`, numbers of attachments.
document_view = Table(
    "document_view",
    metadata,
    Column("document_id", ID, ForeignKey("document.id"), primary_key=True),
    Column("day", Date, primary_key=True),  # in Vietnam
    Column("operator", String(64), primary_key=True),
    Column("at", Moment, nullable=False),  # the first time of the day
    Column("took", Text, nullable=False),
)

# What a document says it answers (hub.domain.references), known here or not; found from what is answered, newest first.
reference = Table(
    "reference",
    metadata,
    Column("document_seq", Long, ForeignKey("document.seq"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),  # among them, from 1
    Column("organ_id", CODE, nullable=False),
    Column("named", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("promulgated_on", Date),
    Column("business", String(64)),
    Index("ix_reference_named_organ_id_document_seq", "named", "organ_id", "document_seq"),
    Index("ix_reference_business_document_seq", "business", "document_seq"),
)
