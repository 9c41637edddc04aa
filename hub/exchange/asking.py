"""What a revocation, update or replacement asks of the recipients of earlier documents (exchange rules 4, 6).

First :func:`find` decides, then :func:`ask` writes. A packet of kind 1–3 is a document with deliveries of its own; only
where a revocation meets nothing but documents its recipient never fetched do both end unseen, as with a 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping

from hub.domain.agency import Directory
from hub.domain.delivery import FINAL, Ask, Move, Status, Transport, can_withdraw
from hub.domain.document import Kind
from hub.domain.duplicates import Target
from hub.domain.numbering import canonical_document_id
from hub.errors import Refusal, Violation, violation
from hub.exchange import change
from hub.exchange.checks import Prepared
from hub.exchange.writer import Transaction
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery

ASK = {Kind.REVOCATION: Ask.REVOCATION, Kind.UPDATE: Ask.UPDATE, Kind.REPLACEMENT: Ask.REPLACEMENT}
MOST_CONCERNED = 20_000  # deliveries one packet may act on, while all other senders wait
_GONE = frozenset({Status.CANCELLED, Status.REPLACED})


@dataclass(frozen=True, slots=True)
class Asked:
    """The documents acted on, the ids by which they are named, and their deliveries to the recipients named."""

    targets: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    concerned: tuple[Delivery, ...] = ()
    warnings: tuple[Violation, ...] = ()


NOTHING = Asked()


def final(delivery: Delivery) -> bool:
    """Nothing more can be asked about it."""
    return delivery.state is Transport.WITHDRAWN or delivery.status in FINAL


def find(
    connection: Connection,
    directory: Directory,
    asker: Prepared,
    recipients: set[str],
    *,
    repeat: bool = False,
) -> Asked:
    """Which of the sender's documents a packet of kind 1–3 means, and what these recipients have of them.

    Raises ``not-your-document`` when nothing named is the sender's own and something is another's, and
    ``already-revoked`` when a revocation finds every named delivery ended (not for a repeat).
    """
    kind, sender = asker.kind, asker.sender
    named = [(target, canonical_document_id(target.document_id)) for group in asker.targets for target in group]
    if not named:
        return NOTHING
    ids = {document_id for _, document_id in named}
    rows = documents.by_document_id(connection, ids, sender=sender)
    for group in asker.targets:
        own = [(target, meant) for target in group if (meant := _own(rows, target))]
        if own:
            return _concerned(connection, directory, kind, own, group, recipients, repeat)
    if not repeat:
        others = documents.used_by_others(connection, ids, sender)
        for target, document_id in named:
            # An id that begins with the sender's own code is its own, whoever used it here first.
            if document_id in others and not directory.same(document_id.partition(",")[0], sender):
                raise Refusal("not-your-document", target.pointer, target.document_id)
    alone = [target for target, _ in named]
    return Asked(warnings=_unknown(alone if kind is Kind.REPLACEMENT else alone[:1]))


def _own(rows: list[RowMapping], target: Target) -> list[RowMapping]:
    """Of the sender's documents those meant: of the year named, else of the newest year; no revocations."""
    text = canonical_document_id(target.document_id)
    same = [row for row in rows if row["document_id"] == text and row["kind"] != Kind.REVOCATION]
    if not same:
        return []
    years = {row["year"] for row in same}
    year = target.year if target.year in years else max(years)
    return [row for row in same if row["year"] == year]


def _concerned(
    connection: Connection,
    directory: Directory,
    kind: Kind,
    own: list[tuple[Target, list[RowMapping]]],
    group: Iterable[Target],
    recipients: set[str],
    repeat: bool,
) -> Asked:
    targets = tuple(dict.fromkeys(row["id"] for _target, rows in own for row in rows))
    meant: dict[str, set[str]] = {target: set() for target in targets}  # the recipients asked, by document
    for target, rows in own:
        only = {directory.resolve(code) for code in target.organ_ids} or recipients
        for row in rows:
            meant[row["id"]] |= only & recipients
    found = deliveries.of_documents(connection, targets, set().union(*meant.values()), MOST_CONCERNED + 1)
    if len(found) > MOST_CONCERNED:
        raise Refusal("too-many-concerned", own[0][0].pointer, facts={"limit": MOST_CONCERNED})
    concerned = [delivery for delivery in found if delivery.recipient in meant[delivery.document_id]]
    ended = [d.state is Transport.WITHDRAWN or d.status in _GONE for d in concerned]
    if kind is Kind.REVOCATION and ended and all(ended) and not repeat:
        raise Refusal("already-revoked", own[0][0].pointer, own[0][0].document_id)
    known = {id(target) for target, _rows in own}
    return Asked(
        targets=targets,
        named=frozenset(row["document_id"] for _target, rows in own for row in rows),
        concerned=tuple(concerned),
        warnings=_unknown([target for target in group if id(target) not in known and kind is not Kind.REVOCATION]),
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
    by_recipient = {delivery.recipient: delivery for delivery in own}
    seen = {delivery.recipient for delivery in asked.concerned if delivery.fetched}  # of anything that is acted on
    unseen: list[Delivery] = []
    requests: list[tuple[Delivery, str]] = []
    for delivery in asked.concerned:
        if final(delivery):
            continue
        if kind is Kind.REVOCATION and can_withdraw(delivery.state, fetched=delivery.fetched):
            unseen.append(delivery)
        else:
            requests.append((delivery, by_recipient[delivery.recipient].id))
    withdraw(tx, unseen, detail=document_id)
    open_requests(tx, ASK[kind], requests, document_id)
    moot = {delivery.recipient for delivery in unseen} - {delivery.recipient for delivery, _ in requests} - seen
    gone = change.move_all(tx, [by_recipient[code] for code in sorted(moot)], Move.WITHDRAW, detail=document_id)
    return list((by_recipient | {delivery.recipient: delivery for delivery in gone}).values())


def withdraw(
    tx: Transaction, batch: Sequence[Delivery], *, detail: str = "", report_id: str | None = None
) -> list[Delivery]:
    """Take back what was never fetched; what was asked about it, and what it asked itself, is moot."""
    ids = [delivery.id for delivery in batch]
    left = deliveries.open_requests(tx.connection, ids) + deliveries.open_requests_made(tx.connection, ids)
    deliveries.close_requests(tx.connection, [row["id"] for row in left], "moot", tx.now)
    return change.move_all(tx, batch, Move.WITHDRAW, detail=detail, report_id=report_id)


def open_requests(
    tx: Transaction, ask: Ask, asked: Iterable[tuple[Delivery, str]], asking_document_id: str | None
) -> None:
    """A request about each delivery, made by the asking delivery beside it."""
    rows = [
        {
            "id": tx.new_id(), "delivery_id": delivery.id, "ask": ask.value, "asking_delivery_id": asking_delivery_id,
            "asking_document_id": asking_document_id, "seq": tx.next_seq(), "opened_at": tx.now, "outcome": "open",
        }
        for delivery, asking_delivery_id in asked
    ]  # fmt: skip
    deliveries.add_requests(tx.connection, rows)
