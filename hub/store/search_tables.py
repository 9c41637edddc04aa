"""What searches of the delivery log are read by (decision 44), and the searches that operators saved.

``delivery.document_seq`` is its document's ``seq``: the order of the log is in one index together with what is asked
for. A trigger of the database fills it, so that a program before it writes it too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, ColumnClause, Index, String, Table, Text, literal_column, text

from hub.store.columns import ID, Moment
from hub.store.tables import delivery, document, metadata, packet

_d, _v = document.c, delivery.c


def _condition(written: str) -> ColumnClause[bool]:
    """Written out, not bound: a partial index serves only a condition the planner can compare with its own. Without a
    type, or for SQLite it would become a comparison with 1.
    """
    return literal_column(written)


DOCUMENTS = _condition("delivery.report_id IS NULL")
STATUS_PACKETS = _condition("delivery.report_id IS NOT NULL")
NOT_DELIVERED = _condition("delivery.state <> 'delivered'")
RARE_STATUS = _condition("delivery.status IN ('02','cancelled','replaced')")
NOT_NEW = _condition("document.kind <> 0")
URGENT = _condition("document.urgent")
DUE = _condition("document.due_on IS NOT NULL")
NOT_SIGNED = _condition("packet.standing <> 'signed'")
SHARED = _condition("saved_search.shared")


def _where(condition: ColumnClause[bool]) -> dict[str, Any]:
    plain = text(condition.name.partition(".")[2])
    return {"sqlite_where": plain, "postgresql_where": plain}


# With the columns of their conditions: SQLite looks for those in the row otherwise.
Index("ix_document_sender_seq", _d.sender, _d.seq)
Index("ix_document_issuer_seq", _d.issuer, _d.seq)
Index("ix_document_year_seq", _d.year, _d.seq)
Index("ix_document_trace_id", _d.trace_id)
Index("ix_document_not_new", _d.kind, _d.seq, **_where(NOT_NEW))
Index("ix_document_urgent", _d.urgent, _d.seq, **_where(URGENT))
Index("ix_document_due", _d.seq, _d.due_on, **_where(DUE))
Index("ix_delivery_recipient_document_seq", _v.recipient, _v.document_seq, _v.report_id, **_where(DOCUMENTS))
Index("ix_delivery_recipient_status_packets", _v.recipient, _v.document_seq, **_where(STATUS_PACKETS))
Index("ix_delivery_not_delivered", _v.state, _v.document_seq, **_where(NOT_DELIVERED))
Index("ix_delivery_rare_status", _v.status, _v.document_seq, **_where(RARE_STATUS))
Index("ix_packet_not_signed", packet.c.standing, packet.c.id, **_where(NOT_SIGNED))

saved_search = Table(
    "saved_search",
    metadata,
    Column("id", ID, primary_key=True),
    Column("owner", String(64), nullable=False),  # the name of the operator who saved it
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # one line of hub.domain.search
    Column("shared", Boolean, nullable=False),  # with all operators
    Column("saved_at", Moment, nullable=False),
    Index("uq_saved_search_owner_name", "owner", "name", unique=True),
    Index("ix_saved_search_shared", "name", **_where(SHARED)),
)
