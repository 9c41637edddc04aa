"""Accepting a document: decide whether it is new, and give every recipient its delivery.

A packet comes here checked (``hub.exchange.checks``). ``commit`` decides and writes, many at once, under the counter's
lock. What a packet of kind 1–3 asks of earlier documents is ``hub.exchange.asking``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping

from hub.domain import duplicates, places
from hub.domain.agency import Directory
from hub.domain.delivery import Move, Status, Transport
from hub.domain.document import Kind
from hub.domain.duplicates import Decision, First, Known, Outcome
from hub.domain.turns import turn_of
from hub.errors import Refusal, Violation, violation
from hub.exchange import asking, change
from hub.exchange.checks import Checked, Prepared, Recipient
from hub.exchange.writer import Stale, Transaction, together
from hub.store import deliveries, documents, evidence
from hub.store.deliveries import Delivery

Row = Mapping[str, Any] | RowMapping


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer. ``kept`` is False when the packet's bytes were not needed (a repeat).

    ``receipts``: of the first acceptance, and of those after it that added recipients.
    """

    new: bool
    kept: bool
    body: dict[str, Any]
    receipts: list[str]


def foresee(job: Checked, directory: Directory, connection: Connection) -> list[Any]:
    """The warnings ``commit`` would answer with now (for validation); raises the refusal it would."""
    packet = job.prepared
    memory = _Memory(connection, [packet])
    decision = _decide(job, memory)
    if decision.outcome is Outcome.REPEAT:
        first = documents.get(connection, decision.first)
        return list(first["warnings"]) if first else []
    asked = asking.NOTHING
    if packet.kind is not Kind.NEW:
        asked = asking.find(connection, directory, packet, {recipient.code for recipient in packet.recipients})
    return [*packet.warnings, *_warnings(packet, decision, memory), *asked.warnings]


def is_repeat(job: Checked, connection: Connection) -> bool:
    """Whether ``commit`` would answer as before, and add no recipient. Raises its refusal for an identity or a number
    that is taken.
    """
    decision = _decide(job, _Memory(connection, [job.prepared]))
    if decision.outcome is not Outcome.REPEAT:
        return False
    known = {delivery.recipient for delivery in deliveries.of_document(connection, decision.first)}
    return all(recipient.code in known for recipient in job.prepared.recipients)


@together
def commit(tx: Transaction, jobs: list[Checked]) -> list[Accepted | Refusal | Stale]:
    """Decide and write a batch; new documents of kind 0 are inserted together."""
    tx.at("accept-begin")
    if tx.decided.documents:
        tx.write()  # one of these may be a repeat of them
    memory = _Memory(tx.earlier, [job.prepared for job in jobs])
    results: list[Accepted | Refusal | Stale] = []
    for job in jobs:
        try:
            results.append(_accept(tx, job, memory))
        except (Refusal, Stale) as refused:
            results.append(refused)
    tx.decided.at("accept-written")
    return results


class _Memory:
    """What earlier documents have in common with a batch, kept true while the batch is decided."""

    def __init__(self, connection: Connection, packets: list[Prepared]) -> None:
        self.identities = documents.by_identity(connection, [packet.identity for packet in packets])
        self.businesses = documents.by_business(connection, [packet.business for packet in packets])
        self.years = documents.years_of(connection, [(packet.sender, packet.document_id) for packet in packets])

    def known(self, packet: Prepared) -> Known:
        return Known(
            identity=self.identities.get(packet.identity),
            id_in_another_year=bool(self.years.get((packet.sender, packet.document_id), set()) - {packet.year}),
            business=self.businesses.get(packet.business),
        )

    def remember(self, packet: Prepared, document_id: str) -> None:
        first = First(document_id, packet.digest)
        self.identities[packet.identity] = first
        self.years.setdefault((packet.sender, packet.document_id), set()).add(packet.year)
        if packet.kind is Kind.NEW:
            self.businesses.setdefault(packet.business, first)


def _decide(job: Checked, memory: _Memory) -> Decision:
    return duplicates.decide(
        kind=job.prepared.kind,
        digest=job.prepared.digest,
        known=memory.known(job.prepared),
        own_number=job.prepared.own_number,
        refuse_taken=job.submission.refuse_taken,
    )


def _accept(tx: Transaction, job: Checked, memory: _Memory) -> Accepted:
    packet = job.prepared
    if packet.version != tx.roster.version:
        raise Stale
    decision = _decide(job, memory)
    if decision.outcome is Outcome.REPEAT:
        return _repeat(tx, job, decision.first)
    asked = asking.NOTHING
    if packet.kind is not Kind.NEW:
        recipients = {recipient.code for recipient in packet.recipients}
        asked = asking.find(tx.connection, tx.roster.directory, packet, recipients)
    document_id = tx.new_id()
    new = [_delivery(tx, job, document_id, recipient) for recipient in packet.recipients]
    warnings = [asdict(v) for v in (*packet.warnings, *_warnings(packet, decision, memory), *asked.warnings)]
    row = _document_row(tx, job, document_id, decision, warnings)
    tx.decided.documents.append(row)
    packet_row = _packet_row(tx, job, document_id)
    tx.decided.packets.append(packet_row)
    tx.decided.references.extend(_reference_rows(packet, asked, row["seq"]))
    tx.decided.deliveries.extend(change.begin(tx, new))
    tx.decided.evidence.append(_evidence(tx, job, document_id, new))
    memory.remember(packet, document_id)
    if asked.targets:
        new = asking.ask(tx, asked, packet.kind, document_id, new)
    for delivery in new:
        tx.ring(delivery.system_id)
    return Accepted(True, True, answer(row, packet_row, new), [tx.receipts[document_id]])


def _warnings(packet: Prepared, decision: Decision, memory: _Memory) -> list[Violation]:
    found = []
    if "id-without-year" in decision.warnings:
        code = f"{packet.columns['number']}/{packet.columns['symbol']}"
        date = f"{packet.columns['promulgated_on']:%Y/%m/%d}"
        facts = {"sender": packet.sender, "date": date, "code": code}
        found.append(violation("id-without-year", places.HEADER["document_id"], packet.document_id, **facts))
    if "duplicate-suspected" in decision.flags:
        first = memory.businesses[packet.business]
        found.append(violation("duplicate-suspected", places.CODE, packet.columns["number"], first=first.id))
    return found


def _repeat(tx: Transaction, job: Checked, document_id: str) -> Accepted:
    """The first answer, and what the repeat adds: recipients that are new, and those that had failed or expired."""
    document = documents.get(tx.connection, document_id)
    if document is None:
        raise RuntimeError(f"document {document_id} is known and not stored")
    packet = job.prepared
    by_recipient = {d.recipient: d for d in deliveries.of_document(tx.connection, document_id)}
    added = [
        _delivery(tx, job, document_id, recipient)
        for recipient in packet.recipients
        if recipient.code not in by_recipient
    ]
    warnings: list[Violation] = []
    if added:
        asked = asking.NOTHING
        if packet.kind is not Kind.NEW:
            recipients = {delivery.recipient for delivery in added}
            asked = asking.find(tx.connection, tx.roster.directory, packet, recipients, repeat=True)
        tx.decided.packets.append(_packet_row(tx, job, document_id))
        tx.decided.evidence.append(_evidence(tx, job, document_id, added))
        deliveries.add(tx.connection, change.begin(tx, added))
        documents.freshen(tx.connection, document_id)
        if asked.targets:
            added = asking.ask(tx, asked, packet.kind, document_id, added, linked=True)
        warnings = list(asked.warnings)
    meant = [delivery for recipient in packet.recipients if (delivery := by_recipient.get(recipient.code)) is not None]
    ended = [d for d in meant if d.state in {Transport.FAILED, Transport.EXPIRED}]
    if ended:
        expires = change.expiry(tx, urgent=packet.urgent)  # a priority is part of what makes it a repeat
        by = job.submission.system_id
        again = change.move_all(tx, ended, Move.REOPEN, by=by, expires_at=expires, attempts=0, reason="")
        by_recipient |= {delivery.recipient: delivery for delivery in again}
    for delivery in added:
        tx.ring(delivery.system_id)
    first = documents.first_packet(tx.connection, document_id)
    body = answer(document, first, [*by_recipient.values(), *added])
    body["warnings"] = [*body["warnings"], *(asdict(v) for v in warnings)]
    return Accepted(False, bool(added), body, evidence.receipts_of(tx.connection, document_id))


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


def _delivery(tx: Transaction, job: Checked, document_id: str, recipient: Recipient) -> Delivery:
    urgent = job.prepared.urgent
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
        turn=turn_of(urgent=urgent),
    )


def _document_row(
    tx: Transaction, job: Checked, document_id: str, decision: Decision, warnings: list[dict[str, Any]]
) -> dict[str, Any]:
    packet = job.prepared
    return packet.columns | {
        "seq": tx.next_seq(),
        "id": document_id,
        "sender": packet.sender,
        "system_id": job.submission.system_id,
        "document_id": packet.document_id,
        "kind": int(packet.kind),
        "year": packet.year,
        "urgent": packet.urgent,
        "content_digest": packet.digest,
        "identity": packet.identity,
        "business": packet.business if packet.kind is Kind.NEW else None,
        "number_claim": packet.business if decision.claims_number else None,
        "warnings": warnings,
        "flags": list(decision.flags),
        "accepted_at": tx.now,
        "trace_id": job.submission.trace_id,
    }


def _reference_rows(packet: Prepared, asked: asking.Asked, seq: int) -> list[dict[str, Any]]:
    """What it answers; what it acts on is linked already."""
    found = [reference for reference in packet.references if reference.named not in asked.named]
    return [
        {"document_seq": seq, "position": position, **reference._asdict()}
        for position, reference in enumerate(found, 1)
    ]


def _packet_row(tx: Transaction, job: Checked, document_id: str | None) -> dict[str, Any]:
    submission = job.submission
    return {
        "id": submission.packet_id,
        "seq": tx.next_seq(),
        "document_id": document_id,
        "sha256": job.prepared.sha256,
        "size": submission.size,
        "body": job.body,
        "place": job.place,
        "standing": job.prepared.standing,
        "signer": job.prepared.signer,
        "fingerprint": job.prepared.fingerprint,
        "received_at": tx.now,
    }


def _evidence(tx: Transaction, job: Checked, document_id: str, to: list[Delivery]) -> dict[str, Any]:
    body = {
        "document": document_id,
        "document_id": job.prepared.document_id,
        "sha256": job.prepared.sha256,
        "sender": job.prepared.sender,
        "issuer": job.prepared.columns["issuer"],
        "recipients": [delivery.recipient for delivery in to],
        "at": tx.now.isoformat(),
    }
    return change.evidence(tx, "accept", document_id, body)
