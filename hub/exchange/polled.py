"""Writing down when systems last asked what waits for them (``hub.http.polls`` gathers it)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hub.exchange.writer import Transaction, each
from hub.store import polls


@each
def polled(tx: Transaction, job: Mapping[str, datetime]) -> int:
    """The moments by system, at least one; gives how many."""
    polls.put(tx.connection, job)
    return len(job)
