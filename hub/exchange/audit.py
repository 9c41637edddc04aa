"""What operators did, noted in the same transaction: there is no action without its entry, and no entry without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.exchange.writer import Transaction
from hub.store import audit


def note(
    tx: Transaction,
    by: str,
    action: str,
    subject: str,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry. ``by``: the operator's name, or ``command:USER`` for one of the ``hub`` commands.

    ``facts`` say what it came to, as JSON; they name no secret, and no password.
    """
    audit.append(tx.connection, {
        "seq": tx.next_seq(), "at": tx.now, "operator": by, "action": action, "subject": subject, "reason": reason,
        "facts": dict(facts or {}),
    })  # fmt: skip
