"""The two doors: every change of a delivery's transport state or processing status goes through here.

Each writes the row, its history row and what the other parties are told, in one transaction. What is allowed is
decided by ``hub.domain.delivery``; where a packet goes by ``hub.domain.agency``.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.domain.delivery import FINAL, Move, Status, Transport, moved
from hub.domain.document import local_day
from hub.exchange.writer import Transaction
from hub.store import deliveries, documents
from hub.store.deliveries import Delivery

EXPIRY = timedelta(days=30)
EXPIRY_URGENT = timedelta(days=3)
LEASE = timedelta(minutes=5)


def move(
    tx: Transaction,
    delivery: Delivery,
    what: Move,
    *,
    by: str | None = None,
    detail: str = "",
    report_id: str | None = None,
    **values: Any,
) -> Delivery:
    """Move a delivery on its way and tell its sender where that matters to him.

    ``by`` is the acting system, ``values`` further columns that change with the move (a lease, an attempt). A delivery
    that becomes available again gets a fresh ``seq`` and goes to the system that is nearest now, unless one has it.
    Raises ``delivery-final``.
    """
    after = moved(delivery.state, what)
    values = {"state": after, "lease": None, "lease_until": None} | values
    if after is Transport.WAITING:
        values["seq"] = tx.next_seq()
        if not delivery.fetched or delivery.system_id not in tx.roster.systems:
            values["system_id"] = receiver(tx, delivery.recipient) or delivery.system_id
    changed = _write(tx, delivery, values, what.value, by, detail, report_id)
    if after is Transport.WAITING:
        tx.ring(changed.system_id)
    if what in _TOLD:
        tell_sender(tx, changed, after.value, detail=detail, report_id=report_id)
    if what is Move.DONE:
        _evidence_of_hand_over(tx, changed, by)
    return changed


_TOLD = frozenset({Move.DONE, Move.FAIL, Move.EXPIRE, Move.WITHDRAW, Move.REOPEN})


def set_status(
    tx: Transaction, delivery: Delivery, after: Status, *, by: str | None, report_id: str, detail: str = ""
) -> Delivery:
    """Set the processing status; a final one leaves no request open."""
    changed = _write(tx, delivery, {"status": after}, "status", by, detail, report_id)
    if after in FINAL:
        left = [row["id"] for row in deliveries.open_requests(tx.connection, [delivery.id])]
        deliveries.close_requests(tx.connection, left, "moot", tx.now)
    return changed


def note(
    tx: Transaction, delivery: Delivery, what: str, *, by: str | None, detail: str = "", **values: object
) -> Delivery:
    """An attempt that leaves both states as they are (a fetch, a failed try, a move to another system)."""
    return _write(tx, delivery, values, what, by, detail, None)


def tell_sender(
    tx: Transaction, delivery: Delivery, what: str, *, detail: str = "", report_id: str | None = None
) -> None:
    """An entry in the outbox of whoever speaks for the packet's sender now."""
    document = documents.get(tx.connection, delivery.document_id)
    if document is None:
        raise RuntimeError(f"delivery {delivery.id} has no document")
    # A status packet's sender is the recipient of the document it is about, and the other way round for a 13.
    sent = document
    if delivery.report_id is not None:
        sent = documents.report(tx.connection, delivery.report_id) or document
    system_id = receiver(tx, sent["sender"])
    # A locked system reads it once it is unlocked; without any, it waits under the sender's own code (see `reroute`).
    nearest = tx.roster.directory.nearest(sent["sender"])
    standing = tx.roster.systems[system_id] if system_id is not None else nearest
    owner = standing.code if standing is not None else sent["sender"]
    row = {
        "seq": tx.next_seq(), "owner": owner, "document_id": delivery.document_id, "delivery_id": delivery.id,
        "what": what, "status": delivery.status.value, "detail": detail[:1000], "report_id": report_id, "at": tx.now,
    }  # fmt: skip
    deliveries.add_outbox(tx.connection, [row])
    tx.ring(system_id)


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
    before: Delivery,
    values: dict[str, Any],
    what: str,
    by: str | None,
    detail: str,
    report_id: str | None,
) -> Delivery:
    after = replace(before, **values)
    row = deliveries.row_of(after)
    written = {name: row[name] for name in values}
    if written:
        deliveries.write(tx.connection, before, written)
    event = {
        "delivery_id": before.id, "at": tx.now, "what": what, "state_before": before.state.value,
        "state_after": after.state.value, "status_before": before.status.value, "status_after": after.status.value,
        "system_id": by, "report_id": report_id, "detail": detail[:1000],
    }  # fmt: skip
    deliveries.add_events(tx.connection, [event])
    return after


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
        "report_id": report_id, "at": tx.now, "nonce": secrets.token_hex(16), "body": body,
    }  # fmt: skip
