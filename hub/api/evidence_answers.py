"""The shapes of answers about evidence and its log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hub.api.answers import Code, Cursor, Digest, Id, Moment, Receipt, ReportCode, Shape

Utc = Annotated[datetime, Field(description="RFC 3339, UTC: part of what is hashed")]


class AcceptEntry(Shape):
    """A document was taken for these recipients."""

    document: Id
    document_id: str
    sha256: Digest
    sender: Code
    issuer: Code
    recipients: list[Code]
    at: Utc


class HandOverEntry(Shape):
    """A recipient said that the packet is safe."""

    delivery: Id
    document: Id
    recipient: Code
    system: str
    sha256: Digest
    at: Utc


class StatusEntry(Shape):
    """A status packet was taken."""

    report: Id
    document: Id
    status: ReportCode
    sha256: Digest
    sender: Code
    addressee: Code
    at: Utc


class Leaf(Shape):
    """One entry of the evidence."""

    id: Id
    kind: Literal["accept", "handover", "status"]
    at: Moment
    entry: AcceptEntry | HandOverEntry | StatusEntry
    receipt: Receipt | None = Field(description="None for some seconds, of what a program before receipts wrote")
    index: int | None = Field(description="Its place in the log")
    leaf: Digest | None = Field(description="Its hash there (RFC 9162 §2.1.1)")
    proof: list[Digest] | None = Field(description="That it is in the checkpoint's tree (RFC 9162 §2.1.3)")


class Evidence(Shape):
    """What the hub has recorded of a document, as far as the caller is party to it."""

    items: list[Leaf]
    checkpoint: str | None = Field(
        description="On the first page: the log's signed head, to which the proofs of all pages lead (C2SP "
        "tlog-checkpoint)"
    )
    next: Cursor = Field(description="`after` of the next question; none behind the last entry")


class Key(Shape):
    """A public key (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str = Field(description="Its thumbprint (RFC 7638)")
    alg: Literal["ES256"]
    use: Literal["sig"]


class KeySet(Shape):
    """Public keys, the one that signs now first."""

    keys: list[Key]


class Consistency(Shape):
    """That the tree of the second size begins with that of the first."""

    first: int
    second: int
    proof: list[Digest] = Field(description="RFC 9162 §2.1.4")


class Timestamp(Shape):
    """A checkpoint of the log, and what a timestamping authority signed over it."""

    size: int = Field(description="Entries in the checkpoint's tree")
    at: Moment
    checkpoint: str = Field(description="The signed note that was stamped, every byte (C2SP tlog-checkpoint)")
    token: str = Field(description="TimeStampToken over the note, DER in Base64 (RFC 3161)")


class Timestamps(Shape):
    """Timestamps on checkpoints, the newest first."""

    items: list[Timestamp]
    next: int | None = Field(description="`below` of the next question")
