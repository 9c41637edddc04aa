"""The first schema: agencies, documents, deliveries, reports, evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# hub.domain.delivery.TRANSPORT as it stood at this revision; a later change of the table brings its own migration.
_MOVES = (
    "waiting>taken", "waiting>delivered", "waiting>failed", "waiting>expired", "waiting>withdrawn",
    "taken>waiting", "taken>delivered", "taken>failed", "taken>expired",
    "failed>waiting", "failed>delivered", "failed>withdrawn",
    "expired>waiting", "expired>delivered", "expired>withdrawn",
)  # fmt: skip


def upgrade() -> None:
    _tables()
    op.execute("INSERT INTO counter (one, seq, directory) VALUES (1, 0, 0)")
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    allowed = ", ".join(f"'{move}'" for move in _MOVES)
    op.execute(
        "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery"
        f" WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({allowed})"
        " BEGIN SELECT RAISE(ABORT, 'delivery_moves'); END"
    )
    op.execute("CREATE VIRTUAL TABLE document_fts USING fts5(search, content='document', content_rowid='seq')")
    op.execute(
        "CREATE TRIGGER document_fts_insert AFTER INSERT ON document"
        " BEGIN INSERT INTO document_fts (rowid, search) VALUES (NEW.seq, NEW.search); END"
    )


def _postgresql() -> None:
    allowed = ", ".join(f"'{move}'" for move in _MOVES)
    op.execute(
        "CREATE FUNCTION delivery_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({allowed}) THEN"
        " RAISE EXCEPTION 'delivery_moves' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery"
        " FOR EACH ROW EXECUTE FUNCTION delivery_moves()"
    )
    op.execute("CREATE INDEX document_fts ON document USING gin (to_tsvector('simple', search))")


def _tables() -> None:
    op.create_table(
        "agency",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("successor", sa.String(length=64), nullable=False),
        sa.Column("uncertain", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agency")),
    )
    op.create_table(
        "agency_alias",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("same_as", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_agency_alias")),
    )
    op.create_table(
        "certificate",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "code", name=op.f("pk_certificate")),
    )
    op.create_table(
        "counter",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", _LONG, nullable=False),
        sa.Column("directory", _LONG, nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_counter")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("seq", _LONG, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("delivery_id", sa.String(length=24), nullable=True),
        sa.Column("report_id", sa.String(length=24), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('accept','handover','status')", name=op.f("ck_evidence_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_document_id", "evidence", ["document_id"], unique=False)
    op.create_table(
        "system",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("profile", sa.String(length=10), nullable=False),
        sa.Column("algorithms", sa.String(length=10), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("algorithms IN ('2025','sha1')", name=op.f("ck_system_algorithms")),
        sa.CheckConstraint("profile IN ('required','legacy')", name=op.f("ck_system_profile")),
        sa.CheckConstraint("state IN ('active','locked','retired')", name=op.f("ck_system_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_system_token_hash")),
    )
    op.create_index(
        "uq_system_code_standing",
        "system",
        ["code"],
        unique=True,
        sqlite_where=sa.text("state <> 'retired'"),
        postgresql_where=sa.text("state <> 'retired'"),
    )
    op.create_table(
        "document",
        sa.Column("seq", _LONG, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("issuer_basis", sa.String(length=20), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("promulgated_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("type_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("business", sa.String(length=64), nullable=True),
        sa.Column("number_claim", sa.String(length=64), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trace_id", sa.String(length=64), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_document_system_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_document")),
        sa.UniqueConstraint("id", name=op.f("uq_document_id")),
    )
    op.create_index("ix_document_business", "document", ["business"], unique=False)
    op.create_index("ix_document_number_year", "document", ["number", "year"], unique=False)
    op.create_index("ix_document_document_id_sender", "document", ["document_id", "sender"], unique=False)
    op.create_index("uq_document_identity", "document", ["identity"], unique=True)
    op.create_index("uq_document_number_claim", "document", ["number_claim"], unique=True)
    op.create_table(
        "one_time_code",
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_one_time_code_system_id")),
        sa.PrimaryKeyConstraint("system_id", name=op.f("pk_one_time_code")),
    )
    op.create_table(
        "refusal",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("violations", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.String(length=64), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_refusal_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_index("ix_refusal_at", "refusal", ["at"], unique=False)
    op.create_table(
        "link",
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("target_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_link_document_id")),
        sa.ForeignKeyConstraint(["target_id"], ["document.id"], name=op.f("fk_link_target_id")),
        sa.PrimaryKeyConstraint("document_id", "target_id", name=op.f("pk_link")),
    )
    op.create_index("ix_link_target_id", "link", ["target_id"], unique=False)
    op.create_table(
        "packet",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("seq", _LONG, nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("standing", sa.String(length=20), nullable=False),
        sa.Column("signer", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(body IS NULL) <> (place IS NULL)", name=op.f("ck_packet_somewhere")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_packet_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packet")),
    )
    op.create_index("ix_packet_document_id", "packet", ["document_id"], unique=False)
    op.create_index("ix_packet_place", "packet", ["place"], unique=False)
    op.create_table(
        "report",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("packet_id", sa.String(length=24), nullable=False),
        sa.Column("system_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("addressee", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=2), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repeat_key", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trace_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_report_document_id")),
        sa.ForeignKeyConstraint(["packet_id"], ["packet.id"], name=op.f("fk_report_packet_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_report_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_index("ix_report_document_id", "report", ["document_id"], unique=False)
    op.create_index("uq_report_repeat_key", "report", ["repeat_key"], unique=True)
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("seq", _LONG, nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("packet_id", sa.String(length=24), nullable=False),
        sa.Column("report_id", sa.String(length=24), nullable=True),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("addressed", sa.String(length=64), nullable=False),
        sa.Column("system_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=24), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'taken') = (lease IS NOT NULL)", name=op.f("ck_delivery_lease")),
        sa.CheckConstraint("state <> 'withdrawn' OR fetched_at IS NULL", name=op.f("ck_delivery_withdrawn_unseen")),
        sa.CheckConstraint(
            "state IN ('waiting','taken','delivered','failed','expired','withdrawn')", name=op.f("ck_delivery_state")
        ),
        sa.CheckConstraint(
            "status IN ('none','01','03','04','05','06','02','cancelled','replaced')", name=op.f("ck_delivery_status")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_delivery_document_id")),
        sa.ForeignKeyConstraint(["packet_id"], ["packet.id"], name=op.f("fk_delivery_packet_id")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_delivery_report_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_delivery_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("seq", name=op.f("uq_delivery_seq")),
    )
    op.create_index("ix_delivery_document_id", "delivery", ["document_id"], unique=False)
    op.create_index(
        "ix_delivery_expires_at",
        "delivery",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting','taken')"),
        postgresql_where=sa.text("state IN ('waiting','taken')"),
    )
    op.create_index(
        "ix_delivery_inbox",
        "delivery",
        ["system_id", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_delivery_route",
        "delivery",
        ["recipient", "system_id"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting','taken','failed','expired')"),
        postgresql_where=sa.text("state IN ('waiting','taken','failed','expired')"),
    )
    op.create_index(
        "ix_delivery_lease_until",
        "delivery",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'taken'"),
        postgresql_where=sa.text("state = 'taken'"),
    )
    op.create_index("ix_delivery_recipient", "delivery", ["recipient"], unique=False)
    op.create_index(
        "uq_delivery_document_recipient",
        "delivery",
        ["document_id", "recipient"],
        unique=True,
        sqlite_where=sa.text("report_id IS NULL"),
        postgresql_where=sa.text("report_id IS NULL"),
    )
    op.create_index(
        "uq_delivery_report_id",
        "delivery",
        ["report_id"],
        unique=True,
        sqlite_where=sa.text("report_id IS NOT NULL"),
        postgresql_where=sa.text("report_id IS NOT NULL"),
    )
    op.create_table(
        "event",
        sa.Column("id", _LONG, autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.String(length=24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("state_before", sa.String(length=10), nullable=False),
        sa.Column("state_after", sa.String(length=10), nullable=False),
        sa.Column("status_before", sa.String(length=10), nullable=False),
        sa.Column("status_after", sa.String(length=10), nullable=False),
        sa.Column("system_id", sa.String(length=64), nullable=True),
        sa.Column("report_id", sa.String(length=24), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_event_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_delivery_id", "event", ["delivery_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("seq", _LONG, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=24), nullable=False),
        sa.Column("delivery_id", sa.String(length=24), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("report_id", sa.String(length=24), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_outbox_delivery_id")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_outbox_document_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_owner_seq", "outbox", ["owner", "seq"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("delivery_id", sa.String(length=24), nullable=False),
        sa.Column("ask", sa.String(length=12), nullable=False),
        sa.Column("asking_delivery_id", sa.String(length=24), nullable=False),
        sa.Column("asking_document_id", sa.String(length=24), nullable=True),
        sa.Column("seq", _LONG, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.CheckConstraint("ask IN ('take-back','revocation','update','replacement')", name=op.f("ck_request_ask")),
        sa.CheckConstraint("outcome IN ('open','agreed','refused','moot')", name=op.f("ck_request_outcome")),
        sa.ForeignKeyConstraint(["asking_delivery_id"], ["delivery.id"], name=op.f("fk_request_asking_delivery_id")),
        sa.ForeignKeyConstraint(["asking_document_id"], ["document.id"], name=op.f("fk_request_asking_document_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_request_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index("ix_request_asking_document_id", "request", ["asking_document_id"], unique=False)
    op.create_index("ix_request_asking_delivery_id", "request", ["asking_delivery_id"], unique=False)
    op.create_index("ix_request_delivery_id", "request", ["delivery_id"], unique=False)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE document_fts")
    for table in (
        "request",
        "outbox",
        "event",
        "delivery",
        "report",
        "packet",
        "link",
        "document",
        "one_time_code",
        "refusal",
        "system",
        "evidence",
        "counter",
        "certificate",
        "agency_alias",
        "agency",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION delivery_moves")
