"""Filling an empty directory from the packaged list of agencies."""

from __future__ import annotations

from hub.domain.agency import Agency
from hub.exchange.writer import Transaction, each
from hub.store import roster


@each
def seed(tx: Transaction, agencies: list[Agency]) -> int:
    """List the agencies if none is listed yet; gives how many were added."""
    if roster.count_agencies(tx.connection):
        return 0
    roster.add_agencies(tx.connection, agencies)
    tx.directory_changed()
    return len(agencies)
