"""Handing a packet to its recipient: claim, fetch, done, failed (exchange rules 6).

Every verb takes a job that names the acting system and the delivery; a delivery that is not the system's is
``not-found``, like one that does not exist. A batch's deliveries are read together and changed together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from hub.domain.delivery import ATTEMPTS, Move, Transport
from hub.domain.document import VIETNAM
from hub.errors import Refusal
from hub.exchange import change
from hub.exchange.examine import acting_system, may_receive
from hub.exchange.writer import Transaction, each, together
from hub.store import deliveries, queue
from hub.store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class HandOver:
    """Who acts on which delivery. ``lease`` when the caller holds one, ``reason`` with a failure."""

    system_id: str
    delivery_id: str
    lease: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A packet about to be handed out for these deliveries (a platform may have several of one packet)."""

    system_id: str
    delivery_ids: tuple[str, ...]


def _state(delivery: Delivery) -> dict[str, Any]:
    return {"id": delivery.id, "document": delivery.document_id, "state": delivery.state.value}


def _claimed(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id, "document": delivery.document_id, "lease": delivery.lease, "until": delivery.lease_until
    }  # fmt: skip


def _failure(delivery: Delivery) -> dict[str, Any]:
    return _state(delivery) | {"attempts": delivery.attempts}


def _latest(tx: Transaction, delivery_ids: Iterable[str]) -> dict[str, Delivery]:
    found = deliveries.some(tx.earlier, set(delivery_ids))
    return {delivery.id: tx.decided.latest(delivery) for delivery in found.values()}


def _in_turn(
    tx: Transaction,
    jobs: Iterable[HandOver],
    latest: dict[str, Delivery],
    act: Callable[[Transaction, Delivery, HandOver], Delivery],
    told: Callable[[Delivery], dict[str, Any]],
) -> list[dict[str, Any] | Refusal]:
    """Do it to each delivery that is its caller's, as the jobs before left it; ``told``: the answer.

    What ``act`` refuses, it refuses before it changes anything.
    """
    results: list[dict[str, Any] | Refusal] = []
    for job in jobs:
        try:
            delivery = act(tx, _mine(tx, job.system_id, latest.get(job.delivery_id)), job)
            latest[delivery.id] = delivery
            results.append(told(delivery))
        except Refusal as refused:
            results.append(refused)
    return results


_LEASE = re.compile(r"[0-9a-f]{24}")


@together
def claim(tx: Transaction, jobs: list[HandOver]) -> list[dict[str, Any] | Refusal]:
    """Take a lease on a delivery: ``{lease, until}``. Refuses with ``lease-held``, ``delivery-final``.

    A caller may name its lease (24 hex digits), so that it can ask again when the answer was lost.
    """
    return _in_turn(tx, jobs, _latest(tx, (job.delivery_id for job in jobs)), _claim, _claimed)


def _claim(tx: Transaction, delivery: Delivery, job: HandOver) -> Delivery:
    stands = delivery.lease_until is not None and delivery.lease_until > tx.now
    if stands and job.lease is not None and job.lease == delivery.lease:
        return delivery
    if delivery.state is Transport.TAKEN:
        if delivery.lease_until is None or delivery.lease_until > tx.now:
            until = delivery.lease_until.astimezone(VIETNAM).isoformat() if delivery.lease_until else ""
            raise Refusal("lease-held", facts={"until": until})
        delivery = change.move(tx, delivery, Move.LEASE_OVER, by=delivery.system_id)
    lease = job.lease if job.lease is not None and _LEASE.fullmatch(job.lease) else tx.new_id()
    return change.move(tx, delivery, Move.TAKE, by=job.system_id, lease=lease, lease_until=tx.now + change.LEASE)


@together
def fetch(tx: Transaction, jobs: list[Fetch]) -> list[str | Refusal]:
    """Record fetches before the first byte goes out; from now on a delivery stays with this system.

    Gives the document's id.
    """
    latest = _latest(tx, (one for job in jobs for one in job.delivery_ids))
    results: list[str | Refusal] = []
    for job in jobs:
        try:
            own = [_mine(tx, job.system_id, latest.get(one)) for one in job.delivery_ids]
        except Refusal as refused:
            results.append(refused)
            continue
        for delivery in own:
            first: dict[str, Any] = {} if delivery.fetched else {"fetched_at": tx.now, "system_id": job.system_id}
            latest[delivery.id] = change.note(tx, delivery, "fetch", by=job.system_id, **first)
        results.append(own[-1].document_id)
    tx.decided.at("fetch-written")
    return results


@together
def done(tx: Transaction, jobs: list[HandOver]) -> list[dict[str, Any] | Refusal]:
    """The recipient has the packet safe: ``{id, document, state, receipt}``. The same answer again for a repeat.

    Refuses with ``lease-lost``, ``delivery-not-fetched`` (nothing was handed out that could be safe).
    """
    latest = _latest(tx, (job.delivery_id for job in jobs))
    change.look_up(tx, latest.values())
    results = _in_turn(tx, jobs, latest, _done, _state)
    for result in results:
        if not isinstance(result, Refusal):
            result["receipt"] = change.receipt_of(tx, result["id"])
    tx.decided.at("done-written")
    return results


def _done(tx: Transaction, delivery: Delivery, job: HandOver) -> Delivery:
    if delivery.state is Transport.DELIVERED:
        return delivery
    _holds(delivery, job)
    if not delivery.fetched:
        raise Refusal("delivery-not-fetched", facts={"delivery": delivery.id})
    return change.move(tx, delivery, Move.DONE, by=job.system_id)


@together
def failed(tx: Transaction, jobs: list[HandOver]) -> list[dict[str, Any] | Refusal]:
    """The recipient cannot take the packet. Before the first fetch it is an attempt: the fifth fails the delivery.

    Refuses with ``lease-lost``, ``delivery-final``.
    """
    latest = _latest(tx, (job.delivery_id for job in jobs))
    change.look_up(tx, latest.values())
    return _in_turn(tx, jobs, latest, _failed, _failure)


def _failed(tx: Transaction, delivery: Delivery, job: HandOver) -> Delivery:
    if delivery.state is Transport.FAILED:
        return delivery
    _holds(delivery, job)
    attempts = delivery.attempts + 1
    by, why = job.system_id, job.reason
    if delivery.fetched or attempts >= ATTEMPTS:
        return change.move(tx, delivery, Move.FAIL, by=by, detail=why, attempts=attempts, reason=why[:1000])
    if delivery.state is Transport.TAKEN:
        return change.move(tx, delivery, Move.LEASE_OVER, by=by, detail=why, attempts=attempts)
    if delivery.state is Transport.WAITING:
        return change.note(tx, delivery, "attempt", by=by, detail=why, attempts=attempts)
    raise Refusal("delivery-final", facts={"state": delivery.state.value})


@each
def processing(tx: Transaction, job: HandOver) -> dict[str, Any]:
    """The recipient has begun with it (gateway dialect): noted once in its history, and nothing else changes."""
    delivery = _mine(tx, job.system_id, deliveries.get(tx.connection, job.delivery_id))
    if all(event["what"] != "processing" for event in deliveries.events_of(tx.connection, [delivery.id])):
        change.note(tx, delivery, "processing", by=job.system_id, detail=job.reason)
    return _state(delivery)


@dataclass(frozen=True, slots=True)
class Sink:
    """Deliveries that a system was shown again and again, and did nothing with."""

    system_id: str
    delivery_ids: tuple[str, ...]


@each
def sink(tx: Transaction, job: Sink) -> int:
    """List them behind all others from now on; gives how many that were."""
    return queue.sink(tx.connection, job.system_id, job.delivery_ids)


def _mine(tx: Transaction, system_id: str, delivery: Delivery | None) -> Delivery:
    system = acting_system(tx.roster, system_id)
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
