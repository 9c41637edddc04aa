"""Handing a packet to its recipient: claim, fetch, done, failed (exchange rules 6).

Every verb takes a job that names the acting system and the delivery; a delivery that is not the system's is
``not-found``, like one that does not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from hub.domain.delivery import ATTEMPTS, Move, Transport
from hub.domain.document import VIETNAM
from hub.errors import Refusal
from hub.exchange import change
from hub.exchange.examine import acting_system, may_receive
from hub.exchange.writer import Transaction, each
from hub.store import deliveries, queue
from hub.store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who acts on which delivery. ``lease`` when the caller holds one, ``reason`` with a failure."""

    system_id: str
    delivery_id: str
    lease: str | None = None
    reason: str = ""


_LEASE = re.compile(r"[0-9a-f]{24}")


@each
def claim(tx: Transaction, job: HandOver) -> dict[str, Any]:
    """Take a lease on a delivery: ``{lease, until}``. Raises ``lease-held``, ``delivery-final``.

    A caller may name its lease (24 hex digits), so that it can ask again when the answer was lost.
    """
    delivery = _mine(tx, job)
    standing = delivery.lease_until is not None and delivery.lease_until > tx.now
    if standing and job.lease is not None and job.lease == delivery.lease:
        return _claimed(delivery)
    if delivery.state is Transport.TAKEN:
        if delivery.lease_until is None or delivery.lease_until > tx.now:
            until = delivery.lease_until.astimezone(VIETNAM).isoformat() if delivery.lease_until else ""
            raise Refusal("lease-held", facts={"until": until})
        delivery = change.move(tx, delivery, Move.LEASE_OVER, by=delivery.system_id)
    lease = job.lease if job.lease is not None and _LEASE.fullmatch(job.lease) else tx.new_id()
    until_ = tx.now + change.LEASE
    return _claimed(change.move(tx, delivery, Move.TAKE, by=job.system_id, lease=lease, lease_until=until_))


def _claimed(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id, "document": delivery.document_id, "lease": delivery.lease, "until": delivery.lease_until
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetch:
    """A packet about to be handed out for these deliveries (a platform may have several of one packet)."""

    system_id: str
    delivery_ids: tuple[str, ...]


@each
def fetch(tx: Transaction, job: Fetch) -> str:
    """Record the fetch before the first byte goes out; from now on the delivery stays with this system.

    Gives the document's id.
    """
    document = ""
    for delivery_id in job.delivery_ids:
        delivery = _mine(tx, HandOver(job.system_id, delivery_id))
        first: dict[str, Any] = {} if delivery.fetched else {"fetched_at": tx.now, "system_id": job.system_id}
        change.note(tx, delivery, "fetch", by=job.system_id, **first)
        document = delivery.document_id
    tx.at("fetch-written")
    return document


@each
def done(tx: Transaction, job: HandOver) -> dict[str, Any]:
    """The recipient has the packet safe. The same answer again for a repeat.

    Raises ``lease-lost``, ``delivery-not-fetched`` (nothing was handed out that could be safe).
    """
    delivery = _mine(tx, job)
    if delivery.state is not Transport.DELIVERED:
        _holds(delivery, job)
        if not delivery.fetched:
            raise Refusal("delivery-not-fetched", facts={"delivery": delivery.id})
        delivery = change.move(tx, delivery, Move.DONE, by=job.system_id)
        tx.at("done-written")
    return {"id": delivery.id, "document": delivery.document_id, "state": delivery.state.value}


@each
def failed(tx: Transaction, job: HandOver) -> dict[str, Any]:
    """The recipient cannot take the packet. Before the first fetch it is an attempt: the fifth fails the delivery.

    Raises ``lease-lost``, ``delivery-final``.
    """
    delivery = _mine(tx, job)
    if delivery.state is Transport.FAILED:
        return _failure(delivery)
    _holds(delivery, job)
    attempts = delivery.attempts + 1
    if delivery.fetched or attempts >= ATTEMPTS:
        delivery = change.move(
            tx, delivery, Move.FAIL, by=job.system_id, detail=job.reason, attempts=attempts, reason=job.reason[:1000]
        )
    elif delivery.state is Transport.TAKEN:
        delivery = change.move(tx, delivery, Move.LEASE_OVER, by=job.system_id, detail=job.reason, attempts=attempts)
    elif delivery.state is Transport.WAITING:
        delivery = change.note(tx, delivery, "attempt", by=job.system_id, detail=job.reason, attempts=attempts)
    else:
        raise Refusal("delivery-final", facts={"state": delivery.state.value})
    return _failure(delivery)


@each
def processing(tx: Transaction, job: HandOver) -> dict[str, Any]:
    """The recipient has begun with it (gateway dialect): noted once in its history, and nothing else changes."""
    delivery = _mine(tx, job)
    if all(event["what"] != "processing" for event in deliveries.events_of(tx.connection, [delivery.id])):
        change.note(tx, delivery, "processing", by=job.system_id, detail=job.reason)
    return {"id": delivery.id, "document": delivery.document_id, "state": delivery.state.value}


@dataclass(frozen=True, slots=True)
class Sink:
    """Deliveries that a system was shown again and again, and did nothing with."""

    system_id: str
    delivery_ids: tuple[str, ...]


@each
def sink(tx: Transaction, job: Sink) -> int:
    """List them behind all others from now on; gives how many that were."""
    return queue.sink(tx.connection, job.system_id, job.delivery_ids)


def _failure(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "document": delivery.document_id,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
    }


def _mine(tx: Transaction, job: HandOver) -> Delivery:
    system = acting_system(tx.roster, job.system_id)
    delivery = deliveries.get(tx.connection, job.delivery_id)
    if delivery is None or not may_receive(tx.roster, system, delivery, tx.now):
        raise Refusal("not-found")
    return delivery


def _holds(delivery: Delivery, job: HandOver) -> None:
    """A named lease must be the one that stands; without one the state alone decides."""
    if job.lease is not None and job.lease != (delivery.lease or ""):
        raise Refusal("lease-lost")


@dataclass(frozen=True, slots=True)
class Sweep:
    """How many overdue rows to handle in one transaction."""

    most: int = 500


@each
def sweep(tx: Transaction, job: Sweep) -> int:
    """End the leases and deliveries whose time is over; gives the number handled (``most``: call again)."""
    leases = deliveries.overdue_leases(tx.connection, tx.now, job.most)
    change.move_all(tx, leases, Move.LEASE_OVER)
    expired = deliveries.overdue(tx.connection, tx.now, job.most - len(leases))
    for detail, some in groupby(expired, key=lambda delivery: _expired(delivery, tx.now)):
        change.move_all(tx, list(some), Move.EXPIRE, detail=detail)
    return len(leases) + len(expired)


def _expired(delivery: Delivery, now: datetime) -> str:
    days = (now - delivery.created_at) // timedelta(days=1)
    return f"quá hạn sau {days} ngày / expired after {days} days"
