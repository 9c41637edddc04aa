"""The tables of the trust store. The certificates of agencies themselves lie in ``certificate``, where they register
them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger, String, Table, Text

from hub.store.columns import CODE, Moment
from hub.store.tables import metadata

trusted = Table(
    "trusted",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("role", String(12), nullable=False),
    Column("code", CODE, nullable=False),  # the agency a person signs for; empty of authorities
    Column("der", LargeBinary, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("removed_at", Moment),
    CheckConstraint("role IN ('root','intermediate','person','tsa')", name="role"),
    CheckConstraint("(role = 'person') = (code <> '')", name="code_of_persons"),
)

# The newest of each source: what a verdict rested on goes with the verdict.
revocation = Table(
    "revocation",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(4), nullable=False),
    Column("about", String(64), nullable=False),  # of a CRL SHA-256 of its issuer's name, of OCSP the fingerprint
    Column("url", Text, nullable=False),  # empty: from a file
    Column("der", LargeBinary, nullable=False),
    Column("this_update", Moment, nullable=False),
    Column("next_update", Moment),
    Column("fetched_at", Moment, nullable=False),
    CheckConstraint("kind IN ('crl','ocsp')", name="kind"),
    Index("ix_revocation_about", "about"),
)

# Which step of its last days a certificate was last told at: each is told once, whatever process and restart.
ending_told = Table(
    "ending_told",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("step", SmallInteger, nullable=False),  # days
)
