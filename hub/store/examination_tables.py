"""The tables of examinations: what signatures were found to be worth, and from what."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, SmallInteger, String, Table, Text

from hub.store.columns import ID, Long, Moment
from hub.store.tables import metadata

# One row: the place in the evidence log up to which acceptances were examined.
examined = Table(
    "examined",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("leaf_index", Long, nullable=False),
)

# Of a packet itself (part 0: its own signature's certificate) or of its n-th attachment, from 1. `detail` and `name`
# go with the packet's bytes, and so do the rows that lead to material.
examination = Table(
    "examination",
    metadata,
    Column("packet_id", ID, ForeignKey("packet.id"), primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("document_id", ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("verdict", String(30), nullable=False),  # of hub.domain.trust.Verdict, or UNEXAMINED
    Column("detail", Text, nullable=False),  # JSON, as it was found: nothing here looks into it
    Column("at", Moment, nullable=False),
    Index("ix_examination_document_id", "document_id"),
)

# Certificates, CRLs and OCSP answers that verdicts rest on, once each.
material = Table(
    "material",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("der", LargeBinary, nullable=False),
)

examination_material = Table(
    "examination_material",
    metadata,
    Column("packet_id", ID, primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    Column("sha256", String(64), ForeignKey("material.sha256"), primary_key=True),
    ForeignKeyConstraint(["packet_id", "part"], ["examination.packet_id", "examination.part"]),
    Index("ix_examination_material_sha256", "sha256"),
)
