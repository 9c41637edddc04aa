"""What nobody fetched goes to the nearest system, whenever systems come and go (exchange rules 2)."""

from __future__ import annotations

from hub.exchange import change
from hub.exchange.writer import Transaction
from hub.store import deliveries
from hub.store.deliveries import Delivery


def reroute(tx: Transaction) -> int:
    """Move what nobody fetched to the nearest system, oldest first, each with a fresh ``seq``; gives how many moved.

    What was to be told while no system stood for the sender goes to the one that does now.
    """
    moving: list[tuple[Delivery, str]] = []
    for recipient, holder, is_status in deliveries.unfetched_routes(tx.connection):
        system_id = _receiver(tx, recipient, is_status)
        if system_id is not None and system_id != holder:
            found = deliveries.unfetched(tx.connection, recipient, holder, is_status)
            moving += [(delivery, system_id) for delivery in found]
    change.hand_to(tx, sorted(moving, key=lambda pair: pair[0].seq))
    for owner in deliveries.outbox_owners_without_system(tx.connection):
        nearest = tx.roster.directory.nearest(owner)
        if nearest is not None:
            deliveries.give_outbox(tx.connection, owner, nearest.code)
            tx.ring(nearest.id)
    return len(moving)


def _receiver(tx: Transaction, recipient: str, is_status: bool) -> str | None:
    """A document stays with a locked system until another is nearer; a status waits for whoever may receive."""
    nearest = tx.roster.directory.nearest(recipient)
    if not is_status and nearest is not None:
        return nearest.id
    return change.receiver(tx, recipient)
