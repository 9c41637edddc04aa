"""What is written of a status packet that was taken: its rows, evidence, the answer, and its delivery to the other
party.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from hub.domain.delivery import FROM_SENDER, Ask, Effect, Status, Transport
from hub.domain.document import VIETNAM, StatusReport
from hub.domain.signature import Verdict
from hub.exchange import asking, change
from hub.exchange.examine import Submission
from hub.exchange.meant import Found
from hub.exchange.writer import Transaction
from hub.store import documents
from hub.store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class Prepared:
    """A status packet that is readable, signed as it must be, and complete."""

    submission: Submission
    version: int
    sha256: str  # of the packet, hex
    report: StatusReport
    verdict: Verdict
    sender: str
    stated_at: datetime
    body: bytes = field(default=b"", repr=False)  # the packet, which lies in its row


@dataclass(frozen=True, slots=True)
class Part:
    """What the report did at one delivery. ``hand_on``: the other party gets the packet."""

    delivery: Delivery
    effect: Effect
    hand_on: bool


def record(
    tx: Transaction, job: Prepared, key: str, report_id: str, found: list[Found], parts: list[Part]
) -> dict[str, Any]:
    """All of it, decided; gives the answer."""
    document = found[0].document
    mine_is_sender = job.report.status in FROM_SENDER
    other = found[0].delivery.recipient if mine_is_sender else document["sender"]
    named = job.report.response_for.organ_id
    to = named if named and tx.roster.directory.same(named, other) else other
    handed = [part for part in parts if part.hand_on]
    handed_id = tx.new_id() if handed else None
    answer = {
        "id": report_id,
        "document": document["id"],
        "status": job.report.status,
        "accepted_at": tx.now.astimezone(VIETNAM).isoformat(timespec="milliseconds"),
        "delivery": handed_id,
        "warnings": [asdict(v) for v in job.verdict.warnings],
        "deliveries": [
            {
                "id": part.delivery.id,
                "to": part.delivery.addressed,
                "effect": part.effect.value,
                "state": part.delivery.state.value,
                "status": part.delivery.status.value,
            }
            for part in parts
        ],
    }
    _rows(tx, job, key, report_id, document, other, answer)
    if handed_id is not None:
        _hand_on(tx, job, handed_id, report_id, document["id"], other, to)
        for part in handed:
            if mine_is_sender:
                asking.open_requests(tx, Ask.TAKE_BACK, [(part.delivery, handed_id)], None)
            else:
                change.tell_senders(
                    tx, [part.delivery], "status", detail=f"{job.report.status} {job.report.description}".strip(),
                    report_id=report_id,
                )  # fmt: skip
    return answer


def _rows(
    tx: Transaction, job: Prepared, key: str, report_id: str, document: Any, other: str, answer: dict[str, Any]
) -> None:
    submission, document_id = job.submission, document["id"]
    packet = {
        "id": submission.packet_id, "seq": tx.next_seq(), "document_id": None, "sha256": job.sha256,
        "size": submission.size, "body": job.body, "place": None,
        "standing": job.verdict.standing.value, "signer": job.verdict.owner, "fingerprint": job.verdict.fingerprint,
        "received_at": tx.now,
    }  # fmt: skip
    body = {
        "report": report_id, "document": document_id, "status": job.report.status, "sha256": job.sha256,
        "sender": job.sender, "addressee": other, "at": tx.now.isoformat(),
    }  # fmt: skip
    tx.decided.packets.append(packet)
    tx.decided.evidence.append(change.evidence(tx, "status", document_id, body, report_id=report_id))
    row = {
        "id": report_id, "packet_id": submission.packet_id, "system_id": submission.system_id,
        "document_id": document_id, "sender": job.sender, "addressee": other, "code": job.report.status,
        "description": job.report.description, "stated_at": job.stated_at, "repeat_key": key,
        "answer": answer, "received_at": tx.now, "trace_id": submission.trace_id,
    }  # fmt: skip
    tx.decided.reports.append(row)
    if document["pared"]:
        documents.freshen(tx.connection, document["id"])


def _hand_on(
    tx: Transaction, job: Prepared, delivery_id: str, report_id: str, document_id: str, other: str, to: str
) -> None:
    """A delivery of its own for the status packet; without a connected system it waits (exchange rules 6)."""
    system_id = change.receiver(tx, other)
    delivery = Delivery(
        id=delivery_id, seq=tx.next_seq(), document_id=document_id, packet_id=job.submission.packet_id,
        report_id=report_id, recipient=other, addressed=to, system_id=system_id, state=Transport.WAITING,
        status=Status.NONE, fetched_at=None, lease=None, lease_until=None, attempts=0, reason="", urgent=False,
        created_at=tx.now, expires_at=change.expiry(tx, urgent=False),
    )  # fmt: skip
    tx.decided.deliveries += change.begin(tx, [delivery])
    tx.ring(system_id)
