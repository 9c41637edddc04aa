"""Evidence that leaves nothing to judge: with the signer's certificates and what they and the timestamps rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from builders.authority import DAY, Authority, crl
from builders.evidence import AT, DOCUMENT, Hub, Told, a_story_signed_by, evidence_of, pem, told
from builders.packets import a_status
from builders.stamping import Tsa, a_tsa
from builders.trees import subtrees
from cryptography import x509

from clients.evidence import Evidence
from clients.evidence.file import Timestamp
from hub.domain import edxml
from hub.domain.merkle import consistency_proof
from hub.domain.signature import sign
from hub.domain.timestamp import answered, question


def under_an_authority(authority: Authority, story: Told) -> Evidence:
    """The story with everything that tells of its signer, who has the agency's certificate."""
    held = {"root": authority.root, "intermediate": authority.intermediate, "signer": authority.agency}
    certificates = {f"certificates/{role}-1.pem": pem(holder.certificate) for role, holder in held.items()}
    lists = {f"revocation/{n}.crl": octets for n, octets in enumerate(authority.crls(None, AT + 3 * DAY), 1)}
    return replace(evidence_of(Hub(), story), certificates=certificates, revocation=lists)


def held_between(authority: Authority) -> Evidence:
    """Three statuses signed with the leader's certificate, which was on hold at the second: the CRL made during the
    hold says so, the one made after it no longer does."""
    story, by, hour = a_story_signed_by(authority.agency), authority.leader, timedelta(hours=1)
    statements, reports = list(story.statements), {}
    for number, (status, hours) in enumerate((("03", 1), ("04", 49), ("06", 97)), 1):
        about = replace(a_status().response_for, document_id="G22,2025/01/02,15/VPCP-TTĐT", code="15/VPCP-TTĐT")
        said = edxml.write_status(a_status(status=status, description="", response_for=about))
        report = f"{15:020x}{number:04x}"
        reports[report] = sign(said, by.key, by.certificate)
        statements.append(("status", {
            "report": report, "document": DOCUMENT, "status": status, "sha256": sha256(reports[report]).hexdigest(),
            "sender": "H41", "addressee": "G22", "at": (AT + hours * hour).isoformat(),
        }))  # fmt: skip
    evidence = under_an_authority(authority, Told(story.packet, tuple(statements), reports))
    hold = {by.certificate.serial_number: (AT + 40 * hour, x509.ReasonFlags.certificate_hold)}
    lists = (
        crl(authority.intermediate, AT + 50 * hour, hold),
        crl(authority.intermediate, AT + 98 * hour),
        crl(authority.root, AT + 98 * hour),
    )
    return replace(
        evidence,
        certificates=evidence.certificates | {"certificates/signer-2.pem": pem(by.certificate)},
        revocation={f"revocation/{number}.crl": octets for number, octets in enumerate(lists, 1)},
    )


def stamped() -> tuple[Evidence, Tsa]:
    """Three checkpoints with a timestamp a day later: over two receipts, over all, and the file's own."""
    hub, tsa = Hub(), a_tsa(AT)
    evidence = evidence_of(hub, told())
    made = []
    for size in (evidence.entries[1].index + 1, evidence.entries[-1].index + 1, len(hub.entries)):
        note = hub.checkpoint(size)
        asked = question(note)
        token = answered(asked, tsa.answer(asked.octets, AT + DAY), note, [tsa.root.certificate]).token
        proof = tuple(consistency_proof(size, len(hub.entries), subtrees(hub.entries)))
        made.append(Timestamp(size, note, token, proof))
    lists = {f"revocation/{n}.crl": crl(by, AT + 2 * DAY) for n, by in enumerate((tsa.intermediate, tsa.root), 1)}
    return replace(evidence, timestamps=tuple(made), revocation=lists), tsa
