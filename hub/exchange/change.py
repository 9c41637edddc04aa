"""The two doors: every change of a delivery's transport state or processing status goes through here.

Each decides the row, its history row and what the other parties are told; all of it is written in one transaction
(``Transaction.decided``). What is allowed is decided by ``hub.domain.delivery``; where a packet goes by
``hub.domain.agency``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import RowMapping

from hub import metrics
from hub.domain.delivery import FINAL, Move, Status, Transport, moved
from hub.domain.document import local_day
from hub.domain.receipt import Statement
from hub.domain.turns import turn_of
from hub.exchange.writer import Transaction
from hub.store import deliveries
from hub.store import evidence as evidence_rows
from hub.store.deliveries import Delivery
from hub.store.ids import chance
from hub.store.roster import Roster

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
        _evidence_of_hand_over(tx, changed, by)
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
    """An entry per delivery in the outbox of whoever speaks for its packet's sender now.

    Raises KeyError for a delivery that was neither stored nor decided.
    """
    look_up(tx, batch)
    for delivery in batch:
        sender = tx.carried[delivery.id].sender
        system_id = receiver(tx, sender)
        # A locked system reads it once it is unlocked; without any, it waits under the sender's own code (`reroute`).
        reader = tx.roster.systems[system_id] if system_id is not None else tx.roster.directory.nearest(sender)
        tx.decided.outbox.append(
            {
                "seq": tx.next_seq(),
                "owner": reader.code if reader is not None else sender,
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


def look_up(tx: Transaction, batch: Iterable[Delivery]) -> None:
    """Have at hand what deliveries carry (``tx.carried``); a verb that will need it of many asks for all at once."""
    unknown = {delivery.id for delivery in batch} - tx.carried.keys()
    if not unknown:
        return
    if any(row["id"] in unknown for row in tx.decided.deliveries):
        tx.write()
    tx.carried |= deliveries.carried(tx.earlier, unknown)


def receiver(tx: Transaction, code: str) -> str | None:
    """The system that receives for an agency now; for a closed one its successor's; None while there is none.

    A locked system is none: what it would get waits until it is unlocked or another is enrolled.
    """
    return receiving(tx.roster, code, tx.now)


def receiving(roster: Roster, code: str, now: datetime) -> str | None:
    """The same by a roster."""
    system = roster.directory.nearest(code)
    if system is None or system.locked:
        successor = roster.directory.successor_of(code, local_day(now))
        system = roster.directory.nearest(successor) if successor else None
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
    """Change columns of deliveries, with a history row for each."""
    changed = [replace(before, **row) for before, row in zip(batch, values, strict=True)]
    for before, after, row in zip(batch, changed, values, strict=True):
        if row:
            tx.decided.change(before, after, row)
        tx.counted.append(partial(_count, what, before, after, tx.now))
        tx.decided.events.append(
            {
                "delivery_id": before.id, "at": tx.now, "what": what, "state_before": before.state.value,
                "state_after": after.state.value, "status_before": before.status.value,
                "status_after": after.status.value, "system_id": by, "report_id": report_id, "detail": detail[:1000],
            }
        )  # fmt: skip
    return changed


def begin(tx: Transaction, batch: Iterable[Delivery]) -> list[dict[str, Any]]:
    """The rows of deliveries that are new."""
    rows = [deliveries.row_of(delivery) for delivery in batch]
    tx.counted.append(partial(metrics.EVENTS.add, "created", len(rows)))
    return rows


def _count(what: str, before: Delivery, after: Delivery, now: datetime) -> None:
    metrics.EVENTS.add(what)
    if before.report_id is not None:
        return
    if after.fetched_at is not None and not before.fetched:
        metrics.WAITS.observe((after.fetched_at - before.created_at).total_seconds(), "fetched")
    elif what == Move.DONE and before.fetched_at is not None:
        metrics.WAITS.observe((now - before.fetched_at).total_seconds(), "done")
    elif after.status is Status.ARRIVED and before.status is not Status.ARRIVED:
        metrics.WAITS.observe((now - before.created_at).total_seconds(), "received")


def _evidence_of_hand_over(tx: Transaction, batch: Sequence[Delivery], by: str | None) -> None:
    look_up(tx, batch)
    for delivery in batch:
        body = {
            "delivery": delivery.id, "document": delivery.document_id, "recipient": delivery.recipient,
            "system": by or "", "sha256": tx.carried[delivery.id].sha256, "at": tx.now.isoformat(),
        }  # fmt: skip
        tx.decided.evidence.append(evidence(tx, "handover", delivery.document_id, body, delivery.id))


def evidence(
    tx: Transaction,
    kind: str,
    document_id: str,
    body: dict[str, Any],
    delivery_id: str | None = None,
    report_id: str | None = None,
) -> dict[str, Any]:
    """A row of evidence; its receipt is in ``tx.receipts``, by the report, delivery or document.

    The nonce keeps the published entry from telling who wrote to whom.
    """
    nonce = chance(16)
    row: dict[str, Any] = {
        "id": tx.new_id(), "seq": tx.next_seq(), "kind": kind, "document_id": document_id, "delivery_id": delivery_id,
        "report_id": report_id, "at": tx.now, "nonce": nonce, "body": body,
    }  # fmt: skip
    row["entry"], row["receipt"] = tx.notary.entry(statement_of(row), bytes.fromhex(nonce), tx.now)
    tx.receipts[report_id or delivery_id or document_id] = row["receipt"]
    return row


def statement_of(row: Mapping[str, Any] | RowMapping) -> Statement:
    """What a row of evidence states."""
    return {"entry": row["id"], "kind": row["kind"], **row["body"]}


def receipt_of(tx: Transaction, about: str) -> str | None:
    """The receipt for a delivery's hand-over or for a report; None of one that a program before receipts wrote."""
    return tx.receipts.get(about) or evidence_rows.receipt_about(tx.earlier, about)
