"""The tables of the evidence log beside ``evidence`` itself: its tiles, how far it has come, and the hub's keys."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, LargeBinary, SmallInteger, String, Table, Text

from hub.store.columns import Long, Moment
from hub.store.tables import metadata

# One row: of which name the log is, how many entries its tiles hold, and the newest checkpoint over them.
# Its lock makes a process the sequencer for as long as it integrates.
log_head = Table(
    "log_head",
    metadata,
    Column("one", SmallInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("size", Long, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("tsa_at", Moment),  # before it no process asks the timestamping authority (again)
)

# Checkpoints that a timestamping authority signed, by the size of their tree.
log_timestamp = Table(
    "log_timestamp",
    metadata,
    Column("size", Long, primary_key=True, autoincrement=False),
    Column("checkpoint", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),  # RFC 3161, in the form of hub.domain.timestamp
    Column("at", Moment, nullable=False),  # as it says
)

# Hashes of 32 bytes each, at most 256; level -1 has the entries themselves. The last of a level grows.
log_tile = Table(
    "log_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", Long, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

# The hub's own keys. The newest of a purpose signs; all are published, so that what they signed can be verified.
signing_key = Table(
    "signing_key",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(10), nullable=False),
    Column("public", Text, nullable=False),  # a JWK, or a verifier key of notes
    Column("sealed", LargeBinary, nullable=False),  # PKCS#8, encrypted with the key file
    Column("made_at", Moment, nullable=False),
    CheckConstraint("purpose IN ('receipt','log')", name="purpose"),
)
