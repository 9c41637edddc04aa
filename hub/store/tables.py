"""The tables, for SQLite and PostgreSQL alike; migrations equal them (tested).

One document, many packets (a repeat with new recipients is kept as a version), one delivery per packet and recipient.
A status packet is a report with a packet and one delivery of its own. Times are UTC; ids are 24 hex digits;
``seq`` comes from the one counter, in commit order.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from hub.store.columns import CODE, ID, SYSTEM_ID, Long, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# One row. Its lock orders everything that makes an entry visible; `directory` counts changes of agencies and systems.
counter = Table(
    "counter",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", Long, nullable=False),
    Column("directory", Long, nullable=False),
    Column("units", Long, nullable=False, server_default=text("0")),  # changes of what moves no route
    Column("entries", Long, nullable=False, server_default=text("0")),  # of the evidence log
)

agency = Table(
    "agency",
    metadata,
    Column("code", CODE, primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("parent", CODE, nullable=False),
    Column("closed_on", Date),
    Column("successor", CODE, nullable=False),
    Column("uncertain", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    # What a system registers itself, by the gateway dialect: who did, mail and numbers, and when it last changed.
    Column("registered_by", SYSTEM_ID),
    Column("contact", JSON),
    Column("changed_at", Moment),
)

# Two codes that mean one agency below level 1, where the code alone does not tell.
agency_alias = Table(
    "agency_alias",
    metadata,
    Column("code", CODE, primary_key=True),
    Column("same_as", CODE, nullable=False),
)

system = Table(
    "system",
    metadata,
    Column("id", SYSTEM_ID, primary_key=True),
    Column("code", CODE, nullable=False),
    Column("state", String(10), nullable=False),
    Column("profile", String(10), nullable=False),
    Column("algorithms", String(10), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("secret", LargeBinary, nullable=False),  # encrypted: the gateway dialect needs it back for its HMAC
    Column("enrolled_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("addresses", Text, nullable=False, server_default=text("''")),  # networks it may call from; empty: any
    Column("pdf_policy", String(10), nullable=False, server_default=text("''")),  # empty: the hub's
    CheckConstraint("state IN ('active','locked','retired')", name="state"),
    CheckConstraint("profile IN ('required','legacy')", name="profile"),
    CheckConstraint("algorithms IN ('2025','sha1')", name="algorithms"),
    Index("ix_system_code", "code"),
)
Index(
    "uq_system_code_standing",
    system.c.code,
    unique=True,
    sqlite_where=text("state <> 'retired'"),
    postgresql_where=text("state <> 'retired'"),
)

one_time_code = Table(
    "one_time_code",
    metadata,
    Column("system_id", SYSTEM_ID, ForeignKey("system.id"), primary_key=True),
    Column("code_hash", String(64), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("tries_left", SmallInteger, nullable=False),
)

certificate = Table(
    "certificate",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("subject", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("basis", String(20), nullable=False),  # one-time-code, operator, endorsed
    Column("registered_at", Moment, nullable=False),
    Index("ix_certificate_code", "code"),
)

document = Table(
    "document",
    metadata,
    Column("seq", Long, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False, unique=True),
    Column("sender", CODE, nullable=False),
    Column("system_id", SYSTEM_ID, ForeignKey("system.id"), nullable=False),
    Column("issuer", CODE, nullable=False),
    Column("issuer_basis", String(20), nullable=False),
    Column("document_id", Text, nullable=False),  # canonical
    Column("kind", SmallInteger, nullable=False),
    Column("year", SmallInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("promulgated_on", Date, nullable=False),
    Column("due_on", Date),
    Column("type_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("content_digest", String(64), nullable=False),
    Column("identity", String(64), nullable=False),
    Column("business", String(64)),  # kind new only
    Column("number_claim", String(64)),  # the same, for the one document that owns the number
    Column("warnings", JSON, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("accepted_at", Moment, nullable=False),
    Column("trace_id", String(64), nullable=False),
    Column("search", Text, nullable=False),  # folded: without marks, lower case
    Column("pared", SmallInteger, nullable=False, server_default=text("0")),  # bits of hub.store.retention.Part
    Index("ix_document_pared_seq", "pared", "seq"),
    Index("uq_document_identity", "identity", unique=True),
    Index("uq_document_number_claim", "number_claim", unique=True),
    Index("ix_document_document_id_sender", "document_id", "sender"),
    Index("ix_document_business", "business"),
    Index("ix_document_number_year", "number", "year"),
    Index("ix_document_system_id_seq", "system_id", "seq"),
)

# A document packet or a status packet, byte for byte: inline, or in the payload store under `place`. Bytes that
# were removed after their time leave an empty `place`.
packet = Table(
    "packet",
    metadata,
    Column("id", ID, primary_key=True),
    Column("seq", Long, nullable=False),
    Column("document_id", ID, ForeignKey("document.id")),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary),
    Column("place", Text),
    Column("standing", String(20), nullable=False),  # of these bytes: a repeat may be signed otherwise
    Column("signer", CODE, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("received_at", Moment, nullable=False),
    CheckConstraint("(body IS NULL) <> (place IS NULL)", name="somewhere"),
    Index("ix_packet_document_id", "document_id"),
    Index("ix_packet_place", "place"),
)

report = Table(
    "report",
    metadata,
    Column("id", ID, primary_key=True),
    Column("packet_id", ID, ForeignKey("packet.id"), nullable=False),
    Column("system_id", SYSTEM_ID, ForeignKey("system.id"), nullable=False),
    Column("document_id", ID, ForeignKey("document.id"), nullable=False),
    Column("sender", CODE, nullable=False),
    Column("addressee", CODE, nullable=False),
    Column("code", String(2), nullable=False),
    Column("description", Text, nullable=False),
    Column("stated_at", Moment, nullable=False),  # Timestamp as written
    Column("repeat_key", String(64), nullable=False),
    Column("answer", JSON, nullable=False),  # the first answer, given again to a repeat
    Column("received_at", Moment, nullable=False),
    Column("trace_id", String(64), nullable=False),
    Index("uq_report_repeat_key", "repeat_key", unique=True),
    Index("ix_report_document_id", "document_id"),
    Index("ix_report_system_id_received_at", "system_id", "received_at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", ID, primary_key=True),
    Column("seq", Long, nullable=False, unique=True),
    Column("document_id", ID, ForeignKey("document.id"), nullable=False),  # for a status: the document it is about
    Column("packet_id", ID, ForeignKey("packet.id"), nullable=False),
    Column("report_id", ID, ForeignKey("report.id")),  # set: this delivers a status packet
    Column("recipient", CODE, nullable=False),
    Column("addressed", CODE, nullable=False),  # the code as the packet has it
    Column("system_id", SYSTEM_ID, ForeignKey("system.id")),  # who receives it; none yet for a waiting status
    Column("state", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("fetched_at", Moment),
    Column("lease", ID),
    Column("lease_until", Moment),
    Column("attempts", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("turn", SmallInteger, nullable=False, server_default=text("1")),  # hub.domain.turns
    Column("again_at", Moment),  # when it last became available again, if it did
    Column("document_seq", Long),  # its document's: see search_tables
    CheckConstraint("state IN ('waiting','taken','delivered','failed','expired','withdrawn')", name="state"),
    CheckConstraint("status IN ('none','01','03','04','05','06','02','cancelled','replaced')", name="status"),
    CheckConstraint("(state = 'taken') = (lease IS NOT NULL)", name="lease"),
    CheckConstraint("state <> 'withdrawn' OR fetched_at IS NULL", name="withdrawn_unseen"),
    Index("ix_delivery_document_id", "document_id"),
)
Index(
    "uq_delivery_document_recipient",
    delivery.c.document_id,
    delivery.c.recipient,
    unique=True,
    sqlite_where=text("report_id IS NULL"),
    postgresql_where=text("report_id IS NULL"),
)
Index(
    "uq_delivery_report_id",
    delivery.c.report_id,
    unique=True,
    sqlite_where=text("report_id IS NOT NULL"),
    postgresql_where=text("report_id IS NOT NULL"),
)
# The inbox: grows with what waits for one system, never with what was delivered.
Index(
    "ix_delivery_inbox",
    delivery.c.system_id,
    delivery.c.seq,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
# The lists of the gateway dialect, documents and statuses apart: a page reads its rows, whatever else waits.
Index(
    "ix_delivery_listed",
    delivery.c.system_id,
    delivery.c.turn,
    delivery.c.seq,
    sqlite_where=text("state = 'waiting' AND report_id IS NULL"),
    postgresql_where=text("state = 'waiting' AND report_id IS NULL"),
)
Index(
    "ix_delivery_listed_statuses",
    delivery.c.system_id,
    delivery.c.seq,
    sqlite_where=text("state = 'waiting' AND report_id IS NOT NULL"),
    postgresql_where=text("state = 'waiting' AND report_id IS NOT NULL"),
)
# What could still be fetched, by its route: read when systems come and go.
Index(
    "ix_delivery_route",
    delivery.c.recipient,
    delivery.c.system_id,
    sqlite_where=text("state IN ('waiting','taken','failed','expired')"),
    postgresql_where=text("state IN ('waiting','taken','failed','expired')"),
)
Index(
    "ix_delivery_lease_until",
    delivery.c.lease_until,
    sqlite_where=text("state = 'taken'"),
    postgresql_where=text("state = 'taken'"),
)
Index(
    "ix_delivery_expires_at",
    delivery.c.expires_at,
    sqlite_where=text("state IN ('waiting','taken')"),
    postgresql_where=text("state IN ('waiting','taken')"),
)

# What a sender asks of a recipient (13, kinds 1-3) until it is answered.
request = Table(
    "request",
    metadata,
    Column("id", ID, primary_key=True),
    Column("delivery_id", ID, ForeignKey("delivery.id"), nullable=False),  # of the document it is about
    Column("ask", String(12), nullable=False),
    Column("asking_delivery_id", ID, ForeignKey("delivery.id"), nullable=False),  # that carries the request
    Column("asking_document_id", ID, ForeignKey("document.id")),  # kinds 1-3
    Column("seq", Long, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("outcome", String(10), nullable=False),  # open, agreed, refused, moot
    CheckConstraint("ask IN ('take-back','revocation','update','replacement')", name="ask"),
    CheckConstraint("outcome IN ('open','agreed','refused','moot')", name="outcome"),
    Index("ix_request_delivery_id", "delivery_id"),
    Index("ix_request_asking_document_id", "asking_document_id"),
    Index("ix_request_asking_delivery_id", "asking_delivery_id"),
)

# What a packet of kind 1-3 acts on, also where the target was final already.
link = Table(
    "link",
    metadata,
    Column("document_id", ID, ForeignKey("document.id"), primary_key=True),
    Column("target_id", ID, ForeignKey("document.id"), primary_key=True),
    Column("kind", SmallInteger, nullable=False),
    Index("ix_link_target_id", "target_id"),
)

# One row per attempt and per change of state; the waiting a delivery begins with is its own row's created_at.
event = Table(
    "event",
    metadata,
    Column("id", Long, primary_key=True, autoincrement=True),
    Column("delivery_id", ID, ForeignKey("delivery.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", String(20), nullable=False),
    Column("state_before", String(10), nullable=False),
    Column("state_after", String(10), nullable=False),
    Column("status_before", String(10), nullable=False),
    Column("status_after", String(10), nullable=False),
    Column("system_id", SYSTEM_ID),
    Column("report_id", ID),
    Column("detail", Text, nullable=False),
    Index("ix_event_delivery_id", "delivery_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Long, primary_key=True, autoincrement=False),
    Column("owner", CODE, nullable=False),  # the code whose system reads it
    Column("document_id", ID, ForeignKey("document.id"), nullable=False),
    Column("delivery_id", ID, ForeignKey("delivery.id"), nullable=False),
    Column("what", String(20), nullable=False),
    Column("status", String(10), nullable=False),
    Column("detail", Text, nullable=False),
    Column("report_id", ID),
    Column("at", Moment, nullable=False),
    Index("ix_outbox_owner_seq", "owner", "seq"),
)
# Few among many: what a sender should see however long ago it sent.
Index(
    "ix_outbox_ended",
    outbox.c.owner,
    outbox.c.seq,
    sqlite_where=text("what IN ('failed','expired')"),
    postgresql_where=text("what IN ('failed','expired')"),
)

refusal = Table(
    "refusal",
    metadata,
    Column("id", ID, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("system_id", SYSTEM_ID, ForeignKey("system.id"), nullable=False),
    Column("sender", CODE, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("code", String(40), nullable=False),
    Column("violations", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("trace_id", String(64), nullable=False),
    Column("search", Text, nullable=False),
    Column("tallied", SmallInteger, nullable=False, server_default=text("0")),  # 1: it is in the figures
    Index("ix_refusal_at", "at"),
    Index("ix_refusal_sender_at", "sender", "at"),
    Index("ix_refusal_document_id_sender", "document_id", "sender"),
)

# One entry of the log per accept, hand-over and status. A program before the log leaves the last three columns empty;
# who keeps the log adopts such a row.
evidence = Table(
    "evidence",
    metadata,
    Column("id", ID, primary_key=True),
    Column("seq", Long, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("document_id", ID, nullable=False),
    Column("delivery_id", ID),
    Column("report_id", ID),
    Column("at", Moment, nullable=False),
    Column("nonce", String(32), nullable=False),
    Column("body", JSON, nullable=False),
    Column("leaf_index", Long),
    Column("entry", LargeBinary),
    Column("receipt", Text),
    CheckConstraint("kind IN ('accept','handover','status')", name="kind"),
    Index("ix_evidence_document_id_seq", "document_id", "seq"),
    Index("ix_evidence_leaf_index", "leaf_index", unique=True),
    *(
        Index(f"ix_evidence_{name}", name, sqlite_where=named, postgresql_where=named)
        for name in ("delivery_id", "report_id")
        for named in [text(f"{name} IS NOT NULL")]
    ),
    Index(
        "ix_evidence_adopted", "seq", sqlite_where=text("leaf_index IS NULL"),
        postgresql_where=text("leaf_index IS NULL"),
    ),
)  # fmt: skip
