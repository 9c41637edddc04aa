"""What a revocation, update or replacement asks of the recipients of earlier documents (exchange rules 4, 6).

First :func:`find` decides, then :func:`ask` writes. A packet of kind 1–3 is a document with deliveries of its own; only
where a revocation meets nothing but documents its recipient never fetched do both end unseen, as with a 13.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain import duplicates, numbering
from hub.domain.agency import Directory
from hub.domain.delivery import FINAL, Ask, Move, Status, Transport, can_withdraw
from hub.domain.document import Document, Kind
from hub.domain.duplicates import Target
from hub.errors import Refusal, Violation, violation
from hub.exchange import change
from hub.exchange.writer import Transaction
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery

ASK = {Kind.REVOCATION: Ask.REVOCATION, Kind.UPDATE: Ask.UPDATE, Kind.REPLACEMENT: Ask.REPLACEMENT}
_GONE = frozenset({Status.CANCELLED, Status.REPLACED})


@dataclass(frozen=True, slots=True)
class Asked:
    """The documents acted on, and their deliveries to the recipients named."""

    targets: tuple[str, ...] = ()
    concerned: tuple[Delivery, ...] = ()
    warnings: tuple[Violation, ...] = ()


NOTHING = Asked()


def final(delivery: Delivery) -> bool:
    """Nothing more can be asked about it."""
    return delivery.state is Transport.WITHDRAWN or delivery.status in FINAL


def find(
    connection: Connection,
    directory: Directory,
    document: Document,
    sender: str,
    recipients: set[str],
    *,
    repeat: bool = False,
) -> Asked:
    """Which of the sender's documents are meant.

    Raises ``not-your-document`` when nothing named is the sender's own and something is another's, and
    ``already-revoked`` when a revocation finds every named delivery ended (not for a repeat).
    """
    groups = duplicates.targets(document)
    for group in groups:
        own = [(target, rows) for target in group if (rows := _own(connection, target, sender))]
        if own:
            return _concerned(connection, directory, document.kind, own, group, recipients, repeat)
    named = [target for group in groups for target in group]
    for target in () if repeat else named:
        if documents.used_by_another(connection, numbering.canonical_document_id(target.document_id), sender):
            raise Refusal("not-your-document", target.pointer, target.document_id)
    return Asked(warnings=_unknown(named if document.kind is Kind.REPLACEMENT else named[:1]))


def _own(connection: Connection, target: Target, sender: str) -> list[Any]:
    """The sender's documents under a DocumentId: of the year named, else of the newest year; no revocations."""
    text = numbering.canonical_document_id(target.document_id)
    rows = [row for row in documents.by_document_id(connection, text, sender) if row["kind"] != Kind.REVOCATION]
    if not rows:
        return []
    years = {row["year"] for row in rows}
    year = target.year if target.year in years else max(years)
    return [row for row in rows if row["year"] == year]


def _concerned(
    connection: Connection,
    directory: Directory,
    kind: Kind,
    own: list[tuple[Target, list[Any]]],
    group: Iterable[Target],
    recipients: set[str],
    repeat: bool,
) -> Asked:
    concerned: dict[str, Delivery] = {}
    for target, rows in own:
        only = {directory.resolve(code) for code in target.organ_ids} or recipients
        wanted = only & recipients
        for delivery in deliveries.of_documents(connection, [row["id"] for row in rows]):
            if delivery.recipient in wanted:
                concerned[delivery.id] = delivery
    ended = [d.state is Transport.WITHDRAWN or d.status in _GONE for d in concerned.values()]
    if kind is Kind.REVOCATION and ended and all(ended) and not repeat:
        raise Refusal("already-revoked", own[0][0].pointer, own[0][0].document_id)
    found = {id(target) for target, _rows in own}
    return Asked(
        targets=tuple(dict.fromkeys(row["id"] for _target, rows in own for row in rows)),
        concerned=tuple(concerned.values()),
        warnings=_unknown([target for target in group if id(target) not in found and kind is not Kind.REVOCATION]),
    )


def _unknown(targets: Iterable[Target]) -> tuple[Violation, ...]:
    return tuple(
        violation("target-unknown", target.pointer, target.document_id, target=target.document_id) for target in targets
    )


def ask(
    tx: Transaction, asked: Asked, kind: Kind, document_id: str, own: list[Delivery], *, linked: bool = False
) -> list[Delivery]:
    """Link the document to its targets and open the requests; gives back its own deliveries as they stand then.

    ``own`` are inserted already. A revoked document nobody fetched is withdrawn at once.
    """
    if not linked:
        rows = [{"document_id": document_id, "target_id": target, "kind": int(kind)} for target in asked.targets]
        documents.add_links(tx.connection, rows)
    standing = {delivery.recipient: delivery for delivery in own}
    opened: set[str] = set()
    withdrawn: set[str] = set()
    seen: set[str] = set()  # recipients who have something of what is acted on
    for delivery in asked.concerned:
        if delivery.fetched:
            seen.add(delivery.recipient)
        if final(delivery):
            continue
        if kind is Kind.REVOCATION and can_withdraw(delivery.state, fetched=delivery.fetched):
            withdraw(tx, delivery, detail=document_id)
            withdrawn.add(delivery.recipient)
        else:
            open_request(tx, delivery, ASK[kind], standing[delivery.recipient].id, document_id)
            opened.add(delivery.recipient)
    for recipient in withdrawn - opened - seen:
        standing[recipient] = change.move(tx, standing[recipient], Move.WITHDRAW, detail=document_id)
    return list(standing.values())


def withdraw(tx: Transaction, delivery: Delivery, *, detail: str = "", report_id: str | None = None) -> Delivery:
    """Take back what was never fetched; what was asked about it, and what it asked itself, is moot."""
    left = [row["id"] for row in deliveries.open_requests(tx.connection, [delivery.id])]
    left += [row["id"] for row in deliveries.open_requests_made(tx.connection, delivery.id)]
    deliveries.close_requests(tx.connection, left, "moot", tx.now)
    return change.move(tx, delivery, Move.WITHDRAW, detail=detail, report_id=report_id)


def open_request(
    tx: Transaction, delivery: Delivery, ask: Ask, asking_delivery_id: str, asking_document_id: str | None
) -> None:
    row = {
        "id": tx.new_id(), "delivery_id": delivery.id, "ask": ask.value, "asking_delivery_id": asking_delivery_id,
        "asking_document_id": asking_document_id, "seq": tx.next_seq(), "opened_at": tx.now, "outcome": "open",
    }  # fmt: skip
    deliveries.add_requests(tx.connection, [row])
