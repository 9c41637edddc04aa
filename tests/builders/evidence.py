"""A hub's signing side as evidence needs it, and one document's whole evidence made by it with real keys.

The Government Office (G22) writes to Nghệ An and Hà Tĩnh; both keep it, Nghệ An reports 03 and 06.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from builders.authority import Authority, an_authority
from builders.keys import a_certificate
from builders.packets import GOVERNMENT_OFFICE, NGHE_AN, a_document, a_status
from builders.trees import subtrees
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey

from clients.evidence import Verification, packed, verify
from clients.evidence.file import Entry, Evidence
from clients.evidence.keys import Keys, jwk_of
from hub.authority import Holder
from hub.domain import edxml, receipt
from hub.domain.checkpoint import Checkpoint, SigningKey, sign
from hub.domain.document import Organization
from hub.domain.merkle import inclusion_proof, leaf_hash
from hub.domain.merkle import root as root_of
from hub.domain.signature import sign as signed
from hub.domain.trust import Result

AT = datetime(2025, 1, 2, 2, 0, tzinfo=UTC)
DOCUMENT = "68dc8b208edc1e65bd9734b5"
HA_TINH = Organization(organ_id="000.00.00.H27", name="Ủy ban nhân dân tỉnh Hà Tĩnh")
BEFORE, AFTER = 150, 90  # entries of other documents in the log
Statement = dict[str, Any]


@dataclass
class Hub:
    """The keys of a hub, and the entries of its log. ``nonce`` is the statement's number: tests need no chance."""

    origin: str = "truc.example.vn/bang-chung"
    receipts: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    log: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    entries: list[bytes] = field(default_factory=list)

    @property
    def signer(self) -> SigningKey:
        return SigningKey(self.origin, self.log)

    @property
    def keys(self) -> Keys:
        return Keys((jwk_of(self.receipts.as_dict(private=False)),), (self.signer.verifier,))

    def fill(self, count: int) -> None:
        """So many entries of other documents."""
        self.entries += [sha256(f"{len(self.entries)} {number}".encode()).digest() for number in range(count)]

    def state(self, kind: str, statement: Statement) -> tuple[str, int, str]:
        """Kind, index and receipt of one more statement."""
        whole = {"entry": f"{len(self.entries):024x}", "kind": kind, **statement}
        place = receipt.place_of(whole, len(self.entries).to_bytes(16, "big"), self.origin, AT)
        self.entries.append(place.entry)
        return kind, len(self.entries) - 1, receipt.sign(whole, place, self.receipts)

    @property
    def root(self) -> bytes:
        return root_of(_leaves(self.entries))

    def checkpoint(self, size: int | None = None) -> bytes:
        entries = self.entries[:size]
        return sign(Checkpoint(self.origin, len(entries), root_of(_leaves(entries))), [self.signer])

    def proved(self, stated: Sequence[tuple[str, int, str]]) -> tuple[Entry, ...]:
        """With the proofs that lead to the present tree."""
        size, hash_at = len(self.entries), subtrees(self.entries)
        return tuple(
            Entry(kind, index, jws, tuple(inclusion_proof(index, size, hash_at))) for kind, index, jws in stated
        )


def _leaves(entries: Sequence[bytes]) -> list[bytes]:
    return [leaf_hash(entry) for entry in entries]


@dataclass(frozen=True)
class Told:
    """What the story of a document is told with. ``statements`` are of the hub; ``reports`` by their ids."""

    packet: bytes
    statements: tuple[tuple[str, Statement], ...]
    reports: Mapping[str, bytes]


def told(document: str = DOCUMENT, number: str = "15", **changes: Any) -> Told:
    """The story. ``changes`` are of the document packet."""
    key, certificate = a_certificate()
    own_key, own_certificate = a_certificate("Ủy ban nhân dân tỉnh Nghệ An")
    document_id = f"G22,2025/01/02,{number}/VPCP-TTĐT"
    letter = a_document(
        **{"recipients": (NGHE_AN, HA_TINH), "number": number, "document_id": document_id, "attachments": ()} | changes
    )
    packet = signed(edxml.write_document(letter), key, certificate)
    digest = sha256(packet).hexdigest()
    statements: list[tuple[str, Statement]] = [
        ("accept", {
            "document": document, "document_id": document_id, "sha256": digest, "sender": "G22", "issuer": "G22",
            "recipients": ["H41", "H27"], "at": AT.isoformat(),
        }),
        *(("handover", {
            "delivery": f"{at:024x}", "document": document, "recipient": recipient, "system": "qlvb", "sha256": digest,
            "at": (AT + timedelta(minutes=at)).isoformat(),
        }) for at, recipient in enumerate(("H41", "H27"), 1)),
    ]  # fmt: skip
    reports = {}
    for at, status in enumerate(("03", "06"), 1):
        about = replace(a_status().response_for, document_id=document_id, code=f"{number}/VPCP-TTĐT")
        said = a_status(status=status, description="", response_for=about)
        report, octets = f"{int(number):020x}{at:04x}", signed(edxml.write_status(said), own_key, own_certificate)
        reports[report] = octets
        statements.append(("status", {
            "report": report, "document": document, "status": status, "sha256": sha256(octets).hexdigest(),
            "sender": "H41", "addressee": "G22", "at": (AT + timedelta(hours=at)).isoformat(),
        }))  # fmt: skip
    return Told(packet, tuple(statements), reports)


def evidence_of(hub: Hub, story: Told, document: str = DOCUMENT, before: int = BEFORE, after: int = AFTER) -> Evidence:
    """The story as this hub states it, among other entries of its log."""
    hub.fill(before)
    stated = [hub.state(kind, statement) for kind, statement in story.statements]
    hub.fill(after)
    return Evidence(
        document, story.packet, hub.proved(stated), hub.checkpoint(), hub.keys, story.reports, {}, {},
    )  # fmt: skip


def some_evidence(**changes: Any) -> Evidence:
    """Everything right, by a hub of its own."""
    return evidence_of(Hub(), told(**changes))


def a_story_under_an_authority() -> tuple[Authority, Told]:
    """An authority, and the story with the packet signed by the certificate it gave the Government Office."""
    authority = an_authority(AT)
    return authority, a_story_signed_by(authority.agency)


def a_story_signed_by(holder: Holder) -> Told:
    """The story up to the hand-overs, with the packet signed by this certificate."""
    story = told()
    letter = a_document(
        recipients=(NGHE_AN, HA_TINH), number="15", document_id="G22,2025/01/02,15/VPCP-TTĐT", attachments=(),
        sender=GOVERNMENT_OFFICE,
    )  # fmt: skip
    packet = signed(edxml.write_document(letter), holder.key, holder.certificate)
    old, new = sha256(story.packet).hexdigest(), sha256(packet).hexdigest()
    statements = tuple(
        (kind, said | {"sha256": new if said["sha256"] == old else said["sha256"]})
        for kind, said in story.statements
        if kind != "status"
    )
    return Told(packet, statements, {})


def pem(certificate: Any) -> bytes:
    return bytes(certificate.public_bytes(Encoding.PEM))


# What a verification tells.


def found(evidence: Evidence, pinned: Keys | None = None) -> Verification:
    return verify(packed(evidence), pinned)


def failed(evidence: Evidence, pinned: Keys | None = None) -> list[int]:
    return [step.number for step in found(evidence, pinned).steps if step.result is Result.FAILED]


def untold(evidence: Evidence, pinned: Keys | None = None) -> list[int]:
    return [step.number for step in found(evidence, pinned).steps if step.result is Result.UNTOLD]
