"""The tables of the people who operate the hub: their accounts and sessions, and all that they did."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from hub.store.columns import Long, Moment
from hub.store.tables import metadata

NAME = String(64)

operator = Table(
    "operator",
    metadata,
    Column("name", NAME, primary_key=True),  # folded: hub.domain.operator.named
    Column("role", String(15), nullable=False),
    Column("password", Text, nullable=False),  # argon2id; empty: only links let in
    Column("added_at", Moment, nullable=False),
    Column("password_at", Moment),
    CheckConstraint("role IN ('viewer','operator','administrator')", name="role"),
)

# Whoever is signed in. A row goes with the session, so that what is not here is over.
operator_session = Table(
    "operator_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("name", NAME, ForeignKey("operator.name"), nullable=False),
    Column("address", Text, nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),  # to the minute: not each page writes it
    Column("ends_at", Moment, nullable=False),
    Index("ix_operator_session_name", "name"),
    Index("ix_operator_session_seen_at", "seen_at"),
)

# Links that let an operator in once, without a password.
operator_link = Table(
    "operator_link",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("name", NAME, ForeignKey("operator.name"), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("ix_operator_link_name", "name"),
)

# Every action of an operator, in the order of commits. Rows only come: triggers refuse to change or remove one.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("seq", Long, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("operator", Text, nullable=False),  # a name, or command:USER of the machine; not bound to an account
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),  # what it was done to: an id, a code, a name
    Column("reason", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Index("ix_audit_entry_operator_seq", "operator", "seq"),
    Index("ix_audit_entry_action_seq", "action", "seq"),
    Index("ix_audit_entry_subject_seq", "subject", "seq"),
)
