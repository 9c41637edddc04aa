"""Who may see which evidence of a document."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from hub.domain.agency import System
from hub.errors import Refusal
from hub.exchange.examine import is_sender
from hub.store import documents, evidence
from hub.store.evidence import Own
from hub.store.roster import Roster


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
