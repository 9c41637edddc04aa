"""Who may see which evidence of a document, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping

from hub.domain.agency import System
from hub.domain.merkle import inclusion_proof, leaf_hash
from hub.domain.tiles import hashes_from
from hub.errors import Refusal
from hub.exchange.examine import is_sender
from hub.store import documents, evidence
from hub.store.evidence import Own
from hub.store.roster import Roster
from hub.store.tiles import Stored


def insight(connection: Connection, roster: Roster, system: System, document_id: str, now: datetime) -> Own | None:
    """None: all of it, for the sender. For a recipient's system its own: the acceptances that name it, its hand-overs
    and its reports. Raises ``not-found`` for a system that has fetched nothing of the document.
    """
    document = documents.get(connection, document_id)
    if document is None:
        raise Refusal("not-found")
    if is_sender(roster, system, document, now):
        return None
    own = evidence.fetched(connection, document_id, system.id)
    if not own.deliveries:
        raise Refusal("not-found")
    return own


def may_read_report(own: Own | None, sender: str) -> bool:
    """Whether a report by ``sender`` is among what may be seen."""
    return own is None or sender in own.codes


def leaves(connection: Connection, rows: Iterable[RowMapping], size: int) -> list[dict[str, Any]]:
    """Entries with their receipts, and the proofs that they are in the log's tree of that size, as far as they are."""
    hash_at = cache(hashes_from(size, Stored(connection)))  # entries of one document lie side by side in the tree
    found = []
    for row in rows:
        index, proof = row["leaf_index"], None
        if index is not None and index < size:
            proof = [each.hex() for each in inclusion_proof(index, size, hash_at)]
        leaf = None if row["entry"] is None else leaf_hash(row["entry"]).hex()
        told = {"id": row["id"], "kind": row["kind"], "at": row["at"], "entry": row["body"]}
        found.append(told | {"receipt": row["receipt"], "index": index, "leaf": leaf, "proof": proof})
    return found
