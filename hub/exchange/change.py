"""The two doors: every change of a delivery's transport state or processing status goes through here.

Each writes the row, its history row and what the other parties are told, in one transaction. What is allowed is
decided by ``hub.domain.delivery``; where a packet goes by ``hub.domain.agency``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.domain.delivery import FINAL, Move, Status, Transport, moved
from hub.domain.document import local_day
from hub.domain.turns import turn_of
from hub.exchange.writer import Transaction
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery
from hub.store.ids import chance

EXPIRY = timedelta(days=30)
EXPIRY_URGENT = timedelta(days=3)
LEASE = timedelta(minutes=5)


def move(tx: Transaction, delivery: Delivery, what: Move, **more: Any) -> Delivery:
    """Move one delivery; see :func:`move_all`."""
    return move_all(tx, [delivery], what, **more)[0]


def move_all(
    tx: Transaction,
    batch: Sequence[Delivery],
    what: Move,
    *,
    by: str | None = None,
    detail: str = "",
    report_id: str | None = None,
    **values: Any,
) -> list[Delivery]:
    """Move deliveries on their way and tell their senders where that matters to them.

    ``by`` is the acting system, ``values`` further columns that change with the move (a lease, an attempt). A delivery
    that becomes available again gets a fresh ``seq`` and goes to the system that is nearest now, unless one has it.
    Raises ``delivery-final``.
    """
    if not batch:
        return []
    written = [{"state": moved(d.state, what), "lease": None, "lease_until": None} | values for d in batch]
    for delivery, row in zip(batch, written, strict=True):
        if row["state"] is Transport.WAITING:
            row |= {"seq": tx.next_seq(), "again_at": tx.now, "turn": turn_of(urgent=delivery.urgent)}
            row["system_id"] = delivery.system_id
            if not delivery.fetched or delivery.system_id not in tx.roster.systems:
                row["system_id"] = receiver(tx, delivery.recipient) or delivery.system_id
    changed = _write(tx, batch, written, what.value, by, detail, report_id)
    for delivery in changed:
        if delivery.state is Transport.WAITING:
            tx.ring(delivery.system_id)
    if what in _TOLD:
        tell_senders(tx, changed, changed[0].state.value, detail=detail, report_id=report_id)
    if what is Move.DONE:
        for delivery in changed:
            _evidence_of_hand_over(tx, delivery, by)
    return changed


_TOLD = frozenset({Move.DONE, Move.FAIL, Move.EXPIRE, Move.WITHDRAW, Move.REOPEN})


def set_status(
    tx: Transaction, delivery: Delivery, after: Status, *, by: str | None, report_id: str, detail: str = ""
) -> Delivery:
    """Set the processing status; a final one leaves no request open."""
    (changed,) = _write(tx, [delivery], [{"status": after}], "status", by, detail, report_id)
    if after in FINAL:
        left = [row["id"] for row in deliveries.open_requests(tx.connection, [delivery.id])]
        deliveries.close_requests(tx.connection, left, "moot", tx.now)
    return changed


def note(
    tx: Transaction, delivery: Delivery, what: str, *, by: str | None, detail: str = "", **values: object
) -> Delivery:
    """An attempt that leaves both states as they are (a fetch, a failed try, a move to another system)."""
    (noted,) = _write(tx, [delivery], [values], what, by, detail, None)
    return noted


def hand_to(tx: Transaction, batch: Iterable[tuple[Delivery, str]]) -> None:
    """Give deliveries, in this order, to other systems than those that have them."""
    routes: dict[tuple[str | None, str], list[tuple[Delivery, int]]] = {}
    for delivery, system_id in batch:
        routes.setdefault((delivery.system_id, system_id), []).append((delivery, tx.next_seq()))
    for (holder, system_id), moving in routes.items():
        values = [
            {"system_id": system_id, "seq": seq, "again_at": tx.now, "turn": turn_of(urgent=delivery.urgent)}
            for delivery, seq in moving
        ]
        _write(tx, [delivery for delivery, _ in moving], values, "moved", holder, system_id, None)
        tx.ring(system_id)


def tell_senders(
    tx: Transaction, batch: Sequence[Delivery], what: str, *, detail: str = "", report_id: str | None = None
) -> None:
    """An entry per delivery in the outbox of whoever speaks for its packet's sender now."""
    senders: dict[tuple[str, str | None], str] = {}
    rows = []
    for delivery in batch:
        key = (delivery.document_id, delivery.report_id)
        if key not in senders:
            senders[key] = _sender(tx, *key)
        system_id = receiver(tx, senders[key])
        # A locked system reads it once it is unlocked; without any, it waits under the sender's own code (`reroute`).
        nearest = tx.roster.directory.nearest(senders[key])
        standing = tx.roster.systems[system_id] if system_id is not None else nearest
        rows.append(
            {
                "seq": tx.next_seq(),
                "owner": standing.code if standing is not None else senders[key],
                "document_id": delivery.document_id,
                "delivery_id": delivery.id,
                "what": what,
                "status": delivery.status.value,
                "detail": detail[:1000],
                "report_id": report_id,
                "at": tx.now,
            }
        )
        tx.ring(system_id)
    deliveries.add_outbox(tx.connection, rows)


def _sender(tx: Transaction, document_id: str, report_id: str | None) -> str:
    """Who sent a packet. A status's sender is the recipient of the document it is about; the other way for a 13."""
    sent = documents.report(tx.connection, report_id) if report_id is not None else None
    sent = sent or documents.get(tx.connection, document_id)
    if sent is None:
        raise RuntimeError(f"document {document_id} has deliveries and is not stored")
    return str(sent["sender"])


def receiver(tx: Transaction, code: str) -> str | None:
    """The system that receives for an agency now; for a closed one its successor's; None while there is none.

    A locked system is none: what it would get waits until it is unlocked or another is enrolled.
    """
    directory = tx.roster.directory
    system = directory.nearest(code)
    if system is None or system.locked:
        successor = directory.successor_of(code, local_day(tx.now))
        system = directory.nearest(successor) if successor else None
    return None if system is None or system.locked else system.id


def expiry(tx: Transaction, *, urgent: bool) -> datetime:
    return tx.now + (EXPIRY_URGENT if urgent else EXPIRY)


def _write(
    tx: Transaction,
    batch: Sequence[Delivery],
    values: Sequence[dict[str, Any]],
    what: str,
    by: str | None,
    detail: str,
    report_id: str | None,
) -> list[Delivery]:
    """Write columns of deliveries (the same for each) and a history row for each."""
    changed = [replace(before, **row) for before, row in zip(batch, values, strict=True)]
    if values and values[0]:
        deliveries.write(tx.connection, batch, changed, list(values[0]))
    deliveries.add_events(
        tx.connection,
        [
            {
                "delivery_id": before.id, "at": tx.now, "what": what, "state_before": before.state.value,
                "state_after": after.state.value, "status_before": before.status.value,
                "status_after": after.status.value, "system_id": by, "report_id": report_id, "detail": detail[:1000],
            }
            for before, after in zip(batch, changed, strict=True)
        ],
    )  # fmt: skip
    return changed


def _evidence_of_hand_over(tx: Transaction, delivery: Delivery, by: str | None) -> None:
    packet = documents.packet_facts(tx.connection, delivery.packet_id)
    body = {
        "delivery": delivery.id, "document": delivery.document_id, "recipient": delivery.recipient, "system": by or "",
        "sha256": packet["sha256"], "at": tx.now.isoformat(),
    }  # fmt: skip
    documents.add(tx.connection, [], [], [evidence(tx, "handover", delivery.document_id, body, delivery.id)])


def evidence(
    tx: Transaction,
    kind: str,
    document_id: str,
    body: dict[str, Any],
    delivery_id: str | None = None,
    report_id: str | None = None,
) -> dict[str, Any]:
    """A leaf row for the evidence log; the nonce keeps a published leaf from telling who wrote to whom."""
    return {
        "id": tx.new_id(), "seq": tx.next_seq(), "kind": kind, "document_id": document_id, "delivery_id": delivery_id,
        "report_id": report_id, "at": tx.now, "nonce": chance(16), "body": body,
    }  # fmt: skip
