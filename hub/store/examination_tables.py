"""The tables of examinations: what signatures were found to be worth, and from what."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, SmallInteger, String, Table, Text

from hub.store.columns import ID, Long, Moment
from hub.store.tables import metadata

# One row: the place in the evidence log up to which acceptances were examined, and which process is at it until when.
examined = Table(
    "examined",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("leaf_index", Long, nullable=False),
    Column("holder", String(32), nullable=False),
    Column("until", Moment),
)

# Of a packet's own signature (part 0) or of its n-th file, from 1. In `detail` certificates, CRLs and answers are
# named by the SHA-256 under which `material` has them.
examination = Table(
    "examination",
    metadata,
    Column("packet_id", ID, ForeignKey("packet.id"), primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("document_id", ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("verdict", String(30), nullable=False),  # of hub.domain.trust.Verdict, or UNEXAMINED
    Column("detail", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_examination_document_id", "document_id"),
)

material = Table(
    "material",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("der", LargeBinary, nullable=False),
)
