"""Keeping what was refused: not as a document, but who, when, which rules and which bytes, for the operator."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from hub.domain import edxml
from hub.domain.search import fold
from hub.errors import Refusal, Severity
from hub.exchange.writer import Transaction, each
from hub.store import documents, refusals


@dataclass(frozen=True, slots=True)
class Refused:
    """A packet that was not taken, why, and what its header said as far as it could be read."""

    refusal: Refusal
    system_id: str
    trace_id: str
    sha256: str
    size: int
    sender: str
    document_id: str
    subject: str


def describe(packet: bytes, system_id: str, trace_id: str, refusal: Refusal, limits: edxml.Limits) -> Refused:
    """What to keep of a refused packet."""
    sender = document_id = subject = ""
    try:
        tree = edxml.parse(packet, limits)
        if edxml.is_status(tree):
            report = edxml.read_status(tree)
            sender, document_id = report.sender.organ_id, report.response_for.document_id
            subject = f"{report.status} {report.description}".strip()
        else:
            document = edxml.read_document(tree, limits)
            sender, document_id, subject = document.sender.organ_id, document.document_id, document.subject
    except Refusal:
        pass  # unreadable: the digest and the rule are all there is
    return Refused(
        refusal, system_id, trace_id, hashlib.sha256(packet).hexdigest(), len(packet), sender, document_id, subject
    )


@each
def record(tx: Transaction, job: Refused) -> str:
    """Write the refusal; gives its id."""
    row: dict[str, Any] = {
        "id": tx.new_id(), "at": tx.now, "system_id": job.system_id, "sender": job.sender[:64],
        "document_id": job.document_id[:500], "subject": job.subject[:1000], "code": job.refusal.code,
        "violations": [asdict(v) for v in job.refusal.violations][:200], "sha256": job.sha256, "size": job.size,
        "trace_id": job.trace_id, "search": fold(f"{job.sender} {job.document_id} {job.subject}")[:2000],
    }  # fmt: skip
    documents.add_refusal(tx.connection, row)
    rules = {v.rule for v in job.refusal.violations if v.severity is Severity.ERROR} or {job.refusal.code}
    refusals.add_rules(tx.connection, row["id"], row["sender"], tx.now, rules)
    return str(row["id"])
