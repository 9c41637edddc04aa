"""Accepting a document: decide whether it is new, and give every recipient its delivery.

A packet comes here checked (``hub.exchange.checks``). ``commit`` decides and writes, many at once, under the counter's
lock. What a packet of kind 1–3 asks of earlier documents is ``hub.exchange.asking``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping

from hub.domain import duplicates, numbering
from hub.domain.agency import Directory
from hub.domain.delivery import Move, Status, Transport
from hub.domain.document import Document, Kind, read_date
from hub.domain.duplicates import Decision, First, Known, Outcome
from hub.domain.search import fold
from hub.errors import Refusal, Violation, violation
from hub.exchange import asking, change
from hub.exchange.checks import Prepared, Recipient, checked
from hub.exchange.writer import Transaction
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery
from hub.store.roster import Roster

Row = Mapping[str, Any] | RowMapping


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer. ``kept`` is False when the packet's bytes were not needed (a repeat)."""

    new: bool
    kept: bool
    body: dict[str, Any]


def foresee(prepared: Prepared, directory: Directory, connection: Connection) -> list[Any]:
    """The warnings ``commit`` would answer with now (for validation); raises the refusal it would."""
    memory = _Memory(connection, [prepared])
    decision = _decide(prepared, memory)
    if decision.outcome is Outcome.REPEAT:
        first = documents.get(connection, decision.first)
        return list(first["warnings"]) if first else []
    asked = asking.NOTHING
    if prepared.document.kind is not Kind.NEW:
        recipients = {recipient.code for recipient in prepared.recipients}
        asked = asking.find(connection, directory, prepared.document, prepared.sender, recipients)
    return [*prepared.warnings, *_warnings(prepared, decision, memory), *asked.warnings]


def commit(tx: Transaction, jobs: list[Prepared]) -> list[Accepted | Refusal]:
    """Decide and write a batch; new documents of kind 0 are inserted together."""
    tx.at("accept-begin")
    memory = _Memory(tx.connection, jobs)
    rows = _Rows()
    results: list[Accepted | Refusal] = []
    for job in jobs:
        try:
            results.append(_accept(tx, job, memory, rows))
        except Refusal as refusal:
            results.append(refusal)
    rows.flush(tx)
    tx.at("accept-written")
    return results


class _Memory:
    """What earlier documents have in common with a batch, kept true while the batch is decided."""

    def __init__(self, connection: Connection, jobs: list[Prepared]) -> None:
        self.identities: dict[str, First] = {}
        self.businesses: dict[str, First] = {}
        self.years: dict[tuple[str, str], set[int]] = {}
        self.look(connection, jobs)

    def look(self, connection: Connection, jobs: list[Prepared]) -> None:
        """Add what is stored; what this batch added stays."""
        self.identities |= documents.by_identity(connection, [job.identity for job in jobs])
        self.businesses = documents.by_business(connection, [job.business for job in jobs]) | self.businesses
        for key, years in documents.years_of(connection, [(job.sender, job.document_id) for job in jobs]).items():
            self.years.setdefault(key, set()).update(years)

    def known(self, job: Prepared) -> Known:
        return Known(
            identity=self.identities.get(job.identity),
            id_in_another_year=bool(self.years.get((job.sender, job.document_id), set()) - {job.year}),
            business=self.businesses.get(job.business),
        )

    def remember(self, job: Prepared, document_id: str) -> None:
        first = First(document_id, job.digest)
        self.identities[job.identity] = first
        self.years.setdefault((job.sender, job.document_id), set()).add(job.year)
        if job.document.kind is Kind.NEW:
            self.businesses.setdefault(job.business, first)


@dataclass(slots=True)
class _Rows:
    """Rows of new documents that wait to be inserted together."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    packets: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)

    def flush(self, tx: Transaction) -> None:
        documents.add(tx.connection, self.documents, self.packets, self.evidence)
        deliveries.add(tx.connection, self.deliveries)
        self.documents, self.packets, self.deliveries, self.evidence = [], [], [], []


def _decide(job: Prepared, memory: _Memory) -> Decision:
    return duplicates.decide(
        kind=job.document.kind,
        digest=job.digest,
        known=memory.known(job),
        own_number=job.own_number,
        refuse_taken=job.submission.refuse_taken,
    )


def _accept(tx: Transaction, job: Prepared, memory: _Memory, rows: _Rows) -> Accepted:
    if job.version != tx.roster.version:
        job = checked(job.read, tx.roster, tx.now)
        memory.look(tx.connection, [job])  # its keys may be others now
    decision = _decide(job, memory)
    if decision.outcome is Outcome.REPEAT:
        rows.flush(tx)
        return _repeat(tx, job, decision.first)
    asked = asking.NOTHING
    if job.document.kind is not Kind.NEW:
        rows.flush(tx)
        recipients = {recipient.code for recipient in job.recipients}
        asked = asking.find(tx.connection, tx.roster.directory, job.document, job.sender, recipients)
    document_id = tx.new_id()
    new = [_delivery(tx, job, document_id, recipient) for recipient in job.recipients]
    warnings = [asdict(v) for v in (*job.warnings, *_warnings(job, decision, memory), *asked.warnings)]
    row = _document_row(tx, job, document_id, decision, warnings)
    rows.documents.append(row)
    packet = _packet_row(tx, job, document_id)
    rows.packets.append(packet)
    rows.deliveries.extend(deliveries.row_of(delivery) for delivery in new)
    rows.evidence.append(_evidence(tx, job, document_id, new))
    memory.remember(job, document_id)
    if asked.targets:
        rows.flush(tx)
        new = asking.ask(tx, asked, job.document.kind, document_id, new)
    for delivery in new:
        tx.ring(delivery.system_id)
    return Accepted(True, True, answer(row, packet, new))


def _warnings(job: Prepared, decision: Decision, memory: _Memory) -> list[Violation]:
    found = []
    if "id-without-year" in decision.warnings:
        found.append(
            violation(
                "id-without-year",
                "MessageHeader/DocumentId",
                job.document.document_id,
                sender=job.sender,
                date=job.document.promulgation_date,
                code=f"{job.document.number}/{job.document.symbol}",
            )
        )
    if "duplicate-suspected" in decision.flags:
        first = memory.businesses[job.business]
        found.append(violation("duplicate-suspected", "MessageHeader/Code", job.document.number, first=first.id))
    return found


def _repeat(tx: Transaction, job: Prepared, document_id: str) -> Accepted:
    """The first answer, and what the repeat adds: recipients that are new, and those that had failed or expired."""
    document = documents.get(tx.connection, document_id)
    if document is None:
        raise RuntimeError(f"document {document_id} is known and not stored")
    standing = {d.recipient: d for d in deliveries.of_document(tx.connection, document_id)}
    added = [
        _delivery(tx, job, document_id, recipient) for recipient in job.recipients if recipient.code not in standing
    ]
    warnings: list[Violation] = []
    if added:
        asked = asking.NOTHING
        if job.document.kind is not Kind.NEW:
            recipients = {delivery.recipient for delivery in added}
            asked = asking.find(tx.connection, tx.roster.directory, job.document, job.sender, recipients, repeat=True)
        documents.add(tx.connection, [], [_packet_row(tx, job, document_id)], [_evidence(tx, job, document_id, added)])
        deliveries.add(tx.connection, [deliveries.row_of(delivery) for delivery in added])
        if asked.targets:
            added = asking.ask(tx, asked, job.document.kind, document_id, added, linked=True)
        warnings = list(asked.warnings)
    meant = [delivery for recipient in job.recipients if (delivery := standing.get(recipient.code)) is not None]
    ended = [d for d in meant if d.state in {Transport.FAILED, Transport.EXPIRED}]
    if ended:
        expires = change.expiry(tx, urgent=_urgent(job.document))  # a priority is part of what makes it a repeat
        by = job.submission.system_id
        again = change.move_all(tx, ended, Move.REOPEN, by=by, expires_at=expires, attempts=0, reason="")
        standing |= {delivery.recipient: delivery for delivery in again}
    for delivery in added:
        tx.ring(delivery.system_id)
    first = documents.first_packet(tx.connection, document_id)
    body = answer(document, first, [*standing.values(), *added])
    body["warnings"] = [*body["warnings"], *(asdict(v) for v in warnings)]
    return Accepted(False, bool(added), body)


def answer(document: Row, packet: Row, all_deliveries: list[Delivery]) -> dict[str, Any]:
    """What a sender is told of a document and the packet it was accepted with (exchange rules 8)."""
    return {
        "id": document["id"],
        "document_id": document["document_id"],
        "sha256": packet["sha256"],
        "accepted_at": document["accepted_at"],
        "issuer": document["issuer"],
        "issuer_basis": document["issuer_basis"],
        "signature": {"standing": packet["standing"], "signer": packet["signer"]},
        "warnings": document["warnings"],
        "deliveries": [{"id": d.id, "to": d.addressed, "state": d.state.value} for d in all_deliveries],
    }


def _delivery(tx: Transaction, job: Prepared, document_id: str, recipient: Recipient) -> Delivery:
    urgent = _urgent(job.document)
    return Delivery(
        id=tx.new_id(),
        seq=tx.next_seq(),
        document_id=document_id,
        packet_id=job.submission.packet_id,
        report_id=None,
        recipient=recipient.code,
        addressed=recipient.addressed,
        system_id=recipient.system_id,
        state=Transport.WAITING,
        status=Status.NONE,
        fetched_at=None,
        lease=None,
        lease_until=None,
        attempts=0,
        reason="",
        urgent=urgent,
        created_at=tx.now,
        expires_at=change.expiry(tx, urgent=urgent),
    )


def _urgent(document: Document) -> bool:
    return document.priority.isdigit() and int(document.priority) > 0  # 0 normal, 1-3 increasing


def _document_row(
    tx: Transaction, job: Prepared, document_id: str, decision: Decision, warnings: list[dict[str, Any]]
) -> dict[str, Any]:
    document = job.document
    kind_new = document.kind is Kind.NEW
    return {
        "seq": tx.next_seq(),
        "id": document_id,
        "sender": job.sender,
        "system_id": job.submission.system_id,
        "issuer": job.issuer.code,
        "issuer_basis": job.issuer.basis,
        "document_id": job.document_id,
        "kind": int(document.kind),
        "year": job.year,
        "number": numbering.plain_number(document.number),
        "symbol": numbering.plain_symbol(document.symbol),
        "promulgated_on": read_date(document.promulgation_date),
        "due_on": read_date(document.due_date),
        "type_name": document.type_name,
        "subject": document.subject,
        "urgent": _urgent(document),
        "content_digest": job.digest,
        "identity": job.identity,
        "business": job.business if kind_new else None,
        "number_claim": job.business if decision.claims_number else None,
        "warnings": warnings,
        "flags": list(decision.flags),
        "accepted_at": tx.now,
        "trace_id": job.submission.trace_id,
        "search": search_text(document, tx.roster),
    }


def search_text(document: Document, roster: Roster) -> str:
    """The folded text a document is found by."""
    parts = [
        document.subject, document.content, document.type_name, f"{document.number}/{document.symbol}",
        document.document_id, document.sender.name, roster.directory.name_of(document.sender.organ_id), document.signer,
        *(attachment.name for attachment in document.attachments),
    ]  # fmt: skip
    return fold("\n".join(part for part in parts if part))


def _packet_row(tx: Transaction, job: Prepared, document_id: str | None) -> dict[str, Any]:
    submission = job.submission
    return {
        "id": submission.packet_id,
        "seq": tx.next_seq(),
        "document_id": document_id,
        "sha256": job.submission.sha256,
        "size": len(submission.packet),
        "body": None if submission.place else submission.packet,
        "place": submission.place,
        "standing": job.verdict.standing.value,
        "signer": job.verdict.owner,
        "fingerprint": job.verdict.fingerprint,
        "received_at": tx.now,
    }


def _evidence(tx: Transaction, job: Prepared, document_id: str, to: list[Delivery]) -> dict[str, Any]:
    body = {
        "document": document_id,
        "document_id": job.document_id,
        "sha256": job.submission.sha256,
        "sender": job.sender,
        "issuer": job.issuer.code,
        "recipients": [delivery.recipient for delivery in to],
        "at": tx.now.isoformat(),
    }
    return change.evidence(tx, "accept", document_id, body)
