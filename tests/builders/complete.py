"""Evidence that leaves nothing to judge: with the signer's certificates and what they and the timestamps rest on."""

from __future__ import annotations

from dataclasses import replace

from builders.authority import DAY, Authority, crl
from builders.evidence import AT, Hub, Told, evidence_of, pem, told
from builders.stamping import Tsa, a_tsa
from builders.trees import subtrees

from clients.evidence import Evidence
from clients.evidence.file import Timestamp
from hub.domain.merkle import consistency_proof
from hub.timestamp import answered, question


def under_an_authority(authority: Authority, story: Told) -> Evidence:
    """The story with everything that tells of its signer, who has the agency's certificate."""
    held = {"root": authority.root, "intermediate": authority.intermediate, "signer": authority.agency}
    certificates = {f"certificates/{role}-1.pem": pem(holder.certificate) for role, holder in held.items()}
    lists = {f"revocation/{n}.crl": octets for n, octets in enumerate(authority.crls(None, AT + 3 * DAY), 1)}
    return replace(evidence_of(Hub(), story), certificates=certificates, revocation=lists)


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
